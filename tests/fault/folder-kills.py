# SPDX-License-Identifier: Apache-2.0
"""Files come into a folder while the daemon, its worker and the keeper of the folder are killed at random.

At the end each file has exactly one complete run, with its bytes; any other run of it ended otherwise.
"""

import collections
import hashlib
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])
import segments  # noqa: E402
from lab import Entry, Failure, Lab, paths_from, wait_for  # noqa: E402
import cbor2  # noqa: E402

paths = paths_from(sys.argv[2:])
FILES = 120
KILLS = 12
SEED = int(os.environ.get('ASSAY_SEED', 1))


def add_driver(lab):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    (folder / 'files.so').symlink_to(paths['files'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def records(lab):
    """Of all journals, as the files have them: recovery may have written the last of a file again."""
    found = {}
    for journal in (lab.dir / 'state' / 'journal').iterdir():
        for data in segments.folder_entries(journal):
            entry = Entry(cbor2.loads(data)[5], data)
            found[entry.journal, entry.seq] = entry.record
    return [found[key] for key in sorted(found)]


def runs(lab):
    """By its id: the file, the status, and the SHA-256 of its bytes."""
    by_id = {}
    for record in records(lab):
        if record['type'] == 'run-start':
            by_id[record['run']] = {'file': record['settings']['file'], 'sha256': record['settings']['file_sha256'],
                                    'status': 'open', 'bytes': []}
        elif record['type'] == 'frame':
            by_id[record['run']]['bytes'].append(hashlib.sha256(record['raw'][0]['data']).hexdigest())
        elif record['type'] == 'run-end':
            by_id[record['run']]['status'] = record['status']
    return list(by_id.values())


def complete(lab):
    return collections.Counter(run['file'] for run in runs(lab) if run['status'] == 'complete')


def keeper_of(worker):
    children = pathlib.Path(f'/proc/{worker}/task/{worker}/children').read_text().split()
    return int(children[0]) if children else worker


def kill(lab, chance):
    which = chance.randrange(3)
    if which == 0:
        lab.kill()
        lab.start()
        return 'daemon'
    worker = lab.instrument('files')['pid']
    if worker == 0:
        return 'nothing'
    try:
        os.kill(worker if which == 1 else keeper_of(worker), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return 'nothing'  # it has ended meanwhile
    return ['worker', 'keeper'][which - 1]


def check(lab, contents):
    found = runs(lab)
    for name, content in contents.items():
        mine = [run for run in found if run['file'] == name]
        whole = [run for run in mine if run['status'] == 'complete']
        if len(whole) != 1 or whole[0]['bytes'] != [hashlib.sha256(content).hexdigest()]:
            raise Failure(f'{name}: {mine}')
        if whole[0]['sha256'] != whole[0]['bytes'][0]:
            raise Failure(f'{name}: another digest: {whole}')
    others = collections.Counter(run['status'] for run in found if run['status'] != 'complete')
    if others.keys() - {'interrupted', 'lost-device'}:
        raise Failure(f'runs ended {others}')
    return others


with Lab(paths) as lab:
    chance = random.Random(SEED)
    add_driver(lab)
    folder = lab.dir / 'share'
    folder.mkdir()
    lab.start({'instruments': {'files': {
        'driver': 'files', 'simulated': True, 'acquire': {'mode': 'repeat'},
        'link': {'type': 'folder', 'path': str(folder), 'settle': '100ms', 'poll': '100ms'}}}})
    contents, killed = {}, collections.Counter()
    for i in range(FILES):
        content = contents[f'{i}.dat'] = chance.randbytes(chance.randrange(1, 400000)) + b'END'
        (folder / f'{i}.dat').write_bytes(content)
        if i % (FILES // KILLS) == 5:
            at = time.monotonic() + chance.random() * 0.3
            while time.monotonic() < at:  # a moment of its work, not a time to wait for
                complete(lab)
            killed[kill(lab, chance)] += 1
    wait_for('all files', lambda: len(complete(lab)) == FILES, 60)
    lab.stop()
    others = check(lab, contents)
    print(f'{FILES} files, killed {dict(killed)}: each recorded once; other runs: {dict(others)}')
