"""Where the second copy goes: the site file's `[influx]`, or the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.site import Influx, Site

URL, TOKEN = "HALLKEEPER_INFLUX_URL", "HALLKEEPER_INFLUX_TOKEN"
_BLANK = frozenset(" \t\r\n")


@dataclass(frozen=True, slots=True)
class Target:
    """One bucket of one server; `token` is empty where none is needed."""

    url: str
    org: str
    bucket: str
    token: str

    @property
    def name(self) -> str:
        """The target without its secrets: what its books are kept under, and what is shown."""
        if self._bad_address:
            return f"? {self.org}/{self.bucket}"
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path} {self.org}/{self.bucket}"

    @property
    def fault(self) -> str | None:
        """Why no request can be made of it, without its secrets; None where one can."""
        if self._bad_address:
            return f"the server's address is no http:// or https:// address: see url and {URL}"
        if not (self.token.isascii() and self.token.isprintable()):
            return f"the token has signs that no token has: see token and {TOKEN}"
        return None

    @property
    def _bad_address(self) -> bool:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return True
        return not host or parts.scheme not in ("http", "https") or bool(_BLANK & set(self.url))


def target(site: Site, environment: Mapping[str, str]) -> Target | None:
    """None where neither the file nor the environment names a server; the environment's URL wins
    over the file's. What stands around them, such as a line's end, is no part of them."""
    told = site.influx
    url = environment.get(URL, "").strip().rstrip("/") or (told.url if told else "")
    if not url:
        return None
    told = told or Influx(url, f"env:{TOKEN}", "hallkeeper", "hallkeeper")
    name = told.token.removeprefix("env:")
    token = environment.get(name, "") if name != told.token else told.token
    return Target(url, told.org, told.bucket, token.strip())
