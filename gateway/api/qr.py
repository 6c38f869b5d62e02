"""The page behind a counter's QR code: one screen, no script, no cookie, nothing of the rater.

It stands outside the API: a citizen's phone opens it without signing in. Links are made by a named
person; each is for one counter and ends on a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from gateway import audit
from gateway.api.asked import Person, written
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.ratings import entering, links

PATH = "/r/"
_May = Callable[[str, str], bool]  # (address, counter)
MAX_DAYS = 400
# A house's guests may share one address; a counter cannot serve more people than this.
_ADDRESS_A_MINUTE, _COUNTER_AN_HOUR = 10, 60
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LEVELS = (
    (5, "非常满意", "Very satisfied"),
    (4, "满意", "Satisfied"),
    (3, "基本满意", "Fairly satisfied"),
    (2, "不满意", "Dissatisfied"),
    (1, "非常不满意", "Very dissatisfied"),
)
_STYLE = """
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;justify-content:center;background:#f6f7f8;color:#1b2126;
font:16px/1.5 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif}
main{width:100%;max-width:28rem;padding:20px 16px;display:flex;flex-direction:column;gap:12px}
h1{font-size:20px;font-weight:600;margin:0}p{margin:0}.second{color:#55606a;font-size:14px}
form{display:flex;flex-direction:column;gap:10px}
button{min-height:60px;border:1px solid #8b96a0;border-radius:8px;background:#fff;color:#1b2126;
font:inherit;font-size:18px;display:flex;justify-content:space-between;align-items:center;
padding:8px 16px;text-align:left}
button span{color:#55606a;font-size:14px}
button:focus-visible{outline:3px solid #1f5fa8;outline-offset:2px}
.card{background:#fff;border:1px solid #dfe3e6;border-radius:8px;padding:16px}
@media (prefers-color-scheme:dark){body{background:#0f1316;color:#e8ecef}
.second,button span{color:#a9b3bc}
button,.card{background:#171c20;color:#e8ecef;border-color:#66707a}}
"""


class NewLink(BaseModel):
    """`until`: its last day, at most 400 days ahead."""

    counter: Annotated[str, Field(min_length=1, max_length=64)]
    until: date


def router(ctx: Context) -> APIRouter:
    """The call that makes links, beside the other calls."""
    made = APIRouter(tags=["ratings"])

    @made.post("/ratings/links", status_code=201)
    def link(asked: NewLink, who: Person, request: Request) -> dict[str, Any]:
        """Make the link for a counter's QR code: `url` at the address that this call was sent to,
        `image` the code as a data URI (SVG)."""
        if all(c.id != asked.counter for c in ctx.site.counters):
            raise Problem(422, f"counter: {asked.counter} is not in the site file")
        today = _today(ctx)
        if not today <= asked.until <= today + timedelta(days=MAX_DAYS):
            raise Problem(422, f"until: from today to {MAX_DAYS} days ahead")

        def work(db: Any, now: int) -> str:
            about = {"counter": asked.counter, "until": asked.until.isoformat()}
            audit.append(db, now, who.name, "link.make", about)
            return links.link(links.made_key(db), asked.counter, asked.until)

        import segno  # like `limits` below: only a hall with such codes needs it

        path = PATH + written(ctx, work)
        url = str(request.base_url).rstrip("/") + path
        return {
            "counter": asked.counter,
            "until": asked.until.isoformat(),
            "path": path,
            "url": url,
            "image": segno.make(url, error="m").svg_data_uri(scale=4, border=4),
        }

    return made


def page(ctx: Context) -> APIRouter:
    """The page itself, outside the API."""
    made = APIRouter(include_in_schema=False)
    may = cache(_limiter)
    names = {counter.id: counter.name for counter in ctx.site.counters}

    def good(text: str) -> tuple[bytes, str] | None:
        secret = links.key(ctx.reader())
        found = links.opened(secret, text) if secret else None
        if secret is None or found is None or found.counter not in names:
            return None
        return (secret, found.counter) if _today(ctx) <= found.last else None

    @made.get(PATH + "{link}", response_class=HTMLResponse)
    def ask(link: str) -> HTMLResponse:
        found = good(link)
        if found is None:
            return _said(404, *_OVER)
        secret, counter = found
        buttons = "".join(
            f'<button name="level" value="{level}">{zh}<span lang="en">{en}</span></button>'
            for level, zh, en in LEVELS
        )
        slip = links.slip(secret, counter, ctx.now())
        return _screen(
            200,
            f"<h1>请您评价</h1><p>{escape(ctx.site.name)} · {escape(names[counter])}</p>"
            '<p class="second" lang="en">How was the service?</p>'
            f'<form method="post"><input type="hidden" name="slip" value="{slip}">{buttons}</form>'
            '<p class="second">不记录您的身份、手机和地址。<span lang="en">'
            "Nothing about you, your phone or your address is kept.</span></p>",
        )

    @made.post(PATH + "{link}", response_class=HTMLResponse)
    async def take(link: str, request: Request) -> HTMLResponse:
        body = await request.body()
        address = request.client.host if request.client else ""
        return await anyio.to_thread.run_sync(answer, link, body, address, may())

    def answer(link: str, body: bytes, address: str, may: _May) -> HTMLResponse:
        found = good(link)
        if found is None:
            return _said(404, *_OVER)
        secret, counter = found
        try:
            form = parse_qs(body.decode("ascii", "replace"), max_num_fields=4)
        except ValueError:  # more fields than the form has
            return _said(400, *_AGAIN)
        slip, level = form.get("slip", [""])[0], form.get("level", [""])[0]
        if level not in {"1", "2", "3", "4", "5"} or not links.slip_good(
            secret, counter, slip, ctx.now()
        ):
            return _said(400, *_AGAIN)
        if not may(address, counter):
            return _said(429, *_BUSY)
        written(ctx, lambda db, now: entering.qr(db, now, counter, int(level), slip[:64]))
        return _said(200, *_THANKS)

    return made


def _limiter() -> _May:
    """Whether one more rating may come from this address and for this counter."""
    from limits import RateLimitItemPerHour, RateLimitItemPerMinute
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    limiter = MovingWindowRateLimiter(MemoryStorage())
    one, all_of_it = (
        RateLimitItemPerMinute(_ADDRESS_A_MINUTE),
        RateLimitItemPerHour(_COUNTER_AN_HOUR),
    )
    return lambda address, counter: limiter.hit(one, address) and limiter.hit(all_of_it, counter)


_OVER = ("这个二维码已失效", "请使用窗口上的评价器。", "This code is no longer valid.")
_AGAIN = (
    "没有收到您的评价",
    "页面已过期，请重新扫码。",
    "The page has expired; scan the code again.",
)
_BUSY = ("请稍后再试", "评价过于频繁。", "Too many ratings; try again later.")
_THANKS = ("谢谢您的评价", "您可以关闭本页。", "Thank you. You can close this page.")


def _said(status: int, title: str, zh: str, en: str) -> HTMLResponse:
    return _screen(
        status,
        f'<div class="card" role="status"><h1>{title}</h1><p>{zh}</p>'
        f'<p class="second" lang="en">{en}</p></div>',
    )


def _screen(status: int, inside: str) -> HTMLResponse:
    html = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>服务评价</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{inside}</main></body></html>"
    )
    return HTMLResponse(html, status, headers=HEADERS)


def _today(ctx: Context) -> date:
    return datetime.fromtimestamp(ctx.now() / 1000, ZoneInfo(ctx.site.timezone)).date()
