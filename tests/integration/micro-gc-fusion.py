# SPDX-License-Identifier: Apache-2.0
"""micro-gc-fusion in the real daemon against its simulator: traces, peaks, refusals, an abort, lint."""

import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values  # noqa: E402


def expect(condition, text, seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def instrument(sim, **settings):
    return {'driver': 'micro-gc-fusion', 'simulated': True, 'acquire': {'mode': 'on-demand'},
            'link': {'type': 'http', 'host': '127.0.0.1', 'port': sim.port},
            'settings': {'method': 'Air', 'poll': '0.05 s', 'ready_timeout': '20 s', 'run_timeout': '20 s', **settings}}


def start(lab, key):
    lab.wait_state(key, 'idle')
    return lab.ask({'op': 'run-start', 'instrument': key})


def end_of(lab, key, ends):
    return lab.wait_entries(key, 'run-end', ends + 1)[-1].record


def run(lab, key):
    """The frame of a whole run."""
    before, ends = len(lab.frames(key)), len(lab.entries(key, 'run-end'))
    reply = start(lab, key)
    expect(reply['ok'], 'start', reply)
    end = end_of(lab, key, ends)
    expect(end['status'] == 'complete' and end['frames'] == 1, 'end', end)
    return lab.wait_frames(key, before + 1)[-1].record


def check_frame(frame):
    found = {(v['name'], v.get('channel')): v for v in frame['vars']}
    expect(frame['kind'] == 'chromatogram' and frame['q']['flag'] == 2, 'unchecked', frame['q'])
    time = found['time', None]
    expect(time['unit'] == 's' and time['data'] == {'start': 0, 'step': 0.05, 'n': 1200}, 'axis', time)
    for module in 'moduleA:tcd', 'moduleB:tcd':
        signal = found['signal', module]
        expect(signal['dims'] == ['time'] and len(values(signal)) == 1200 and signal['unit'] == '1', 'signal', module)
    names, detectors = (values(found[name, None]) for name in ('peak_name', 'peak_detector'))
    expect(len(names) == len(detectors) and 'nitrogen' in names and set(detectors) <= {'moduleA:tcd', 'moduleB:tcd'},
           'names', (names, detectors))
    tops, starts, ends = (values(found[name, None]) for name in ('retention_time', 'peak_start', 'peak_end'))
    expect(all(starts < tops) and all(tops < ends), 'times', (starts, tops, ends))
    expect(found['retention_time', None]['unit'] == 's', 'unit', found['retention_time', None])
    shares = values(found['normalized_concentration', None])
    expect(abs(sum(shares) - 100) < 1e-3 and found['concentration', None]['unit'] == 'mol/mol', 'shares', shares)
    # The trace has its maximum where the table has the largest peak of the detector.
    nitrogen = names.index('nitrogen')
    trace = values(found['signal', detectors[nitrogen]])
    expect(abs(trace.argmax() * 0.05 - tops[nitrogen]) < 0.2, 'maximum', (trace.argmax() * 0.05, tops[nitrogen]))


def check_runs(lab, sim):
    first, second = run(lab, 'gc-1'), run(lab, 'gc-1')
    begin = lab.entries('gc-1', 'run-start')[-1].record
    expect(begin['technique']['id'] == 'CHMO:0001002', 'technique', begin)
    inst = begin['inst']
    expect((inst['make'], inst['model'], inst['serial']) == ('INFICON', 'Micro GC Fusion', '9990700'), 'identity', inst)
    for frame in first, second:
        check_frame(frame)
    expect(first['settings']['method'] == 'Air', 'method', first['settings'])
    measured = [t['uuid'] for t in sim.truths() if t['event'] == 'measured']
    expect([f['settings']['run_id'] for f in (first, second)] == measured, 'the runs of the simulator', measured)
    expect(first['t']['dev'], 'device time', first['t'])
    lost = [t for t in sim.truths() if t['event'] == 'forbidden']
    expect(not lost, 'requests that change the instrument', lost)


def check_refusals(lab):
    reply = start(lab, 'gc-2')
    expect(not reply['ok'] and 'loadMethod' in reply['error']['text'], 'a method that is not there', reply)
    for _ in range(2):
        reply = start(lab, 'gc-3')
        expect(not reply['ok'] and 'error-carrier-gas-pressure' in reply['error']['text'], 'a state of error', reply)


def check_abort(lab):
    """The instrument goes on; the next start waits for it."""
    ends = len(lab.entries('gc-1', 'run-end'))
    expect(start(lab, 'gc-1')['ok'], 'start', lab.log())
    lab.ask({'op': 'run-abort', 'instrument': 'gc-1'})
    expect(end_of(lab, 'gc-1', ends)['status'] == 'aborted', 'abort', lab.log())
    run(lab, 'gc-1')


with Lab(paths_from(sys.argv[2:])) as lab:
    args = 'micro-gc-fusion', '--tcp', '127.0.0.1:0', '--run', '60', '--speed'
    first = lab.sim(*args, '300')
    second = lab.sim(*args, '50', '--run-fails', 'error-carrier-gas-pressure', '--serial', '9990701')
    third = lab.sim(*args, '300', '--serial', '9990702')
    lab.start({'instruments': {'gc-1': instrument(first, concentration_unit='mol/mol'),
                               'gc-2': instrument(third, method='None/such'), 'gc-3': instrument(second)}})
    check_runs(lab, first)
    check_refusals(lab)
    check_abort(lab)
    print(lint(lab))
