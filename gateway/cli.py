"""The command line. Each command only parses its options and hands over to its module."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.errors import HallkeeperError


class Commands(TyperGroup):
    """A help of nothing but its commands: with an option for help above them it would not fit one
    screen of 24 lines."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)


app = typer.Typer(
    name="hallkeeper",
    cls=Commands,
    help="厅守 Hallkeeper keeps a service hall to its rulebook. Each command has --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
user_app = typer.Typer(help="People who may sign in.", no_args_is_help=True)
calendar_app = typer.Typer(help="Years of workdays and holidays.", no_args_is_help=True)
ca_app = typer.Typer(help="The hall's own certificates.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(ca_app, name="ca")
app.add_typer(calendar_app, name="calendar")

attendance_app = typer.Typer(help="Files of the attendance machine.", no_args_is_help=True)
app.add_typer(attendance_app, name="attendance")
visits_app = typer.Typer(help="Files of the queue machine.", no_args_is_help=True)
app.add_typer(visits_app, name="visits")
firmware_app = typer.Typer(help="Signed updates of devices.", no_args_is_help=True)
app.add_typer(firmware_app, name="firmware")
influx_app = typer.Typer(help="The second copy in an InfluxDB.", no_args_is_help=True)
app.add_typer(influx_app, name="influx")

Config = Annotated[Path, typer.Option("--config", help="the hall's site file")]
Data = Annotated[Path, typer.Option("--data", help="data directory")]
From = Annotated[str | None, typer.Option("--from", help="start the clock here (ISO 8601)")]
Speed = Annotated[float, typer.Option("--speed", min=1, max=60, help="how fast the clock runs")]


RANGES = ("ratings", "energy", "safety")
SHEETS = (
    "ratings-week",
    "ratings-month",
    "ratings-quarter",
    "stars",
    "hygiene",
    "zeros",
    "meeting",
)


@app.command()
def serve(
    config: Config,
    data: Data,
    broker: Annotated[
        str, typer.Option(envvar="HALLKEEPER_BROKER", help="embedded, mqtt://… or mqtts://…")
    ] = "embedded",
    mqtt: Annotated[str, typer.Option(help="embedded broker's HOST:PORT")] = "127.0.0.1:1883",
    http: Annotated[str, typer.Option(help="dashboard's HOST:PORT")] = "127.0.0.1:8080",
    start: From = None,
    speed: Speed = 1,
    broker_log: Annotated[
        Path | None, typer.Option(help="a Mosquitto's log: whom it refused and why")
    ] = None,
) -> None:
    """Run the gateway and the dashboard."""
    from gateway import memory

    memory.lean()
    from gateway import pipeline

    pipeline.serve(
        *(config, data),
        broker=broker,
        mqtt=mqtt,
        http=http,
        start=start,
        speed=speed,
        broker_log=broker_log,
    )


@app.command()
def demo(
    site: Annotated[Path | None, typer.Option(help="site file (default: a demo hall)")] = None,
    data: Annotated[Path | None, typer.Option(help="data directory (default: a new one)")] = None,
    mqtt: Annotated[str, typer.Option(help="embedded broker's HOST:PORT")] = "127.0.0.1:1883",
    http: Annotated[str, typer.Option(help="dashboard's HOST:PORT")] = "127.0.0.1:8080",
    start: From = None,
    speed: Speed = 1,
) -> None:
    """Run a whole hall: gateway, dashboard and every device. It lives a scripted day."""
    from gateway import demo as module

    module.run(site, data, mqtt=mqtt, http=http, start=start, speed=speed)


@app.command()
def replay(
    config: Config,
    events: Annotated[list[Path], typer.Argument(help="logs of events, JSON lines")],
    permits: Annotated[Path | None, typer.Option(help="permits and entries, JSON lines")] = None,
    until: Annotated[str | None, typer.Option(help="judge up to this instant (ISO 8601)")] = None,
    state: Annotated[Path | None, typer.Option(help="go on where an earlier run ended")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="what if: 'rule.key=value'")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(help="explain a finding: 'rule subject [start]'")
    ] = None,
) -> None:
    """Run the rules over a log, in its own time. Findings go out as JSON lines."""
    from gateway import replay as module

    module.run(config, events, permits, until, state, settings or [], explain)


@app.command()
def device(
    device_id: Annotated[str, typer.Argument(metavar="DEVICE", help="a device of the site file")],
    config: Config,
    broker: Annotated[str, typer.Option(help="mqtt://HOST:PORT or mqtts://HOST:PORT")],
    data: Annotated[Path, typer.Option(help="the device's flash")],
    credentials: Annotated[Path | None, typer.Option(help="device.json")] = None,
    start: From = None,
    speed: Speed = 1,
) -> None:
    """Run one device's real firmware on this machine. It runs under MicroPython."""
    from gateway import device as module

    module.run(device_id, config, broker, data, credentials, start=start, speed=speed)


@app.command()
def check(config: Config) -> None:
    """Validate a site file; all faults at once."""
    from gateway import site

    loaded = site.load(config)
    typer.echo(f"{config}: {loaded.name}, {len(loaded.devices)} devices, no faults")


@app.command()
def provision(
    device_id: Annotated[str, typer.Argument(metavar="DEVICE", help="a device of the site file")],
    config: Config,
    data: Data,
    out: Annotated[Path, typer.Option(help="where device.json goes")],
    board: Annotated[str | None, typer.Option(help="also its flash: esp32-s3 or pico-w")] = None,
    flash: Annotated[str | None, typer.Option(help="copy it onto the board at this port")] = None,
    days: Annotated[int, typer.Option(min=1, help="how long a certificate lasts")] = 20 * 365,
    renew: Annotated[
        bool, typer.Option("--renew", help="a new certificate; the old one is good until then")
    ] = False,
    broker: Annotated[
        str | None, typer.Option(help="HOST:PORT where the device finds the broker")
    ] = None,
) -> None:
    """Make one device's credentials. They are registered with the gateway's data."""
    from gateway import provision as module
    from gateway.broker import address

    where = None if broker is None else address(broker)
    module.run(device_id, config, data, out, module.Wish(board, flash, days, renew, where))


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="sign-in name")],
    role: Annotated[
        str, typer.Option(help="viewer, counter, duty, facilities, manager, auditor or admin")
    ],
    data: Data,
    counter: Annotated[
        str | None, typer.Option(help="the counter that the role counter leads")
    ] = None,
) -> None:
    """Add a person. The password is asked for, or taken from HALLKEEPER_PASSWORD."""
    from gateway import people

    people.add(name, role, data, counter)


@ca_app.command("init")
def ca_init(
    data: Data,
    name: Annotated[
        list[str] | None, typer.Option(help="host name or address of the gateway's broker")
    ] = None,
) -> None:
    """Make the hall's authority. The broker then takes devices by TLS certificate only."""
    from gateway import authority, people

    authority.init(data, name or [], people.wall_clock())


@ca_app.command("renew")
def ca_renew(
    data: Data,
    name: Annotated[
        list[str] | None, typer.Option(help="one more host name or address of the broker")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="how long they last")] = 20 * 365,
) -> None:
    """Renew the broker's and the gateway's certificates. The authority stays the same."""
    from gateway import authority, people

    authority.renew(data, name or [], people.wall_clock(), days)


@calendar_app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="a year's notice as JSON")],
    data: Data,
) -> None:
    """Import the State Council's notice for a year."""
    from gateway import workdays

    workdays.import_year(file, data)


@attendance_app.command("import")
def attendance_import(
    file: Annotated[Path, typer.Argument(help="the machine's CSV")],
    data: Data,
    by: Annotated[str, typer.Option(help="who imports it, for the audit")],
) -> None:
    """Import punches. A file or a punch that is there already changes nothing."""
    from gateway import attendance, people

    attendance.import_file(file, data, by, people.wall_clock())


@visits_app.command("import")
def visits_import(
    file: Annotated[Path, typer.Argument(help="the machine's CSV")],
    data: Data,
    by: Annotated[str, typer.Option(help="who imports it, for the audit")],
) -> None:
    """Import served visits by counter and day. Unrated is these less the rated ones."""
    from gateway import people
    from gateway.ratings import queue

    queue.import_file(file, data, by, people.wall_clock())


@influx_app.command("backfill")
def influx_backfill(
    data: Data,
    config: Annotated[Path | None, typer.Option(help="site file (default: the gateway's)")] = None,
    batch: Annotated[int, typer.Option(min=1, help="points in one request")] = 5000,
) -> None:
    """Copy what was stored before. The gateway may run meanwhile."""
    from gateway.influx import backfill

    backfill.run(data, config, batch)


@app.command()
def report(
    what: Annotated[
        str,
        typer.Argument(
            metavar="REPORT",
            help=f"{', '.join(RANGES)} (--from, --to); {', '.join(SHEETS)} (--period)",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", help="the .xlsx file")],
    data: Data,
    start: Annotated[str | None, typer.Option("--from", help="first day, YYYY-MM-DD")] = None,
    end: Annotated[str | None, typer.Option("--to", help="last day, YYYY-MM-DD")] = None,
    period: Annotated[
        str | None, typer.Option(help="of a sheet: 2026-W27, 2026-07, 2026-Q3, 2026-H2")
    ] = None,
) -> None:
    """Write a report as a spreadsheet."""
    from gateway import reports

    if what not in RANGES + SHEETS:
        raise typer.BadParameter(f"{what!r} is none of {', '.join(RANGES + SHEETS)}")
    if what in RANGES:
        if start is None or end is None:
            raise typer.BadParameter("--from and --to are needed for this report")
        reports.write(what, data, start, end, out)
    else:
        if period is None:
            raise typer.BadParameter("--period is needed for this sheet")
        reports.write_sheet(what, data, period, out)


@firmware_app.command("key")
def firmware_key(data: Data) -> None:
    """Make the key that signs updates. Its private half is kept under a passphrase."""
    from gateway import images

    images.key(data)


@firmware_app.command("pack")
def firmware_pack(
    out: Annotated[Path, typer.Argument(metavar="IMAGE", help="the file to write")],
    board: Annotated[str, typer.Option(help="esp32-s3, pico-w or host")],
    data: Data,
    source: Annotated[Path | None, typer.Option(help="another firmware's folder")] = None,
    font: Annotated[bool, typer.Option("--font", help="with the displays' glyphs")] = False,
) -> None:
    """Compile and sign the firmware for a board. Its version is that of its config.py."""
    from gateway import images

    images.pack(out, board, data, source, font=font)


@firmware_app.command("send")
def firmware_send(
    device_id: Annotated[str, typer.Argument(metavar="DEVICE", help="a device of the site file")],
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="what `firmware pack` wrote")],
    data: Data,
    wait: Annotated[bool, typer.Option(help="follow it to its end")] = True,
) -> None:
    """Send an image through the running gateway. The device checks it and tests itself."""
    from gateway import updating

    updating.send(device_id, image, data, wait=wait)


@firmware_app.command("list")
def firmware_list(data: Data) -> None:
    """What was sent, and how it ended."""
    from gateway import updating

    updating.show(data)


@app.command()
def verify(
    data: Data,
    head: Annotated[
        list[str] | None, typer.Option(help="an audit head kept outside; may be given often")
    ] = None,
) -> None:
    """Check the store: audit chain, gaps, integrity."""
    from gateway import verify as module

    module.run(data, head or [])


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where backups go")],
    data: Data,
    keep: Annotated[int, typer.Option(min=1, help="how many stay")] = 7,
) -> None:
    """Back the data up, also while the gateway runs."""
    from gateway import backup as module

    made = module.make(data, folder, keep)
    typer.echo(f"{made.folder}: {made.events} events, whole")


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="a backup, or the folder of backups (newest)")],
    data: Annotated[Path | None, typer.Option(help="data directory; its gateway stopped")] = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="only try it, beside it")] = False,
) -> None:
    """Put a backup in place. What came after it and can still be read is put there too."""
    from gateway import backup as module

    if rehearse:
        typer.echo(module.rehearse(backup))
    elif data is None:
        raise typer.BadParameter("--data DIR, or --rehearse, is needed")
    else:
        typer.echo("\n".join(module.restore(backup, data)))


def main() -> None:
    """Entry point: a HallkeeperError ends with its one line and its exit code."""
    try:
        app()
    except HallkeeperError as fault:
        print(f"hallkeeper: {fault}", file=sys.stderr)
        raise SystemExit(fault.exit_code) from None
    except sqlite3.DatabaseError as fault:
        print(
            f"hallkeeper: the database cannot be used ({fault}); `hallkeeper verify` says more",
            file=sys.stderr,
        )
        raise SystemExit(3) from None


if __name__ == "__main__":
    main()
