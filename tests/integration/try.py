# SPDX-License-Identifier: Apache-2.0
"""assay-worker --try: confined as always; a filament that is on goes off after a signal."""

import pathlib
import signal
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from  # noqa: E402
from trial import Trial, expect  # noqa: E402

paths = paths_from(sys.argv[2:])
trial = Trial(paths['worker'], paths['drivers'])
TESTS = ('--drivers', str(pathlib.Path(paths['misbehave']).parent))
RGA = ('srs-rga', 'serial', 'mode=histogram', 'mass_first=1', 'mass_last=20', 'noise_floor=7', 'emission_current=1 mA')


def check_signals(lab):
    """A filament that is on goes off after Ctrl-C, and when the process dies."""
    sim = lab.sim('srs-rga', '--pty', str(lab.dir / 'rga.tty'), '--speed', '5')
    args = (*RGA, f'port={lab.dir / "rga.tty"}')
    expect(trial.run('--frames', '0', *args)[0], r'out \d+ bytes', r'identity: make .*RGA')
    expect(trial.run(*args, code=1)[1], 'emission_current switches on', '--hazard emission_current')
    for number in (signal.SIGINT, signal.SIGTERM):
        process = trial.start('--hazard', 'emission_current', '--frames', '1000', *args)
        seen = b''
        while b'frame 1:' not in seen:
            line = process.stdout.readline()
            if not line:
                raise Failure(f'no frame:\n{seen.decode()}')
            seen += line
        process.send_signal(number)
        out, _ = trial.finish(process, 1)
        expect(seen.decode() + out, 'harmful is switched on', 'frame 1', 'interrupted', r'FL0', 'all is switched off')
    sim.stop()


with Lab(paths) as lab:
    out, _ = trial.run(*TESTS, '--frames', '0', 'misbehave', 'none')
    if 'a sanitizer needs its freedom' not in out:
        expect(trial.run(*TESTS, 'misbehave', 'none', 'deed=open')[1], 'access .* was refused')
    check_signals(lab)
