"""The parts of `cryptography` that certificates, keys and sealed texts need, each loaded at its
first use: 8 MB that a gateway without an authority of its own may never need."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["aead", "ec", "ed25519", "exceptions", "hashes", "oid", "serialization", "x509"]

if TYPE_CHECKING:
    from cryptography import exceptions, x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.ciphers import aead
    from cryptography.x509 import oid
else:
    _PARTS = {
        "exceptions": "cryptography.exceptions",
        "x509": "cryptography.x509",
        "hashes": "cryptography.hazmat.primitives.hashes",
        "serialization": "cryptography.hazmat.primitives.serialization",
        "ec": "cryptography.hazmat.primitives.asymmetric.ec",
        "ed25519": "cryptography.hazmat.primitives.asymmetric.ed25519",
        "aead": "cryptography.hazmat.primitives.ciphers.aead",
        "oid": "cryptography.x509.oid",
    }

    def __getattr__(name: str) -> Any:
        if name not in _PARTS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = import_module(_PARTS[name])
        return found
