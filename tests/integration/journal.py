# SPDX-License-Identifier: Apache-2.0
"""`assayctl journal` on the files of a real daemon: live, at rest, and damaged in every way."""

import hashlib
import json
import pathlib
import shutil
import struct
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, paths_from, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

paths = paths_from(sys.argv[2:])
LIFE_ENTRIES = 30


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def records(file):
    """(seq, offset, length) of each entry in a segment."""
    data, at = file.read_bytes(), 80
    while at + 32 <= len(data):
        magic, size, seq = struct.unpack_from('<4sIQ', data, at)
        length = 32 + (size + 7) // 8 * 8
        if magic == b'AER1':
            yield seq, at, length
        at += length


def segments(state):
    folder = state / 'journal' / (state / 'current').read_text().strip()
    return sorted(folder.glob('*.seg'))


def flip(file, offset):
    data = bytearray(file.read_bytes())
    data[offset] ^= 0x04
    file.write_bytes(data)


def copy(lab, name):
    shutil.copytree(lab.dir / 'state', lab.dir / name)
    return lab.dir / name


def check(lab, state, code, *more):
    return lab.ctl('journal', 'check', '--path', str(state), *more, code=code).stdout


def live_on(lab, published):
    """One life of the daemon, which leaves a segment."""
    lab.start()
    wait_for('entries', lambda: len(lab.subscriber.raw()) >= published + LIFE_ENTRIES)


def test_live(lab):
    """While the daemon runs: the report is right, and all of its entries were published."""
    before = len(lab.subscriber.raw())
    own = ['--config', str(lab.config), '--worker', paths['worker'], '--drivers', paths['drivers']]
    info = lines(lab.ctl(*own, '--json', 'journal', 'info'))
    assert len(info) == 1 and info[0]['current'] and info[0]['why'] == 'there was none', info
    assert info[0]['open'] == 1 and info[0]['closed'] >= 1, info
    shown = lines(lab.ctl(*own, 'journal', 'cat', '--json', '--from', '1'))
    assert [e['seq'] for e in shown] == list(range(1, len(shown) + 1))
    assert len(shown) >= before - LIFE_ENTRIES, (len(shown), before)
    out = lab.ctl(*own, 'journal', 'check').stdout
    assert 'no damage' in out, out


def test_at_rest(lab, state):
    published = lab.subscriber.all()
    shown = lines(lab.ctl('--json', 'journal', 'cat', '--path', str(state)))
    assert len(shown) >= len(published), (len(shown), len(published))
    hashes = {e['seq']: e['entry_sha256'] for e in shown}
    for entry in published:
        assert hashes[entry.seq] == hashlib.sha256(b'\0' + entry.bytes).hexdigest(), entry.seq
    some = lines(lab.ctl('--json', 'journal', 'cat', '--path', str(state), '--from', '5', '--to', '20',
                         '--topic', 'a1/audit/'))
    assert some == [e for e in shown if 5 <= e['seq'] <= 20 and e['topic'].startswith('a1/audit/')]
    middle = shown[len(shown) // 2]
    second = middle['tc'][:19] + 'Z'
    late = lines(lab.ctl('--json', 'journal', 'cat', '--path', str(state), '--from', second))
    assert late and late == shown[-len(late):] and late[0]['seq'] <= middle['seq'] and len(late) < len(shown)
    none = lines(lab.ctl('--json', 'journal', 'cat', '--path', str(state), '--to', '2020-01-01'))
    assert none == []
    plain = lab.ctl('journal', 'cat', '--path', str(state), '--to', '3').stdout.splitlines()
    assert len(plain) == 3 and plain[0].startswith('1 20') and plain[0].endswith(' audit'), plain
    out = check(lab, state, 0)
    assert f'{len(segments(state))} files, {len(shown)} entries' in out and 'no damage' in out, out
    lab.ctl('journal', 'cat', '--path', str(state), '--from', 'yesterday', code=2)
    lab.ctl('journal', 'mend', code=2)
    lab.ctl('journal', 'check', '--path', str(lab.dir / 'nowhere'), code=1)
    return shown


def test_flipped_bytes(lab, shown):
    """Each flip is reported with file, seqs and bytes; everything else is still there."""
    for part in ('header', 'body'):
        state = copy(lab, 'flipped-' + part)
        file = segments(state)[0]
        seq, at, length = list(records(file))[7]
        flip(file, at + (9 if part == 'header' else 40))
        out = check(lab, state, 1)
        assert f'{file.name}: entries {seq} to {seq}, bytes {at} to {at + length}, damaged' in out, out
        findings = lines(lab.ctl('journal', 'check', '--path', str(state), '--json', code=1))
        assert findings[0]['from'] == findings[0]['to'] == seq and findings[-1]['sound'] is False, findings
        rest = lines(lab.ctl('journal', 'cat', '--path', str(state), '--json', code=1))
        gap = [e for e in rest if 'gap' in e]
        assert gap == [{'gap': {'from': seq, 'to': seq, 'why': 'damaged'}}], gap
        assert [e for e in rest if 'gap' not in e] == [e for e in shown if e['seq'] != seq]


def test_missing_segment(lab, shown):
    state = copy(lab, 'missing')
    gone = segments(state)[1]
    first, last = (seq for seq, _, _ in (list(records(gone))[i] for i in (0, -1)))
    gone.unlink()
    gone.with_suffix('.idx').unlink()
    out = check(lab, state, 1)
    assert f'entries {first} to {last}, missing' in out, out
    rest = lines(lab.ctl('journal', 'cat', '--path', str(state), '--json', code=1))
    assert {'gap': {'from': first, 'to': last, 'why': 'damaged'}} in rest


def test_removed_segment(lab):
    """Only the index is there, as after a removal, but no record tells of one."""
    state = copy(lab, 'removed')
    gone = segments(state)[0]
    last = list(records(gone))[-1][0]
    gone.unlink()
    out = check(lab, state, 1)
    assert f'entries 1 to {last}, missing: the file is gone' in out, out
    rest = lines(lab.ctl('journal', 'cat', '--path', str(state), '--json', code=1))
    assert rest[0]['gap']['why'] == 'damaged', rest[0]
    info = lab.ctl('journal', 'info', '--path', str(state)).stdout
    assert '0 removed, 1 missing' in info, info


def test_torn_tail(lab):
    """Bytes of a write that a power cut tore are no damage."""
    state = copy(lab, 'torn')
    file = segments(state)[-1]
    size = file.stat().st_size
    file.with_suffix('.idx').unlink()
    with open(file, 'ab') as out:
        out.write(b'AER1 and so on')
    out = check(lab, state, 0)
    assert f'note: ' in out and f'bytes {size} to {size + 14}, tail' in out and 'no damage' in out, out


def test_damaged_index(lab):
    state = copy(lab, 'index')
    index = segments(state)[0].with_suffix('.idx')
    flip(index, index.stat().st_size - 3)
    out = check(lab, state, 1)
    assert f'{index.name}: index: it is damaged' in out, out


def test_exchanged_entries(lab):
    """Two sound segments of another journal do not pass for this one's."""
    state = copy(lab, 'exchanged')
    first, second = segments(state)[:2]
    second.write_bytes(first.read_bytes())
    out = check(lab, state, 1)
    assert 'damaged: the header of the file cannot be read' in out, out


def test_lost_end(lab, state):
    """The newest file is gone, as after restoring an old copy: no seq is given again."""
    gone = segments(state)[-1]
    first, last = (seq for seq, _, _ in (list(records(gone))[i] for i in (0, -1)))
    gone.unlink()
    gone.with_suffix('.idx').unlink()
    lab.is_damaged = True
    assert f'entries {first} to {last}, missing' in check(lab, state, 1)
    old = (state / 'current').read_text().strip()
    lab.start()
    wait_for('a new journal', lambda: (state / 'current').read_text().strip() != old)
    lab.stop()
    assert 'ends before' in lab.log(), 'the loss is not in the log'
    info = {i['journal']: i for i in lines(lab.ctl('journal', 'info', '--path', str(state), '--json'))}
    assert len(info) == 2 and not info[old]['current'], info
    new = next(i for i in info.values() if i['current'])
    assert 'ends before' in new['why'] and new['first_seq'] == 1, new
    assert f'entries {first} to {last}, missing' in check(lab, state, 1), 'it is still missed'


with Lab(paths) as lab:
    sims = start_sims(lab)
    lab.configure({'instruments': instruments(lab, sims)})
    for _ in range(3):
        live_on(lab, len(lab.subscriber.raw()) if lab.subscriber else 0)
        lab.stop()
    live_on(lab, len(lab.subscriber.raw()))
    test_live(lab)
    lab.stop()
    state = pathlib.Path(lab.dir / 'state')
    shown = test_at_rest(lab, state)
    test_flipped_bytes(lab, shown)
    test_missing_segment(lab, shown)
    test_removed_segment(lab)
    test_torn_tail(lab)
    test_damaged_index(lab)
    test_exchanged_entries(lab)
    test_lost_end(lab, state)
