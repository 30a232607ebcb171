# SPDX-License-Identifier: Apache-2.0
"""The link folder: each file is a run, when it is whole and once; a bad one stops nothing; a lost folder is a state.

A file that a complete run has recorded does not come again after the end of the worker, the daemon, or the index of runs.
"""

import hashlib
import os
import pathlib
import random
import shutil
import signal
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
FILES = 60


def add_driver(lab):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    for module in pathlib.Path(paths['drivers']).glob('*.so'):
        (folder / module.name).symlink_to(module)
    (folder / 'files.so').symlink_to(paths['files'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def config(path, **more):
    return {'driver': 'files', 'simulated': True, 'acquire': {'mode': 'repeat'},
            'link': {'type': 'folder', 'path': str(path), 'settle': '100ms', 'poll': '100ms', **more}}


def digests(lab, key):
    """SHA-256 of the raw blocks of each frame."""
    return [tuple(hashlib.sha256(block['data']).hexdigest() for block in f.record['raw']) for f in lab.frames(key)]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def test_each_file_once(lab, folder):
    noise = random.Random(1)
    contents = [noise.randbytes(noise.randrange(1, 200000)) + b'END' for _ in range(FILES)]
    (folder / 'never.dat').write_bytes(b'its end is missing')
    (folder / 'bad.dat').write_bytes(b'# not of this kind')
    for i, content in enumerate(contents):
        part = folder / f'{i}.dat'
        with open(part, 'wb') as file:  # its size first, as some programs do
            if i % 3 == 0:
                file.truncate(len(content))
            file.write(content[:len(content) // 2])
            file.flush()
            file.write(content[len(content) // 2:])
    ends = lab.wait_entries('gc-files', 'run-end', FILES, seconds=60)
    assert {e.record['status'] for e in ends} == {'complete'}, ends
    assert sorted(digests(lab, 'gc-files')) == sorted((sha(c),) for c in contents)
    (folder / '0.dat').touch()  # the same content
    (folder / '1.dat').write_bytes(b'another contentEND')
    lab.wait_entries('gc-files', 'run-end', FILES + 1)
    assert digests(lab, 'gc-files')[-1] == (sha(b'another contentEND'),)
    (folder / '0.dat').unlink()
    (folder / '2.dat').write_bytes(b'one moreEND')
    lab.wait_entries('gc-files', 'run-end', FILES + 2)
    check_starts(lab, folder)
    log = lab.log()
    assert 'never.dat: incomplete' in log and 'bad.dat: not a file of this kind' in log, log


def check_starts(lab, folder):
    starts = [e.record for e in lab.entries('gc-files', 'run-start')]
    assert len(starts) == FILES + 2, len(starts)
    assert {s['sample']['entered'] for s in starts} == {'file'}, starts
    by_file = {}
    for start in starts:
        by_file.setdefault(start['settings']['file'], []).append(start)
    for name in '1.dat', '2.dat':  # the same path with another content
        first, second = by_file.pop(name)
        assert second['refs'][0]['rel'] == 'supersedes' and second['refs'][0]['run'] == first['run'], second
        assert second['settings']['file_sha256'] == sha((folder / name).read_bytes())
    assert all(len(s) == 1 and 'refs' not in s[0] for s in by_file.values()), by_file


def test_a_folder_is_one(lab, folder):
    for name, content in ('b.bin', b'2END'), ('A.bin', b'1END'):
        path = folder / 'run-1.D' / 'acq'
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    (folder / 'run-1.D' / 'acq.bin').write_bytes(b'3END')
    lab.wait_entries('ms-files', 'run-end', 1)
    assert digests(lab, 'ms-files') == [(sha(b'3END'), sha(b'1END'), sha(b'2END'))], digests(lab, 'ms-files')


def take_one_more(lab, folder, name):
    """Only this file: all others are older, and would come before it."""
    before = len(lab.entries('gc-files', 'run-start'))
    (folder / name).write_bytes(name.encode() + b'END')
    wait_for(f'the run of {name}', lambda: digests(lab, 'gc-files')[-1] == (sha(name.encode() + b'END'),), 60)
    new = [e.record['settings']['file'] for e in lab.entries('gc-files', 'run-start')[before:]]
    assert new == [name], new


def test_a_lost_folder(lab, folder):
    os.rename(folder, f'{folder}.away')
    lab.wait_state('gc-files', 'fault')
    assert str(folder) in str(lab.instrument('gc-files')), lab.instrument('gc-files')
    os.rename(f'{folder}.away', folder)
    take_one_more(lab, folder, 'back.dat')


def start_again(lab):
    lab.start()
    lab.wait_state('gc-files', 'armed')


def test_nothing_comes_again(lab, folder):
    os.kill(lab.instrument('gc-files')['pid'], signal.SIGKILL)
    take_one_more(lab, folder, 'worker killed.dat')
    lab.stop()
    start_again(lab)
    take_one_more(lab, folder, 'BACK.dat')  # another name by its case
    lab.kill()
    start_again(lab)
    take_one_more(lab, folder, 'Käse.DAT')
    lab.stop()
    shutil.rmtree(lab.dir / 'state' / 'runs')
    start_again(lab)
    take_one_more(lab, folder, 'index lost.dat')
    lab.stop()
    (lab.dir / 'state' / 'current').unlink()  # a new journal: what former ones recorded counts
    start_again(lab)
    take_one_more(lab, folder, 'new journal.dat')
    (folder / '1.dat').write_bytes(b'a third contentEND')
    wait_for('its run', lambda: digests(lab, 'gc-files')[-1] == (sha(b'a third contentEND'),))
    starts = [e.record for e in lab.entries('gc-files', 'run-start') if e.record['settings']['file'] == '1.dat']
    assert len(starts) == 3 and starts[2]['refs'][0]['run'] == starts[1]['run'], starts


def test_wrong_ways(lab, folder):
    answer = lab.ask({'op': 'run-start', 'instrument': 'gc-files', 'entered': 'file'})
    assert 'the daemon sets it' in str(answer), answer
    wrong = lab.dir / 'wrong.yaml'
    wrong.write_text(lab.config.read_text().replace('"repeat"', '"continuous"'))
    said = lab.ctl('--worker', lab.paths['worker'], '--drivers', lab.paths['drivers'], 'check', str(wrong), code=None)
    assert "'mode: continuous' is not for a folder" in said.stdout + said.stderr, said


with Lab(paths) as lab:
    add_driver(lab)
    one, sets = lab.dir / 'one', lab.dir / 'sets'
    one.mkdir()
    sets.mkdir()
    lab.start({'instruments': {'gc-files': config(one, pattern='*.dat'),
                               'ms-files': config(sets, pattern='*.d', data_sets='folders')}})
    test_each_file_once(lab, one)
    test_a_folder_is_one(lab, sets)
    test_a_lost_folder(lab, one)
    test_nothing_comes_again(lab, one)
    test_wrong_ways(lab, one)
    print(lint(lab))
