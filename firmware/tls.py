"""TLS to the broker: the hall's CA required, a client certificate where there is one (DER)."""

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
