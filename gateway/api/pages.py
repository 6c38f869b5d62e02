"""The built dashboard's files; one page for every address of its own."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse

from gateway.api.access import API
from gateway.api.problems import Problem

BUILT = Path(__file__).parent.parent / "static"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
        " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_FOREVER = "public, max-age=31536000, immutable"

NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>厅守 Hallkeeper</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}</style>
<h1>厅守 Hallkeeper</h1>
<p>网关正在运行，但页面尚未构建。请在源码目录执行 <code>make setup</code>，然后刷新。</p>
<p lang="en">The gateway is running, but its pages have not been built. Run
<code>make setup</code> in the source directory, then reload.</p>
<p><a href="/openapi.json">/openapi.json</a> · <a href="/healthz">/healthz</a></p>
</html>
"""


def router(folder: Path) -> APIRouter:
    made = APIRouter(include_in_schema=False)

    @made.api_route("/{path:path}", methods=["GET", "HEAD"])
    def page(path: str) -> Response:
        """A file of the dashboard, or its one page for an address that the page itself reads."""
        if f"/{path}/".startswith(API.rsplit("/", 1)[0] + "/"):
            raise Problem(404, "no such call; /openapi.json names all")
        root = folder.resolve()
        index = root / "index.html"
        file = _inside(root, path)
        if file is not None:
            cache = _FOREVER if path.startswith("assets/") else "no-cache"
            return FileResponse(file, headers=HEADERS | {"Cache-Control": cache})
        if "." in path.rsplit("/", 1)[-1]:
            raise Problem(404, "no such file")
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, headers=HEADERS)
        return FileResponse(index, headers=HEADERS | {"Cache-Control": "no-cache"})

    return made


def _inside(root: Path, path: str) -> Path | None:
    if not path or "\0" in path:
        return None
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):  # a name too long, or no name at all
        return None
