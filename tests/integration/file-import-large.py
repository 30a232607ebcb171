# SPDX-License-Identifier: Apache-2.0
"""A file of 500 MB is recorded piece by piece: neither the worker nor the process that reads the folder has it in memory."""

import hashlib
import pathlib
import re
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
SIZE = 500_000_000
MEMORY = 96 << 20  # of each process: a frame has 8 MiB, and is encoded and sent on its way


def peaks(daemon):
    """Largest memory so far of each process of the daemon's workers, in bytes."""
    found = {}
    for status in pathlib.Path('/proc').glob('[0-9]*/status'):
        try:
            text = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = dict(re.findall(r'^(\w+):\s+(.*)$', text, re.M))
        found[int(fields['Pid'])] = fields['Name'], int(fields['PPid']), int(fields.get('VmHWM', '0 kB').split()[0]) << 10
    workers = {pid for pid, (name, parent, _) in found.items() if name == 'assay-worker' and parent == daemon}
    return [peak for pid, (_, parent, peak) in found.items() if pid in workers or parent in workers]


with Lab(paths) as lab:
    folder = lab.dir / 'folder'
    folder.mkdir()
    with open(folder / 'big.raw', 'wb') as file:
        file.write(b'\x01\xa1' + 'Finnigan'.encode('utf-16le'))
        file.truncate(SIZE)
    lab.start({'instruments': {'ms': {
        'driver': 'file-import', 'technique': 'ms', 'acquire': {'mode': 'repeat'},
        'link': {'type': 'folder', 'path': str(folder), 'settle': '100ms', 'poll': '100ms'}}}})
    wait_for('the end of the run', lambda: lab.entries('ms', 'run-end'), 300)
    assert lab.entries('ms', 'run-end')[0].record['status'] == 'complete', lab.log()
    digest, at = hashlib.sha256(), 0
    for frame in lab.frames('ms'):
        for block in frame.record['raw']:
            assert block['name'] == f'big.raw@{at}', (block['name'], at)
            digest.update(block['data'])
            at += len(block['data'])
    assert at == SIZE
    with open(folder / 'big.raw', 'rb') as file:
        assert digest.digest() == hashlib.file_digest(file, 'sha256').digest()
    memory = peaks(lab.daemon.pid)
    print('memory in MiB:', [round(peak / 2**20, 1) for peak in memory])
    assert len(memory) == 2 and max(memory) < MEMORY, memory
