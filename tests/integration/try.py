# SPDX-License-Identifier: Apache-2.0
"""assay-worker --try: one instrument in the foreground, with its dialogue, and made safe at every end."""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import threading
import tty

sys.path.insert(0, sys.argv[1])
from lab import DEADLINE, Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
TESTS = ('--drivers', str(pathlib.Path(paths['misbehave']).parent))
RGA = ('srs-rga', 'serial', 'mode=histogram', 'mass_first=1', 'mass_last=20', 'noise_floor=7', 'emission_current=1 mA')


def start(*args):
    return subprocess.Popen([paths['worker'], '--try', '--drivers', paths['drivers'], *args], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def finish(process, code):
    """Standard output and error; nothing in them moves a terminal's cursor."""
    out, err = (part.decode() for part in process.communicate(timeout=DEADLINE))
    if process.returncode != code:
        raise Failure(f'{process.args[2:]}: {process.returncode} and not {code}\n{out}{err}')
    if re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', out + err):
        raise Failure(f'control characters: {out + err!r}')
    return out, err


def run(*args, code=0):
    return finish(start(*args), code)


def expect(text, *parts):
    """The parts are in the text, in this order."""
    at = 0
    for part in parts:
        found = re.search(part, text[at:])
        if found is None:
            raise Failure(f'no {part!r} after byte {at} of\n{text}')
        at += found.end()


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
    out, _ = run('--frames', '2', 'skeleton', 'serial', f'port={sender.path}', 'baud=19200', 'unit=mV', 'timeout=2 s')
    expect(out, 'nothing is recorded', 'identity: the driver cannot', 'unit = "mV"',
           r'in \d+ bytes?\n    000000  31 2e 35 0d 0a  .* 1\.5\\r\\n\n', 'frame 1: scalar, unchecked', r'signal \(data\) = 1.5 mV',
           'frame 2: scalar')
    times = [float(line.split()[0]) for line in out.splitlines() if re.match(r' +\d+\.\d{6}  ', line)]
    if times != sorted(times):
        raise Failure(f'not in the order of time: {times}')
    events = [json.loads(line) for line in run('--json', 'skeleton', 'serial', f'port={sender.path}')[0].splitlines()]
    if [e['event'] for e in events] != ['identity', 'frame'] or events[1]['quality'] != 'unchecked':
        raise Failure(events)
    sender.close()
    hostile = Sender(b'\x1b[2J\xc2\x9b\n')
    out, _ = run('skeleton', 'serial', f'port={hostile.path}', code=1)
    expect(out, r'1b 5b 32 4a c2 9b 0a +\\x1b\[2J\\u009b\\n', 'failed')
    hostile.close()


def check_wrong():
    for words, found in [(('skeleton', 'tcq', 'host=h'), "did you mean 'tcp'"),
                         (('skeleton', 'tcp', 'host=h', 'port=5', 'unt=mV'), "^assay-worker: unt=mV: .*did you mean 'unit'"),
                         (('skeleton', 'tcp', 'host=h', 'port=x'), '^assay-worker: port=x: '),
                         (('skeleton', 'tcp', 'host'), 'expected KEY=VALUE'),
                         (('skeletom', 'tcp', 'host=h', 'port=5'), "no profile 'skeletom'"),
                         (('./none.yaml', 'tcp', 'host=h', 'port=5'), 'No such file')]:
        expect(run(*words, code=1)[1], found)
    expect(run('skeleton', 'tcp', 'host=127.0.0.1', 'port=9', code=1)[0], 'failed: cannot connect to 127.0.0.1 port 9')
    folder = str(pathlib.Path(paths['profiles'])) + '/mt-sics.yaml'
    expect(run(folder, 'tcp', 'host=127.0.0.1', 'port=9', code=1)[0], 'failed: cannot connect')
    run('--frames', 'x', 'skeleton', 'none', code=2)
    run('skeleton', code=2)


def check_driver():
    """The test driver: confined as always; crash, hang and refusal are explained."""
    expect(run(*TESTS, 'misbehave', 'none', 'deed=open')[1], 'access .* was refused')
    expect(run(*TESTS, 'misbehave', 'none', 'deed=scribble')[1], 'scribble')
    expect(run(*TESTS, 'misbehave', 'none', 'deed=refuse', 'slot=start', code=1)[0], 'not started: the interlock')
    expect(run(*TESTS, 'misbehave', 'none', 'deed=crash', 'slot=decode', code=1)[0], 'crashed in decode')


def check_hazard():
    expect(run(*TESTS, 'misbehave', 'none', 'hazard=true', code=1)[1], 'add --hazard hazard')
    run(*TESTS, 'misbehave', 'none', 'hazard=false')
    run(*TESTS, '--frames', '0', 'misbehave', 'none', 'hazard=true')        # nothing is sent
    named = (*TESTS, '--hazard', 'hazard', 'misbehave', 'none', 'hazard=true')
    expect(run(*named)[0], 'harmful is switched on', 'frame 1', 'all is switched off')
    expect(run(*named, 'deed=crash', 'slot=acquire', code=1)[0], 'switched on', 'crashed in acquire', 'another worker',
           'all is switched off')
    expect(run(*named, 'deed=refuse', 'slot=make_safe', code=16)[0], 'switched on', 'another worker', 'by hand')


def check_signals(lab):
    """A filament that is on goes off after Ctrl-C, and when the process dies."""
    sim = lab.sim('srs-rga', '--pty', str(lab.dir / 'rga.tty'), '--speed', '5')
    args = (*RGA, f'port={lab.dir / "rga.tty"}')
    expect(run('--frames', '0', *args)[0], r'out \d+ bytes', r'identity: make .*RGA')
    expect(run(*args, code=1)[1], 'emission_current switches on', '--hazard emission_current')
    for number in (signal.SIGINT, signal.SIGTERM):
        process = start('--hazard', 'emission_current', '--frames', '1000', *args)
        seen = b''
        while b'frame 1:' not in seen:
            line = process.stdout.readline()
            if not line:
                raise Failure(f'no frame:\n{seen.decode()}')
            seen += line
        process.send_signal(number)
        out, _ = finish(process, 1)
        expect(seen.decode() + out, 'harmful is switched on', 'frame 1', 'interrupted', r'FL0', 'all is switched off')
    sim.stop()


def main():
    check_wrong()
    check_lines()
    check_driver()
    check_hazard()
    with Lab(paths) as lab:
        check_signals(lab)


main()
