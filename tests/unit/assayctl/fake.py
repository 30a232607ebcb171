# SPDX-License-Identifier: Apache-2.0
"""A daemon of a few lines for tests of assayctl, and a terminal that keeps its picture."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import threading
import time

import cbor2
import pyte
import zmq

JOURNAL = bytes(range(16))
UTC = 1795335330123456789   # 2026-11-22 08:15:30
HOSTILE = 'a\x1b[31m\x9b31m\u202eb\nc'


def instrument(key, state='busy', text='', **more):
    return {'key': key, 'driver': 'd', 'link': 'l', 'simulated': False, 'state': state, 'text': text, 'since': UTC,
            'frames': 0, **more}


def good(instruments):
    return {'site': 'site', 'node': 'bench-3', 'version': '1', 'started': UTC, 'journal': {
        'path': '/var/lib/assayd', 'disk': 'ok', 'head': 7, 'free': 1 << 40}, 'instruments': instruments}


class Daemon(threading.Thread):
    """Answers requests, and publishes for each of `states` a frame and the state."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.states, self.runs, self.reply, self.extra = {}, [], None, []
        self.asked, self.refusal, self.run_facts, self.is_quiet = [], None, {}, False
        self.control, self.live = (zmq.Context.instance().socket(kind) for kind in (zmq.ROUTER, zmq.PUB))
        self.control.bind(f'ipc://{folder}/control')
        self.live.bind(f'ipc://{folder}/live')

    def answer(self, request):
        op = request['op']
        if op == 'status':
            return self.reply or good([instrument(key) for key in self.states])
        if op == 'run-start':
            return {'number': 'bench-3/xrf-1/20261122-007'}
        if op == 'run-show':
            return {'run': {'number': 'bench-3/xrf-1/20261122-007', 'instrument': 'xrf-1', 'frames': 0, **self.run_facts}}
        return {'runs': self.runs}

    def send(self, record, topic='a1/data/xrf/site/node/x-1/'):
        entry = cbor2.dumps([1, JOURNAL, 1, 0, UTC, topic, cbor2.dumps(record)])
        self.live.send_multipart([topic.encode(), entry])

    def publish(self):
        for key, (state, text) in list(self.states.items()):
            self.send(frame(key, [{'name': f'v{i}', 'role': 'data', 'dims': [], 'unit': 'g', 'data': i + 0.5}
                                  for i in range(40)]))
            self.send({'type': 'state', **base(key), 'sim': False, 'state': state, 'text': text})
        for record in list(self.extra):
            self.send(record)

    def run(self):
        while True:
            if self.control.poll(100):
                *envelope, body = self.control.recv_multipart()
                request = cbor2.loads(body)
                self.asked.append(request)
                reply = {'ok': True, **self.answer(request)}
                if self.refusal is not None:
                    reply = {'ok': False, 'error': {'code': 'busy', 'text': self.refusal}}
                self.control.send_multipart([*envelope, cbor2.dumps(reply)])
            if not self.is_quiet:
                self.publish()


def base(key):
    return {'v': 1, 'id': JOURNAL, 't': {'utc': UTC, 'mono': 1, 'sync': 'ntp'},
            'inst': {'key': key, 'make': 'm', 'model': 'm', 'serial': 's', 'source': 'read'}}


def frame(key, variables, kind='scalar'):
    return {'type': 'frame', **base(key), 'run': JOURNAL, 'ctx': bytes(32), 'n': 0, 'sim': False, 'q': {'flag': 1},
            'kind': kind, 'vars': variables}


class Terminal:
    """A program on a pseudo-terminal; `screen` is the picture, `lines` without blanks at the ends."""

    def __init__(self, args, columns=80, rows=24, env=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b''
        self.outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
        self.modes, self.inner = termios.tcgetattr(inner), inner    # before the program changes them
        self.process = subprocess.Popen(args, stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**os.environ, **(env or {})})

    lines = property(lambda self: [line.rstrip() for line in self.screen.display])
    text = property(lambda self: '\n'.join(self.lines))

    def read(self, seconds):
        if select.select([self.outer], [], [], seconds)[0]:
            part = os.read(self.outer, 65536)
            self.raw += part
            self.stream.feed(part)

    def wait(self, condition, name='the condition', seconds=20):
        """Until `condition()` is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f'{name} was not reached:\n{self.text}'
            self.read(0.1)

    def wait_for(self, words, seconds=20):
        self.wait(lambda: words in self.text, repr(words), seconds)

    def type(self, keys):
        os.write(self.outer, keys.encode())

    def end(self, code=0, seconds=20):
        """Until the program has ended; everything that it wrote is on the screen then."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f'it did not end:\n{self.text}'
            self.read(0.05)
        while select.select([self.outer], [], [], 0)[0]:
            self.read(0)
        is_same = termios.tcgetattr(self.inner) == self.modes
        os.close(self.inner)
        os.close(self.outer)
        assert self.process.returncode == code, (self.process.returncode, self.text)
        assert is_same, 'the terminal is not as it was'
