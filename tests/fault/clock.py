# SPDX-License-Identifier: Apache-2.0
"""A clock that is years ahead at a start: nothing is removed. One that is set back: a start within the process."""

import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
WRONG = 78  # EX_CONFIG: the unit does not start again after it


class Clock:
    def __init__(self, lab):
        self.file = lab.dir / 'clock'
        self.file.write_text(f'{0:20}')
        lab.env = {'CLOCK_SHIFT': str(self.file), 'LD_PRELOAD': paths['clock']}

    def set(self, seconds):
        with open(self.file, 'r+') as file:
            file.write(f'{seconds:20}')  # in one write, of the same length


def journal_now(lab):
    """The id of its journal; None: no answer, because a request that arrives as the process starts again is lost."""
    try:
        return lab.alive() and lab.ask({'op': 'status'}, 1)['journal']['id']
    except Failure:
        return None


def test_back(lab, clock):
    """After a step back of hours the process starts again by itself; if the file is wrong then, it ends as at any start."""
    lab.configure({})
    clock.set(0)
    lab.start()
    journal = journal_now(lab)
    clock.set(-2 * 3600)
    wait_for('a start within the process', lambda: journal_now(lab) not in (None, False, journal))
    lab.config.write_text(lab.config.read_text().replace('"site"', '"siet"'))
    clock.set(-6 * 3600)
    assert lab.daemon.wait(30) == WRONG, lab.log()
    assert "unknown key 'siet'" in lab.log() and 'ended: the configuration is wrong' in lab.log(), lab.log()
    lab.configure({})


with Lab(paths) as lab:
    clock = Clock(lab)
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    state = lab.dir / 'state' / 'journal'
    lab.start({'journal': {'segment': '64 KiB', 'keep': {'age': '10 y'}}, 'instruments': {'gas-1': {
        'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
        'acquire': {'mode': 'continuous', 'every': '10ms'}}}})
    wait_for('closed files', lambda: len(list(state.glob('*/*.idx'))) >= 3)
    lab.stop()
    lab.start()
    lab.ctl('archive', '--until', '2099-12-31', '--to', str(lab.dir / 'archive'))
    files = set(state.glob('*/*.seg'))
    lab.stop()
    clock.set(12 * 366 * 86400)
    lab.start()
    wait_for('a look', lambda: lab.ask({'op': 'status'})['journal'].get('retention', {}).get('looked'))
    assert 'ahead of the time that is certain' in lab.log(), lab.log()
    lab.stop()
    removed = [e for e in lab.entries(type='audit') if e.record['event'] == 'segment-removed']
    assert not removed and files <= set(state.glob('*/*.seg')), removed
    test_back(lab, clock)
