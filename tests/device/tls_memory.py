"""One mutual TLS session by `firmware/tls.py`, for `bench/firmware.py`. MicroPython only.

`tls_memory.py PORT FOLDER NAME` waits for a line of stdin at each of its marks: `begin`, `context`
(certificates read), `session`.
"""

import asyncio
import sys

from firmware import tls


def mark(name):
    print(name)
    sys.stdin.readline()


async def live(port, folder, name):
    mark("begin")
    files = {leaf: folder + "/" + leaf + ".der" for leaf in ("ca", "cert", "key")}
    context = tls.context(files)
    mark("context")
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    writer.write(b"\xc0\x00")
    await writer.drain()
    mark("session")


asyncio.run(live(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
