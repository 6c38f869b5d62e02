"""TLS to the broker: the hall's CA required, a client certificate where there is one (DER)."""

import asyncio
import ssl


def _bytes(path):
    with open(path, "rb") as file:
        return file.read()


def context(tls):
    """An SSLContext of {"ca", "cert", "key"} paths. ValueError where a certificate is no good."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=_bytes(tls["ca"]))
    if tls.get("cert") and tls.get("key"):
        made.load_cert_chain(_bytes(tls["cert"]), _bytes(tls["key"]))
    return made


async def opened(address, setup):
    """(reader, writer) to the broker, whose certificate bears its name. OSError; ValueError where
    either end refuses the other."""
    name = setup.tls.get("name") or setup.host
    return await asyncio.open_connection(
        address, setup.port, ssl=context(setup.tls), server_hostname=name
    )
