# SPDX-License-Identifier: Apache-2.0
"""A sync fails: once, and everything goes on in a new file; for long, and acquisition stops."""

import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, check_links, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])


def events(lab):
    return [e.record for e in lab.entries(type='audit')]


def wait_event(lab, name):
    wait_for(f'the audit record {name}', lambda: any(e['event'] == name for e in events(lab)))
    return next(e for e in events(lab) if e['event'] == name)


def test_once(lab, fail):
    fail.write_text('once')
    rescued = wait_event(lab, 'journal-rescued')['after']
    assert rescued['error'] == 'Input/output error' and rescued['times'] == 1, rescued
    lab.wait_frames('gas-1', len(lab.frames('gas-1')) + 10)
    assert not any(e['event'] == 'disk-failed' for e in events(lab))


def test_for_long(lab, fail):
    fail.touch()
    wait_for('the disk counts as failed', lambda: lab.ask({'op': 'status'})['journal']['disk'] == 'failed')
    wait_for('acquisition stops', lambda: lab.instrument('gas-1')['state'] == 'idle')
    assert 'cannot be written' in lab.instrument('gas-1')['text'], lab.instrument('gas-1')
    reply = lab.ask({'op': 'run-start', 'instrument': 'gas-1', 'sample': 'A'})
    assert not reply['ok'], reply
    published = len(lab.subscriber.raw())
    wait_for('another try', lambda: lab.log().count('cannot commit') > 0)
    if len(lab.subscriber.raw()) != published:
        raise Failure('something was published that is not on the disk')
    runs = len(lab.entries('gas-1', 'run-start'))
    fail.unlink()
    wait_event(lab, 'disk-failed')
    wait_event(lab, 'disk-ok')
    wait_for('a new run', lambda: len(lab.entries('gas-1', 'run-start')) > runs)
    lab.wait_frames('gas-1', len(lab.frames('gas-1')) + 5)
    end = lab.entries('gas-1', 'run-end')[-1].record
    assert end['status'] == 'stopped' and end['why'] == 'the journal cannot be written', end


with Lab(paths) as lab:
    fail = lab.dir / 'fail'
    lab.env = {'FAIL': str(fail), 'LD_PRELOAD': paths['fails']}
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    lab.start({'instruments': {'gas-1': {
        'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
        'acquire': {'mode': 'continuous', 'every': '50ms'}}}})
    lab.wait_frames('gas-1', 5)
    test_once(lab, fail)
    test_for_long(lab, fail)
    lab.stop()
    check_links(lab.subscriber.all())
    lab.ctl('journal', 'check', '--path', str(lab.dir / 'state'))
