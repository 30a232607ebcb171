# SPDX-License-Identifier: Apache-2.0
"""assay-worker --try: the dialogue in the order of time, frames, errors of the words, hazards and the way out.

usage: check-try.py LAB ASSAY-WORKER DRIVERS MISBEHAVE PROFILE CAPTURE
"""

import json
import os
import pathlib
import pty
import re
import sys
import threading
import tty

sys.path.insert(0, sys.argv[1])
from trial import Trial, expect  # noqa: E402

worker, drivers, misbehave, profile, capture = sys.argv[2:]
trial = Trial(worker, drivers)
TESTS = ('--drivers', str(pathlib.Path(misbehave).parent))


class Sender(threading.Thread):
    """Sends one text over and over on a pseudo-terminal."""

    def __init__(self, text):
        super().__init__(daemon=True)
        self.text, (self.fd, device) = text, pty.openpty()
        tty.setraw(device)
        self.device, self.path, self.ended = device, os.ttyname(device), threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.02):
            os.write(self.fd, self.text)

    def close(self):
        self.ended.set()
        self.join()


def check_lines():
    sender = Sender(b'1.5\r\n')
    out, _ = trial.run('--frames', '2', 'skeleton', 'serial', f'port={sender.path}', 'baud=19200', 'unit=mV', 'timeout=2 s')
    expect(out, 'nothing is recorded', 'identity: the driver cannot', 'unit = "mV"',
           r'in \d+ bytes?\n    000000  [0-9a-f ]*31 2e 35 0d 0a .*1\.5\\r\\n', 'frame 1: scalar, unchecked', r'signal \(data\) = 1.5 mV',
           'frame 2: scalar')
    times = [float(line.split()[0]) for line in out.splitlines() if re.match(r' +\d+\.\d{6}  ', line)]
    if times != sorted(times):
        raise AssertionError(f'not in the order of time: {times}')
    events = [json.loads(line) for line in trial.run('--json', 'skeleton', 'serial', f'port={sender.path}')[0].splitlines()]
    events = [e for e in events if 'confined' not in e['event']]    # a sanitizer prevents it
    if [e['event'] for e in events] != ['identity', 'frame'] or events[1]['quality'] != 'unchecked':
        raise AssertionError(events)
    sender.close()
    hostile = Sender(b'\x1b[2J\xc2\x9b\n')
    out, _ = trial.run('skeleton', 'serial', f'port={hostile.path}', code=1)
    expect(out, r'1b 5b 32 4a c2 9b 0a .*\\x1b\[2J\\u009b\\n', 'failed')
    hostile.close()


def check_wrong():
    for words, found in [(('skeleton', 'tcq', 'host=h'), "did you mean 'tcp'"),
                         (('skeleton', 'tcp', 'host=h', 'port=5', 'unt=mV'), "^assay-worker: unt=mV: .*did you mean 'unit'"),
                         (('skeleton', 'tcp', 'host=h', 'port=x'), '^assay-worker: port=x: '),
                         (('skeleton', 'tcp', 'host'), 'expected KEY=VALUE'),
                         (('skeletom', 'tcp', 'host=h', 'port=5'), "no profile 'skeletom'"),
                         (('./none.yaml', 'tcp', 'host=h', 'port=5'), 'No such file')]:
        expect(trial.run(*words, code=1)[1], found)
    expect(trial.run('skeleton', 'tcp', 'host=127.0.0.1', 'port=9', code=1)[0], 'failed: cannot connect to 127.0.0.1 port 9')
    expect(trial.run(profile, 'tcp', 'host=127.0.0.1', 'port=9', code=1)[0], 'failed: cannot connect')
    trial.run('--frames', 'x', 'skeleton', 'none', code=2)
    trial.run('skeleton', code=2)


def check_spectrum():
    """A recording of a whole instrument: arrays, and more bytes than are shown."""
    words = ('amptek-dp5', 'playback', f'file={capture}', 'channels=256')
    out, _ = trial.run(*words, 'preset_time=0.5s')
    expect(out, r'out 8 bytes\n    000000  f5 fa', 'identity: make Amptek', r'\.\.\. 8 more', 'busy:', 'frame 1: spectrum, good',
           'because no-calibration: ', r'channel \(axis\): 256 values along channel, from 0 to 255: 0, 1, 2, 3, 4 \.\.\.',
           r'counts \(data\): 256 values along channel in count, from 0 to \d+: ', r'board_temperature \(aux\) = \d+ Cel')
    out, _ = trial.run(*words, 'preset_time=0.3s', code=1)
    expect(out, 'failed: playback: the driver sends')
    assert out.count('failed: playback') == 1, out


def check_driver():
    """Crash and refusal are explained; a driver's own lines are escaped."""
    expect(trial.run(*TESTS, 'misbehave', 'none', 'deed=scribble')[1], 'scribble')
    expect(trial.run(*TESTS, 'misbehave', 'none', 'deed=refuse', 'slot=start', code=1)[0], 'not started: the interlock')
    expect(trial.run(*TESTS, 'misbehave', 'none', 'deed=crash', 'slot=decode', code=1)[0], 'failed: .*crashed')


def check_hazard():
    expect(trial.run(*TESTS, 'misbehave', 'none', 'hazard=true', code=1)[1], 'add --hazard hazard')
    trial.run(*TESTS, 'misbehave', 'none', 'hazard=false')
    trial.run(*TESTS, '--frames', '0', 'misbehave', 'none', 'hazard=true')        # nothing is sent
    named = (*TESTS, '--hazard', 'hazard', 'misbehave', 'none', 'hazard=true')
    expect(trial.run(*named)[0], 'harmful is switched on', 'frame 1', 'all is switched off')
    expect(trial.run(*named, 'deed=crash', 'slot=acquire', code=1)[0], 'switched on', 'failed: .*crashed', 'another worker',
           'all is switched off')
    expect(trial.run(*named, 'deed=refuse', 'slot=make_safe', code=16)[0], 'switched on', 'another worker', 'by hand')


check_wrong()
check_lines()
check_spectrum()
check_driver()
check_hazard()
