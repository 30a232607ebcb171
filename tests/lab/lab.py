# SPDX-License-Identifier: Apache-2.0
"""A laboratory for tests: the real daemon, real simulators, a real subscriber, in a folder of its own.

    with Lab(paths) as lab:
        lab.sim('amptek-dp5', '--udp', '127.0.0.1:0')
        lab.start({'instruments': {...}})
        frame = lab.wait_frame('xrf-1')

Nothing here sleeps for a fixed time: every wait polls for its condition and has a deadline.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import cbor2
import zmq

DEADLINE = 30 if 'ASAN_OPTIONS' not in os.environ else 60


class Failure(AssertionError):
    pass


def wait_for(what, condition, seconds=DEADLINE):
    """Polls until condition() is true and returns its value; fails with `what` otherwise."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f'not within {seconds} s: {what}')
        time.sleep(0.01)


class Entry:
    """An entry as subscribers get it: place in the journal, the record, and the bytes."""

    def __init__(self, topic, data):
        self.bytes = data
        (self.version, self.journal, self.seq, self.prev, self.tc, self.topic, body) = cbor2.loads(data)
        self.record = cbor2.loads(body)
        self.body = body
        if self.topic != topic:
            raise Failure(f'the envelope says {topic}, the entry {self.topic}')

    type = property(lambda self: self.record['type'])
    key = property(lambda self: self.record.get('inst', {}).get('key'))


class Subscriber(threading.Thread):
    """Collects everything that is published."""

    def __init__(self, endpoint, prefixes=('a1/',), hwm=0):
        super().__init__(daemon=True)
        self.entries, self.heads = [], []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.set_hwm(hwm)
        self.socket.reconnect_ivl = 10
        for prefix in prefixes:
            self.socket.subscribe(prefix)
        self.socket.connect(endpoint)

    def run(self):
        while not self.ended.is_set():
            if not self.socket.poll(50):
                continue
            topic, data = self.socket.recv_multipart()
            topic = topic.decode()
            with self.lock:
                if topic.startswith('a1/head/'):
                    self.heads.append(cbor2.loads(data))
                else:
                    self.entries.append((topic, data))
        self.socket.close(linger=0)

    def stop(self):
        self.ended.set()
        self.join()

    def raw(self):
        with self.lock:
            return list(self.entries)

    def all(self):
        return [Entry(topic, data) for topic, data in self.raw()]


class Sim:
    """A simulated instrument: assay-sim, with faults switched at run time."""

    def __init__(self, lab, number, model, *args):
        self.lab, self.dir = lab, lab.dir
        self.control = str(lab.dir / f'sim-{number}.ctl')
        self.truth = lab.dir / f'sim-{number}.truth'
        self.log = open(lab.dir / f'sim-{number}.log', 'w')
        self.args = [lab.paths['sim'], model, '--control', self.control, '--truth', str(self.truth), *args]
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, stderr=self.log, text=True)
        ready = self.process.stdout.readline()
        if not ready.startswith('ready '):
            raise Failure(f'{model} is not ready: {ready!r}, see {self.log.name}')
        self.endpoint = ready.split()[-1]
        self.port = int(self.endpoint.rsplit(':', 1)[1]) if ':' in self.endpoint else 0

    def fault(self, *faults):
        subprocess.run([self.lab.paths['sim'], 'fault', '--control', self.control, *faults],
                       check=True, timeout=10, stdout=subprocess.DEVNULL)

    def truths(self):
        lines = self.truth.read_text().splitlines() if self.truth.exists() else []
        return [json.loads(line) for line in lines if line.endswith('}')]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        self.process.stdout.close()
        self.log.close()


class Manager(threading.Thread):
    """Stands in for systemd: reads the messages of sd_notify all the time, or the daemon would block."""

    def __init__(self, lab, watchdog):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(lab.dir / 'notify'))
        self.messages = []
        lab.env.update(NOTIFY_SOCKET=str(lab.dir / 'notify'), WATCHDOG_USEC=str(watchdog * 1000000))
        self.start()

    def run(self):
        while True:
            self.messages.append(self.socket.recv(4096).decode())

    def count(self, word):
        return sum(word in text for text in list(self.messages))

    def wait(self, word, count=1):
        wait_for(f'the service manager gets {word}', lambda: self.count(word) >= count)

    def wait_more(self, word, more):
        self.wait(word, self.count(word) + more)


class Lab:
    def __init__(self, paths, keep=False):
        self.paths = paths
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='assay-'))
        self.keep = keep
        self.sims, self.daemon, self.subscriber = [], None, None
        self.bus = []            # the command that runs the daemon on a machine with USB devices
        self.is_damaged = False  # the test damages the journal: a check of it finds that
        self.env, self.options = {}, []
        self.sockets = {}        # more of that section

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
        if kind is None:
            self.check_journal()
            self.check_calls()
        else:
            log = self.dir / 'assayd.log'
            print('--- assayd.log ---', file=sys.stderr)
            print('\n'.join(log.read_text().splitlines()[-60:]) if log.exists() else '-', file=sys.stderr)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def close(self):
        if self.daemon is not None and self.daemon.poll() is None:
            self.stop()
        if self.subscriber is not None:
            self.subscriber.stop()
            self.subscriber = None
        for sim in self.sims:
            sim.stop()

    # --- instruments -----------------------------------------------------------------------------

    def sim(self, model, *args):
        sim = Sim(self, len(self.sims) + 1, model, *args)
        self.sims.append(sim)
        return sim

    def usb_sim(self, model, *args):
        """One on USB, which is there when the daemon starts; its `place` is the `path` of a link."""
        self.bus = self.bus or ['umockdev-wrapper', self.paths['usb-bus']]
        place = f'1-{self.bus.count("--device") + 1}'
        sim = self.sim(model, '--usb-socket', str(self.dir / place), *args)
        sim.place = place
        self.bus += ['--device', sim.endpoint]
        return sim

    # --- the daemon ------------------------------------------------------------------------------

    def configure(self, config):
        """Writes the configuration; JSON is YAML, and marks stay right."""
        whole = {
            'laboratory': {'site': 'ccl-test', 'node': 'bench-1'},
            'journal': {'path': str(self.dir / 'state'), 'sync': 'always'},
            'sockets': {'dir': str(self.dir / 'run'), **self.sockets},
        }
        for section, value in config.items():
            whole[section] = {**whole.get(section, {}), **value}
        self.config = self.dir / 'assayd.yaml'
        self.config.write_text(json.dumps(whole, indent=2) + '\n')
        (self.dir / 'run').mkdir(exist_ok=True)
        profiles = self.dir / 'profiles'
        if not profiles.exists():
            profiles.symlink_to(self.paths['profiles'])

    def start(self, config=None, ready=True):
        if config is not None:
            self.configure(config)
        log = open(self.dir / 'assayd.log', 'a')
        env = {**os.environ, 'XDG_STATE_HOME': str(self.dir / 'elsewhere'), **self.env}
        self.daemon = subprocess.Popen(
            [*self.bus, self.paths['assayd'], '--config', str(self.config), '--worker', self.paths['worker'],
             '--drivers', self.paths['drivers'], *self.options], stderr=log, stdin=subprocess.DEVNULL, env=env)
        log.close()
        if self.subscriber is None:
            self.subscriber = Subscriber(self.live)
            self.subscriber.start()
        if ready:
            wait_for('the daemon answers', self.alive)

    live = property(lambda self: f'ipc://{self.dir}/run/live')
    control = property(lambda self: f'ipc://{self.dir}/run/control')
    replay = property(lambda self: f'ipc://{self.dir}/run/replay')

    def alive(self):
        if self.daemon.poll() is not None:
            raise Failure(f'assayd ended with {self.daemon.returncode}')
        try:
            return self.ask({'op': 'status'}, seconds=1)['ok']
        except Failure:
            return False

    def stop(self, seconds=DEADLINE):
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(seconds)
        if code != 0:
            raise Failure(f'assayd ended with {code}')

    def kill(self):
        self.daemon.kill()
        self.daemon.wait(10)

    def check_journal(self):
        """After any number of lives, however they ended, `assayctl journal check` finds nothing."""
        if self.daemon is not None and not self.is_damaged:
            path = json.loads(self.config.read_text())['journal']['path']
            self.ctl('journal', 'check', '--path', path)

    def check_calls(self):
        """No worker makes a system call that is refused, except drivers of tests that try it."""
        log = self.dir / 'assayd.log'
        for line in log.read_text().splitlines() if log.exists() else []:
            if re.search(': the system call .* was refused', line) and not re.search(': driver (eager|hostile|misbehave), ', line):
                raise Failure(line)

    def ask(self, request, seconds=DEADLINE):
        socket = zmq.Context.instance().socket(zmq.REQ)
        try:
            socket.linger = 0
            socket.connect(self.control)
            socket.send(cbor2.dumps(request))
            if not socket.poll(seconds * 1000):
                raise Failure(f'no answer to {request}')
            return cbor2.loads(socket.recv())
        finally:
            socket.close(linger=0)

    def ctl(self, *args, code=0):
        done = subprocess.run([self.paths['assayctl'], '--dir', str(self.dir / 'run'), *args],
                              capture_output=True, text=True, timeout=DEADLINE * 2)
        if code is not None and done.returncode != code:
            raise Failure(f'assayctl {args}: {done.returncode}: {done.stdout}{done.stderr}')
        return done

    def log(self):
        return (self.dir / 'assayd.log').read_text()

    def instrument(self, key):
        return next(i for i in self.ask({'op': 'status'})['instruments'] if i['key'] == key)

    def wait_state(self, key, state, seconds=DEADLINE):
        wait_for(f'{key} is {state}', lambda: self.instrument(key)['state'] == state, seconds)

    def open_run(self, key, other_than=None):
        """The number of its open run; `busy` comes before that is committed."""
        def number():
            run = self.instrument(key).get('run')
            return run and run['number'] != other_than and run['number']
        return wait_for(f'an open run on {key}', number)

    # --- published entries -----------------------------------------------------------------------

    def entries(self, key=None, type=None):
        return [e for e in self.subscriber.all()
                if (key is None or e.key == key) and (type is None or e.type == type)]

    def frames(self, key):
        return self.entries(key, 'frame')

    def wait_entries(self, key, type, count=1, seconds=DEADLINE):
        wait_for(f'{count} {type} of {key}', lambda: len(self.entries(key, type)) >= count, seconds)
        return self.entries(key, type)

    def wait_frames(self, key, count=1, seconds=DEADLINE):
        return self.wait_entries(key, 'frame', count, seconds)


def lint(lab):
    """Everything that was published passes the checker that people have too."""
    file = lab.dir / 'published.cbor'
    file.write_bytes(b''.join(data for _, data in lab.subscriber.raw()))
    return lab.ctl('lint', str(file)).stdout


def check_links(entries):
    """prev and seq without gaps, per journal and topic; seq contiguous per journal."""
    last, seqs = {}, {}
    for e in entries:
        prev = last.get((e.journal, e.topic))
        if prev is not None and e.prev != prev:
            raise Failure(f'{e.topic}: entry {e.seq} says prev {e.prev}, the one before was {prev}')
        last[(e.journal, e.topic)] = e.seq
        before = seqs.get(e.journal)
        if before is not None and e.seq != before + 1:
            raise Failure(f'entry {e.seq} follows {before}')
        seqs[e.journal] = e.seq


TYPED = {64: 'u1', 69: '<u2', 70: '<u4', 71: '<u8', 72: 'i1', 77: '<i2', 78: '<i4', 79: '<i8', 85: '<f4', 86: '<f8'}


def values(variable):
    """A variable's data as a plain number, text or list."""
    import numpy
    data = variable['data']
    if isinstance(data, cbor2.CBORTag) and data.tag in TYPED:
        return numpy.frombuffer(data.value, dtype=TYPED[data.tag])
    if isinstance(data, dict):
        return data['start'] + data['step'] * numpy.arange(data['n'])
    return data


def crc_table():
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82f63b78 if n & 1 else 0)
        yield n


CRC_TABLE = list(crc_table())


def crc32c(begin, data):
    """The checksum of journals and recordings: continues `begin` with `data`."""
    value = begin ^ 0xffffffff
    for byte in data:
        value = (value >> 8) ^ CRC_TABLE[(value ^ byte) & 0xff]
    return value ^ 0xffffffff


def paths_from(argv):
    """The programs, as meson gives them: NAME=PATH ..."""
    return dict(arg.split('=', 1) for arg in argv)
