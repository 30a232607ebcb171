# SPDX-License-Identifier: Apache-2.0
"""The link folder: each file is a run, when it is whole and once; a bad one stops nothing; a lost folder is a state."""

import hashlib
import os
import pathlib
import random
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
    assert len(lab.entries('gc-files', 'run-start')) == FILES + 2
    log = lab.log()
    assert 'never.dat: incomplete' in log and 'bad.dat: not a file of this kind' in log, log


def test_a_folder_is_one(lab, folder):
    for name, content in ('b.bin', b'2END'), ('A.bin', b'1END'):
        path = folder / 'run-1.D' / 'acq'
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    (folder / 'run-1.D' / 'acq.bin').write_bytes(b'3END')
    lab.wait_entries('ms-files', 'run-end', 1)
    assert digests(lab, 'ms-files') == [(sha(b'3END'), sha(b'1END'), sha(b'2END'))], digests(lab, 'ms-files')


def test_a_lost_folder(lab, folder):
    os.rename(folder, f'{folder}.away')
    lab.wait_state('gc-files', 'fault')
    assert str(folder) in str(lab.instrument('gc-files')), lab.instrument('gc-files')
    os.rename(f'{folder}.away', folder)
    for path in folder.iterdir():
        path.unlink()  # a new connection knows nothing of them
    (folder / 'back.dat').write_bytes(b'it is backEND')
    wait_for('the run of back.dat', lambda: digests(lab, 'gc-files')[-1] == (sha(b'it is backEND'),), 60)


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
    print(lint(lab))
