# SPDX-License-Identifier: Apache-2.0
"""Archive and removal: the files that are removed from a journal, those that stay, and the archive.

    retention.py LAB NAME=PATH... [disk=LIBRARY]

With the preloaded library the core is also killed between the record of a removal and the removal.
"""

import csv
import hashlib
import json
import struct
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402
from replay_peer import Replay  # noqa: E402

paths = paths_from(sys.argv[2:])
UNTIL = '2099-12-31'
KIB = 1 << 10
SIZE = 512 * KIB # limit of the journal


def configuration(lab, keep):
    return {'journal': {'segment': '64 KiB', 'keep': keep}, 'instruments': {'gas-1': {
        'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': lab.sims[0].port, 'unit_id': 1},
        'acquire': {'mode': 'continuous', 'every': '10ms', 'new_run': '1s'}}}}


def folder(lab):
    return lab.dir / 'state' / 'journal' / (lab.dir / 'state' / 'current').read_text().strip()


def segments(lab):
    return sorted(folder(lab).glob('*.seg'))


def closed(lab):
    return segments(lab)[:-1]


def wait_closed(lab, count):
    return wait_for(f'{count} closed files', lambda: len(closed(lab)) >= count and closed(lab))


def index_of(segment):
    first, last = struct.unpack_from('<QQ', segment.with_suffix('.idx').read_bytes(), 32)
    return first, last


def audits(lab, event):
    return [e.record for e in lab.entries(type='audit') if e.record['event'] == event]


def archive(lab, code=0, to='archive'):
    return lab.ctl('archive', '--until', UNTIL, '--to', str(lab.dir / to), code=code)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def look(lab):
    """A reload makes the daemon look at its files again."""
    if not lab.ask({'op': 'reload'})['ok']:
        raise Failure('the reload was refused')


def wait_fits(lab, archived):
    """All due files are removed: the journal fits, or nothing that is archived is left in it."""
    wait_for('the journal fits', lambda: sum(s.stat().st_size for s in segments(lab)) <= SIZE + 192 * KIB or
             not any(s.name in archived for s in segments(lab)))


def test_nothing_goes_unarchived(lab):
    wait_closed(lab, 12)
    look(lab)
    wait_closed(lab, 14)
    if segments(lab)[0].name != f'{1:020}.seg' or audits(lab, 'segment-removed'):
        raise Failure('a file went that was not archived')
    if lab.ask({'op': 'status'})['journal']['retention']['not_archived'] < 64 * KIB:
        raise Failure('the status does not say what waits for the archive')
    if 'wait to be archived' not in lab.ctl('status').stdout:
        raise Failure('assayctl status neither')


def amend(lab):
    """A correction, which the list of runs shows together with the first value."""
    number = lab.entries('gas-1', 'run-start')[0].record['number']
    reply = lab.ask({'op': 'amend', 'run': number, 'set': {'sample': 'A "2"'}, 'reason': 'mistyped, "A 2" it is'})
    if not reply['ok']:
        raise Failure(f'{reply}')
    wait_closed(lab, len(closed(lab)) + 2)
    return number


def test_archive(lab):
    """Byte for byte, with a manifest, a list of runs and the audit; verified by the daemon."""
    copies = {s.name: digest(s) for s in closed(lab)}
    done = archive(lab)
    here = lab.dir / 'archive' / 'journal' / folder(lab).name
    for name, sha256 in copies.items():
        if digest(here / name) != sha256 or not (here / name).with_suffix('.idx').exists():
            raise Failure(f'{name} was not archived as it was')
    if list(here.glob('*.part')) or 'verified and noted' not in done.stdout:
        raise Failure(f'the archive is not whole: {done.stdout}')
    subprocess.run(['sha256sum', '--check', '--strict', '--quiet', 'MANIFEST'], cwd=lab.dir / 'archive', check=True)
    names = {line.split('  ')[1] for line in (lab.dir / 'archive' / 'MANIFEST').read_text().splitlines()}
    every = {str(p.relative_to(lab.dir / 'archive')) for p in (lab.dir / 'archive').rglob('*') if p.is_file()}
    if every != names | {'MANIFEST'}:
        raise Failure(f'the manifest lists {names}, there are {every}')
    return {s.name: digest(s) for s in here.glob('*.seg')} # another may have been closed meanwhile


def test_texts(lab, amended):
    here = lab.dir / 'archive'
    rows = list(csv.DictReader(open(here / 'runs.csv', newline='')))
    starts = {e.record['number']: e for e in lab.entries('gas-1', 'run-start')}
    ends = {e.record['run']: e for e in lab.entries('gas-1', 'run-end')}
    known = [row for row in rows if row['number'] in starts]
    if len(known) < 2:
        raise Failure(f'the list of runs: {rows}')
    for row in known:
        start = starts[row['number']]
        if int(row['first_seq']) != start.seq or row['sample'] != 'none' or row['simulated'] != 'yes':
            raise Failure(f'{row} is not {start.record}')
        file = here / 'journal' / row['journal'] / row['first_file']
        if not index_of(file)[0] <= start.seq <= index_of(file)[1]:
            raise Failure(f'{row} is not in {file}')
        end = ends.get(start.record['run'])
        if row['status'] == 'complete' and (int(row['frames']) != end.record['frames'] or
                                            (int(row['last_seq']) != end.seq and row['number'] != amended)):
            raise Failure(f'{row} is not {end.record}')
    row = next(row for row in rows if row['number'] == amended)
    if row['sample'] != 'none' or 'set {"sample.id":"A \\"2\\""}, was' not in row['amendments'] or \
            'mistyped, "A 2" it is' not in row['amendments']:
        raise Failure(f'the correction is not shown: {row}')
    audit = (here / 'audit.txt').read_text().splitlines()
    if not any('  start  actor {"id":"assayd"' in line for line in audit):
        raise Failure(f'the audit has no start: {audit[:3]}')


def check_removals(lab, copies):
    """The removed files are those recorded before, in order, and archived."""
    wait_for('files go', lambda: audits(lab, 'segment-removed'))
    wait_fits(lab, copies)

    def first_left():
        return f"{audits(lab, 'segment-removed')[-1]['after']['last'] + 1:020}.seg"
    wait_for('all goes that was recorded', lambda: segments(lab)[0].name == first_left())
    left = {s.name for s in segments(lab)}
    removed = audits(lab, 'segment-removed')
    for record in removed:
        name = f"{record['after']['first']:020}.seg"
        if name in left or name not in copies or record['after']['why'] != 'size':
            raise Failure(f'{record}')
        if not (folder(lab) / name).with_suffix('.idx').exists():
            raise Failure(f'the index of {name} went with it')
    if not left <= {s.name for s in segments(lab)} or removed[0]['actor']['id'] != 'assayd':
        raise Failure(f'{removed[0]}')
    archived = audits(lab, 'archived')
    told = [s for a in archived for s in a['after']['segments']]
    if archived[0]['actor']['auth'] != 'os' or archived[0]['after']['to'] != str(lab.dir / 'archive'):
        raise Failure(f'{archived[0]}')
    if not {f"{s['first']:020}.seg": s['sha256'].hex() for s in told}.items() >= copies.items():
        raise Failure('the audit does not name what was archived')
    return removed[-1]['after']['last']


def test_replay(lab, last):
    """Consumers get a gap for the removed entries, and all others."""
    peer = Replay(f'ipc://{lab.dir}/run/replay')
    welcome = peer.get(op='hello', proto=1)
    entries, gaps = peer.fetch(journal=welcome['journal'], prefix='', to=welcome['head'])
    peer.close()
    if gaps != [(1, last, 'pruned')]:
        raise Failure(f'replay says {gaps}, removed were 1 to {last}')
    if [e.seq for e in entries] != list(range(last + 1, welcome['head'] + 1)):
        raise Failure('replay does not give what is left')
    own = next(j for j in welcome['journals'] if j['journal'] == welcome['journal'])
    if own['first'] != last + 1:
        raise Failure(f'the journal begins at {own}')


def test_cursor(lab):
    """Entries that a durable cursor has not passed stay, archived or not, until it has."""
    peer = Replay(f'ipc://{lab.dir}/run/replay')
    journal = peer.get(op='hello', proto=1)['journal']
    mark = index_of(closed(lab)[1])[1]
    peer.get(op='cursor', name='lims', journal=journal, topic='a1/', seq=mark)
    wait_closed(lab, len(closed(lab)) + 10)
    archive(lab)
    needed = [s for s in closed(lab) if index_of(s)[1] > mark]
    wait_for('what it has passed goes', lambda: not [s for s in closed(lab) if index_of(s)[1] <= mark])
    look(lab)
    wait_closed(lab, len(needed) + 2)
    if not all(s.exists() for s in needed):
        raise Failure('a file went that a cursor had not passed')
    if 'held by the cursor lims' not in lab.ctl('status').stdout:
        raise Failure(f'nobody says who holds back: {lab.ctl("status").stdout}')
    return peer, journal, needed


def test_restart(lab):
    """Files archived before are known to the next process."""
    lab.stop()
    lab.start()
    lab.wait_state('gas-1', 'busy')
    done = json.loads(lab.ctl('--json', 'archive', '--until', UNTIL, '--to', str(lab.dir / 'archive')).stdout)
    if done['there'] < 5 or done['confirmed'] != done['there'] + done['copied']:
        raise Failure(f'{done}')
    told = [s['first'] for a in audits(lab, 'archived') for s in a['after']['segments']]
    if len(told) != len(set(told)):
        raise Failure('what was archived is recorded again')


def test_own_files_differ(lab, peer, journal, needed):
    """A file that differs from the archived one stays, with a line in the log; the others are removed."""
    changed = needed[0]
    data = bytearray(changed.read_bytes())
    data[-100] ^= 1
    changed.write_bytes(data)
    peer.get(op='cursor', name='lims', journal=journal, topic='a1/', seq=index_of(needed[-1])[1])
    look(lab)
    wait_for('it is said', lambda: 'not the one that was archived' in lab.log())
    wait_for('the others go', lambda: not needed[1].exists())
    if not changed.exists():
        raise Failure('a file went of which there is no copy')
    done = archive(lab, code=1)
    if 'another file of this name' not in done.stderr:
        raise Failure(f'the archive took another file: {done.stderr}')
    if digest(lab.dir / 'archive' / 'journal' / folder(lab).name / changed.name) == digest(changed):
        raise Failure('the archived file was replaced')
    data[-100] ^= 1
    changed.write_bytes(data)


def test_resumed(lab):
    """An interrupted archive is completed; complete files are not copied again."""
    here = lab.dir / 'archive' / 'journal' / folder(lab).name
    lost, kept = closed(lab)[-1], closed(lab)[-2]
    archive(lab)
    inode = (here / kept.name).stat().st_ino
    (here / lost.name).rename(here / (lost.name + '.part'))
    (here / (lost.name + '.part')).write_bytes(b'half')
    archive(lab)
    if digest(here / lost.name) != digest(lost) or (here / kept.name).stat().st_ino != inode:
        raise Failure('the archive was not completed')
    if list(here.glob('*.part')):
        raise Failure('a part was left behind')


def test_reading(lab):
    """The journal's own tools read an archive as they read a journal."""
    id = folder(lab).name
    here = ('--path', str(lab.dir / 'archive'), '--journal', id)
    first = index_of(sorted((lab.dir / 'archive' / 'journal' / id).glob('*.seg'))[0])[0]
    lab.ctl('journal', 'check', *here)
    lines = lab.ctl('--json', 'journal', 'cat', *here, '--to', '60').stdout.splitlines()
    if first != 1 or [json.loads(line).get('seq') for line in lines] != list(range(1, 61)):
        raise Failure(f'the archive is not read from its beginning: {lines[:1]}')


def test_refusals(lab):
    for args, words in ((('--until', 'soon', '--to', 'x'), 'expected a date'), (('--to', 'x'), '--until'),
                        (('--until', UNTIL), '--to')):
        if words not in lab.ctl('archive', *args, code=2).stderr:
            raise Failure(f'{args}')
    inside = lab.ctl('archive', '--until', UNTIL, '--to', str(lab.dir / 'state'), code=1)
    if 'inside the journal' not in inside.stderr:
        raise Failure(inside.stderr)
    none = lab.ctl('archive', '--until', '2020-01-01', '--to', str(lab.dir / 'none'))
    if '0 files copied' not in none.stdout:
        raise Failure(none.stdout)
    id = folder(lab).name
    for request, code in (({'segments': [{'first': 10**9, 'last': 10**9, 'sha256': bytes(32)}]}, 'refused'),
                          ({'segments': []}, 'bad-argument'), ({'segments': [{'first': 1}]}, 'bad-argument')):
        reply = lab.ask({'op': 'archived', 'journal': id, 'to': 'x', **request})
        if reply['ok'] or reply['error']['code'] != code:
            raise Failure(f'{request}: {reply}')


def test_killed_before_removal(lab):
    """A removal that was recorded and not done is done after the next start."""
    hold = lab.dir / 'disk' / 'hold'
    wait_closed(lab, 20)
    hold.touch()
    before = len(audits(lab, 'segment-removed'))
    tool = subprocess.Popen([paths['assayctl'], '--dir', str(lab.dir / 'run'), 'archive', '--until', UNTIL,
                             '--to', str(lab.dir / 'archive')], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for('a removal is recorded', lambda: len(audits(lab, 'segment-removed')) > before)
    finally:
        lab.kill()
        tool.kill()
        tool.wait()
    first = audits(lab, 'segment-removed')[before]['after']['first']
    victim = folder(lab) / f'{first:020}.seg'
    if not victim.exists():
        raise Failure('the file went before its record')
    hold.unlink()
    lab.start()
    wait_for('the removal is made up for', lambda: not victim.exists())
    again = [a for a in audits(lab, 'segment-removed') if a['after']['first'] == first]
    if not 1 <= len(again) <= 2:
        raise Failure(f'{len(again)} records of one removal')


def begin_journal(lab):
    old = folder(lab)
    lab.stop()
    (lab.dir / 'state' / 'current').unlink()
    lab.start()
    if folder(lab) == old:
        raise Failure('no new journal began')
    lab.wait_state('gas-1', 'busy')
    return old


def id_of(path):
    return bytes.fromhex(path.name.replace('-', ''))


def test_older_journals(lab):
    """They are archived and go first, each whole, its last file too; the daemon starts without them."""
    older = [begin_journal(lab) for _ in range(3)]
    wait_closed(lab, 12)
    before = len(audits(lab, 'archived'))
    archive(lab)
    journals = [id_of(path) for path in older + [folder(lab)]]
    told = wait_for('what was archived is recorded', lambda: [
        ids for ids in [[a['after']['journal'] for a in audits(lab, 'archived')[before:]]] if journals[-1] in ids])[0]
    if list(dict.fromkeys(told)) != journals:
        raise Failure(f'{[id.hex() for id in told]} were archived in this order')
    wait_for('the older journals go', lambda: not [s for old in older for s in old.glob('*.seg')])
    for old in older:
        here = lab.dir / 'archive' / 'journal' / old.name
        if len(list(here.glob('*.seg'))) < len(list(old.glob('*.idx'))):
            raise Failure('something went that is not in the archive')
    lab.stop()
    lab.start()
    lab.wait_state('gas-1', 'busy')
    peer = Replay(f'ipc://{lab.dir}/run/replay')
    there = peer.get(op='hello', proto=1)['journals']
    if [j for j in there if j['journal'] in journals[:-1] and j['first'] <= j['last']]:
        raise Failure(f'an older journal is said to hold entries: {there}')
    peer.close()


with Lab(paths) as lab:
    if 'disk' in paths:
        (lab.dir / 'disk').mkdir()
        lab.env = {'DISK': str(lab.dir / 'disk'), 'LD_PRELOAD': paths['disk']}
    lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    lab.start(configuration(lab, {'size': f'{SIZE} B'}))
    test_nothing_goes_unarchived(lab)
    amended = amend(lab)
    copies = test_archive(lab)
    test_texts(lab, amended)
    last = check_removals(lab, copies)
    test_replay(lab, last)
    peer, journal, needed = test_cursor(lab)
    test_restart(lab)
    test_own_files_differ(lab, peer, journal, needed)
    test_resumed(lab)
    test_reading(lab)
    test_refusals(lab)
    if 'disk' in paths:
        peer.get(op='cursor', name='lims', journal=journal, topic='a1/', seq=lab.ask({'op': 'status'})['journal']['head'])
        test_killed_before_removal(lab)
    peer.close()
    lab.ctl('cursor', 'forget', 'lims')
    test_older_journals(lab)
    lab.stop()
