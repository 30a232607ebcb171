# SPDX-License-Identifier: Apache-2.0
"""The main job: three instruments over three links, one format, live on ZeroMQ, in the journal."""

import csv
import hashlib
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, check_links, lint, paths_from, values, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

paths = paths_from(sys.argv[2:])


def known_names():
    with open(paths['names'], newline='') as file:
        return {row['name'] for row in csv.DictReader(file)}


def check_frame(entry, starts, names):
    record = entry.record
    assert entry.topic.startswith('a1/sim-data/') and entry.topic.endswith(f'/{entry.key}/'), entry.topic
    assert record['sim'] is True
    start = starts[record['run']]
    assert record['ctx'] == hashlib.sha256(b'\0' + start.bytes).digest(), 'ctx is not the run-start'
    axes = {v['name']: v for v in record['vars'] if v['role'] == 'axis'}
    for variable in record['vars']:
        assert variable['unit'], variable
        for dim in variable['dims']:
            assert len(values(axes[dim])) == len(values(variable)), variable['name']
    unknown = [v['name'] for v in record['vars'] if v['name'] not in names]
    assert not unknown, unknown


def check_runs(entries):
    """Frames n = 0 ... N-1; run-end counts and digests them."""
    starts, frames = {}, {}
    for e in entries:
        if e.type == 'run-start':
            starts[e.record['run']] = e
        elif e.type == 'frame':
            seen = frames.setdefault(e.record['run'], [])
            assert e.record['n'] == len(seen), f'{e.key}: n {e.record["n"]} after {len(seen)} frames'
            seen.append(hashlib.sha256(b'\0' + e.bytes).digest())
        elif e.type == 'run-end':
            leaves = frames.get(e.record['run'], [])
            assert e.record['frames'] == len(leaves)
            assert e.record['digest'] == hashlib.sha256(b''.join(leaves)).digest()
    return starts


def check_uncertainty(entries):
    """The uncertainty that the configuration states of one gas is in each frame, and of no other gas."""
    stated = {'kind': 'expanded', 'k': 2.0, 'src': 'method', 'value': 0.4}
    for entry in entries:
        if entry.type == 'frame' and entry.key == 'gas-1':
            found = {v['analyte']['name']: v.get('unc') for v in entry.record['vars'] if v['name'] == 'concentration'}
            assert found.pop('HCl') == stated and set(found.values()) == {None}, found


def check_identity(lab):
    xrf = lab.instrument('xrf-1')
    assert xrf['make'] == 'Amptek' and xrf['serial'] == '9990001', xrf
    assert lab.instrument('ms-1')['model'].startswith('RGA'), lab.instrument('ms-1')


with Lab(paths) as lab:
    sims = start_sims(lab)
    # Start without instruments: a subscriber that is there before the first run receives everything.
    lab.start({'instruments': {}})
    wait_for('a heartbeat', lambda: lab.subscriber.heads)
    lab.configure({'instruments': instruments(lab, sims)})
    assert lab.ask({'op': 'reload'})['ok']
    for key in sims:
        lab.wait_frames(key, 3)
    lab.wait_entries('xrf-1', 'run-end', 2)
    check_identity(lab)
    lab.stop()
    lint(lab)
    entries = lab.subscriber.all()
    check_links(entries)
    starts = check_runs(entries)
    names = known_names()
    for entry in entries:
        if entry.type == 'frame':
            check_frame(entry, starts, names)
    check_uncertainty(entries)
    for start in starts.values():
        assert start.record['sample']['id'] == 'none' and start.record['operator']['id'] == 'none'
        assert start.record['driver']['name'] and len(start.record['driver']['sha256']) == 32
    kinds = {(e.key, e.record['kind']) for e in entries if e.type == 'frame'}
    if kinds != {('xrf-1', 'spectrum'), ('ms-1', 'spectrum'), ('gas-1', 'scalar')}:
        raise Failure(f'kinds: {kinds}')
    print(f'{len(entries)} entries, {sum(e.type == "frame" for e in entries)} frames')
