# SPDX-License-Identifier: Apache-2.0
"""Two simulated LabJack U6 on a bus: runs by the contact, a gap by a full buffer, each sample against the truth."""

import struct
import sys
import time

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values, wait_for  # noqa: E402

RATE = 5000
SLOW = 1000  # of the runs by the contact: the buffer of the device lasts for half a second
GAINS = {10: 0, 1: 1, 0.1: 2, 0.01: 3}
NONE = 0xFFFF  # samples of the scan that stands for the dropped ones, where there is one


def config(port, acquire, ranges, **settings):
    inputs = [{'channel': i, 'range': f'{r} V', 'name': name} for i, (name, r) in enumerate(ranges.items())]
    return {'driver': 'labjack-u6', 'simulated': True, 'link': {'type': 'usb', 'path': f'1-{port}'}, 'acquire': acquire,
            'settings': {'inputs': inputs, 'rate': f'{RATE} Hz', **settings}}


def expect(condition, text, seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def constants(frame):
    """Those of the device, in the order of its memory: blocks of four numbers, each fraction and whole part."""
    replies = next(block['data'] for block in frame['raw'] if block['name'] == 'calibration')
    return [whole + fraction / 2**32 for i in range(0, 400, 40)
            for fraction, whole in struct.iter_unpack('<Ii', replies[i + 8:i + 40])]


def volts(raw, gain, c):
    center = c[2 * gain + 9]
    return (center - raw) * c[2 * gain + 8] if raw < center else (raw - center) * c[2 * gain]


def streams(sim):
    """Of each stream the scans by their position, as the simulator sent them."""
    found, at = [], 0
    for event in sim.truths():
        if event['event'] == 'stream-start':
            found.append({})
            at = 0
        elif event['event'] == 'packet':
            scans = list(zip(*[iter(event['raw'])] * 2))
            if event['error'] == 60 and (NONE, NONE) not in scans:
                at += event['dropped']
            for scan in scans:
                if event['error'] == 60 and scan == (NONE, NONE):
                    at += event['dropped']
                else:
                    found[-1][at] = scan
                    at += 1
    return found


def check_frames(frames, sent, ranges, rate=RATE):
    """Frames follow each other; each sample is the one that was sent at this time.  Returns the number of gaps."""
    following, gaps = 0, 0
    for number, frame in enumerate(frames):
        found = {(v['name'], v.get('channel')): v for v in frame['vars']}
        axis = found['time', None]
        expect(frame['kind'] == 'chromatogram' and frame['n'] == number and 'partial' not in frame and
               axis['unit'] == 's', 'frame', frame)
        positions = [round(t * rate) for t in values(axis)]
        expect(all(abs(p / rate - t) < 1e-9 for p, t in zip(positions, values(axis))), 'times', positions)
        lost = {g['at']: g['n'] for g in frame.get('gaps', [])}
        expect(bool(lost) == ('driver-overrun' in frame['q'].get('why', [])), 'reason', frame['q'])
        expect(bool(lost) or frame['q']['flag'] == 1, 'quality', frame['q'])
        for i, position in enumerate(positions + [None]):
            following += lost.get(i, 0)
            expect(position in (following, None), 'position', (number, i, position, following))
            following += 1
        following -= 1
        gaps += len(lost)
        c = constants(frame)
        for i, (name, full) in enumerate(ranges.items()):
            signal = found['signal', name]
            expect(signal['unit'] == 'V', 'unit', signal)
            for position, value in zip(positions, values(signal), strict=True):
                right = volts(sent[position][i], GAINS[full], c)
                expect(abs(value - right) < 1e-6 * full, 'sample', (number, position, value, right))
    return gaps


def run(lab, key, number):
    """Its run-start, frames and run-end."""
    end = lab.wait_entries(key, 'run-end', number + 1)[number].record
    start = next(e.record for e in lab.entries(key, 'run-start') if e.record['run'] == end['run'])
    return start, [f.record for f in lab.frames(key) if f.record['run'] == end['run']], end


def test_contact(lab, sim, ranges):
    runs = [run(lab, 'gc-1', i) for i in range(2)]
    for sent, (start, frames, end) in zip(streams(sim), runs):
        expect(end['status'] == 'complete' and start['technique']['name'] == 'gas chromatography', 'run', (start, end))
        expect(start['settings']['rate'] == {'v': SLOW, 'u': 'Hz'}, 'rate', start['settings'])
        expect(len(frames) == 4 and all(f['span'] == 120 * 10**6 for f in frames), 'frames', len(frames))
        expect(check_frames(frames, sent, ranges, SLOW) == 0, 'gaps', start)
    order = [e['event'] for e in sim.truths() if e['event'] in ('injection', 'stream-start')]
    expect(order.count('stream-start') <= order.count('injection'), 'each stream has an injection', order)
    identity = lab.instrument('gc-1')
    expect((identity['make'], identity['model'], identity['serial']) == ('LabJack', 'U6', '9990801'), 'unit', identity)


def test_full_buffer(lab, sim, ranges):
    expect(lab.ask({'op': 'run-start', 'instrument': 'gc-2'})['ok'], 'start', lab.log())
    lab.wait_frames('gc-2', 2)
    sim.fault('stall')
    time.sleep(0.5)  # the buffer is full after 0.1 s; nothing of that can be seen from outside
    sim.fault('stall=off')
    wait_for('a gap', lambda: any('gaps' in f.record for f in lab.frames('gc-2')))
    lab.wait_frames('gc-2', len(lab.frames('gc-2')) + 2)
    expect(lab.ask({'op': 'run-stop', 'instrument': 'gc-2'})['ok'], 'stop', lab.log())
    start, frames, end = run(lab, 'gc-2', 0)
    expect(end['status'] == 'stopped', 'end', end)
    expect(check_frames(frames, streams(sim)[0], ranges) > 0, 'gaps', end)


def test_unplugged(lab, sim, ranges):
    expect(lab.ask({'op': 'run-start', 'instrument': 'gc-2'})['ok'], 'start', lab.log())
    lab.wait_frames('gc-2', len(lab.frames('gc-2')) + 1)
    sim.fault('disconnect')
    _, frames, end = run(lab, 'gc-2', 1)
    expect(end['status'] == 'lost-device', 'end', end)
    check_frames(frames, streams(sim)[1], ranges)
    sim.fault('disconnect=off')
    lab.wait_state('gc-2', 'idle')


with Lab(paths_from(sys.argv[2:])) as lab:
    narrow, wide = {'fid': 1, 'tcd': 10}, {'fid': 0.1, 'second': 1}
    contact = lab.usb_sim('labjack-u6', '--serial', '9990801', '--model', 'u6', '--first', '1', '--cycle', '1')
    command = lab.usb_sim('labjack-u6', '--serial', '9990802', '--model', 'u6-pro', '--height', '0.05')
    lab.start({'instruments': {
        'gc-1': config(1, {'mode': 'repeat'}, narrow, slice='120 ms', duration='0.48 s', start='low', rate=f'{SLOW} Hz'),
        'gc-2': config(2, {'mode': 'on-demand'}, wide, slice='100 ms')}})
    lab.wait_state('gc-2', 'idle')
    test_full_buffer(lab, command, wide)
    test_unplugged(lab, command, wide)
    test_contact(lab, contact, narrow)
    expect(lab.instrument('gc-2')['model'] == 'U6-Pro', 'model', lab.instrument('gc-2'))
    lab.stop()
    for sim in (contact, command):
        expect(not [t for t in sim.truths() if t['event'] == 'forbidden'], 'no write to the device', sim.truths())
    print(lint(lab))
