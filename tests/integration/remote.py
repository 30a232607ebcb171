# SPDX-License-Identifier: Apache-2.0
"""Programs of other machines: served by TCP with a key and its roles, and only so."""

import os
import socket
import struct
import sys
import time

import cbor2
import zmq

sys.path.insert(0, sys.argv[1])
from keys import Keys  # noqa: E402
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
GENERATOR = {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
             'settings': {'frame_bytes': 256, 'frames': 2}}
SHORT_MS = 300


def ask(peer, ms=10000, **request):
    """The reply; None: there is none."""
    peer.send(cbor2.dumps(request))
    return cbor2.loads(peer.recv_multipart()[0]) if peer.poll(ms) else None


def audits(lab, event):
    return [e.record for e in lab.entries(type='audit') if e.record['event'] == event]


def test_full_key(lab, keys):
    """It subscribes, fetches, and controls; the audit has its name, which it cannot choose."""
    live = keys.connect('live', zmq.SUB, 'full')
    if not live.poll(10000):
        raise Failure('no heartbeat by TCP')
    replay = keys.connect('replay', zmq.REQ, 'full')
    assert ask(replay, op='hello', proto=1)['op'] == 'welcome'
    control = keys.connect('control', zmq.REQ, 'full')
    assert ask(control, op='run-start', instrument='gen-1')['ok']
    lab.wait_state('gen-1', 'idle')
    assert ask(control, op='maintenance', instrument='gen-1', on=True)['ok']
    assert ask(control, op='maintenance', instrument='gen-1', on=False)['ok']
    found = wait_for('the audit', lambda: audits(lab, 'maintenance-off'))[0]['actor']
    assert (found['id'], found['auth'], found['via']) == ('full', 'key', 'control'), found
    topics = set()
    while live.poll(SHORT_MS):
        topics.add(live.recv_multipart()[0].split(b'/')[1])
    assert {b'data', b'state', b'audit'} <= topics, topics
    for peer in (live, replay, control):
        peer.close()


def test_roles(lab, keys):
    """A key is served by the sockets of its roles; a request on another one is not executed."""
    requests = {'replay': {'op': 'hello', 'proto': 1}, 'control': {'op': 'maintenance', 'instrument': 'gen-1', 'on': False}, 'read': None}
    sockets = {'replay': ('replay', zmq.REQ), 'control': ('control', zmq.REQ), 'read': ('live', zmq.SUB)}
    peers = {}
    for name in ('reader', 'replayer', 'controller', 'unlisted', None):
        for role, request in requests.items():
            peer = peers[name, role] = keys.connect(*sockets[role], name)
            if request:
                peer.send(cbor2.dumps(request))
    for (name, role), peer in peers.items():
        if role in keys.roles.get(name, []):
            assert peer.poll(10000), f'{name} is not served on {role}'
            peer.recv_multipart()
    other = keys.connect('live', zmq.SUB, 'full')
    for _ in range(2):                                                  # the next heartbeats: a subscriber would have one
        assert other.poll(10000) and other.recv_multipart()
    served = {(name, role) for (name, role), peer in peers.items() if peer.poll(0)}
    assert served == {('reader', 'read')}, served
    assert len(audits(lab, 'maintenance-off')) == 1 + 1                 # of `full` and of `controller`
    for peer in [*peers.values(), other]:
        peer.close()


def test_first_refusal(lab, keys):
    """Recorded at once, with the key."""
    peer = keys.connect('live', zmq.SUB, 'unlisted')
    found = wait_for('the record', lambda: audits(lab, 'peer-refused'))[0]
    assert found['after'] == {'count': 1, 'socket': 'live', 'address': '127.0.0.1', 'key': keys.pair('unlisted')[0].decode()}, found
    peer.close()


def test_refusals_are_counted(lab):
    """After the first at most one record a minute; status has their number."""
    wait_for('the refusals', lambda: lab.ask({'op': 'status'})['refused'] >= 8)
    assert len(audits(lab, 'peer-refused')) == 1


def greet(endpoint, mechanism):
    """A peer of ZMTP 3 that names this mechanism; returns when the daemon has ended the connection."""
    with socket.create_connection(('127.0.0.1', int(keys.endpoints[endpoint].rsplit(':', 1)[1]))) as s:
        s.settimeout(10)
        s.sendall(b'\xff' + bytes(8) + b'\x7f' + b'\x03\x00' + mechanism.ljust(20, b'\0') + bytes(32))
        try:
            while s.recv(300):
                pass
        except ConnectionError:
            pass


def test_without_curve(lab, keys):
    """NULL and PLAIN on each socket are ended and counted; the record of them waits for its minute."""
    before = lab.ask({'op': 'status'})['refused']
    for endpoint in keys.endpoints:
        for mechanism in (b'NULL', b'PLAIN'):
            greet(endpoint, mechanism)
    # At least: clients of the tests before, with a refused key, may still try again.
    wait_for('the refusals', lambda: lab.ask({'op': 'status'})['refused'] >= before + 2 * len(keys.endpoints))
    assert len(audits(lab, 'peer-refused')) == 1, audits(lab, 'peer-refused')


def test_first_without_curve(lab, keys):
    """The record of the first one after a start has its address, its socket and the reason."""
    greet('control', b'PLAIN')
    found = wait_for('the record', lambda: audits(lab, 'peer-refused')[1:])[0]
    assert found['after'] == {'count': 1, 'socket': 'control', 'address': '127.0.0.1'}, found
    assert 'CURVE' in found['reason'], found


def command(name, data):
    body = bytes([len(name)]) + name + data
    return bytes([4, len(body)]) + body


def test_forged_user(lab):
    """A local peer claims the User-Id of a key among the properties of its connection: it stays the user of the kernel."""
    properties = b''
    for name, value in ((b'Socket-Type', b'REQ'), (b'User-Id', keys.pair('full')[0]), (b'Peer-Address', b'192.0.2.1')):
        properties += bytes([len(name)]) + name + struct.pack('>I', len(value)) + value
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(lab.dir / 'run' / 'control'))
        s.sendall(b'\xff' + bytes(8) + b'\x7f' + b'\x03\x00' + b'NULL'.ljust(20, b'\0') + bytes(32))
        answer = b''
        while b'READY' not in answer:
            answer += s.recv(300)
        s.sendall(command(b'READY', properties))
        request = cbor2.dumps({'op': 'maintenance', 'instrument': 'gen-1', 'on': True})
        s.sendall(b'\x01\x00' + bytes([0, len(request)]) + request)
        found = wait_for('the audit', lambda: audits(lab, 'maintenance-on')[1:])[0]['actor']
    assert found['auth'] == 'os' and found['id'] != 'full', found
    assert lab.ask({'op': 'maintenance', 'instrument': 'gen-1', 'on': False})['ok']


def test_assayctl(lab, keys):
    """With a key it works as on the machine itself; each wrong key is refused with its reason."""
    def ctl(name, *args, server='server', code=0):
        done = lab.ctl('--control', keys.endpoints['control'], '--live', keys.endpoints['live'], '--replay', keys.endpoints['replay'],
                       '--key', str(keys.secret(name)), '--server', str(keys.folder / f'{server}.public'), *args, code=code)
        return done.stdout + done.stderr

    assert 'gen-1' in ctl('full', 'list')
    ctl('full', 'watch', '--plain', '--seconds', '1')
    assert 'run-end' in ctl('full', 'replay', '--topic', 'a1/data/') and 'gen-1' in ctl('full', 'run', 'list')
    assert 'refuses this key' in ctl('reader', 'status', code=1)
    assert 'refuses this key' in ctl('controller', 'replay', code=1)
    assert 'refuses this key' in ctl('replayer', 'watch', code=1)
    assert 'exchange of keys fails' in ctl('full', 'status', server='full', code=1)
    keys.secret('unlisted').chmod(0o604)
    assert 'chmod 600' in ctl('unlisted', 'status', code=1)


def test_removed_key(lab, keys):
    """After a reload its open connections end, those of others go on."""
    lost, kept = keys.connect('live', zmq.SUB, 'reader'), keys.connect('live', zmq.SUB, 'full')
    replay = keys.connect('replay', zmq.REQ, 'replayer')
    control = keys.connect('control', zmq.REQ, 'controller')
    assert lost.poll(5000) and kept.poll(5000) and ask(replay, op='hello', proto=1) and ask(control, op='status')['ok']
    for name in ('reader', 'replayer', 'controller'):
        keys.authorise(name)
    assert ask(control, op='reload')['ok']                              # the last one that it is served
    for peer, request in ((replay, {'op': 'hello', 'proto': 1}), (control, {'op': 'status'})):
        reply = ask(peer, SHORT_MS, **request)                          # a refusal, or none: the connection is gone
        assert reply is None or 'not-authorised' in str(reply), reply

    def is_over():
        while lost.poll(0):
            lost.recv_multipart()
        return not lost.poll(1500)                                      # longer than between two heartbeats
    wait_for('the end of the subscription', is_over, 10)
    while kept.poll(0):
        kept.recv_multipart()
    assert kept.poll(5000), 'the other subscriber comes back'
    lab.ask({'op': 'run-start', 'instrument': 'gen-1'})


def test_wrong_list_changes_nothing(lab, keys):
    before = keys.list.read_text()
    keys.list.write_text('full: {key: short, roles: [read]}\n')
    reply = lab.ask({'op': 'reload'})
    assert not reply['ok'] and 'authorised.yaml:1:13' in reply['error']['text'], reply
    assert ask(keys.connect('control', zmq.REQ, 'full'), op='status')['ok']
    keys.list.write_text(before)


def rss(lab):
    with open(f'/proc/{lab.daemon.pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS'))


def connect_raw(endpoint, count):
    """So many connections that send nothing, or random bytes."""
    raw = []
    for i in range(count):
        raw.append(socket.create_connection(('127.0.0.1', int(keys.endpoints[endpoint].rsplit(':', 1)[1]))))
        if i % 2:
            raw[-1].sendall(os.urandom(4096))
    return raw


def wait_closed(raw):
    def are_closed():
        for s in list(raw):
            s.setblocking(False)
            try:
                while s.recv(4096):
                    pass
            except BlockingIOError:
                continue
            except OSError:
                pass
            raw.remove(s)
        return not raw
    wait_for('their end', are_closed, 10)


def time_of(endpoint, **request):
    """Seconds until a program with a key has its reply, from its connection on."""
    began = time.monotonic()
    assert ask(keys.connect(endpoint, zmq.REQ, 'full'), **request)
    return time.monotonic() - began


def test_raw_connections(lab, keys):
    """200 that send nothing or random bytes: a program with a key is served at once, and they are closed in seconds."""
    before = rss(lab)
    raw = connect_raw('replay', 200)
    took, began = time_of('replay', op='hello', proto=1), time.monotonic()
    wait_closed(raw)
    grown = rss(lab) - before
    print(f'served in {1000 * took:.0f} ms, closed in {time.monotonic() - began:.1f} s, {grown} KiB more')
    assert took < 1 and ('ASAN_OPTIONS' in os.environ or grown < 4096), (took, grown)


def test_full_socket(lab, keys):
    """More connections than a socket may have do not keep programs from another one."""
    raw = connect_raw('replay', 600)
    took = time_of('control', op='status')
    assert took < 1, took
    wait_closed(raw)


def test_key_that_others_read(lab, keys):
    """The daemon does not start with it."""
    lab.stop()
    keys.secret('server').chmod(0o640)
    lab.start(ready=False)
    assert lab.daemon.wait(30) > 0 and 'rights on this secret key' in lab.log(), lab.log()
    keys.secret('server').chmod(0o600)
    lab.start()


with Lab(paths) as lab:
    keys = Keys(lab)
    keys.make('full', 'read', 'replay', 'control')
    keys.make('reader', 'read')
    keys.make('replayer', 'replay')
    keys.make('controller', 'control')
    keys.make('unlisted')
    lab.start({'sockets': keys.sockets, 'instruments': {'gen-1': GENERATOR}})
    lab.wait_state('gen-1', 'idle')
    test_first_refusal(lab, keys)
    test_full_key(lab, keys)
    test_roles(lab, keys)
    test_refusals_are_counted(lab)
    test_without_curve(lab, keys)
    test_forged_user(lab)
    test_assayctl(lab, keys)
    test_removed_key(lab, keys)
    test_wrong_list_changes_nothing(lab, keys)
    test_raw_connections(lab, keys)
    test_full_socket(lab, keys)
    test_key_that_others_read(lab, keys)
    test_first_without_curve(lab, keys)
    print('ok')
