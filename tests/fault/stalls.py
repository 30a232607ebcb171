# SPDX-License-Identifier: Apache-2.0
"""Peers send to the three sockets all that no client sends: frames of the others are committed and published in time, the core's memory is bounded.

    stalls.py LAB NAME=PATH... [only=ATTACK] [long=1]

Peers speak ZMTP by themselves, in processes of their own: libzmq would not send most of this.
"""
import fcntl
import multiprocessing
import os
import re
import resource
import socket
import struct
import sys
import termios
import time

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, cbor2, paths_from, wait_for, zmq  # noqa: E402

GAP_MAX = 0.2
PERIOD = 0.1
FRAMES_AFTER = 5
TRIES = 3   # the machine may be busy with something else; a peer that stalls the core does it each time
MEMORY_MAX = 64 << 20  # what one of these attacks may add: docs/operations.md, "Memory, time"
LONG = 'long' in paths_from(sys.argv[2:])


# --- a peer ------------------------------------------------------------------------------------------

def frame(body, flags=0):
    if len(body) < 256:
        return bytes((flags, len(body))) + body
    return bytes((flags | 2,)) + struct.pack('>Q', len(body)) + body


def connect(path, kind):
    """A connection after the handshake.  None: it was refused."""
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.settimeout(10)
        peer.connect(path)
        peer.sendall(b'\xff' + bytes(8) + b'\x7f\x03\x01' + b'NULL'.ljust(20, b'\0') + bytes(32))
        ready = b'\x05READY\x0bSocket-Type' + struct.pack('>I', len(kind)) + kind
        peer.sendall(frame(ready, 4))
        data = b''
        while b'READY' not in data:
            more = peer.recv(4096)
            if not more:
                break
            data += more
        if b'READY' in data:
            return peer
    except OSError:
        pass
    peer.close()
    return None


def pour(peer, pieces):
    """Sends until the end or until the connection is closed; the bytes sent."""
    sent = 0
    if peer is None:
        raise Failure('no connection')
    try:
        peer.settimeout(60)
        for piece in pieces:
            peer.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


def unread(peer):
    """Bytes that the daemon has not read."""
    return struct.unpack('i', fcntl.ioctl(peer, termios.TIOCOUTQ, bytes(4)))[0]


# --- attacks: each ends within seconds, and returns a text if the daemon did not defend itself ---------

def connections(run):
    """About 1,050 on each socket, of which most are refused, and kept for a while."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    kept = []
    for name in NAMES:
        for _ in range(1050):
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            try:
                peer.connect(f'{run}/{name}')
            except OSError:  # the backlog is full: the daemon accepts meanwhile
                time.sleep(0.001)
            kept.append(peer)
    time.sleep(1)  # the attack itself lasts as long
    return None


def subscribe(run, length, count):
    peer = connect(f'{run}/live', b'SUB')
    bodies = (frame(b'\x09SUBSCRIBE' + str(i).encode().ljust(length, b'x'), 4) for i in range(count))
    sent = pour(peer, bodies)
    return f'{sent} bytes of subscriptions were taken' if sent > 4 << 20 else None


def subscriptions_100(run):
    return subscribe(run, 100, 100000)


def subscriptions_1000(run):
    return subscribe(run, 1000, 100000)


def old_subscriptions(run):
    """As messages, which ZMTP 3.0 has, on 50 connections that stay."""
    kept = [connect(f'{run}/live', b'SUB') for _ in range(50)]
    for k, peer in enumerate(kept):
        pour(peer, (frame(b'\1' + f'{k}-{i}'.encode().ljust(160, b'x')) for i in range(5000)))
    return None


def large_subscription(run):
    sent = pour(connect(f'{run}/live', b'SUB'), [frame(b'\1' + bytes(10 << 20))])
    return 'a subscription of 10 MB was taken' if sent > 10 << 20 else None


def endless(run, name, kind):
    total = 200 << 20
    piece = frame(bytes(60000), 1)
    sent = pour(connect(f'{run}/{name}', kind), (piece for _ in range(total // len(piece))))
    return f'{sent} bytes of one message were taken' if sent > 8 << 20 else None


def endless_on_control(run):
    return endless(run, 'control', b'DEALER')


def endless_on_replay(run):
    return endless(run, 'replay', b'DEALER')


def endless_small_parts(run):
    sent = pour(connect(f'{run}/control', b'DEALER'), (frame(b'x', 1) * 1000 for _ in range(5000)))
    return f'{sent} bytes of one message were taken' if sent > 4 << 20 else None


def control_flood(run):
    """200,000 requests on 50 connections that read nothing."""
    request = frame(b'', 1) + frame(cbor2.dumps({'op': 'describe'}))
    peers = [connect(f'{run}/control', b'DEALER') for _ in range(50)]
    each = 200000 // len(peers)
    left = {peer: each * request for peer in peers if peer is not None}
    for peer in left:
        peer.setblocking(False)
    end = time.monotonic() + (10 if LONG else 5)
    while left and time.monotonic() < end:
        for peer in list(left):
            try:
                left[peer] = left[peer][peer.send(left[peer][:65536]):]
            except BlockingIOError:
                pass
            except OSError:
                left[peer] = b''
            if not left[peer]:
                del left[peer]
    while time.monotonic() < end and any(unread(peer) for peer in peers):
        time.sleep(0.01)
    return None


NAMES = ('live', 'control', 'replay')
ATTACKS = (connections, subscriptions_100, subscriptions_1000, old_subscriptions, large_subscription,
           endless_on_control, endless_on_replay, endless_small_parts, control_flood)


# --- the good instruments --------------------------------------------------------------------------------

class Arrivals:
    """When frames of one instrument arrive at a good subscriber, in a process of its own."""

    def __init__(self, endpoint, of=b'/'):
        self.queue = multiprocessing.Queue()
        self.ended = multiprocessing.Event()
        self.process = multiprocessing.Process(target=self.run, args=(endpoint, of), daemon=True)
        self.process.start()
        self.queue.get(timeout=30)

    def run(self, endpoint, of):
        sub = zmq.Context().socket(zmq.SUB)
        sub.reconnect_ivl = 10
        sub.subscribe('a1/')
        sub.connect(endpoint)
        last, worst, after = {}, 0, {}
        # The daemon may still have to do with an attack that is over: so many frames more of each instrument.
        while not last or not self.ended.is_set() or min(after.values()) < FRAMES_AFTER:
            if sub.poll(50):
                topic, data = sub.recv_multipart()
                if b'/head/' in topic or of not in topic or cbor2.loads(cbor2.loads(data)[6])['type'] != 'frame':
                    continue
                if not last:
                    self.queue.put('ready')
                last[topic] = time.monotonic()
                after[topic] = after.get(topic, 0) + 1 if self.ended.is_set() else 0
            if last:
                worst = max(worst, time.monotonic() - min(last.values()))
        self.queue.put(worst)

    def gap(self):
        self.ended.set()
        return self.queue.get(timeout=60)


def memory(lab, what):
    text = open(f'/proc/{lab.daemon.pid}/status').read()
    return int(re.search(rf'{what}:\s+(\d+)', text)[1]) << 10


def result_of(attack, run, results):
    results.put((attack.__name__, attack(run)))


def start_attack(lab, attack, results):
    attacker = multiprocessing.Process(target=result_of, args=(attack, str(lab.dir / 'run'), results), daemon=True)
    attacker.start()
    return attacker


def try_once(lab, attacks):
    """All of them at the same time: the worst gap, and the memory that was added."""
    arrivals = Arrivals(lab.live)
    with open(f'/proc/{lab.daemon.pid}/clear_refs', 'w') as file:
        file.write('5')  # the highest resident size starts from now
    before = memory(lab, 'VmRSS')
    results = multiprocessing.Queue()
    attackers = [start_attack(lab, attack, results) for attack in attacks]
    for _ in attackers:
        name, fault = results.get(timeout=120)
        if fault is not None:
            raise Failure(f'{name}: {fault}')
    for attacker in attackers:
        attacker.join(30)
    if lab.daemon.poll() is not None:
        raise Failure(f'the daemon ended with {lab.daemon.returncode}')
    return arrivals.gap(), memory(lab, 'VmHWM') - before


def defends(lab, *attacks):
    name, gaps = ' '.join(attack.__name__ for attack in attacks), []
    for _ in range(TRIES):
        gap, added = try_once(lab, attacks)
        print(f'{name}: worst gap {gap - PERIOD:.3f} s past the period, {added >> 20} MiB', flush=True)
        if added > MEMORY_MAX:
            raise Failure(f'{name}: {added >> 20} MiB')
        gaps.append(gap)
        if gap <= GAP_MAX + PERIOD:
            break
    else:
        raise Failure(f'{name}: gaps {gaps}')
    wait_for('control answers', lab.alive, 10)


def short_runs():
    """An instrument whose runs have one frame, without a pause: its records are limited, the other's frames come in time."""
    with Lab(paths) as lab:
        lab.start({'instruments': {'gen-0': instrument(0), 'hasty': {**instrument(1, frames=1, period='0 s'), 'acquire': {'mode': 'repeat'}}}})
        lab.wait_frames('gen-0', 2)
        wait_for('the worker has to wait', lambda: 'and has to wait' in lab.log())
        begin, count = time.monotonic(), len(lab.subscriber.raw())
        arrivals = Arrivals(lab.live, b'/gen-0/')
        wait_for('it waited for some seconds', lambda: time.monotonic() > begin + 4)
        gap, seconds = arrivals.gap(), time.monotonic() - begin
        rate = (len(lab.subscriber.raw()) - count) / seconds
        print(f'short runs: worst gap {gap - PERIOD:.3f} s past the period, {rate:.0f} entries/s', flush=True)
        assert rate < 600, rate  # 50 runs a second: records, a frame and states of each
        assert gap <= 5 * GAP_MAX, gap
        lab.stop()


def descriptors(lab):
    """Few more than it uses: connections are refused, and the daemon still starts a worker."""
    used = max(int(fd) for fd in os.listdir(f'/proc/{lab.daemon.pid}/fd'))
    resource.prlimit(lab.daemon.pid, resource.RLIMIT_NOFILE, (used + 80, used + 80))
    results = multiprocessing.Queue()
    start_attack(lab, connections, results)
    wait_for('a connection is refused', lambda: 'connections refused' in lab.log())
    pid = lab.instrument('gen-0')['pid'] if lab.alive() else None
    if pid:
        os.kill(pid, 9)
    results.get(timeout=60)
    wait_for('the worker is started again', lambda: lab.alive() and lab.instrument('gen-0')['pid'] not in (0, pid))


def instrument(number, **settings):
    return {'driver': 'misbehave', 'link': {'type': 'none'}, 'acquire': {'mode': 'continuous'},
            'settings': {'period': f'{PERIOD} s', 'serial': f'G-{number}', **settings}}


def limits_are_raised(lab):
    soft, hard = resource.prlimit(lab.daemon.pid, resource.RLIMIT_NOFILE)
    assert soft == hard, (soft, hard)


paths = paths_from(sys.argv[2:])
only = paths.get('only')
with Lab(paths) as lab:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    lab.start({'instruments': {f'gen-{i}': instrument(i) for i in range(6)}})
    for i in range(6):
        lab.wait_frames(f'gen-{i}', 2)
    limits_are_raised(lab)
    lab.subscriber.stop()
    for attack in ATTACKS:
        if only is None or only == attack.__name__:
            defends(lab, attack)
    for other in ATTACKS[1:] if LONG else ():  # a refused connection is no attack: not the first
        defends(lab, control_flood, other)
    if only is None or only == 'descriptors':
        descriptors(lab)
    lab.stop()
if only is None or only == 'short_runs':
    short_runs()
