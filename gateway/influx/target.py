"""Where the second copy goes: the site file's `[influx]`, or the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.site import Influx, Site

URL, TOKEN = "HALLKEEPER_INFLUX_URL", "HALLKEEPER_INFLUX_TOKEN"


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
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path} {self.org}/{self.bucket}"


def target(site: Site, environment: Mapping[str, str]) -> Target | None:
    """None where neither the file nor the environment names a server; the environment's URL wins
    over the file's."""
    told = site.influx
    url = environment.get(URL, "").rstrip("/") or (told.url if told else "")
    if not url:
        return None
    told = told or Influx(url, f"env:{TOKEN}", "hallkeeper", "hallkeeper")
    name = told.token.removeprefix("env:")
    token = environment.get(name, "") if name != told.token else told.token
    return Target(url, told.org, told.bucket, token)
