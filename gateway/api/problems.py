"""RFC 9457 problem details for every error, and the one way to raise them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.errors import InputFault

MEDIA = "application/problem+json"


class Problem(HTTPException):
    """An error that the caller is told of: status, one sentence, further members."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status, detail, headers)
        self.more = more


def body(status: int, detail: str | None = None, **more: Any) -> dict[str, Any]:
    """The members of a problem document."""
    title = HTTPStatus(status).phrase
    made: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail and detail != title:
        made["detail"] = detail
    return made | more


def response(
    status: int, detail: str | None = None, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem as a response."""
    return JSONResponse(body(status, detail, **more), status, headers, media_type=MEDIA)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    @app.exception_handler(HTTPException)
    async def _http(_: Request, fault: HTTPException) -> JSONResponse:
        more = fault.more if isinstance(fault, Problem) else {}
        headers = dict(fault.headers) if fault.headers else None
        return response(fault.status_code, str(fault.detail), headers, **more)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, fault: RequestValidationError) -> JSONResponse:
        errors = [
            {"where": ".".join(str(part) for part in error["loc"]), "what": error["msg"]}
            for error in fault.errors()
        ]
        return response(422, "the request is not as described in /openapi.json", errors=errors)

    @app.exception_handler(InputFault)
    async def _input(_: Request, fault: InputFault) -> JSONResponse:
        return response(422, str(fault))

    @app.exception_handler(Exception)
    async def _bug(_: Request, __: Exception) -> JSONResponse:
        return response(500, "a fault of the gateway; its log says more")
