# SPDX-License-Identifier: Apache-2.0
"""The control socket: refusals that help, runs on demand, reload, actors, sd_notify."""

import json
import os
import pathlib
import re
import sys

import cbor2
import zmq

sys.path.insert(0, sys.argv[1])
from lab import Lab, Manager, check_links, lint, paths_from, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

paths = paths_from(sys.argv[2:])


def refused(lab, request, *words):
    reply = lab.ask(request)
    assert reply['ok'] is False, reply
    for word in words:
        assert word in reply['error']['text'], (word, reply)
    return reply['error']['code']


def test_refusals(lab):
    assert refused(lab, {'op': 'run-strat'}, 'run-start', 'status') == 'unknown-op'
    assert refused(lab, {'op': 'status', 'instrumnet': 'x'}, 'instrument') == 'unknown-argument'
    assert refused(lab, {'op': 'run-start'}, 'instrument') == 'missing-argument'
    assert refused(lab, {'op': 'run-start', 'instrument': 7}, 'text') == 'bad-argument'
    assert refused(lab, {'op': 'run-start', 'instrument': 'xrf-9'}, 'xrf-1') == 'not-found'
    assert refused(lab, {'no': 1}, 'op') == 'bad-request'
    assert refused(lab, [1, 2], 'map') == 'bad-request'
    refused(lab, {'op': 'run-start', 'instrument': 'xrf-1', 'operator': 'me'}, '--sample')
    refused(lab, {'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'X', 'operator': 'me'}, 'CCL-2026-00451')
    refused(lab, {'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00001'}, '--operator')
    refused(lab, {'op': 'run-stop', 'instrument': 'xrf-1'}, 'no run')


def test_garbage(lab):
    """Bytes that are no request get a refusal; the daemon stays."""
    sock = zmq.Context.instance().socket(zmq.DEALER)
    sock.connect(lab.control)
    for data in (b'', b'\xff' * 100, b'\x9b\0\0\0\0\x10\0\0\0', os.urandom(2000)):
        sock.send_multipart([b'', b'more', data])
        assert sock.poll(5000), f'no answer to {data[:8]!r}'
        parts = sock.recv_multipart()
        assert parts[:2] == [b'', b'more'], 'the envelope is echoed'
        assert cbor2.loads(parts[2])['ok'] is False
    sock.close(linger=0)


def test_help(lab):
    ops = lab.ask({'op': 'help'})['ops']
    assert ops['run-start']['args']['instrument']['required'] is True
    assert 'status' in ops and 'reload' in ops


def start_of(lab, reply):
    return wait_for('the run-start', lambda: next(
        (e for e in lab.entries('xrf-1', 'run-start') if e.record['number'] == reply['number']), None))


def test_run(lab):
    reply = lab.ask({'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00002', 'operator': 'kb',
                     'note': 'left side', 'entered': 'scanned'})
    assert reply['ok'], reply
    number = reply['number']
    start = start_of(lab, reply)
    assert start.record['sample'] == {'id': 'CCL-2026-00002', 'entered': 'scanned'}
    assert start.record['operator']['id'] == 'kb' and start.record['mode'] == 'on-demand'
    assert start.record['x-note'] == 'left side'
    refused(lab, {'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00003', 'operator': 'kb'}, 'run is open')
    lab.wait_entries('xrf-1', 'run-end', 1)
    wait_for('the run is complete', lambda: lab.ask({'op': 'run-show', 'number': number})['run'].get('status') == 'complete')
    assert len([e for e in lab.frames('xrf-1') if e.record['run'] == start.record['run']]) == 1


def test_abort(lab):
    lab.wait_state('xrf-1', 'idle')
    reply = lab.ask({'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00004', 'operator': 'kb', 'method': 'long'})
    assert reply['ok'], reply
    assert lab.ask({'op': 'run-abort', 'instrument': 'xrf-1'})['ok']
    end = wait_for('the run-end', lambda: [e for e in lab.entries('xrf-1', 'run-end') if e.record['run'] == reply['run']])[0]
    assert end.record['status'] == 'aborted' and end.record['frames'] == 0, end.record
    assert end.record['actor']['auth'] == 'os' and end.record['actor']['id'], end.record
    start = start_of(lab, reply)
    assert start.record['method']['id'] == 'long' and len(start.record['method']['sha256']) == 32


def setting(lab, key, name):
    found = lab.ask({'op': 'describe', 'instrument': key})['instrument']
    return next(s for s in found['settings'] if s['name'] == name)


def test_describe(lab):
    driver = lab.ask({'op': 'describe', 'driver': 'srs-rga'})['drivers'][0]
    floor = next(s for s in driver['settings'] if s['name'] == 'noise_floor')
    assert floor['type'] == 'int' and floor['max'] == 7 and floor['live'] is True, floor
    assert len(lab.ask({'op': 'describe'})['drivers']) >= 3
    refused(lab, {'op': 'describe', 'driver': 'srs-rgb'}, 'srs-rga')
    refused(lab, {'op': 'describe', 'instrument': 'xrf-9'}, 'xrf-1')
    channels, poll = setting(lab, 'xrf-1', 'channels'), setting(lab, 'xrf-1', 'poll')
    assert channels['value'] == 1024 and 'assayd.yaml:' in channels['from'], channels
    assert poll['from'] == 'default' and poll['value'] == {'v': 0.5, 'u': 's'}, poll
    assert 'points' in [s['name'] for s in lab.ask({'op': 'describe', 'instrument': 'gas-1'})['instrument']['settings']]
    for name in [d['name'] for d in lab.ask({'op': 'describe'})['drivers']]:
        text = lab.ctl('describe', name).stdout
        assert 'settings' in text and max(map(len, text.splitlines()[1:])) <= 80, text
    assert ' rows' in lab.ctl('describe', 'gas-1').stdout
    assert '= 1024 (' in lab.ctl('describe', 'xrf-1').stdout
    assert 'there is no driver' in lab.ctl('describe', 'xrf-9', code=1).stderr
    here = lab.ctl('describe', 'srs-rga').stdout
    alone = ['--worker', paths['worker'], '--drivers', paths['drivers'], 'describe', 'srs-rga']
    assert lab.ctl('--control', 'ipc:///nowhere', *alone).stdout == here, 'the worker says the same'


def test_set(lab):
    """On demand: with the next run. Continuous: a new run starts with it."""
    def change(key, code=None, **settings):
        reply = lab.ask({'op': 'set', 'instrument': key, 'settings': settings}, seconds=60)
        assert reply['ok'] is (code is None), reply
        assert code is None or reply['error']['code'] == code, reply
        return reply if code is None else reply['error']['text']
    text = change('xrf-1', 'refused', chanels=512, preset_time='5', poll='1 s')
    assert "did you mean 'channels'?" in text and 'its unit is missing' in text, text
    assert setting(lab, 'xrf-1', 'poll')['from'] == 'default', 'all or nothing'
    assert 'expected 256 to 8192' in change('xrf-1', 'refused', channels=9000)
    assert 'reload' in change('xrf-1', 'refused', detector_bias='100 V')
    assert 'reload' in change('xrf-1', 'refused', energy_gain='10 eV')
    assert 'configured' in change('xrf-9', 'not-found', channels=512)
    for odd in ([1], {}, 'channels=512', {'channels': None}, {'channels': [512]}, {'channels': 'x' * 5000},
                {f'a{i}': 1 for i in range(65)}, {7: 512}):
        reply = lab.ask({'op': 'set', 'instrument': 'xrf-1', 'settings': odd})
        assert not reply['ok'] and reply['error']['code'] in ('bad-argument', 'bad-request'), (odd, reply)
    change('xrf-1', 'refused', **{'x' * 300: 1, 'poll': '{a: 1}', 'channels': '[512]', 'slice': '1e400 s'})
    assert change('xrf-1', channels=512)['settings'] == {'channels': 512}
    now = setting(lab, 'xrf-1', 'channels')
    assert now['value'] == 512 and now['file'] == 1024 and now['from'] == 'set', now
    assert lab.instrument('xrf-1')['changed'] is True
    assert 'changed at run time' in lab.ctl('status', 'xrf-1').stdout
    assert 'set at run time; the configuration has 1024' in lab.ctl('describe', 'xrf-1').stdout
    reply = lab.ask({'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00007', 'operator': 'kb'})
    assert start_of(lab, reply).record['settings']['channels'] == 512
    lab.wait_state('xrf-1', 'idle')
    reply = lab.ask({'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00007', 'operator': 'kb', 'method': 'long'})
    assert 'run is open' in change('xrf-1', 'busy', channels=1024)
    assert start_of(lab, reply).record['settings']['channels'] == 512, 'beneath a method'
    lab.ask({'op': 'run-abort', 'instrument': 'xrf-1'})
    lab.wait_state('xrf-1', 'idle')
    lab.ctl('set', 'xrf-1', 'channels=1024')
    assert 'changed' not in lab.instrument('xrf-1'), 'as the file says again'

    before = lab.open_run('ms-1')
    reply = change('ms-1', noise_floor=6)
    start = wait_for('the new run', lambda: [e for e in lab.entries('ms-1', 'run-start')
                                             if e.record['number'] == reply['number']])[0]
    assert start.record['settings']['noise_floor'] == 6 and reply['number'] != before, start.record
    end = lab.entries('ms-1', 'run-end')[-1].record
    assert end['status'] == 'complete' and end['actor']['auth'] == 'os', end
    after = lab.open_run('ms-1')
    said = change('ms-1', 'refused', mass_first=80, mass_last=40)
    assert 'mass' in said, said
    assert lab.open_run('ms-1') == after, 'a refusal ends no run'
    last = lab.wait_entries('ms-1', 'run-start', 1)[-1].record['settings']
    assert last['noise_floor'] == 6 and last['mass_last'] != 40, last
    assert change('gas-1', max_gap=0)['number'] and change('gas-1', 'refused', word_order='abcd')
    set_ = wait_audit(lab, 'set')
    assert set_['before'] == {'instrument': 'xrf-1', 'settings': {'channels': 1024}}, set_
    assert set_['after']['settings'] == {'channels': 512} and set_['actor']['auth'] == 'os', set_
    wait_audit(lab, 'set-refused')
    assert lab.ask({'op': 'reload'})['ok']
    wait_for('the files are in force again', lambda: 'changed' not in lab.instrument('ms-1') and
             lab.instrument('ms-1')['state'] == 'busy')
    wait_for('a run as the files say', lambda:
             lab.entries('ms-1', 'run-start')[-1].record['settings']['noise_floor'] != 6)


def test_steps(lab):
    lab.wait_state('xrf-1', 'idle')
    reply = lab.ask({'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00005', 'operator': 'kb', 'method': 'two'})
    assert reply['ok'], reply
    end = wait_for('the run-end', lambda: [e for e in lab.entries('xrf-1', 'run-end') if e.record['run'] == reply['run']])[0]
    assert end.record['status'] == 'complete' and end.record['frames'] == 2, end.record
    steps = [e.record['step'] for e in lab.frames('xrf-1') if e.record['run'] == reply['run']]
    assert [s['name'] for s in steps] == ['coarse', 'fine'] and [s['i'] for s in steps] == [1, 2], steps
    sizes = [len(v['data'].value) // 4 for e in lab.frames('xrf-1') if e.record['run'] == reply['run']
             for v in e.record['vars'] if v['name'] == 'counts']
    assert sizes == [512, 1024], sizes


def test_maintenance(lab):
    lab.wait_state('xrf-1', 'idle')
    assert lab.ask({'op': 'maintenance', 'instrument': 'xrf-1', 'on': True})['ok']
    lab.wait_state('xrf-1', 'maintenance')
    refused(lab, {'op': 'run-start', 'instrument': 'xrf-1', 'sample': 'CCL-2026-00006', 'operator': 'kb'}, 'maintenance')
    assert lab.ask({'op': 'maintenance', 'instrument': 'xrf-1', 'on': False})['ok']
    lab.wait_state('xrf-1', 'idle')


def test_renewal(lab, config):
    """A new run every second: status, state and list know the one that is open."""
    config['instruments']['gas-1']['acquire']['new_run'] = '1s'
    lab.configure(config)
    assert lab.ask({'op': 'reload'})['ok']
    began = len(lab.entries('gas-1', 'run-start'))
    lab.wait_entries('gas-1', 'run-start', began + 3)
    for _ in range(20):
        now = lab.instrument('gas-1')
        if 'run' in now:
            assert now['text'] == now['run']['number'], now
    begun = {e.record['number'] for e in lab.entries('gas-1', 'run-start')[:-1]}
    told = {e.record.get('text') for e in lab.entries('gas-1', 'state') if e.record['state'] == 'busy'}
    assert begun <= told, (begun, told)
    wait_for('frames of an open run are counted', lambda: [
        r for r in lab.ask({'op': 'runs', 'instrument': 'gas-1'})['runs'] if 'status' not in r and r['frames'] > 0])


def unit_reload(lab):
    """The arguments of assayctl with which systemctl reloads the service."""
    words, = re.findall(r'^ExecReload=(.*)', (pathlib.Path(lab.paths['units']) / 'assayd.service').read_text(), re.M)
    program, *args = words.split()
    assert pathlib.Path(program).name == 'assayctl', words
    return args


def test_reload(lab, config):
    """A wrong file changes nothing; a right one touches only the instruments that changed."""
    pid = lab.instrument('ms-1')['pid']
    good = lab.config.read_text()
    lab.config.write_text(good.replace('"channels"', '"chanels"'))
    reply = lab.ask({'op': 'reload'})
    assert reply['ok'] is False and 'channels' in reply['error']['text'], reply
    assert ':' in reply['error']['text'].split(' ')[0], 'file:line:column'
    refused = lab.ctl(*unit_reload(lab), code=1)
    assert 'channels' in refused.stderr, refused
    before = len(lab.entries('gas-1', 'run-start'))
    config['instruments']['gas-1']['acquire']['every'] = '200ms'
    lab.configure(config)
    (lab.dir / 'instruments.d').mkdir()
    (lab.dir / 'instruments.d' / 'xrf-9.yaml~').write_text('')
    lab.ctl(*unit_reload(lab), code=0)
    assert "warning: 'xrf-9.yaml~' is not read" in lab.log(), 'a warning at reload is logged'
    lab.wait_entries('gas-1', 'run-start', before + 1)
    assert lab.instrument('ms-1')['pid'] == pid, 'an instrument that did not change was disturbed'


def wait_watch(lab, args, words):
    """Watches for a while, and again: where the machine is busy nothing may come in a second."""
    def shows_all():
        out = lab.ctl('watch', *args).stdout
        return all(word in out for word in words)
    wait_for(f'watch shows {words}', shows_all)


def test_assayctl(lab):
    assert 'xrf-1' in lab.ctl('status').stdout and 'gas-1' in lab.ctl('list').stdout
    assert json.loads(lab.ctl('--json', 'status').stdout)['ok'] is True
    assert len(json.loads(lab.ctl('--json', 'run', 'list', '--instrument', 'xrf-1').stdout)['runs']) >= 3
    assert 'expected one of start' in lab.ctl('run', 'begin', code=2).stderr
    wait_watch(lab, ('--seconds', '3'), ('ms-1', 'gas-1', 'SIMULATED'))
    wait_watch(lab, ('--seconds', '3', 'ms-1'), ('ion current [A] over m/z',))
    wait_watch(lab, ('--plain', '--seconds', '1', 'gas-1'), ('frame', 'HCl'))


def audits(lab):
    return [e.record for e in lab.entries(type='audit')]


def wait_audit(lab, event):
    """The first audit record of this event; the answer to a request may come before it."""
    return wait_for(f'audit record {event}', lambda: [a for a in audits(lab) if a['event'] == event])[0]


with Lab(paths) as lab:
    manager = Manager(lab, watchdog=2)
    sims = start_sims(lab)
    config = {
        'laboratory': {'require': ['sample', 'operator'],
                       'sample_id': {'pattern': '^CCL-[0-9]{4}-[0-9]{5}$', 'example': 'CCL-2026-00451'}},
        'instruments': instruments(lab, sims, xrf='on-demand'),
    }
    methods = lab.dir / 'methods.d'
    methods.mkdir()
    (methods / 'long.yaml').write_text(
        'methods:\n  long: {version: "1", driver: amptek-dp5, settings: {preset_time: 600s}}\n'
        '  two:\n    version: "1"\n    driver: amptek-dp5\n    steps:\n'
        '      - {name: coarse, settings: {channels: 512}}\n      - {name: fine, settings: {channels: 1024}}\n')
    lab.start(config)
    for key in sims:
        lab.wait_state(key, 'idle' if key == 'xrf-1' else 'busy')
    manager.wait('READY=1')
    manager.wait('WATCHDOG=1')
    test_refusals(lab)
    test_garbage(lab)
    test_help(lab)
    test_run(lab)
    test_abort(lab)
    test_describe(lab)
    test_set(lab)
    test_steps(lab)
    test_maintenance(lab)
    test_assayctl(lab)
    test_reload(lab, config)
    test_renewal(lab, config)
    for event in ('run-refused', 'run-abort', 'maintenance-on', 'reload', 'reload-refused', 'hazard-on'):
        wait_audit(lab, event)
    lab.stop()
    lint(lab)
    check_links(lab.subscriber.all())
    manager.wait('STOPPING=1')
