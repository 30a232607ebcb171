# SPDX-License-Identifier: Apache-2.0
"""assayctl on a terminal: why nothing answers, lines that fit, and nothing of an instrument that moves the cursor.

Usage: check-terminal.py ASSAYCTL. A daemon of a few lines answers, and publishes.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from fake import HOSTILE, UTC, Daemon

MOVES = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]')


def run(*args, code=0, **more):
    began = time.monotonic()
    done = subprocess.run([assayctl, '--dir', str(folder), *args], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == code, done
    assert not MOVES.search(done.stdout + done.stderr), done
    return done.stdout, done.stderr, time.monotonic() - began


def check_silence():
    """Without a daemon, or without permission, every command names the remedy at once."""
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
    assert ' 08:15Z   lost-device ' in lines[1] and 'unchecked LAB-2027-00451' in lines[1] and 'a?[31m' in lines[2] and lines[3].endswith(' -') and ' open ' in lines[3], lines
    for zone, start in (('Asia/Tokyo', '17:15+09 '), ('Asia/Kolkata', '13:45+0530'), ('Pacific/Kiritimati', '22:15+14 '),
                        ('America/New_York', '03:15-05 ')):
        line = run('run', 'list', env={**os.environ, 'TZ': zone})[0].splitlines()[1]
        assert f'-007 {start}' in line and len(line) <= (82 if '30' in start else 80), line
    daemon.runs = [{**row, 'number': 'bench-3/xrf-1/20261121-007'}]
    assert '20261121-007 11-22 17:15+09 ' in run('run', 'list', env={**os.environ, 'TZ': 'Asia/Tokyo'})[0]
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
    daemon = Daemon(folder)
    daemon.start()
    check_wait()
    check_list(daemon)
