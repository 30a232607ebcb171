# SPDX-License-Identifier: Apache-2.0
"""The recordings in tests/captures, played through the real daemon: the frames that they gave when they were made.

A driver that sends other requests than before needs a new recording: `record=FILE.cap` as a further argument, or `record=all`, makes
it with the simulator.  expected.json has the frames of each.  Recordings with a sheet are played by comply.py.
"""

import hashlib
import json
import pathlib
import signal
import subprocess
import sys

import cbor2

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, wait_for  # noqa: E402
from recordings import SOURCES, unsheeted  # noqa: E402

paths = paths_from(sys.argv[2:])
folder = pathlib.Path(paths['captures'])

def run_once(lab):
    """One run on demand: each frame's variables and raw bytes as a digest, and the identity."""
    lab.wait_state('one', 'idle')
    done = lab.ctl('run', 'start', 'one', '--wait', code=None)
    assert ' complete ' in done.stdout, (done, lab.instrument('one'))
    lab.wait_entries('one', 'run-end')
    start = lab.entries('one', 'run-start')[0].record
    frames = [hashlib.sha256(cbor2.dumps([f.record['vars'], f.record['raw']])).hexdigest() for f in lab.frames('one')]
    inst = {k: start['inst'][k] for k in ('make', 'model', 'serial')}
    return {'inst': inst, 'frames': frames}


def record(name):
    args, config, link = SOURCES[name]
    file = folder / name
    file.unlink(missing_ok=True)
    with Lab(paths) as lab:
        tty = str(lab.dir / 'tty')
        sim = lab.sim(*[tty if arg == 'TTY' else arg for arg in args])
        lab.start({'instruments': {'one': {**config, 'simulated': True, 'link': link(sim, tty)}}})
        lab.wait_state('one', 'idle')
        capture = subprocess.Popen([paths['assayctl'], '--dir', str(lab.dir / 'run'), 'capture', 'one', '--to', str(file)])
        wait_for('the recording begins',
                 lambda: [e for e in lab.entries(type='audit') if e.record['event'] == 'capture-start'])
        expected = run_once(lab)
        capture.send_signal(signal.SIGINT)
        assert capture.wait(30) == 0
    return expected


def play(name):
    with Lab(paths) as lab:
        link = {'type': 'playback', 'file': str(folder / name)}
        lab.start({'instruments': {'one': {**SOURCES[name][1], 'simulated': True, 'link': link}}})
        found = run_once(lab)
        lint(lab)
        return found


def main():
    file = folder / 'expected.json'
    expected = json.loads(file.read_text())
    for name in SOURCES:
        if paths.get('record') in (name, 'all'):
            expected[name] = record(name)
            file.write_text(json.dumps(expected, indent=2) + '\n')
    assert set(expected) == set(SOURCES) == {p.name for p in unsheeted(folder)}
    for name in SOURCES:
        found = play(name)
        assert found == expected[name], (name, found, expected[name])
    print('ok')


main()
