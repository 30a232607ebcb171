# SPDX-License-Identifier: Apache-2.0
"""Simulated instruments measure once, and the frames that the journal then holds: for tests of exports with other people's readers."""

import io
import pathlib
import shutil
import subprocess
import sys

import cbor2
import numpy

from lab import values

SKIPPED = 77


def need(*programs):
    """Skips the test where a reader is not installed: `tools/prepare foreign`."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        print(f'not installed: {", ".join(missing)}; run tools/prepare foreign')
        sys.exit(SKIPPED)


def run(*args, code=0, seconds=120):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL)
    text = done.stdout + done.stderr
    assert code is None or done.returncode == code, (args, done.returncode, text[-3000:])
    return text


def measure(lab, makers):
    """One run of each instrument: {key: its number}."""
    lab.start({'instruments': {key: {**make(lab), 'simulated': True} for key, make in makers.items()}})
    for key in makers:
        lab.wait_state(key, 'idle', seconds=60)
    for key in makers:
        reply = lab.ask({'op': 'run-start', 'instrument': key, 'sample': f'<{key}> & "Ä"'}, seconds=60)
        assert reply['ok'], (key, reply)
    for key in makers:
        end = lab.wait_entries(key, 'run-end', 1, seconds=90)[-1].record
        assert end['status'] == 'complete', (key, end)
    return {key: lab.entries(key, 'run-start')[-1].record['number'] for key in makers}


def records(lab, number):
    """The records of the run as the journal holds them."""
    to = lab.dir / (number.replace('/', '-') + '.cbor')
    if not to.exists():
        lab.ctl('export', '--format', 'cbor', '--run', number, '--to', str(to))
    stream = io.BytesIO(to.read_bytes())
    found = []
    while stream.tell() < len(stream.getvalue()):
        found.append(cbor2.loads(cbor2.load(stream)[6]))
    return found


def frames(lab, number):
    return [record for record in records(lab, number) if record['type'] == 'frame' and not record.get('partial')]


def variables(frame, name):
    """All variables of this name as arrays of doubles: {channel: array}."""
    return {v.get('channel', ''): numpy.asarray(values(v), dtype='f8') for v in frame['vars'] if v['name'] == name}


def variable(frame, name):
    return next(iter(variables(frame, name).values()))


def export(lab, format, number, *options, code=0):
    """The files of the export, and the answer of the command."""
    stem = number.replace('/', '-') + '-' + format.replace('-', '')
    to = lab.dir / f'{stem}.{format.split("-")[0]}'
    answer = lab.ctl('export', '--format', format, '--run', number, '--to', str(to), '--json', *options, code=code)
    if code != 0:
        return [], answer
    import json
    answer = json.loads(answer.stdout)
    return [pathlib.Path(name) for name in answer['files']], answer
