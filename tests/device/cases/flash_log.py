"""The log over any file system: numbering, acks, folding, damage, a full flash."""

import os

from firmware.flashlog import FlashLog


def _log(folder, free=lambda: 60):
    return FlashLog(folder, free).mount()


def _rating(level=5):
    return (1, 1000, "rating", {"level": level})


def _power(up, w=100):
    return (1, up, "power", {"ch": "c1", "w": w})


def _seqs(log, seq=1, most=100000):
    return [event[0] for event in log.read(seq, most)[0]]


def test_numbers_go_on_across_mounts(folder):
    log = _log(folder)
    first = log.log
    assert log.append([_rating(), _rating()]) == [1, 2]
    again = _log(folder)
    assert again.log == first
    assert again.append([_rating()]) == [3]
    assert _seqs(again) == [1, 2, 3]


def test_a_wiped_log_has_another_id(folder):
    log = _log(folder)
    log.append([_rating()])
    for name in os.listdir(folder):
        os.remove(folder + "/" + name)
    again = _log(folder)
    assert again.log != log.log
    assert again.next == 1


def test_ack_deletes_whole_segments_and_numbers_stay(folder):
    log = _log(folder)
    for _ in range(100):
        log.append([_rating()])
    assert log.covered(60)
    assert not log.covered(60)
    assert not log.covered(10)
    assert log.first == 61
    assert _seqs(log, log.first) == list(range(61, 101))
    assert log.covered(100)
    assert len(os.listdir(folder)) == 2  # the open segment and the log's id
    again = _log(folder)
    assert again.next == 101
    assert again.append([_rating()]) == [101]


def test_ack_beyond_the_log_moves_the_next_number(folder):
    log = _log(folder)
    log.append([_rating()])
    assert log.covered(50)
    assert log.append([_rating()]) == [51]
    assert _seqs(_log(folder), 51) == [51]


def test_folding_keeps_everything(folder):
    log = _log(folder)
    for number in range(1500):
        log.append([_rating(1 + number % 5)])
    assert len(os.listdir(folder)) < 60
    again = _log(folder)
    found, after = again.read(1, 5000)
    assert after == 1501
    assert [e[0] for e in found] == list(range(1, 1501))
    assert [e[4]["level"] for e in found] == [1 + n % 5 for n in range(1500)]


def test_a_cut_between_fold_and_cleaning(folder):
    log = _log(folder)
    kept = os.remove
    for _ in range(250):
        log.append([_rating()])
    raw = {}
    for name in os.listdir(folder):
        with open(folder + "/" + name, "rb") as file:
            raw[name] = file.read()
    while not any(name.startswith("f.") for name in os.listdir(folder)):
        log.append([_rating()])
    assert kept is os.remove
    for name in raw:  # the small ones come back, as if the cut had been before their removal
        with open(folder + "/" + name, "wb") as file:
            file.write(raw[name])
    again = _log(folder)
    assert _seqs(again) == list(range(1, again.next))
    assert not again.holes


def test_reading_in_batches_walks_through(folder):
    log = _log(folder)
    for number in range(700):
        log.append([_power(number)])
    seq, seen = 1, []
    while seq < log.next:
        events, seq = log.read(seq, 32)
        seen += [e[0] for e in events]
    assert seen == list(range(1, 701))


def test_damage_is_told_and_no_number_is_used_twice(folder):
    log = _log(folder)
    for _ in range(3):
        log.append([_rating()])
    name = [n for n in os.listdir(folder) if n.startswith("s.")][0]
    with open(folder + "/" + name, "rb") as file:
        data = bytearray(file.read())
    data[-3] ^= 1
    with open(folder + "/" + name, "wb") as file:
        file.write(data)
    again = _log(folder)
    assert again.next > 3
    assert again.holes[0][0] == 3
    seq = again.append([_rating()])[0]
    assert _seqs(again) == [1, 2, seq]


def test_a_missing_file_is_told(folder):
    log = _log(folder)
    for _ in range(30):
        log.append([_rating()])
    names = sorted(n for n in os.listdir(folder) if n.startswith("s."))
    begin, end = int(names[1][2:], 16), int(names[2][2:], 16) - 1
    os.remove(folder + "/" + names[1])
    again = _log(folder)
    assert again.holes == [(begin, end, "bad block")]


def test_random_garbage_mounts(folder):
    for name, data in (("s.0000000001", b"\xff" * 300), ("zz.t", b"x"), ("id.12345678", b"")):
        with open(folder + "/" + name, "wb") as file:
            file.write(data)
    log = _log(folder)
    assert log.append([_rating()])[0] > 1


def test_full_flash_thins_samples_and_keeps_what_is_urgent(folder):
    def free():
        used = 0
        for name in os.listdir(folder):
            used += (os.stat(folder + "/" + name)[6] + 4095) // 4096 if name.startswith("f.") else 0
        return 12 - used

    log = _log(folder, free)
    told, ratings, lost = 0, [], []
    for number in range(4000):
        if log.room <= 0:
            first, runs = log.give_up()
            assert runs
            lost += runs
            log.append([(1, 1, "lost", {"from": a, "to": b, "why": "full"}) for a, b in runs])
            log.drop(first, runs)
            told += 1
        if number % 50 == 0:
            ratings += log.append([_rating()])
        else:
            log.append([_power(number)])
    assert told > 3
    for mounted in (log, _log(folder, free)):
        seqs = _seqs(mounted)
        for seq in ratings:
            assert seq in seqs
        gone = set()
        for begin, end in lost:
            gone.update(range(begin, end + 1))
        assert not gone & set(seqs)
        assert gone | set(seqs) == set(range(1, mounted.next))
    assert log.dropped == len(gone)


def test_unwritable_flash_uses_no_number_twice(folder):
    log = _log(folder)
    log.append([_rating()])
    log.folder = folder + "/nowhere"
    try:
        log.append([_rating()])
        raise AssertionError("wrote into nowhere")
    except OSError:
        pass
    log.folder = folder
    seqs = log.append([_rating(2)])
    assert _seqs(log)[-1] == seqs[0]
    assert _seqs(_log(folder)) == _seqs(log)
