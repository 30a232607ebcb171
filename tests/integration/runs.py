# SPDX-License-Identifier: Apache-2.0
"""Runs that survive: corrected, repeated, interrupted by kill -9, and followed into another journal."""

import collections
import hashlib
import json
import re
import shutil
import sys

import cbor2

sys.path.insert(0, sys.argv[1])
from lab import Entry, Failure, Lab, lint, paths_from, wait_for  # noqa: E402
from segments import folder_entries  # noqa: E402

paths = paths_from(sys.argv[2:])


def stored(lab):
    """Every whole entry in every journal, the current one last, as the files have them.

    Recovery writes entries again that may not be durable, into the next file.
    """
    current = (lab.dir / 'state/current').read_text().strip()
    for folder in sorted((lab.dir / 'state/journal').iterdir(), key=lambda f: f.name == current):
        seq = 0
        for data in folder_entries(folder):
            found = Entry(cbor2.loads(data)[5], data)
            if found.seq > seq:
                seq = found.seq
                yield found


FLAGS = {1: 'good', 2: 'unchecked', 3: 'suspect', 4: 'bad', 9: 'missing'}


def check_quality(end, frames):
    """The run-end counts the flags and the reasons of its frames."""
    if not frames:
        assert 'quality' not in end, end
        return
    flags = collections.Counter(FLAGS[q['flag']] for q in frames)
    why = collections.Counter(reason for q in frames for reason in q.get('why', ()))
    assert end['quality']['flags'] == flags and end['quality'].get('why', {}) == why, (end, flags, why)


def check_stored(lab):
    """Each run has one run-end, whose count, digest and quality are those of the frames that are stored."""
    leaves, ends, qualities = {}, {}, collections.defaultdict(list)
    for e in stored(lab):
        if e.type == 'run-start':
            leaves[e.record['run']] = []
        elif e.type == 'frame':
            assert e.record['n'] == len(leaves[e.record['run']]), (e.seq, e.record['n'], len(leaves[e.record['run']]), e.journal.hex())
            qualities[e.record['run']].append(e.record['q'])
            leaves[e.record['run']].append(hashlib.sha256(b'\0' + e.bytes).digest())
        elif e.type == 'run-end':
            assert e.record['run'] not in ends, f'ended twice: {e.record}'
            ends[e.record['run']] = e.record
    assert leaves.keys() == ends.keys(), f'{len(leaves)} runs, {len(ends)} ends'
    for run, end in ends.items():
        assert end['frames'] == len(leaves[run]), end
        assert end['digest'] == hashlib.sha256(b''.join(leaves[run])).digest(), end
        check_quality(end, qualities[run])
    return ends


def ask(lab, code=None, **request):
    reply = lab.ask(request, seconds=60)
    assert reply['ok'] is (code is None), reply
    if code is None:
        return reply
    assert reply['error']['code'] == code, reply
    return reply['error']['text']


def measure(lab, sample='CCL-2026-00001', **more):
    lab.wait_state('xrf-1', 'idle')
    return ask(lab, op='run-start', instrument='xrf-1', sample=sample, operator='kim', **more)


def show(lab, number):
    return ask(lab, op='run-show', number=number)['run']


def record_of(lab, type, run):
    """From the files: records written during the start are published before a subscriber can connect."""
    return wait_for(f'the {type}', lambda: [e for e in stored(lab) if e.type == type and e.record['run'] == run])[-1]


def end_of(lab, reply):
    wait_for('the run is over', lambda: 'status' in show(lab, reply['number']))
    return record_of(lab, 'run-end', reply['run']).record


def test_amend(lab):
    first = measure(lab, note='left side')
    end_of(lab, first)
    run = first['number']

    def amend(code=None, reason='the barcode of the neighbour', which=run, **set):
        return ask(lab, code, op='amend', run=which, set=set, reason=reason)
    assert 'reason' in ask(lab, 'refused', op='amend', run=run, set={'valid': False})
    assert 'reason' in amend('refused', reason=' ', valid=False)
    assert 'CCL-2026-00451' in amend('refused', sample='CCL-1')
    assert 'sample' in amend('bad-argument', smaple='CCL-2026-00002')
    assert 'valid' in amend('bad-argument', valid='no')
    assert 'set' in ask(lab, 'bad-argument', op='amend', run=run, set={7: 'x'}, reason='r')
    assert 'number' in ask(lab, 'bad-argument', op='amend', run=7, set={'valid': False}, reason='r')
    assert 'run list' in amend('not-found', which='bench-1/xrf-1/20010101-001', valid=False)
    assert 'nothing to change' in amend('refused', sample='CCL-2026-00001')
    assert not lab.entries('xrf-1', 'amend'), 'a refusal writes nothing'

    amend(sample='CCL-2026-00002')
    amended = record_of(lab, 'amend', first['run'])
    start = record_of(lab, 'run-start', first['run'])
    assert amended.topic == start.topic
    assert amended.record['ctx'] == hashlib.sha256(b'\0' + start.bytes).digest()
    assert amended.record['set'] == {'sample.id': 'CCL-2026-00002'}, amended.record
    assert amended.record['was'] == {'sample.id': 'CCL-2026-00001'}, amended.record
    assert amended.record['reason'] == 'the barcode of the neighbour'
    assert amended.record['actor']['auth'] == 'os' and amended.record['actor']['id'], amended.record
    amend(which=first['run'], sample='CCL-2026-00003', note='right side', valid=False, reason='it was turned')
    amended = record_of(lab, 'amend', first['run']).record
    assert amended['was'] == {'sample.id': 'CCL-2026-00002', 'x-note': 'left side', 'valid': True}, amended
    assert amended['set'] == {'sample.id': 'CCL-2026-00003', 'x-note': 'right side', 'valid': False}, amended
    check_amended(lab, run)
    text = lab.ctl('run', 'show', run).stdout
    assert 'CCL-2026-00003 (was CCL-2026-00001)' in text and 'it was turned' in text, text
    for fact in ('note +right side .was left side', 'end +20', r'quality +(\w+) \(\1: 1; no-calibration: 1', 'settings\n  channels +'):
        assert re.search(fact, text), (fact, text)
    text = next(line for line in lab.ctl('run', 'list').stdout.splitlines() if run in line)
    assert 'CCL-2026-00003 (was CCL-2026-00001)' in text and 'NOT VALID' in text, text
    lab.ctl('run', 'amend', run, '--operator', 'lee', '--reason', 'shift change')
    assert 'lee (was kim)' in lab.ctl('run', 'show', run).stdout
    assert 'reason' in lab.ctl('run', 'amend', run, '--valid', 'yes', code=1).stderr
    return first


def check_amended(lab, number):
    """Found by both names; the first value stays."""
    row = show(lab, number)
    assert row['sample'] == 'CCL-2026-00001', row
    now = row['amended']
    assert now['sample'] == 'CCL-2026-00003' and now['valid'] is False and now['note'] == 'right side', row
    for sample in ('CCL-2026-00001', 'CCL-2026-00003'):
        assert number in [r['number'] for r in ask(lab, op='runs', sample=sample)['runs']], sample
    assert number not in [r['number'] for r in ask(lab, op='runs', sample='CCL-2026-00002')['runs']]


def test_repeat(lab, amended):
    reply = ask(lab, op='run-repeat', run=amended['number'])
    start, again = record_of(lab, 'run-start', amended['run']), record_of(lab, 'run-start', reply['run']).record
    assert again['refs'] == [{'rel': 'repeats', 'run': amended['run'],
                              'ctx': hashlib.sha256(b'\0' + start.bytes).digest()}], again
    assert again['sample'] == {'id': 'CCL-2026-00003'} and again['operator'] == {'id': 'lee'}, again
    assert again['x-note'] == 'right side', again
    end_of(lab, reply)
    # With the settings that it had, not those of now, and with its method.
    ask(lab, op='set', instrument='xrf-1', settings={'channels': 512})
    first = measure(lab, method='two')
    plain = (end_of(lab, first), measure(lab, entered='scanned'))[1]
    end_of(lab, plain)
    ask(lab, op='set', instrument='xrf-1', settings={'channels': 1024})
    again = json.loads(lab.ctl('--json', 'run', 'repeat', plain['number']).stdout)
    wait_for('it is over', lambda: 'status' in show(lab, again['number']))
    record = [e.record for e in lab.entries('xrf-1', 'run-start') if e.record['number'] == again['number']][0]
    assert record['settings']['channels'] == 512 and record['sample']['entered'] == 'scanned', record
    lab.wait_state('xrf-1', 'idle')
    reply = ask(lab, op='run-repeat', run=first['run'])
    assert end_of(lab, reply)['frames'] == 2
    record = record_of(lab, 'run-start', reply['run']).record
    assert record['x-set'] == {'channels': 512}, record
    assert record['method'] == record_of(lab, 'run-start', first['run']).record['method']
    assert [len(v['data'].value) // 4 for e in lab.frames('xrf-1') if e.record['run'] == reply['run']
            for v in e.record['vars'] if v['name'] == 'counts'] == [512, 2048], record
    # Another method of that name is no repetition.
    methods = lab.dir / 'methods.d/methods.yaml'
    methods.write_text(methods.read_text().replace('2048', '4096'))
    ask(lab, op='reload')
    lab.wait_state('xrf-1', 'idle')
    assert 'two' in ask(lab, 'refused', op='run-repeat', run=first['run'])
    assert 'by itself' in ask(lab, 'refused', op='run-repeat', run=lab.open_run('gas-1'))


def open_run(lab):
    """A run on demand without end, with some frames."""
    reply = measure(lab, 'CCL-2026-00010', method='grows', note='slow')
    wait_for('frames', lambda: sum(e.record['run'] == reply['run'] for e in lab.frames('xrf-1')) >= 3)
    return reply


def test_interrupted(lab):
    reply = open_run(lab)
    lab.kill()
    lab.start()
    end = end_of(lab, reply)
    assert end['status'] == 'interrupted' and end['frames'] >= 3, end
    assert show(lab, reply['number'])['frames'] == end['frames']
    assert lab.instrument('xrf-1')['interrupted'] == reply['number']
    assert f'assayctl run repeat {reply["number"]}' in lab.ctl('status').stdout
    assert 'interrupted' not in lab.instrument('gas-1'), 'it goes on by itself'
    lab.wait_state('xrf-1', 'idle')
    again = ask(lab, op='run-repeat', run=reply['number'])
    record = record_of(lab, 'run-start', again['run']).record
    assert record['sample']['id'] == 'CCL-2026-00010' and record['method']['id'] == 'grows', record
    ask(lab, op='run-stop', instrument='xrf-1')
    end_of(lab, again)
    assert 'interrupted' not in lab.instrument('xrf-1')


def test_journals(lab, amended):
    """A new journal: the open run of the former one is ended in it, and corrections reach back."""
    reply = open_run(lab)
    lab.kill()
    (lab.dir / 'state/current').unlink()
    lab.start()
    end = end_of(lab, reply)
    assert end['status'] == 'interrupted' and end['frames'] >= 3, end
    assert lab.instrument('xrf-1')['interrupted'] == reply['number']
    for _ in range(2):
        ask(lab, op='amend', run=amended['number'], set={'operator': 'kim'}, reason='it was he')
        now = record_of(lab, 'amend', amended['run'])
        assert now.journal != record_of(lab, 'run-start', amended['run']).journal
        assert now.record['was'] == {'operator.id': 'lee'}, now.record
        check_amended(lab, amended['number'])
        assert show(lab, amended['number'])['amended']['operator'] == 'kim'
        ask(lab, op='amend', run=amended['number'], set={'operator': 'lee'}, reason='no, she')
        lab.stop()
        ends = check_stored(lab)
        assert ends[reply['run']]['status'] == 'interrupted'
        shutil.rmtree(lab.dir / 'state/runs')  # all of it is in the journals
        lab.start()
        row = show(lab, reply['number'])
        assert row['status'] == 'interrupted' and row['frames'] == end['frames'], row
    lab.wait_state('xrf-1', 'idle')
    again = ask(lab, op='run-repeat', run=reply['number'])
    ask(lab, op='run-abort', instrument='xrf-1')
    assert end_of(lab, again)['status'] == 'aborted'


with Lab(paths) as lab:
    xrf = lab.sim('amptek-dp5', '--udp', '127.0.0.1:0')
    gas = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    (lab.dir / 'methods.d').mkdir()
    (lab.dir / 'methods.d/methods.yaml').write_text(
        'methods:\n'
        '  two: {version: "1", driver: amptek-dp5, steps: [{name: a, settings: {poll: 0.3 s}}, {name: b, settings: {channels: 2048}}]}\n'
        '  grows: {version: "1", driver: amptek-dp5, settings: {preset_time: 600 s, progress_every: 0.5 s}}\n')
    lab.start({
        'laboratory': {'require': ['sample', 'operator'],
                       'sample_id': {'pattern': '^CCL-[0-9]{4}-[0-9]{5}$', 'example': 'CCL-2026-00451'}},
        'instruments': {
            'xrf-1': {'driver': 'amptek-dp5', 'simulated': True,
                      'link': {'type': 'udp', 'host': '127.0.0.1', 'port': xrf.port},
                      'settings': {'channels': 1024, 'preset_time': '0.3s'}},
            'gas-1': {'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
                      'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': gas.port, 'unit_id': 1},
                      'acquire': {'mode': 'continuous', 'every': '100ms'}}}})
    amended = test_amend(lab)
    test_repeat(lab, amended)
    test_interrupted(lab)
    test_journals(lab, amended)
    events = {e.record['event'] for e in lab.entries(type='audit')}
    assert {'amend', 'amend-refused', 'run-repeat'} <= events, events
    lab.stop()
    check_stored(lab)
    print(lint(lab))
