# SPDX-License-Identifier: Apache-2.0
"""assayctl status: the verdict, each finding with its time and remedy, and one screen for 20 instruments.

Usage: check-status.py ASSAYCTL
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from fake import HOSTILE, UTC, Daemon, Terminal, good, instrument

DAY = 24 * 3600 * 10**9
SINCE = '2026-11-22 17:15:30 JST (08:15:30Z)'
TOKYO = {**os.environ, 'TZ': 'Asia/Tokyo'}


def with_journal(**more):
    reply = good([instrument('xrf-1', 'idle')])
    return {**reply, 'journal': {**reply['journal'], **more}}


def with_one(*args, **more):
    return good([instrument('xrf-1', *args, **more)])


def with_calibration(until):
    return {**good([]), 'clock': {'utc': UTC, 'sync': 'ntp'},
            'calibrations': [{'instrument': 'xrf-1', 'id': 'CAL-1', 'until': until}, {'method': 'm', 'id': 'CAL-2'}]}


CLOCK = {'clock': {'utc': UTC, 'sync': 'ntp'}}
# (the reply, the words of the finding or None, the words of its remedy, exit code)
CASES = [
    (good([instrument('xrf-1', 'idle')]), None, None, 0),
    (with_one('busy', run={'number': 'bench-3/xrf-1/20261122-007', 'start': UTC, 'frames': 1}), None, None, 0),
    (with_one('fault', 'no answer', code='ETIMEDOUT'), f'! xrf-1: fault since {SINCE}: no answer', 'power and cable', 3),
    (with_one('fault', 'no port', code='ENOENT'), '! xrf-1: fault', 'plug it in', 3),
    (with_one('fault', 'in use', code='EBUSY'), '! xrf-1: fault', 'close the other program', 3),
    (with_one('fault', 'not ours', code='identity'), '! xrf-1: fault', 'connect the configured unit', 3),
    (with_one('fault', 'odd', code='ESTRANGE'), '! xrf-1: fault', 'journalctl -u assayd', 3),
    ({**with_one('connecting'), **CLOCK}, f'- xrf-1: connecting since {SINCE}', 'power and cable', 0),
    ({**with_one('connecting', since=UTC - 61 * 10**9), **CLOCK}, '! xrf-1: connecting since 2026-11-22 17:14:29 JST', 'cable', 3),
    (with_one('maintenance'), f'- xrf-1: out of service since {SINCE}', 'assayctl maintenance xrf-1 off', 0),
    (with_one('idle', hazard=True), '- xrf-1: something harmful', 'keep away', 0),
    (with_one('idle', changed=True), '- xrf-1: settings were changed', 'assayctl describe xrf-1', 0),
    (with_one('idle', interrupted='n/x/1-1'), '- xrf-1: run n/x/1-1 was interrupted', 'assayctl run repeat n/x/1-1', 0),
    (with_journal(disk='low'), '! journal: DISK NEARLY FULL', 'never delete files of the journal', 3),
    (with_journal(disk='full'), '! journal: DISK NEARLY FULL', 'free space', 3),
    (with_journal(disk='failed'), '! journal: the disk FAILED', 'dmesg', 3),
    (with_journal(error='Input/output error'), '! journal: CANNOT COMMIT: Input/output error', 'assayctl doctor', 3),
    (with_journal(why='another machine'), '! new journal: another machine', 'findmnt -T /var/lib/assayd', 3),
    (with_journal(why='there was none'), '- new journal: there was none', 'mounted', 0),
    (with_journal(retention={'not_archived': 1 << 20}), '- retention: 1.0 MiB wait', 'assayctl archive', 0),
    (with_journal(retention={'not_passed': 1 << 20, 'held_by': 'lims'}), '- retention: 1.0 MiB are held by the cursor lims',
     'cursor forget lims', 0),
    ({**good([]), 'config_errors': 'assayd.yaml:3:4: wrong'}, '! THE CONFIGURATION IS WRONG', 'assayctl edit', 3),
    ({**good([]), 'live_queue': {'bytes': 1 << 25, 'full': True}}, '- live socket: 32 MiB wait', 'does not read', 0),
    ({**good([]), 'clock': {'utc': UTC, 'sync': 'none'}}, '- clock: it is not synchronised', 'timedatectl', 0),
    ({**good([]), 'clock': {'utc': UTC, 'sync': 'rtc', 'unread': True}}, '- clock: it is not known', 'restart assayd-clock', 0),
    (with_calibration(UTC), '! xrf-1: calibration CAL-1 has ended', 'calibrate', 3),
    (with_calibration(UTC + 29 * DAY), '- xrf-1: calibration CAL-1 ends in 29 days', 'calibrate', 0),
    (with_calibration(UTC + 31 * DAY), None, None, 0),
]


def status(daemon, reply, code, *args):
    daemon.reply = reply
    done = subprocess.run([assayctl, '--dir', str(folder), *args, 'status'], capture_output=True, text=True, timeout=60,
                          env=TOKYO)
    assert done.returncode == code and done.stderr == '', done
    return done.stdout


def check_findings(daemon):
    for reply, words, remedy, code in CASES:
        lines = status(daemon, reply, code).splitlines()
        found = [line for line in lines if line[0] in '!-']
        assert len(found) == (words is not None), (words, lines)
        assert lines[0].startswith('1 PROBLEM: ' if code else 'GOOD: '), lines
        assert lines[0].endswith('; 1 note') is (words is not None and words[0] == '-'), lines
        if words is not None:
            after = lines[lines.index(found[0]) + 1]
            assert found[0].startswith(words) and after.startswith('    do: ') and remedy in after, (words, lines)
    both = status(daemon, with_one('fault', hazard=True), 3)
    assert both.startswith('2 PROBLEMS') and '! xrf-1: something harmful' in both and 'keep away' in both, both
    hostile = status(daemon, with_one('fault', HOSTILE, code=HOSTILE), 3)
    assert not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]', hostile), hostile
    assert '"state":"fault"' in status(daemon, with_one('fault'), 0, '--json')


def check_one_screen(daemon):
    """The verdict and every problem are on 80 x 24, with 20 instruments that measure or do not."""
    number = 'bench-3/a-long-name-{}/20261122-007'
    some = [instrument(f'a-long-name-{i}', 'busy', run={'number': number.format(i), 'start': UTC, 'frames': 1}) for i in range(20)]
    for faults in range(0, 6):
        some[:faults] = [instrument(f'a-long-name-{i}', 'fault', 'no answer', code='ENODEV') for i in range(faults)]
        daemon.reply = good(some)
        terminal = Terminal([assayctl, '--dir', str(folder), 'status'])
        terminal.end(3 if faults else 0)
        assert 'instruments, ' in terminal.lines[0], terminal.text
        for one in some:
            assert one['key'] in terminal.text, (one, terminal.text)


assayctl = sys.argv[1]
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    daemon = Daemon(folder)
    daemon.start()
    check_findings(daemon)
    check_one_screen(daemon)
    daemon.reply = with_one('idle', make='m', model='m', serial='s', last_frame=UTC)
    shown = subprocess.run([assayctl, '--dir', name, 'status', 'xrf-1'], capture_output=True, text=True, env=TOKYO).stdout
    assert f'last frame {SINCE}' in shown and 'serial s' in shown, shown
