"""Ed25519 verification, which no MicroPython port has. RFC 8032, 5.1; SHA-512 by FIPS 180-4, 6.4.

Only public data passes through here, so that nothing need take the same time.
"""

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)  # of -1
_M = (1 << 64) - 1


def _primes(count):
    found = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def _root(n, power):
    """The whole part of a root, bit by bit."""
    out = 0
    for bit in range(70, -1, -1):
        tried = out | 1 << bit
        if tried**power <= n:
            out = tried
    return out


def _constants():
    primes = _primes(80)
    return (
        [_root(p << 128, 2) & _M for p in primes[:8]],
        [_root(p << 192, 3) & _M for p in primes],
    )


def sha512(data):
    """The 64-byte digest of `data`."""
    state, adds = _constants()
    data = (
        data + b"\x80" + b"\x00" * ((111 - len(data)) % 128) + (8 * len(data)).to_bytes(16, "big")
    )

    def turned(x, n):
        return (x >> n | x << 64 - n) & _M

    for at in range(0, len(data), 128):
        w = [int.from_bytes(data[i : i + 8], "big") for i in range(at, at + 128, 8)]
        for i in range(16, 80):
            x, y = w[i - 15], w[i - 2]
            s0 = turned(x, 1) ^ turned(x, 8) ^ x >> 7
            s1 = turned(y, 19) ^ turned(y, 61) ^ y >> 6
            w.append((w[i - 16] + s0 + w[i - 7] + s1) & _M)
        a, b, c, d, e, f, g, h = state
        for i in range(80):
            s1 = turned(e, 14) ^ turned(e, 18) ^ turned(e, 41)
            t1 = h + s1 + (e & f ^ (e ^ _M) & g) + adds[i] + w[i]
            s0 = turned(a, 28) ^ turned(a, 34) ^ turned(a, 39)
            t2 = s0 + (a & b ^ a & c ^ b & c)
            h, g, f, e, d, c, b, a = g, f, e, (d + t1) & _M, c, b, a, (t1 + t2) & _M
        state = [(x + y) & _M for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(8, "big") for x in state)


def _x(y, odd):
    """The x of a point, or None where there is none."""
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and odd):
        return None
    return _P - x if x & 1 != odd else x


def _point(raw):
    """Extended coordinates (X, Y, Z, T) of 32 bytes, or None."""
    y = int.from_bytes(raw, "little")
    odd = y >> 255
    y &= (1 << 255) - 1
    x = _x(y, odd) if y < _P else None
    return None if x is None else (x, y, 1, x * y % _P)


def _added(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def times(n, p, feed=None):
    """`n` times a point. `feed` is called at each of its bits: a small chip takes a while."""
    out = (0, 1, 1, 0)
    while n:
        if feed:
            feed()
        if n & 1:
            out = _added(out, p)
        p = _added(p, p)
        n >>= 1
    return out


def base():
    """The base point."""
    y = 4 * pow(5, _P - 2, _P) % _P
    x = _x(y, 0) or 0
    return (x, y, 1, x * y % _P)


def _same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % _P == 0 and (p[1] * q[2] - q[1] * p[2]) % _P == 0


def verify(public, signature, message, feed=None):
    """True where `signature` (64 bytes) of `message` is by the key `public` (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= _L:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message), "little") % _L
    return _same(times(s, base(), feed), _added(r, times(k, key, feed)))
