# SPDX-License-Identifier: Apache-2.0
"""The recordings in tests/captures, played through the real daemon: the frames that they gave when they were made.

A driver that sends other requests than before needs a new recording: `record=FILE.cap` as a further argument, or `record=all`, makes
it with the simulator.  expected.json has the frames of each.
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

paths = paths_from(sys.argv[2:])
folder = pathlib.Path(paths['captures'])

SOURCES = {
    'amptek-dp5-udp.cap': (
        ['amptek-dp5', '--udp', '127.0.0.1:0', '--sample', 'steel-304', '--seed', '1'],
        {'driver': 'amptek-dp5', 'settings': {'channels': 256, 'preset_time': '0.5s'},
         'calibration': {'id': 'CAL-1', 'energy': {'zero': '0 keV', 'gain': '80 eV'}}},
        lambda sim, tty: {'type': 'udp', 'host': '127.0.0.1', 'port': sim.port}),
    'srs-rga-serial.cap': (
        ['srs-rga', '--pty', 'TTY', '--speed', '30', '--seed', '1'],
        {'driver': 'srs-rga', 'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 50, 'noise_floor': 7,
                                           'scans': 2, 'emission_current': '1 mA', 'convert': 'partial_pressure'}},
        lambda sim, tty: {'type': 'serial', 'port': tty}),
    'nirscan-nano-serial.cap': (
        ['nirscan-nano', '--pty', 'TTY', '--speed', '20', '--seed', '1'],
        {'driver': 'nirscan-nano', 'settings': {'gain': '64'}},
        lambda sim, tty: {'type': 'serial', 'port': tty}),
    'sick-mcs100ft-tcp.cap': (
        ['modbus', '--profile', 'sick-mcs100ft', '--extras', '--tcp', '127.0.0.1:0', '--seed', '1'],
        {'driver': 'modbus-map', 'profile': 'sick-mcs100ft', 'acquire': {'frames': 4, 'every': '50ms'},
         'settings': {'options': ['value_status', 'zero', 'span', 'ranges']}},
        lambda sim, tty: {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1}),
    'gasmet-cx4000-rtu.cap': (
        ['modbus', '--profile', 'gasmet-cx4000', '--pty', 'TTY', '--seed', '1'],
        {'driver': 'modbus-map', 'profile': 'gasmet-cx4000', 'acquire': {'frames': 4, 'every': '100ms'}},
        lambda sim, tty: {'type': 'modbus-rtu', 'port': tty, 'baud': 19200, 'parity': 'even', 'unit_id': 1}),
}


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
    assert set(expected) == set(SOURCES) == {p.name for p in folder.glob('*.cap')}
    for name in SOURCES:
        found = play(name)
        assert found == expected[name], (name, found, expected[name])
    print('ok')


main()
