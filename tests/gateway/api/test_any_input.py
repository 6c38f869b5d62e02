"""Whatever the description allows, and what it does not: an answer, never a 500."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from gateway.api import app
from tests.gateway.api.house import House

EXAMPLES = 12  # a call and a mode
LEFT_OUT = {
    ("POST", "/api/v1/login"),  # its limit of attempts would answer for it
    ("POST", "/api/v1/logout"),  # it would end the session that asks
    ("GET", "/api/v1/events"),  # it never ends
}


def test_no_input_is_a_fault(house: House, as_role: Callable[[str], httpx.Client]) -> None:
    schema = schemathesis.openapi.from_dict(app.build(house.context).openapi())
    client = as_role("admin")
    auditor = as_role("auditor")
    asked = 0

    for found in schema.get_all_operations():
        operation = found.ok()
        call = (operation.method.upper(), operation.path)
        if call in LEFT_OUT:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                nonlocal asked
                sent = case.as_transport_kwargs(base_url="http://hall")
                path = httpx.URL(sent["url"])
                who = auditor if "/audit" in sent["url"] else client
                headers = {
                    k: v
                    for k, v in dict(sent.get("headers") or {}).items()
                    if k.lower() == "content-type"
                }
                answer = who.request(
                    sent["method"],
                    path.raw_path.decode(),
                    params=sent.get("params") or None,
                    json=sent.get("json"),
                    headers=headers,
                )
                asked += 1
                assert answer.status_code < 500, (sent, answer.text)
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json"

            with suppress(Unsatisfiable):  # nothing can be wrong with a call that takes nothing
                ask()
    assert asked > 100
