# SPDX-License-Identifier: Apache-2.0
"""assayctl watch on a terminal: every line fits, every key acts, and old numbers do not pass for present ones.

Usage: check-watch.py ASSAYCTL. A daemon of a few lines publishes.
"""

import fcntl
import math
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time

import cbor2
import pyte

from fake import HOSTILE, UTC, Daemon, Terminal, frame, good, instrument

WIDE = '試料の容器が空です' * 12
MOVES = re.compile('[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e]')
ALLOWED = re.compile(r'\x1b\[(H|2J|K|0m|2m|7m|1;31m|\?7[hl]|\?25[hl]|\?1049[hl])|\r\n')
LONG = 'a-very-long-instrument-name-{:04}'


def watch(*args, columns=80, rows=24, zone='Europe/Berlin'):
    return Terminal([assayctl, '--dir', str(folder), 'watch', *args], columns, rows, {'TZ': zone})


def quit(terminal):
    terminal.type('q')
    terminal.end()


def array(values):
    return cbor2.CBORTag(86, struct.pack(f'<{len(values)}d', *values))


def spectrum(key, values):
    return frame(key, [
        {'name': 'counts', 'role': 'data', 'dims': ['energy'], 'unit': '{count}', 'data': array(values)},
        {'name': 'energy', 'role': 'axis', 'dims': ['energy'], 'unit': 'keV', 'data': array([i * 0.02 for i in range(len(values))])}],
        'spectrum')


def check_lines(daemon):
    """Nothing wraps at any width, whether the terminal obeys or not, and nothing of an instrument moves the cursor."""
    sizes = ((20, 10), (41, 24), (80, 24), (81, 24), (260, 30))
    for count in (4, 30):
        daemon.states = {LONG.format(i): ('busy', '') for i in range(count)}
        daemon.states[LONG.format(0)] = ('fault', HOSTILE * 20)
        daemon.states[LONG.format(count - 1)] = ('fault', WIDE)
        for terminal in [watch(columns=columns, rows=rows) for columns, rows in sizes]:
            columns, rows = terminal.screen.columns, terminal.screen.lines
            terminal.wait_for(LONG.format(0)[:columns - 2])
            terminal.wait_for('fault' if columns > 40 else '>')
            quit(terminal)
            rest = ALLOWED.sub('', terminal.raw.decode())
            assert not MOVES.search(rest) and '\x1b' not in rest, rest
            again = pyte.Screen(columns, rows)
            pyte.ByteStream(again).feed(terminal.raw.replace(b'\x1b[?7l', b''))
            assert again.display == terminal.screen.display, (columns, count, again.display, terminal.text)
            assert re.match(r'\d{4}-', terminal.lines[0]), terminal.text
            shown = sum(line[1:].startswith('a-very-long') for line in terminal.lines)
            assert shown >= min(count, rows - 2, 10), (columns, rows, count, terminal.text)


def check_keys(daemon):
    daemon.states = {f'gas-{i:02}': ('busy', '') for i in range(20)}
    terminal = watch()
    terminal.wait_for('>gas-00')
    terminal.wait_for('1-11 of 20')
    for key, chosen in (('j', '01'), ('\x1b[B', '02'), ('\x1bOB', '03'), ('k', '02'), ('\x1b[A', '01'), ('\x1bOA', '00'),
                        ('k', '00'), ('\x1b[6~', '10'), ('\x1b[6~', '19'), ('j', '19'), ('\x1b[5~', '09')):
        terminal.type(key)
        terminal.wait_for(f'>gas-{chosen}')
        terminal.wait(lambda: sum('>' in line for line in terminal.lines) == 1, f'one mark, at {chosen}')
    terminal.type('\x1b')
    terminal.type('[')
    terminal.type('A')     # in three parts
    terminal.wait_for('>gas-08')
    for key, words in (('l', 'logarithmic'), ('l', 'square root'), ('l', 'linear'), ('+', 'linear, zoomed'), ('\x1b[C', 'zoomed'),
                       ('0', 'linear'), ('?', 'ten instruments at once'), ('?', '>gas-08'), ('d', '>gas-08')):
        terminal.type(key)
        terminal.wait_for(words)
    terminal.wait(lambda: sum('gas-' in line for line in terminal.lines) == 20, 'the list of all')
    fcntl.ioctl(terminal.inner, termios.TIOCSWINSZ, struct.pack('HHHH', 12, 60, 0, 0))
    terminal.screen.resize(12, 60)
    terminal.wait_for('of 20')
    quit(terminal)
    for signal in (2, 15):
        terminal = watch()
        terminal.wait_for('>gas-00')
        terminal.process.send_signal(signal)
        terminal.end()


def check_plot(daemon):
    """The axis has ticks and a name for people; a logarithm shows a line that is 3000 times smaller; zooming shows a part."""
    line = lambda place, height: [height * math.exp(-(i - place) ** 2 / 50) for i in range(1024)]
    daemon.states, daemon.extra = {}, [spectrum('xrf-1', [a + b for a, b in zip(line(200, 30000), line(800, 10))])]
    terminal = watch()
    terminal.wait_for('counts over energy [keV], linear')
    numbers = lambda: [float(word) for word in terminal.lines[-2].split()]
    terminal.wait(lambda: numbers()[:5] == [0, 5, 10, 15, 20], 'the ticks')
    top = next(row for row, text in enumerate(terminal.lines) if 'counts over' in text) + 1
    place = 11 + 800 * 68 // 1024
    column = lambda: ''.join(text[place - 1:place + 2] for text in terminal.screen.display[top:-3])
    assert not column().strip() and ' 3e+04' in terminal.lines[top], terminal.text
    terminal.type('l')
    terminal.wait(lambda: 'logarithmic' in terminal.text and column().strip(), 'the small line')
    terminal.type('l+')
    terminal.wait(lambda: numbers() and min(numbers()) > 5 and max(numbers()) < 16, 'the zoomed part')
    terminal.type('\x1b[D\x1b[D')
    terminal.wait(lambda: numbers() and min(numbers()) == 0 and max(numbers()) <= 10.5, 'the left part')
    quit(terminal)
    daemon.extra = []


def check_run(daemon):
    """Run, sample, operator, the time that has passed and that is left; and paused, nothing moves."""
    number = 'bench-3/xrf-1/20261122-007'
    now = time.time_ns()
    record = {'type': 'run-start', 'settings': {'preset_time': {'v': 600, 'u': 's'}}}
    daemon.run_facts = {'sample': 'LAB-' + HOSTILE, 'operator': 'kim', 'start': now - 61 * 10**9, 'run_start': record}
    daemon.states, daemon.reply = {'xrf-1': ('busy', '')}, good([instrument('xrf-1', run={'number': number, 'start': now, 'frames': 1})])
    terminal = watch()
    terminal.wait_for(f'run {number}  sample LAB-a?[31m')
    terminal.wait(lambda: re.search(r'since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d CES?T \(.*Z\), 1:\d\d of 10:00', terminal.text), 'the times')
    terminal.wait_for('good')
    terminal.type('p')
    terminal.wait_for('PAUSED')
    daemon.extra = [frame('xrf-1', [{'name': 'other', 'role': 'data', 'dims': [], 'unit': '1', 'data': 7}])]
    terminal.wait(lambda: 'of 10:00' in terminal.text and '1:03 of' in terminal.text, 'a second that passes')
    assert 'v0 0.5 g' in terminal.text and 'other' not in terminal.text, terminal.text
    terminal.type(' ')
    terminal.wait_for('other 7')
    quit(terminal)
    daemon.extra, daemon.reply, daemon.run_facts = [], None, {}


def check_old(daemon):
    """A fault is shown with its time, and first in the list; rate, quality and values of before are grey."""
    daemon.states = {'bal-1': ('busy', ''), 'bal-2': ('busy', '')}
    terminal = watch()
    terminal.wait_for('/s  good')
    assert b'\x1b[2m  ' not in terminal.raw, terminal.raw
    daemon.states = {'bal-1': ('busy', ''), 'bal-2': ('fault', 'no answer')}
    terminal.wait_for('>bal-1')
    terminal.wait_for(' bal-2')
    terminal.wait(lambda: terminal.lines[1].startswith(' bal-2') and 'since 11-22 09:15+01  no answer' in terminal.lines[1], 'the fault')
    assert '1 at fault' in terminal.lines[0], terminal.text
    picture = lambda: terminal.raw.decode().split('\x1b[H')[-2]
    terminal.wait(lambda: re.search(r'no answer\x1b\[0m\x1b\[2m  [0-9.]+/s\x1b\[0m\x1b\[2m  good\x1b\[0m', picture()), 'a grey rate')
    assert re.search(r'bal-1 .*s  good  v0', picture()), picture()
    daemon.is_quiet = True
    terminal.wait(lambda: re.search(r'busy   \x1b\[2m  [0-9.]+/s', picture()), 'a grey rate')
    daemon.is_quiet = False
    quit(terminal)
    began = time.monotonic()
    wrong = subprocess.run([assayctl, '--dir', str(folder), 'watch', 'nope'], capture_output=True, text=True, timeout=30)
    assert wrong.returncode == 1 and 'there is no instrument nope' in wrong.stderr and time.monotonic() - began < 5, wrong
    plain = subprocess.run([assayctl, '--dir', str(folder), 'watch', '--seconds', '1'], capture_output=True, text=True, timeout=30)
    assert plain.returncode == 0 and '\x1b' not in plain.stdout and re.search('bal-2 .*no answer\n', plain.stdout), plain


assayctl = sys.argv[1]
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    daemon = Daemon(folder)
    daemon.start()
    for check in (check_keys, check_plot, check_run, check_old, check_lines):
        began = time.monotonic()
        check(daemon)
        print(f'{check.__name__}: {time.monotonic() - began:.1f} s')
