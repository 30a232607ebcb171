# SPDX-License-Identifier: Apache-2.0
"""assayctl on a terminal: why nothing answers, lines that fit, and nothing of an instrument that moves the cursor.

Usage: check-terminal.py ASSAYCTL. A daemon of a few lines answers, and publishes.
"""

import fcntl
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import cbor2
import zmq

JOURNAL = bytes(range(16))
UTC = 1795335330123456789
HOSTILE = 'a\x1b[31m\x9b31m\u202eb\nc'
MOVES = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]')


def run(*args, code=0, **more):
    began = time.monotonic()
    done = subprocess.run([assayctl, '--dir', str(folder), *args], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == code, done
    assert not MOVES.search(done.stdout + done.stderr), done
    return done.stdout, done.stderr, time.monotonic() - began


def check_silence():
    """Without a daemon, or without permission, every command says at once what to do."""
    listener = socket.socket(socket.AF_UNIX)
    stale = socket.socket(socket.AF_UNIX)
    commands = (['status'], ['run', 'list'], ['replay'], ['cursor', 'list'], ['watch', '--seconds', '0'],
                ['export', '--format', 'json', '--from', '1h', '--to', str(folder / 'x')])
    for name in ('control', 'replay'):
        for kind in ('none', 'stale'):
            if kind == 'stale':
                stale = socket.socket(socket.AF_UNIX)
                stale.bind(str(folder / name))
                stale.close()
            for command in commands:
                _, said, took = run(*command, code=0 if command[0] == 'watch' else 1)
                assert 'assayd is not running' in said and 'systemctl start assayd' in said and took < 3, (command, said, took)
        (folder / name).unlink()
    listener.bind(str(folder / 'control'))
    listener.listen(8)
    os.chmod(folder / 'control', 0)
    other = {'user': 65534, 'group': 65534, 'extra_groups': []} if os.geteuid() == 0 else {}
    reachable = not other or subprocess.run([assayctl, 'help'], capture_output=True, **other).returncode == 0
    if reachable:
        _, said, took = run('status', code=1, **other)
        assert re.search(r'you are not in group \S+: sudo adduser \S+ \S+, then log in again', said) and took < 3, said
    listener.close()
    (folder / 'control').unlink()


class Daemon(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.states, self.runs = {}, []
        self.control, self.live = (zmq.Context.instance().socket(kind) for kind in (zmq.ROUTER, zmq.PUB))
        self.control.bind(f'ipc://{folder}/control')
        self.live.bind(f'ipc://{folder}/live')

    def answer(self, op):
        if op == 'status':
            return {'instruments': [{'key': key, 'state': 'busy', 'text': '', 'simulated': False} for key in self.states]}
        if op == 'run-start':
            return {'number': 'bench-3/xrf-1/20261122-007'}
        if op == 'run-show':
            return {'run': {'number': 'bench-3/xrf-1/20261122-007', 'instrument': 'xrf-1', 'frames': 0}}
        return {'runs': self.runs}

    def publish(self):
        for key, (state, text) in self.states.items():
            base = {'v': 1, 'id': JOURNAL, 't': {'utc': UTC, 'mono': 1, 'sync': 'ntp'},
                    'inst': {'key': key, 'make': 'm', 'model': 'm', 'serial': 's', 'source': 'read'}}
            frame = {'type': 'frame', **base, 'run': JOURNAL, 'ctx': bytes(32), 'n': 0, 'sim': False, 'q': {'flag': 1},
                     'kind': 'scalar', 'vars': [{'name': f'v{i}', 'role': 'data', 'dims': [], 'unit': 'g', 'data': i + 0.5}
                                                for i in range(40)]}
            for record in (frame, {'type': 'state', **base, 'sim': False, 'state': state, 'text': text}):
                topic = 'a1/data/xrf/site/node/x-1/'
                entry = cbor2.dumps([1, JOURNAL, 1, 0, UTC, topic, cbor2.dumps(record)])
                self.live.send_multipart([topic.encode(), entry])

    def run(self):
        while True:
            if self.control.poll(50):
                *envelope, body = self.control.recv_multipart()
                self.control.send_multipart([*envelope, cbor2.dumps({'ok': True, **self.answer(cbor2.loads(body)['op'])})])
            self.publish()


def check_watch(daemon):
    """The fault's text is shown, and not the quality and the values of the time before it."""
    daemon.states = {'bal-1': ('busy', ''), 'bal-2': ('fault', 'no answer: ' + HOSTILE), 'bal-3': ('idle', 'another unit')}
    out = run('watch', '--seconds', '2')[0].split('last entry')[-1].splitlines()
    lines = {line.split()[0]: line for line in out if line.startswith('bal-')}
    assert all(len(line) <= 100 for line in out), out
    assert 'fault' in lines['bal-2'] and 'no answer: a?[31m' in lines['bal-2'], lines
    assert 'good' not in lines['bal-2'] and 'v0' not in lines['bal-2'] and '/s' not in lines['bal-2'], lines
    assert '/s  good' in lines['bal-1'] and 'v0 0.5 g' in lines['bal-1'], lines
    assert 'another unit  good' in lines['bal-3'], lines
    assert 'there is no instrument nope' in run('watch', 'nope', code=1)[1]


def on_terminal(seconds):
    """The pictures that watch draws on a terminal of 80 columns and 24 lines."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    process = subprocess.Popen([assayctl, '--dir', str(folder), 'watch', '--seconds', seconds], stdin=inner, stdout=inner)
    os.close(inner)
    drawn = b''
    try:
        while part := os.read(terminal, 65536):
            drawn += part
    except OSError:
        pass    # closed by the last program that had it
    os.close(terminal)
    assert process.wait(30) == 0
    return drawn.decode('utf-8').replace('\r', '').split('\033[H\033[2J')[1:]


def check_screen(daemon):
    """Nothing wraps and nothing scrolls off, however many instruments there are."""
    for count in (1, 4, 20, 30):
        daemon.states = {f'a-very-long-instrument-name-{i:04}': ('busy', '') for i in range(count)}
        picture = on_terminal('1')[-1]
        lines = picture.splitlines()
        assert len(lines) < 24 and all(len(line) <= 80 for line in lines), (count, len(lines), picture)
        shown = sum(line.startswith('a-very') for line in lines)
        assert shown == min(count, 21), (count, picture)
        assert (f'{count - shown} more' in picture) is (count > shown), picture


def check_wait():
    """Ctrl-C ends the waiting, not the run, and assayctl reports that."""
    process = subprocess.Popen([assayctl, '--dir', str(folder), 'run', 'start', 'xrf-1', '--wait'], text=True, bufsize=1,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith('started ')
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1 and 'goes on' in said and 'run stop xrf-1' in said, (process.returncode, said)
    assert "did you mean 'run stop'?" in run('stop', code=2)[1]


def check_list(daemon):
    row = {'number': 'bench-3/xrf-1/20261122-007', 'instrument': 'xrf-1', 'start': UTC, 'status': 'lost-device',
           'frames': 1, 'quality': 'unchecked', 'sample': 'LAB-2027-00451', 'operator': HOSTILE, 'sim': False}
    daemon.runs = [row, {**row, 'sample': HOSTILE}, {**row, 'sample': 'none', 'quality': 'good', 'status': ''}]
    lines = run('run', 'list')[0].splitlines()
    assert len(lines) == 4 and all(len(line) <= 80 for line in lines), lines
    assert ' 08:15 lost-device ' in lines[1] and 'unchecked LAB-2027-00451' in lines[1] and 'a?[31m' in lines[2] and lines[3].endswith(' -') and ' open ' in lines[3], lines
    for wrong in ('abc', '0', '-1', '1.5'):
        assert '--limit' in run('run', 'list', '--limit', wrong, code=2)[1]


assayctl = sys.argv[1]
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    folder.chmod(0o755)
    check_silence()
    for length in (120, 400):
        said = subprocess.run([assayctl, '--dir', '/' + 'x' * length, 'status'], capture_output=True, text=True).stderr
        assert 'at most 107 bytes' in said, said
    daemon = Daemon()
    daemon.start()
    check_watch(daemon)
    check_screen(daemon)
    check_wait()
    check_list(daemon)
