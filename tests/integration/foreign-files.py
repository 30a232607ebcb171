# SPDX-License-Identifier: Apache-2.0
"""A pipe or a link in place of a file of the state folder: the start neither hangs nor writes through it."""

import os
import shutil
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
GENERATOR = {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
             'settings': {'frame_bytes': 256, 'frames': 2}}
VICTIM = 'not a file of the daemon\n'


def files(state):
    """All files that a start may read or write, as paths below the state folder."""
    found = sorted(str(path.relative_to(state)) for path in state.rglob('*') if path.is_file())
    return found + ['cursors/lims', 'archived/' + (state / 'current').read_text().strip()]


def try_one(lab, state, name, kind):
    shutil.rmtree(state)
    shutil.copytree(lab.dir / 'before', state)
    victim = lab.dir / 'victim'
    victim.write_text(VICTIM)
    file = state / name
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.unlink(missing_ok=True)
    if kind == 'pipe':
        os.mkfifo(file)
    else:
        file.symlink_to(victim)
    lab.start(ready=False)
    wait_for(f'the start with a {kind} at {name}', lambda: lab.daemon.poll() is not None or lab_answers(lab))
    if lab.daemon.poll() is None:
        lab.stop()
    if victim.read_text() != VICTIM:
        raise Failure(f'written through the link {name}')


def lab_answers(lab):
    try:
        return lab.ask({'op': 'status'}, seconds=1)['ok']
    except Failure:
        return False


with Lab(paths) as lab:
    lab.is_damaged = True
    lab.start({'instruments': {'gen-1': GENERATOR}})
    lab.wait_state('gen-1', 'idle')
    assert lab.ask({'op': 'run-start', 'instrument': 'gen-1'})['ok']
    lab.wait_state('gen-1', 'idle')
    lab.stop()
    state = lab.dir / 'state'
    shutil.copytree(state, lab.dir / 'before')
    names = files(state)
    for name in names:
        for kind in ('pipe', 'link'):
            try_one(lab, state, name, kind)
    print(f'{len(names)} files: {" ".join(names)}')
