# SPDX-License-Identifier: Apache-2.0
"""hiden-rga in the real daemon, with its simulator on a pseudo-terminal and on TCP: frames, hazard, trips, lint.

The facts here are written from the protocol's description a third time: neither the driver's tables nor the simulator's are used.
"""

import os
import signal
import socket
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values, wait_for  # noqa: E402

SERIAL = '9990410'


def expect(condition, text, seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def variables(frame):
    return {v['name']: v for v in frame.record['vars']}


def instrument(link, settings, **more):
    return {'driver': 'hiden-rga', 'simulated': True, 'link': link, 'acquire': {'mode': 'on-demand'},
            'settings': {'timeout': '0.3 s', 'poll_interval': '20 ms', 'dwell_time': '5 ms', 'settle_time': '1 ms', **settings},
            **more}


def start(lab, key):
    lab.wait_state(key, 'idle')
    reply = lab.ask({'op': 'run-start', 'instrument': key})
    expect(reply['ok'], f'{key} starts', reply)


def wait_end(lab, key, status):
    """The end of its only run, and the frames of that."""
    end = lab.wait_entries(key, 'run-end')[0].record
    expect(end['status'] == status, f'the run of {key} is {status}', end)
    return lab.frames(key), end


def measured(sim):
    """What the simulator measured: {mass: value} of each job, with the four digits of its truth log."""
    jobs = {}
    for line in sim.truths():
        if line['event'] == 'measured':
            jobs.setdefault(line['job'], {})[line['mass']] = line['torr']
    return [jobs[job] for job in sorted(jobs)]


def is_same(seen, truth):
    """The instrument prints three digits."""
    return seen.keys() == truth.keys() and all(abs(seen[mass] - truth[mass]) <= 0.0056 * abs(truth[mass]) for mass in seen)


def check_frames(lab, key, sim, masses, name, unit):
    """Each frame has the values of one job, none of them moved to another mass, and no frame is good."""
    truth = measured(sim)
    for frame in lab.frames(key):
        found = variables(frame)
        expect(frame.record['kind'] == 'spectrum' and frame.topic.startswith('a1/sim-data/ms/'), 'technique', frame.topic)
        expect(list(values(found['mz'])) == masses and found['mz']['unit'] == '1', 'masses', found['mz'])
        expect(found[name]['unit'] == unit, 'unit', found[name])
        seen = dict(zip(masses, values(found[name])))
        expect(any(is_same(seen, job) for job in truth), 'the values of a job', (seen, truth[:2]))
        expect(frame.record['q']['flag'] == (2 if 'status_text' not in found else 4), 'quality', frame.record['q'])


def ask(sim, command):
    """A request to a simulator that no daemon uses any more."""
    with socket.create_connection(('127.0.0.1', sim.port), timeout=10) as line:
        line.sendall(command.encode() + b'\r')
        reply = b''
        while not reply.endswith(b'\n'):
            reply += line.recv(100)
        return reply.decode().strip()


def is_dark(sim):
    return all(float(ask(sim, f'lget {device}')) == 0 for device in ('mode', 'F1', 'F2', 'multiplier', 'enable'))


with Lab(paths_from(sys.argv[2:])) as lab:
    tty = str(lab.dir / 'ms-1.tty')
    fast = ('--speed', '10')
    sims = {'ms-1': lab.sim('hiden-rga', '--pty', tty, '--serial', SERIAL, *fast, '--seed', '1'),
            'ms-2': lab.sim('hiden-rga', '--tcp', '127.0.0.1:0', *fast, '--seed', '2', '--end', 'mark', '--stop-excluded'),
            'ms-3': lab.sim('hiden-rga', '--tcp', '127.0.0.1:0', *fast, '--seed', '3', '--trip', '112', '--trip-after', '60'),
            'ms-4': lab.sim('hiden-rga', '--tcp', '127.0.0.1:0', *fast, '--seed', '4')}

    def tcp(key):
        return {'type': 'tcp', 'host': '127.0.0.1', 'port': sims[key].port}
    lit = {'emission_current': '1 mA', 'unit': 'Torr'}
    lab.start({'instruments': {
        'ms-1': instrument({'type': 'serial', 'port': tty}, {'mass_last': 50, 'scans': 2, **lit}, identity={'serial': SERIAL}),
        'ms-2': instrument(tcp('ms-2'), {'mass_first': 17, 'mass_last': 19, 'mass_step': 0.25, 'stop_mass': 'left out', **lit}),
        'ms-3': instrument(tcp('ms-3'), {'mode': 'series', 'sim_ions': [2, 18, 28, 40], 'scans': 0, **lit,
                                         'detector_voltage': '850 V', 'input': 'SEM', 'unit': 'A'}),
        'ms-4': instrument(tcp('ms-4'), {'mass_last': 200, 'dwell_time': '1 s', **lit})}})

    start(lab, 'ms-3')
    start(lab, 'ms-1')
    frames, _ = wait_end(lab, 'ms-1', 'complete')
    expect(len(frames) == 2, 'two scans', frames)
    check_frames(lab, 'ms-1', sims['ms-1'], list(range(1, 51)), 'partial_pressure', 'mm[Hg]')
    begin = lab.entries('ms-1', 'run-start')[0].record
    expect(begin['inst']['serial'] == SERIAL and begin['inst']['model'].startswith('HAL RC RGA'), 'identity', begin['inst'])
    emission = begin['settings']['emission_current']
    expect(abs(emission['v'] - 1) < 0.1 and emission['u'] == 'mA', 'the emission, as read back', emission)

    start(lab, 'ms-2')
    wait_end(lab, 'ms-2', 'complete')
    check_frames(lab, 'ms-2', sims['ms-2'], [17 + i / 4 for i in range(8)], 'partial_pressure', 'mm[Hg]')

    # The worker is killed in a scan: the next one switches off before anything else.
    start(lab, 'ms-4')
    wait_for('the first value', lambda: measured(sims['ms-4']))
    expect(lab.instrument('ms-4')['hazard'], 'the hazard is shown', lab.instrument('ms-4'))
    os.kill(lab.instrument('ms-4')['pid'], signal.SIGKILL)
    wait_end(lab, 'ms-4', 'lost-device')
    lab.wait_state('ms-4', 'idle')
    expect(not lab.instrument('ms-4')['hazard'] and not lab.frames('ms-4'), 'made safe', lab.instrument('ms-4'))
    # A trip within a scan leaves a bad frame; one between two scans leaves nothing to end with.
    end = lab.wait_entries('ms-3', 'run-end')[0].record
    frames, is_within = lab.frames('ms-3'), end['status'] == 'stopped'
    expect(end['status'] in ('stopped', 'failed') and 'pressure' in end['why'], 'the reason', end)
    check_frames(lab, 'ms-3', sims['ms-3'], [2, 18, 28, 40], 'ion_current', 'A')
    flags = [f.record['q']['flag'] for f in frames]
    expect((flags[-1] == 4) == is_within and set(flags[:-1]) <= {2}, 'the last frame is bad', flags)

    print(lint(lab))
    lab.stop()
    for key in ('ms-2', 'ms-3', 'ms-4'):
        expect(is_dark(sims[key]), f'{key} is off', lab.log())
