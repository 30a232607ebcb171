# SPDX-License-Identifier: Apache-2.0
"""prismapro in the real daemon against its simulator: frames, quality, control, a filament that was left on, lint."""

import json
import os
import signal
import sys
import urllib.request

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values, wait_for  # noqa: E402

# By this test's reading of the published facts.
EMISSION = 1 << 31 | 1 << 28
MULTIPLIER = 1 << 23 | 1 << 22
ELECTROMETER = 1 << 24
PA_PER_TORR = 133.322368421


def expect(condition, text, seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def ask(sim, path):
    with urllib.request.urlopen(f'http://127.0.0.1:{sim.port}{path}', timeout=10) as reply:
        return json.load(reply)


def is_dark(sim):
    return ask(sim, '/mmsp/status/systemStatus/get')['data'] & (EMISSION | MULTIPLIER) == 0


def instrument(sim, **settings):
    return {'driver': 'prismapro', 'simulated': True, 'link': {'type': 'http', 'host': '127.0.0.1', 'port': sim.port},
            'acquire': {'mode': 'on-demand'}, 'settings': {'poll': '0.05 s', 'timeout': '5 s', **settings}}


def start(lab, key):
    lab.wait_state(key, 'idle')
    return lab.ask({'op': 'run-start', 'instrument': key})


def run(lab, key, count):
    """The frames of a whole run."""
    before, ends = len(lab.frames(key)), len(lab.entries(key, 'run-end'))
    reply = start(lab, key)
    expect(reply['ok'], 'start', reply)
    end = lab.wait_entries(key, 'run-end', ends + 1)[-1].record
    expect(end['status'] == 'complete' and end['frames'] == count, 'end', end)
    return [f.record for f in lab.wait_frames(key, before + count)[before:]]


def variables(frame):
    return {v['name']: v for v in frame['vars']}


def check_sweep(lab, sim):
    frames = run(lab, 'ms-1', 3)
    begin = lab.entries('ms-1', 'run-start')[-1].record
    expect(begin['technique']['id'] == 'CHMO:0000470', 'technique', begin)
    expect(begin['inst']['serial'].lstrip('0') == '9990600', 'serial', begin['inst'])
    for frame in frames:
        found = variables(frame)
        mz, current = values(found['mz']), values(found['ion_current'])
        expect(frame['kind'] == 'spectrum' and frame['q']['flag'] == 2, 'unchecked', frame['q'])
        expect(len(mz) == 491 and mz[0] == 1 and mz[-1] == 50, 'axis', mz)
        expect(found['ion_current']['unit'] == 'A' and found['mz']['unit'] == '1', 'units', found)
        expect(found['ion_current']['qty']['id'] == 'MS:1000515', 'quantity', found['ion_current'])
        # Water in the residual gas: nothing is at 23 u.
        at = {mass: current[round((mass - 1) * 10)] for mass in (18, 23)}
        expect(at[18] > 100 * abs(at[23]), 'water', at)
        status = found['status']['data']
        expect(status & 1 << 31 and status & 1 << 23, 'emission and multiplier', hex(status))
        total = found['total_pressure']
        expect(total['unit'] == 'Pa' and total['data'] > 0, 'pressure', total)
    measured = [t['values'] for t in sim.truths() if t['event'] == 'measured'][-3:]
    for frame, truth in zip(frames, measured):
        found = variables(frame)
        expect(list(values(found['ion_current'])) == truth[:-1], 'the simulator\'s own values', truth)
        expect(abs(found['total_pressure']['data'] / (truth[-1] * PA_PER_TORR) - 1) < 1e-9, 'Torr', truth[-1])
    expect(is_dark(sim), 'dark after the run', ask(sim, '/mmsp/status/systemStatus/get'))
    refused = ask(sim, '/mmsp/scanSetup/scanStop/set?1')
    expect(refused['name'].startswith('error'), 'the control is released', refused)


def check_ions(lab):
    frame = run(lab, 'ms-2', 1)[0]
    found = variables(frame)
    expect(list(values(found['mz'])) == [2, 18, 28, 44], 'masses', found['mz'])
    expect(len(values(found['ion_current'])) == 4, 'currents', found)
    expect(found['hardware_errors']['data'] == ELECTROMETER, 'errors', found['hardware_errors'])
    expect(frame['q']['flag'] == 4 and 'device-error' in frame['q']['why'], 'quality', frame['q'])


def check_control(lab, sim):
    """Another client has the control: it keeps it."""
    sim.fault('share=1')
    reply = start(lab, 'ms-1')
    expect(not reply['ok'] and 'ontrol' in reply['error']['text'], 'a start without control', reply)
    sim.fault('share=off')


def check_left_on(lab, sim):
    """A worker ends in a run: the next one switches off before it does anything else."""
    reply = start(lab, 'ms-3')
    expect(reply['ok'], 'start', reply)
    lab.wait_frames('ms-3', 2)
    expect(not is_dark(sim), 'emission', hex(ask(sim, '/mmsp/status/systemStatus/get')['data']))
    pid = lab.instrument('ms-3')['pid']
    os.kill(pid, signal.SIGKILL)
    wait_for('its end is noticed', lambda: lab.instrument('ms-3')['pid'] not in (0, pid))
    lab.wait_state('ms-3', 'idle')
    expect(is_dark(sim) and not lab.instrument('ms-3')['hazard'], 'dark', lab.instrument('ms-3'))


def check_stop(lab, sim):
    """A scan without end is stopped: the scan on its way is delivered, and the filament is off."""
    ends = len(lab.entries('ms-3', 'run-end'))
    expect(start(lab, 'ms-3')['ok'], 'start', lab.log())
    lab.wait_frames('ms-3', len(lab.frames('ms-3')) + 1)
    lab.ask({'op': 'run-stop', 'instrument': 'ms-3'})
    end = lab.wait_entries('ms-3', 'run-end', ends + 1)[-1].record
    expect(end['status'] == 'stopped' and end['frames'] > 0, 'end', end)
    expect(is_dark(sim), 'dark', hex(ask(sim, '/mmsp/status/systemStatus/get')['data']))


with Lab(paths_from(sys.argv[2:])) as lab:
    first = lab.sim('prismapro', '--tcp', '127.0.0.1:0', '--speed', '100')
    second = lab.sim('prismapro', '--tcp', '127.0.0.1:0', '--speed', '100', '--errors', str(ELECTROMETER), '--serial',
                     '9990601')
    third = lab.sim('prismapro', '--tcp', '127.0.0.1:0', '--speed', '100', '--serial', '9990602')
    lab.start({'instruments': {
        'ms-1': instrument(first, mass_first=1, mass_last=50, points_per_amu=10, dwell_time='32 ms', scans=3,
                           emission=True, multiplier=True, total_pressure='Torr'),
        'ms-2': instrument(second, mode='single', sim_ions=[2, 18, 28, 44], dwell_time='48 ms'),
        'ms-3': instrument(third, mass_last=20, scans=0, emission=True)}})
    check_sweep(lab, first)
    check_sweep(lab, first)      # its scans have other numbers
    check_ions(lab)
    check_control(lab, first)
    check_left_on(lab, third)
    check_stop(lab, third)
    print(lint(lab))
