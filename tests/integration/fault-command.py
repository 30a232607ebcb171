# SPDX-License-Identifier: Apache-2.0
"""A person spoils the link of a simulated instrument and repairs it: recorded, shown, and kept by the next worker."""

import os
import re
import signal
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])


def states(lab):
    return [e.record for e in lab.entries('gas-1', 'state')]


with Lab(paths) as lab:
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    lab.start({'instruments': {'gas-1': {
        'driver': 'modbus-map', 'profile': 'sick-mcs100ft', 'simulated': True,
        'acquire': {'mode': 'continuous', 'every': '100ms'},
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'reply_timeout': '100ms'}}}})
    lab.wait_frames('gas-1', 2)
    assert 'faults' not in lab.instrument('gas-1') and not any('x-faults' in s for s in states(lab))

    wrong = lab.ctl('fault', 'gas-1', 'drop=2', code=1)
    assert 'a share of 0 to 1' in wrong.stderr, wrong
    lab.ctl('fault', 'gas-1', 'drop=1', 'seed=3')
    lab.ctl('fault', 'gas-1', 'drop=1', 'seed=3')  # no change: no second line
    assert lab.instrument('gas-1')['faults'] == 'drop=1 seed=3'
    wait_for('a state shows it', lambda: states(lab)[-1].get('x-faults') == 'drop=1 seed=3')
    assert lab.log().count('gas-1: faults of its link: drop=1 seed=3') == 1, lab.log()
    audits = [e.record for e in lab.entries(type='audit') if e.record['event'] == 'faults']
    assert [a['after'] for a in audits] == ['gas-1: drop=1 seed=3'] * 2, audits
    lab.wait_state('gas-1', 'fault', 60)

    starts = lab.instrument('gas-1')['worker_starts']
    assert starts == 1, starts
    pid = wait_for('a worker runs', lambda: lab.instrument('gas-1')['pid'])
    os.kill(pid, signal.SIGKILL)
    wait_for('the next worker', lambda: lab.instrument('gas-1')['worker_starts'] > starts, 60)
    before = len(lab.frames('gas-1'))
    lab.wait_state('gas-1', 'fault', 60)
    assert len(lab.frames('gas-1')) == before

    lab.ctl('fault', 'gas-1', 'off')
    assert 'faults' not in lab.instrument('gas-1')
    lab.wait_frames('gas-1', before + 2, 60)
    assert 'x-faults' not in states(lab)[-1] and lab.instrument('gas-1')['worker_starts'] == starts + 1
    lab.ctl('fault', 'gas-1', 'log=20')
    wait_for('the dialogue in the log', lambda: re.search(r'gas-1: -> (.*\\x00.*)\n', lab.log()) and 'gas-1: <- ' in lab.log())
    lab.ctl('fault', 'gas-1', 'off')
    lint(lab)
