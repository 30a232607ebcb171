# SPDX-License-Identifier: Apache-2.0
"""A folder of many files, of which one cannot be read and one is none of the kind: all others are recorded, once.

Then its share hangs, which is a state with a remedy, and comes back.
"""

import collections
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
FILES = int(paths['count'])  # more than a worker may report at once
SECONDS = 400  # on a loaded machine; the figures are printed
HANG_SECONDS = 90
MEMORY_MIB = 100  # of each process


def add_driver(lab):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    (folder / 'files.so').symlink_to(paths['files'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def keeper_of(worker):
    return int(pathlib.Path(f'/proc/{worker}/task/{worker}/children').read_text().split()[0])


def peak_mib(pid):
    lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) / 1024


def ended(lab):
    return lab.entries('files', 'run-end')


def complete(lab):
    return [e.record['run'] for e in ended(lab) if e.record['status'] == 'complete']


def take_one_more(lab, folder, name):
    before = len(lab.entries('files', 'run-start'))
    begin = time.monotonic()
    (folder / name).write_bytes(b'END')
    wait_for(f'the run of {name}', lambda: len(ended(lab)) > before, SECONDS)
    new = [e.record['settings']['file'] for e in lab.entries('files', 'run-start')[before:]]
    assert new == [name], new
    return time.monotonic() - begin


def test_all_but_the_bad(lab, folder):
    begin = time.monotonic()
    wait_for('all runs', lambda: len(complete(lab)) >= FILES - 2, SECONDS)
    took = time.monotonic() - begin
    files = {e.record['run']: e.record['settings']['file'] for e in lab.entries('files', 'run-start')}
    whole = collections.Counter(files[run] for run in complete(lab))  # a run that ended otherwise came again
    assert len(whole) == FILES - 2 and set(whole.values()) == {1}, whole.most_common(3)
    worker = lab.instrument('files')['pid']
    memory = {'core': peak_mib(lab.daemon.pid), 'worker': peak_mib(worker), 'keeper': peak_mib(keeper_of(worker))}
    assert max(memory.values()) < MEMORY_MIB, memory
    lines = [line for line in lab.log().splitlines() if 'unreadable.dat: cannot be read: Permission denied' in line]
    assert len(lines) == 1, lines
    print(f'{FILES} files in {took:.0f} s;', ', '.join(f'{name} {mib:.0f} MiB' for name, mib in memory.items()))


def test_a_share_that_hangs(lab, folder):
    os.kill(keeper_of(lab.instrument('files')['pid']), signal.SIGSTOP)
    wait_for('the state', lambda: 'its share hangs' in str(lab.instrument('files')) or 'its share hangs' in lab.log(), HANG_SECONDS)
    took = take_one_more(lab, folder, 'after.dat')
    print(f'back after {took:.0f} s')


with Lab(paths) as lab:
    add_driver(lab)
    if os.geteuid() == 0:  # root reads all files by these two
        lab.bus = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search']
    folder = lab.dir / 'share'
    folder.mkdir()
    for i in range(FILES - 2):
        (folder / f'{i:05}.DAT').write_bytes(f'{i} '.encode() * 200 + b'END')
    (folder / 'bad.dat').write_bytes(b'# of another kind')
    (folder / 'unreadable.dat').write_bytes(b'END')
    (folder / 'unreadable.dat').chmod(0)
    lab.start({'instruments': {'files': {
        'driver': 'files', 'simulated': True, 'acquire': {'mode': 'repeat'},
        'link': {'type': 'folder', 'path': str(folder), 'pattern': '*.dat', 'settle': '1s', 'poll': '1s'}}}})
    test_all_but_the_bad(lab, folder)
    lab.stop()
    lab.start()
    print(f'after a restart one more in {take_one_more(lab, folder, "more.dat"):.0f} s')
    test_a_share_that_hangs(lab, folder)
    print(lint(lab))
