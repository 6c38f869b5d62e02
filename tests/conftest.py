"""What holds for all tests: no law fails because the machine was slow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hall", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("hall")
