# SPDX-License-Identifier: Apache-2.0
"""file-import in the real daemon: files of a folder are runs with facts, the journal has every byte, a bad file stalls nothing."""

import hashlib
import os
import pathlib
import struct
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, values, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
SAMPLES = pathlib.Path(os.environ.get('ASSAY_SAMPLES', '/nonexistent'))


def config(path, technique, **more):
    return {'driver': 'file-import', 'technique': technique, 'acquire': {'mode': 'repeat'},
            'link': {'type': 'folder', 'path': str(path), 'settle': '100ms', 'poll': '100ms', **more}}


def asp(numbers):
    lines = [len(numbers), 4000, 4000 - len(numbers) + 1, 1, 2, 4, *numbers]
    return ''.join(f'{line}\r\n' for line in lines).encode()


def put_together(frames):
    """{path: bytes} from the raw blocks of a run, whose names are PATH@OFFSET; every place that two blocks have is the same."""
    files = {}
    for block in (block for frame in frames for block in frame.record['raw']):
        path, _, offset = block['name'].rpartition('@')
        data, offset = files.setdefault(path, bytearray()), int(offset)
        data.extend(bytes(max(0, offset + len(block['data']) - len(data))))
        data[offset:offset + len(block['data'])] = block['data']
    return {path: bytes(data) for path, data in files.items()}


def runs_of(lab, key):
    """{path of the file: (run-start, frames)}, of the runs that have ended."""
    found = {}
    ended = {e.record['run'] for e in lab.entries(key, 'run-end')}
    for start in lab.entries(key, 'run-start'):
        if start.record['run'] in ended:
            frames = [f for f in lab.frames(key) if f.record['run'] == start.record['run']]
            for path in put_together(frames):
                found[path] = start.record, frames
    return found


def fact(start, name):
    value = start['settings'].get(name)
    return value['v'] if isinstance(value, dict) and 'v' in value else value


def test_one_by_one(lab, folder):
    good = {f'good {i} ü.asp': asp([i / 4, -i, 1e-3 * i]) for i in range(12)}
    bad = {'unknown.asp': b'<html>', 'damaged.asp': asp([1, 2]) + b'3\r\n'}
    for name, data in {**good, **bad, 'never.asp': asp([1, 2, 3])[:-1]}.items():
        (folder / name).write_bytes(data)
    lab.wait_entries('ir', 'run-end', len(good) + len(bad), seconds=60)
    runs = runs_of(lab, 'ir')
    assert set(runs) == {*good, *bad}, sorted(runs)
    for name, data in {**good, **bad}.items():
        start, frames = runs[name]
        assert put_together(frames) == {name: data}, name
        assert fact(start, 'file_format') == ('unknown' if name == 'unknown.asp' else 'asp'), start['settings']
        assert fact(start, 'file') == name, start['settings']
        assert fact(start, 'file_sha256') == hashlib.sha256(data).hexdigest(), start['settings']
        assert start['sample']['id'] == name.removesuffix('.asp'), start['sample']
    for i, name in enumerate(good):
        ordinate = next(v for v in runs[name][1][0].record['vars'] if v['name'] == 'ordinate')
        assert list(values(ordinate)) == [i / 4, -i, 1e-3 * i], ordinate
    why = {name: runs[name][1][0].record['q']['why'][0] for name in bad}
    assert why == {'unknown.asp': 'not-decoded', 'damaged.asp': 'file-damaged'}, why
    text = wait_for('the reason in the state', lambda: lab.instrument('ir').get('text'))
    assert 'files so far' in text, text
    log = lab.log()
    assert log.count('<4>ir: never.asp: not complete') == 1 and 'damaged.asp: damaged' in log, log
    with open(folder / 'never.asp', 'ab') as file:
        file.write(b'\n')
    wait_for('the run of never.asp', lambda: 'never.asp' in runs_of(lab, 'ir'), 60)


def raw_folder():
    header = ('$$ Acquired Date: 10-May-2022\r\n$$ Acquired Time: 15:39:24\r\n$$ User Name: Eve Müller\r\n'
              '$$ SampleID: S-17\r\n').encode('latin-1')
    return {'_HEADER.TXT': header, '_FUNCTNS.INF': b'\x01' * 416, '_FUNC001.DAT': os.urandom(9 << 20), 'empty.sts': b''}


def test_folder(lab, folder):
    files = raw_folder()
    (folder / 'W1.raw').mkdir()
    for name, data in files.items():
        (folder / 'W1.raw' / name).write_bytes(data)
    lab.wait_entries('ms', 'run-end', 1, seconds=60)
    start, frames = next(iter(runs_of(lab, 'ms').values()))
    assert put_together(frames) == files
    hashed = b''.join(path.encode() + b'\0' + hashlib.sha256(files[path]).digest() for path in sorted(files, key=str.lower))
    assert fact(start, 'file_sha256') == hashlib.sha256(hashed).hexdigest(), start['settings']
    assert len(frames) == 2 and all(f.record['q']['why'][0] == 'not-decoded' for f in frames), frames
    facts = {name: fact(start, name) for name in ('file_operator', 'file_make', 'acquired', 'acquired_zone')}
    assert facts == {'file_operator': 'Eve Müller', 'file_make': 'Waters', 'acquired': '2022-05-10T15:39:24',
                     'acquired_zone': 'local, zone unknown'}, start['settings']
    assert start['sample']['id'] == 'S-17'
    assert start['operator']['id'] == 'none', start['operator']  # the name in the file is not checked


def test_samples(lab, folder):
    """Files of real instruments: every byte is in the journal, and a run has their facts."""
    found = sorted(p for p in SAMPLES.glob('files/gcms/*.RAW'))
    for path in found:
        (folder / path.name).write_bytes(path.read_bytes())
    lab.wait_entries('thermo', 'run-end', len(found), seconds=60)
    runs = runs_of(lab, 'thermo')
    for path in found:
        start, frames = runs[path.name]
        data = put_together(frames)[path.name]
        assert hashlib.sha256(data).digest() == hashlib.sha256(path.read_bytes()).digest()
        assert fact(start, 'acquired_zone') == 'Z' and fact(start, 'acquired') == '2005-07-20T14:44:22', start
    if not found:
        print(f'no sample files in {SAMPLES}')


def test_other_technique(lab, folder):
    created = struct.pack('<Q', 127663298623770000)
    (folder / 'a.raw').write_bytes(b'\x01\xa1' + 'Finnigan'.encode('utf-16le').ljust(38, b'\0') + created + b'\0' * 60)
    wait_for('the refusal', lambda: 'the instrument has ftir: not taken' in lab.log())
    (folder / 'after.asp').write_bytes(asp([1, 2]))
    wait_for('the run after it', lambda: 'after.asp' in runs_of(lab, 'ir'), 60)
    assert 'a.raw' not in runs_of(lab, 'ir')


with Lab(paths) as lab:
    folders = {name: lab.dir / name for name in ('ir', 'ms', 'thermo')}
    for path in folders.values():
        path.mkdir()
    lab.start({'instruments': {'ir': {**config(folders['ir'], 'ftir'), 'settings': {'sample_from': 'name'}},
                               'ms': config(folders['ms'], 'ms', pattern='*.raw', data_sets='folders'),
                               'thermo': config(folders['thermo'], 'ms', pattern='*.raw')}})
    test_one_by_one(lab, folders['ir'])
    test_folder(lab, folders['ms'])
    test_samples(lab, folders['thermo'])
    test_other_technique(lab, folders['ir'])
    print(lint(lab))
    lab.stop()
    lab.check_journal()
