# SPDX-License-Identifier: Apache-2.0
"""The control socket: refusals that help, runs on demand, reload, actors, sd_notify."""

import json
import os
import socket
import sys
import threading

import cbor2
import zmq

sys.path.insert(0, sys.argv[1])
from lab import Lab, Failure, check_links, lint, paths_from, wait_for  # noqa: E402
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


def test_reload(lab, config):
    """A wrong file changes nothing; a right one touches only what changed."""
    pid = lab.instrument('ms-1')['pid']
    good = lab.config.read_text()
    lab.config.write_text(good.replace('"channels"', '"chanels"'))
    reply = lab.ask({'op': 'reload'})
    assert reply['ok'] is False and 'channels' in reply['error']['text'], reply
    assert ':' in reply['error']['text'].split(' ')[0], 'file:line:column'
    before = len(lab.entries('gas-1', 'run-start'))
    config['instruments']['gas-1']['acquire']['every'] = '200ms'
    lab.configure(config)
    assert lab.ask({'op': 'reload'})['ok']
    lab.wait_entries('gas-1', 'run-start', before + 1)
    assert lab.instrument('ms-1')['pid'] == pid, 'an instrument that did not change was disturbed'


def test_assayctl(lab):
    assert 'xrf-1' in lab.ctl('status').stdout and 'gas-1' in lab.ctl('list').stdout
    assert json.loads(lab.ctl('--json', 'status').stdout)['ok'] is True
    assert len(json.loads(lab.ctl('--json', 'run', 'list', '--instrument', 'xrf-1').stdout)['runs']) >= 3
    assert 'run start' in lab.ctl('run', 'begin', code=2).stderr
    out = lab.ctl('watch', '--seconds', '3').stdout
    assert 'mz [1]' in out and 'ion_current [A]' in out, out
    assert 'gas-1' in out and 'SIMULATED' in out
    plain = lab.ctl('watch', '--plain', '--seconds', '1', 'gas-1').stdout
    assert 'frame' in plain and 'HCl' in plain, plain


class Notified(threading.Thread):
    """Stands in for systemd: reads what sd_notify says, all the time, or the daemon would block."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.said = []

    def run(self):
        while True:
            self.said.append(self.socket.recv(4096).decode())

    def wait(self, word):
        wait_for(f'sd_notify says {word}', lambda: any(word in text for text in self.said))


def audits(lab):
    return [e.record for e in lab.entries(type='audit')]


with Lab(paths) as lab:
    notified = Notified(str(lab.dir / 'notify'))
    notified.start()
    lab.env['NOTIFY_SOCKET'] = str(lab.dir / 'notify')
    lab.env['WATCHDOG_USEC'] = '2000000'
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
    notified.wait('READY=1')
    notified.wait('WATCHDOG=1')
    test_refusals(lab)
    test_garbage(lab)
    test_help(lab)
    test_run(lab)
    test_abort(lab)
    test_steps(lab)
    test_maintenance(lab)
    test_assayctl(lab)
    test_reload(lab, config)
    events = {a['event'] for a in audits(lab)}
    for event in ('run-refused', 'run-abort', 'maintenance-on', 'reload', 'reload-refused', 'hazard-on'):
        if event not in events:
            raise Failure(f'no audit record {event}: {events}')
    lab.stop()
    lint(lab)
    check_links(lab.subscriber.all())
    notified.wait('STOPPING=1')
