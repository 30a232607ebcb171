# SPDX-License-Identifier: Apache-2.0
"""The faults of a link, each on an instrument of its own: none hangs, and no good frame has a value that it did not
measure.

    link-faults.py LAB NAME=PATH... link=udp
"""

import sys

sys.path.insert(0, sys.argv[1])
import faults  # noqa: E402
from lab import Lab, lint, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])
link = paths['link']

FAULTS = {'slow': 'delay=60ms', 'lossy': 'drop=0.1', 'noisy': 'corrupt=0.1', 'short': 'truncate=0.1',
          'narrow': 'rate=20000', 'all': 'delay=20ms drop=0.05 corrupt=0.05 truncate=0.05 seed=5'}
FRAMES = 20
# Modbus TCP has no checksum: a wrong bit can be in a value.
UNREVEALED = {'modbus-tcp': {'noisy', 'all'}}

XRF = {'driver': 'amptek-dp5', 'acquire': {'mode': 'repeat'}, 'settings': {'channels': 256, 'preset_time': '0.2s'}}
GAS = {'driver': 'modbus-map', 'profile': 'sick-mcs100ft', 'acquire': {'mode': 'continuous', 'every': '100ms'}}


def make(lab, name):
    """Key, simulator and instrument."""
    key = f'{"gas" if link.startswith("modbus") else "xrf"}-{name}'
    tty = str(lab.dir / f'{key}.tty')
    xrf, gas = ['amptek-dp5'], ['modbus', '--profile', 'sick-mcs100ft', '--interval', '0.2']
    here = {'host': '127.0.0.1'}
    if link == 'udp':
        sim = lab.sim(*xrf, '--udp', '127.0.0.1:0')
        found = {**XRF, 'link': {**here, 'port': sim.port}}
    elif link == 'serial':
        sim = lab.sim(*xrf, '--pty', tty)
        found = {**XRF, 'link': {'port': tty}}
    elif link == 'modbus-tcp':
        sim = lab.sim(*gas, '--tcp', '127.0.0.1:0')
        found = {**GAS, 'link': {**here, 'port': sim.port, 'reply_timeout': '300ms'}}
    else:
        sim = lab.sim(*gas, '--pty', tty)
        found = {**GAS, 'link': {'port': tty, 'baud': 115200, 'parity': 'even', 'unit_id': 1, 'reply_timeout': '300ms'}}
    found['link'] = {'type': link, 'faults': FAULTS[name], **found['link']}
    return key, sim, {**found, 'simulated': True}


def check_gases(lab, key, sim):
    """Every value was measured.  A frame that repeated one of its requests has values of two moments."""
    true = {value for poll in faults.true_gases(sim) for value in poll}
    good = [f for f in lab.frames(key) if f.record['q']['flag'] in faults.GOOD]
    wrong = [value for f in good for value in faults.gases(f.record) if value not in true]
    assert not wrong, (key, wrong[:5])
    return len(good)


with Lab(paths) as lab:
    made = {name: make(lab, name) for name in FAULTS}
    lab.start({'instruments': {key: instrument for key, _, instrument in made.values()}})
    for key, _, _ in made.values():
        lab.wait_frames(key, FRAMES, 60)
    lab.stop()
    lint(lab)
    for name, (key, sim, _) in made.items():
        if name in UNREVEALED.get(link, ()):
            continue
        good = check_gases(lab, key, sim) if key.startswith('gas') else faults.check_truth(lab, key, sim)[0]
        assert good > 0, key
        faults.report(key=key, fault=FAULTS[name], good=good, retried=sum(
            f.record['q'].get('retried', 0) for f in lab.frames(key)), ends=len(lab.entries(key, 'run-end')))
