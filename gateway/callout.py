"""Who may connect to the embedded broker, and to which topics: NATS asks here at each login.

`decide` is pure; `Callout` is its service, in a thread of its own so that a busy page never keeps
a device out.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from gateway import authority, credentials
from gateway.credentials import Credential
from gateway.nkeys import AccountKey, claims_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

log = structlog.get_logger()

ACCOUNT = "HALL"
SUBJECT = "$SYS.REQ.USER.AUTH"
_ID = re.compile(r"[a-z0-9-]{1,32}\Z")


@dataclass(frozen=True, slots=True)
class Login:
    """One attempt: what the client says it is."""

    user: str
    password: str
    client_id: str
    mqtt: bool
    host: str
    certificate: str = ""  # PEM, verified by the broker; empty without TLS


def decide(login: Login, devices: frozenset[str], stored: Credential | None) -> str | None:
    """None lets it in; else the reason why not."""
    if not login.mqtt:
        return "only MQTT clients may connect"
    if not _ID.match(login.user) or login.user not in devices:
        return "no such device in the site file"
    if stored is None:
        return "the device is not provisioned"
    if stored.certificate:
        why = _certificate(login, stored)
        if why is not None:
            return why
    elif not credentials.matches(stored, login.password):
        return "wrong password"
    if login.client_id != stored.client_id:
        return "the client id is not this device's"
    return None


def _certificate(login: Login, stored: Credential) -> str | None:
    """None where the device shows the certificate it was given last, or the one that renews."""
    try:
        name, fingerprint = authority.shown(login.certificate)
    except ValueError:
        return "the device shows no certificate"
    if name != login.user:
        return f"the certificate is that of {name[:64]!r}"
    if fingerprint not in (stored.certificate, stored.former):
        return "the certificate is an older one of this device"
    return None


def shows(login: Login, fingerprint: str) -> bool:
    """Whether this is the certificate that the client showed."""
    try:
        return authority.shown(login.certificate)[1] == fingerprint
    except ValueError:
        return False


def permissions(site: str, device: str) -> dict[str, Any]:
    """What a device may publish and read, as NATS subjects."""
    own = f"hall.1.{site}.{device}."
    return {
        "pub": {"allow": [own + "event", own + "state"]},
        # `$MQTT.sub.` is where the server itself delivers a session's QoS 1 messages
        "sub": {"allow": [own + "ack", own + "cmd", f"hall.1.{site}.time", "$MQTT.sub.>"]},
    }


class Callout:
    """The service. `look_up(device)` reads the credential in force; `denied(login, reason)` is
    told of each refusal and `renewed(credential)` when a renewed certificate is first shown: both
    on this service's thread."""

    def __init__(
        self,
        site: str,
        devices: frozenset[str],
        look_up: Callable[[str], Credential | None],
        denied: Callable[[Login, str], None],
        renewed: Callable[[Credential], None] = lambda _: None,
    ) -> None:
        self.key = AccountKey()
        self._site = site
        self._devices = devices
        self._look_up = look_up
        self._denied = denied
        self._renewed = renewed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self.ready = threading.Event()

    def start(self, port: int, user: str, password: str) -> None:
        """Serve the broker whose NATS port this is, also after it restarts."""
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(port, user, password)),
            name="callout",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(2)

    async def _serve(self, port: int, user: str, password: str) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        import nats  # where the broker is a Mosquitto none of it is needed

        client: Client = await nats.connect(
            f"nats://127.0.0.1:{port}",
            user=user,
            password=password,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.05,
            error_cb=_quiet,
        )
        try:
            await client.subscribe(SUBJECT, cb=self._answer)
            await client.flush()
            self.ready.set()
            await self._stop.wait()
        finally:
            await client.close()

    async def _answer(self, message: Msg) -> None:
        asked = claims_of(message.data)["nats"]
        login = login_of(asked)
        stored = self._look_up(login.user) if _ID.match(login.user) else None
        reason = decide(login, self._devices, stored)
        now = int(time.time())
        claims: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if reason is None:
            claims["jwt"] = self._user(asked["user_nkey"], login.user, now)
            if stored is not None and stored.former and shows(login, stored.certificate):
                self._settle(stored)
        else:
            claims["error"] = reason
            self._denied(login, reason)
        answer = self.key.token(asked["user_nkey"], asked["server_id"]["id"], now, claims)
        await message.respond(answer.encode())

    def _settle(self, stored: Credential) -> None:
        """A disk that refuses keeps no device out: the former certificate is good for longer."""
        try:
            self._renewed(stored)
        except OSError as fault:
            log.warning("callout.not_settled", device=stored.device, reason=str(fault))

    def _user(self, nkey: str, device: str, now: int) -> str:
        claims = {
            **permissions(self._site, device),
            "subs": -1,
            "data": -1,
            "payload": -1,
            "allowed_connection_types": ["MQTT"],
            "type": "user",
            "version": 2,
        }
        return self.key.token(nkey, ACCOUNT, now, claims)


def login_of(asked: dict[str, Any]) -> Login:
    """The login in an authorization request's `nats` part."""
    info, options = asked.get("client_info", {}), asked.get("connect_opts", {})
    tls = asked.get("client_tls") or {}
    chains = tls.get("verified_chains") or [tls.get("certs") or [""]]
    return Login(
        user=str(options.get("user", "")),
        password=str(options.get("pass", "")),
        client_id=str(info.get("mqtt_id", "")),
        mqtt=info.get("type") == "mqtt",
        host=str(info.get("host", "")),
        certificate=str(chains[0][0]) if chains[0] else "",
    )


async def _quiet(fault: Exception) -> None:
    """The client reports each lost connection here, and comes back by itself."""
    log.debug("callout.connection", fault=str(fault))
