"""Signed updates: who may, what is refused, and which slot boots afterwards."""

import binascii
import os

from firmware import delivery, ed25519, manifest
from firmware.slots import Slots
from firmware.update import Update
from tests.device import signing

# RFC 8032, 7.1: tests 1 to 3 as (public key, message, signature)
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
        "cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
        "0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
        "84dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


def _raw(text):
    return binascii.unhexlify(text.encode())


def _why(call, *args):
    try:
        call(*args)
    except manifest.Refused as fault:
        return str(fault)
    return "taken"


def _begin(folder, made, board="esp32", running="1.0.0"):
    return Update(folder, made[0], made[1], signing.public(), board, running)


def _written(update, files=None):
    for name, data in (files or signing.FILES).items():
        for at in range(0, len(data), 512):
            update.write(name, data[at : at + 512])
    return update


def test_published_vectors_and_every_kind_of_damage(_):
    for vector in VECTORS:
        key, message, signature = [_raw(text) for text in vector]
        assert ed25519.verify(key, signature, message)
        assert not ed25519.verify(key, signature, message + b"\x00")
        for at in (0, 31, 32, 63):
            bad = bytearray(signature)
            bad[at] ^= 1
            assert not ed25519.verify(key, bytes(bad), message)
        # S + L verifies the same equation: RFC 8032, 5.1.7 refuses it
        s = int.from_bytes(signature[32:], "little") + signing._L
        assert not ed25519.verify(key, signature[:32] + s.to_bytes(32, "little"), message)
        assert not ed25519.verify(key, signature[:63], message)
        assert not ed25519.verify(b"\xff" * 32, signature, message)


def test_a_good_one_is_tried_and_kept(folder):
    assert Slots(folder).boot() == "a"
    _written(_begin(folder, signing.update())).finish()
    assert Slots(folder).boot() == "b"
    Slots(folder).good()
    assert Slots(folder).boot() == "b"
    assert Slots(folder).boot() == "b"
    with open(folder + "/b/firmware/kinds/pad.mpy", "rb") as file:
        assert file.read() == signing.FILES["firmware/kinds/pad.mpy"]
    _written(_begin(folder, signing.update("1.2.0"), running="1.1.0")).finish()
    assert Slots(folder).boot() == "a"


def test_one_that_never_calls_itself_good_goes_back(folder):
    _written(_begin(folder, signing.update())).finish()
    assert "on trial" in _why(_begin, folder, signing.update("1.2.0"))
    Slots(folder).good()  # said by the old firmware, before the trial has begun
    assert Slots(folder).boot() == "b"
    assert Slots(folder).boot() == "a"
    Slots(folder).good()
    assert Slots(folder).boot() == "a"
    assert _why(_begin, folder, signing.update()) == "taken"  # a second try is allowed


def test_refused_before_anything_is_erased(folder):
    _written(_begin(folder, signing.update())).finish()
    Slots(folder).boot()
    Slots(folder).boot()  # back in a; b holds the failed one
    made = signing.update("1.1.0")
    tampered = (made[0].replace(b"1.1.0", b"1.1.1"), made[1])
    assert _why(_begin, folder, tampered) == "signature"
    assert _why(_begin, folder, (made[0], made[1][:40])) == "signature"
    assert _why(_begin, folder, (made[0][:-1], made[1])) == "signature"
    assert _why(_begin, folder, signing.update(secret=b"\x07" * 32)) == "signature"
    assert "board" in _why(_begin, folder, signing.update(board="rp2"))
    assert "not newer" in _why(_begin, folder, signing.update("1.0.0"))
    assert "not newer" in _why(_begin, folder, signing.update("0.9.9"))
    assert "not newer" in _why(_begin, folder, signing.update("1.9.0"), "esp32", "1.10.0")
    assert _why(_begin, folder, signing.update("1.x.0")) == "version"
    assert "file" in _why(_begin, folder, signing.update(files={"../slot": b"x"}))
    assert "file" in _why(_begin, folder, signing.update(files={"/slot": b"x"}))
    assert "firmware" in os.listdir(folder + "/b")


def test_tampered_truncated_and_foreign_files(folder):
    name = "boot.py"
    assert "boot.py" in _why(_begin(folder, signing.update()).write, name, b"xx")
    assert "other" in _why(_begin(folder, signing.update()).write, "other.py", b"x")
    for changed in (b"y", b""):
        files = dict(signing.FILES)
        files[name] = changed
        update = _written(_begin(folder, signing.update()), files)
        assert "boot.py" in _why(update.finish)
        assert Slots(folder).boot() == "a"


# -- in pieces, over the link --------------------------------------------------------------------


def _image(made=None, files=None):
    raw, signature = made or signing.update()
    files = files or signing.FILES
    body = b"".join(files[name] for name in sorted(files))
    return delivery.MAGIC + len(raw).to_bytes(2, "big") + signature + raw + body


def _delivery(folder, board="esp32", running="1.0.0", public=True):
    key = signing.public() if public else None
    fed = []
    return delivery.Delivery(folder, key, board, running, lambda: fed.append(1)), fed


def _pieces(image, size):
    for at in range(0, len(image), size):
        data = binascii.b2a_base64(image[at : at + size]).decode().strip()
        yield {"at": at, "of": len(image), "data": data}


def _taken(folder, image, size=700, **how):
    """What the last piece was answered; the pieces before it were taken."""
    link, _ = _delivery(folder, **how)
    told = None
    for args in _pieces(image, size):
        assert told in (None, False)
        try:
            told = link.take(args)
        except manifest.Refused as fault:
            return str(fault)
    return told


def test_pieces_of_any_size_make_the_same_files(folder):
    image = _image()
    for size in (61, 71, 512, 1024, 5000):
        place = "%s/%d" % (folder, size)
        os.mkdir(place)
        assert _taken(place, image, size) is True
        assert Slots(place).boot() == "b"
        for name in signing.FILES:
            with open(place + "/b/" + name, "rb") as file:
                assert file.read() == signing.FILES[name]


def test_a_watchdog_is_fed_while_it_checks(folder):
    link, fed = _delivery(folder)
    for args in _pieces(_image(), 1024):
        link.take(args)
    assert len(fed) > 400  # at each bit of both numbers


def test_a_device_that_has_restarted_asks_for_the_beginning(folder):
    pieces = list(_pieces(_image(), 512))
    link, _ = _delivery(folder)
    for args in pieces[:3]:
        assert link.take(args) is False
    assert _why(link.take, pieces[1]) == "expected 0"
    for args in pieces[:2] + pieces[:3]:  # begun anew without a restart
        assert link.take(args) is False
    again, _ = _delivery(folder)
    assert _why(again.take, pieces[3]) == "expected 0"
    assert [again.take(args) for args in pieces] == [False] * (len(pieces) - 1) + [True]


def test_refused_over_the_link_and_the_old_slot_boots(folder):
    good = _image()
    tampered = bytearray(good)
    tampered[-1] ^= 1
    forged = bytearray(good)
    forged[delivery.HEAD + 15] ^= 1  # in the manifest
    cases = (
        (bytes(tampered), {}, "file firmware/main.mpy"),
        (bytes(forged), {}, "signature"),
        (good[:-1], {}, "length"),
        (good + b"x", {}, "length"),
        (good[:40], {}, "length"),
        (b"HKFW2" + good[5:], {}, "no image"),
        (good, {"running": "1.1.0"}, "not newer: 1.1.0"),
        (good, {"running": "1.2.0"}, "not newer: 1.1.0"),
        (good, {"board": "pico-w"}, "for another board: esp32"),
        (good, {"public": False}, "this device knows no signing key"),
        (_image(signing.update(secret=b"\x07" * 32)), {}, "signature"),
        (delivery.MAGIC + b"\xff\xff" + good[7:], {}, "too long"),
    )
    for image, how, why in cases:
        assert _taken(folder, image, **how) == why, why
        assert Slots(folder).boot() == "a"
    assert _taken(folder, good) is True


def test_nonsense_for_pieces(folder):
    link, _ = _delivery(folder)
    for args in (
        {},
        {"at": "0", "of": 5, "data": "AAAA"},
        {"at": 0, "of": 5, "data": 7},
        {"at": 0, "of": 500, "data": ""},
        {"at": 0, "of": 2, "data": "AAAA"},
        {"at": -1, "of": 5, "data": "AAAA"},
    ):
        assert _why(link.take, args) in ("bad args", "length", "expected 0")


def test_a_damaged_state_starts_slot_a(folder):
    for text in ("", "{", "[]", '{"now":"c","trial":null,"tries":0}', '{"now":"b"}'):
        with open(folder + "/slot", "w") as file:
            file.write(text)
        assert Slots(folder).boot() == "a"
