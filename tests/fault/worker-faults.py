# SPDX-License-Identifier: Apache-2.0
"""Workers that crash, hang, are killed, or send wrong messages; and a core that is killed.

The others miss nothing, the run ends as lost-device, the instrument comes back without a command, and a
filament that was on is off afterwards, for each of these deaths.
"""

import os
import pathlib
import re
import signal
import sys

sys.path.insert(0, sys.argv[1])
import faults  # noqa: E402
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
UDP_SECONDS = 10  # after 15 s it would answer another host
HANG_SECONDS = 30  # the core allows 5 s without a beat; the rest is for a loaded machine


def gone(pid):
    """Ended, or only waiting to be reaped."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return True


def emission(sim):
    """The filament's emission now, in mA; the truth log has a line when it has settled."""
    return ([0] + [t['emission'] for t in sim.truths() if t['event'] == 'settled'])[-1]


def wait_dark(sim):
    wait_for('the filament is off', lambda: emission(sim) == 0)


# --- a worker that dies ------------------------------------------------------------------------

def lose_worker(lab, key, signum, others):
    trouble = faults.Trouble(lab, key, others)
    before = lab.instrument(key)
    os.kill(before['pid'], signum)
    wait_for(f'{key} has another worker',
             lambda: lab.instrument(key)['pid'] not in (0, before['pid']), HANG_SECONDS)
    took = trouble.age()
    if not gone(before['pid']):
        raise Failure(f'{key}: the worker {before["pid"]} was left alone')
    recovered = trouble.wait_recovery()
    if key == 'xrf-1' and recovered > UDP_SECONDS:
        raise Failure(f'{key} took the new worker for a stranger: {recovered:.1f} s')
    trouble.check_others()
    trouble.check_log()
    ends = [e.record for e in trouble.since(key, 'run-end') if e.record['status'] != 'complete']
    if [e['status'] for e in ends] != ['lost-device']:
        raise Failure(f'{key}: runs ended as {ends}')
    word = 'hung' if signum == signal.SIGSTOP else f'signal {signum:d}'
    if word not in ends[0]['why']:
        raise Failure(f'{key}: the run ended because "{ends[0]["why"]}", not "{word}"')
    faults.report(signal=signal.Signals(signum).name, key=key, replaced=round(took, 2))


# --- a filament that was left on --------------------------------------------------------------

def light(lab, sim):
    lab.wait_state('ms-1', 'idle')
    began = len(lab.frames('ms-1'))
    reply = lab.ask({'op': 'run-start', 'instrument': 'ms-1'}, seconds=60)
    if not reply['ok']:
        raise Failure(f'ms-1 does not start: {reply}')
    lab.wait_frames('ms-1', began + 1)
    if emission(sim) < 0.9 or not lab.instrument('ms-1')['hazard']:
        raise Failure(f'the filament should be on: {emission(sim)} mA, {lab.instrument("ms-1")}')
    return lab.instrument('ms-1')['pid']


def worker_leaves_it_on(lab, sim, signum):
    pid = light(lab, sim)
    os.kill(pid, signum)
    wait_for('its end is noticed', lambda: lab.instrument('ms-1')['pid'] != pid, HANG_SECONDS)
    lab.wait_state('ms-1', 'idle')
    wait_dark(sim)
    if lab.instrument('ms-1')['hazard']:
        raise Failure('the core still believes that the filament is on')
    last = lab.entries('ms-1', 'run-end')[-1].record
    if last['status'] != 'lost-device':
        raise Failure(f'the run of a killed worker ended as {last["status"]}')


def core_leaves_it_on(lab, sim):
    """Its workers notice, switch off, and end."""
    light(lab, sim)
    pids = [i['pid'] for i in lab.ask({'op': 'status'})['instruments']]
    lab.kill()
    wait_for('the workers end', lambda: all(gone(pid) for pid in pids), HANG_SECONDS)
    wait_dark(sim)
    lab.start()
    lab.wait_state('ms-1', 'idle')


def both_leave_it_on(lab, sim):
    """No process is left that could switch it off: the next daemon does, before any request."""
    pid = light(lab, sim)
    os.kill(pid, signal.SIGSTOP)
    lab.kill()
    os.kill(pid, signal.SIGKILL)
    wait_for('the worker is gone', lambda: gone(pid))
    if emission(sim) < 0.9:
        raise Failure('the filament went off by itself: this test shows nothing')
    lab.start()
    lab.wait_state('ms-1', 'idle')
    wait_dark(sim)
    off = [a for a in lab.entries(type='audit') if a.record['event'] == 'hazard-off']
    if not off:
        raise Failure('no audit record says that it was switched off')


def test_workers(lab, sims, config):
    faults.start(lab, config)
    keys = list(config)
    for key, signum in [('gas-1', signal.SIGSEGV), ('xrf-2', signal.SIGKILL), ('ms-1', signal.SIGKILL),
                        ('xrf-1', signal.SIGKILL), ('xrf-1', signal.SIGSTOP)]:
        lose_worker(lab, key, signum, [k for k in keys if k != key])
    lab.stop()
    faults.check_journal(lab)
    for key, sim in sims.items():
        faults.check_truth(lab, key, sim)
    if emission(sims['ms-1']) != 0:
        raise Failure('the daemon stopped and left the filament on')


def test_filament(lab, sims, config):
    config = {'ms-1': {**config['ms-1'], 'acquire': {'mode': 'on-demand'}}, 'gas-1': config['gas-1']}
    lab.start({'instruments': config})
    worker_leaves_it_on(lab, sims['ms-1'], signal.SIGKILL)
    worker_leaves_it_on(lab, sims['ms-1'], signal.SIGSEGV)
    core_leaves_it_on(lab, sims['ms-1'])
    both_leave_it_on(lab, sims['ms-1'])
    lab.stop()


# --- drivers that break their contract ---------------------------------------------------------

# Settings, the text of the fault, and whether the worker must be ended for it.
DEEDS = {
    'crash': ({}, r'^driver misbehave crashed in acquire .signal 11', True, 'lost-device'),
    'abort': ({}, r'^driver misbehave crashed in acquire .signal \d+', True, 'lost-device'),
    'loop': ({}, r'hung', True, 'lost-device'),
    'sleep': ({}, r'hung', True, 'lost-device'),
    'unknown': ({}, r'no_such_setting', True, 'lost-device'),
    'garbage': ({}, r'breaks the protocol', False, 'failed'),
    'nonsense': ({'slot': 'decode'}, r'furlong', False, 'failed'),
    'unfinished': ({'slot': 'decode'}, r'no proper name', False, 'failed'),
}


def key_of(deed):
    return f'bad-{deed}'


def bad(deed, settings):
    return {'driver': 'misbehave', 'simulated': True, 'link': {'type': 'none'},
            'acquire': {'mode': 'continuous'},
            'settings': {'deed': deed, 'after': 5, 'period': '20ms', **settings}}


def add_drivers(lab):
    """One folder with the real drivers and the one that misbehaves."""
    folder = lab.dir / 'drivers'
    folder.mkdir()
    for module in pathlib.Path(paths['drivers']).glob('*.so'):
        (folder / module.name).symlink_to(module)
    (folder / 'misbehave.so').symlink_to(paths['misbehave'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def check_deed(lab, trouble, deed):
    key, (_, words, ends_worker, status) = key_of(deed), DEEDS[deed]
    runs = trouble.since(key, 'run-end')
    if {e.record['status'] for e in runs} != {status}:
        raise Failure(f'{key}: runs ended as {[e.record for e in runs]}')
    good = 4 if deed in ('nonsense', 'unfinished') else 5  # the fifth was already to be decoded
    for run in runs:
        counts = (good, 0) if deed == 'nonsense' else (good,)  # its worker, with its count, lives on
        if run.record['frames'] not in counts or not re.search(words, run.record['why']):
            raise Failure(f'{key}: {run.record}')
    starts = lab.instrument(key)['worker_starts']
    if (starts > 1) != ends_worker:
        raise Failure(f'{key}: its worker was started {starts} times')
    loud = [line for line in lab.log().splitlines() if re.match(rf'<[34]>{key}: ', line)]
    if len(loud) > 4 * len(runs) + 6:
        raise Failure(f'{key}: {len(loud)} lines for {len(runs)} runs:\n' + '\n'.join(loud[:20]))
    faults.report(deed=deed, runs=len(runs), starts=starts, why=runs[0].record['why'])


def test_drivers(lab, sims, config):
    add_drivers(lab)
    faults.start(lab, config)
    trouble = faults.Trouble(lab, 'bad-.*', list(config))
    config = {**config, **{key_of(deed): bad(deed, settings) for deed, (settings, *_) in DEEDS.items()}}
    lab.configure({'instruments': config})
    if not lab.ask({'op': 'reload'})['ok']:
        raise Failure('the configuration was refused')
    for deed in DEEDS:
        wait_for(f'a {deed} ends two runs', lambda: trouble.core_lives() and
                 len(trouble.since(key_of(deed), 'run-end')) >= 2, HANG_SECONDS * 2)
    trouble.check_others()
    for deed in DEEDS:
        check_deed(lab, trouble, deed)
    if not faults.audits(lab, 'frame-refused'):
        raise Failure('no audit record says that frames were refused')
    lab.stop()
    faults.check_journal(lab)


def test_starts(lab, sims, config):
    """A START that fails is answered with the reason, and the worker is not blamed for it."""
    add_drivers(lab)
    lab.start({'instruments': {
        'scribbles': bad('scribble', {}),
        'mute': {**bad('timeout', {'slot': 'start', 'after': 0}), 'acquire': {'mode': 'on-demand'}},
        'again': {**bad('none', {'frames': 1}), 'acquire': {'mode': 'repeat', 'every': '500ms'}}}})
    lab.wait_state('mute', 'idle')
    reply = lab.ask({'op': 'run-start', 'instrument': 'mute'})
    if reply['ok'] or reply['error']['code'] != 'not-started':
        raise Failure(f'a silent instrument: {reply}')
    lab.wait_state('mute', 'idle')
    lab.wait_entries('again', 'run-end', 3)
    for _ in range(5):  # most of the time it is between two runs
        if not lab.ask({'op': 'maintenance', 'instrument': 'again', 'on': True})['ok']:
            raise Failure('maintenance was refused')
        lab.wait_state('again', 'maintenance')
        ended = len(lab.entries('again', 'run-end'))
        if not lab.ask({'op': 'maintenance', 'instrument': 'again', 'on': False})['ok']:
            raise Failure('maintenance does not end')
        lab.wait_entries('again', 'run-end', ended + 1)
    for key in ('mute', 'again', 'scribbles'):
        if lab.instrument(key)['worker_starts'] != 1:
            raise Failure(f'{key}: its worker was ended\n{lab.log()}')
    if '<4>worker: scribbles: ?[31mscribble?' not in lab.log() or '\x1b' in lab.log():
        raise Failure(f'standard error of a worker in the log:\n{lab.log()}')
    lab.stop()
    faults.check_journal(lab)


def test_flapping(lab, sims, config):
    """A unit that fails repeatedly after some frames is tried less and less often; so is a rejected start."""
    add_drivers(lab)
    faults.start(lab, {
        'flaps': bad('garbage', {}), 'crashes': bad('crash', {}),
        'hesitates': bad('hesitate', {'slot': 'start', 'after': 0})})
    for key in ('flaps', 'crashes'):
        starts = [e.record['t']['mono'] / 1e9 for e in lab.wait_entries(key, 'run-start', 5, 60)]
        pauses = [b - a for a, b in zip(starts, starts[1:])]
        if pauses[3] < 1.4 or pauses[3] < 2 * pauses[1]:
            raise Failure(f'{key} is tried again after {pauses} s')
        faults.report(key=key, pauses=[round(p, 2) for p in pauses])
    lab.wait_frames('hesitates', 3)
    told = [e.record for e in lab.entries('hesitates', 'state') if e.record['state'] == 'fault']
    if len(told) != 1 or 'interlock' not in told[0]['text'] or lab.instrument('hesitates')['worker_starts'] != 1:
        raise Failure(f'two refused starts were told as {told}')
    lab.stop()
    faults.check_journal(lab)


TESTS = {'flapping': test_flapping, 'starts': test_starts, 'workers': test_workers, 'filament': test_filament, 'drivers': test_drivers}

with Lab(paths) as lab:
    sims = faults.start_sims(lab)
    TESTS[paths['test']](lab, sims, faults.instruments(lab, sims))
