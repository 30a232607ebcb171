# SPDX-License-Identifier: Apache-2.0
"""Sockets belong to the daemon that made them: a second one is refused, what is removed is made again."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402
from replay_peer import Replay  # noqa: E402

paths = paths_from(sys.argv[2:])


def test_second_daemon(lab):
    """It ends with a reason, and the first is still there for everybody."""
    with Lab(paths) as other:
        other.configure({'sockets': {'dir': str(lab.dir / 'run')}, 'instruments': {'other': GENERATOR}})
        before = {name: os.stat(lab.dir / 'run' / name).st_ino for name in NAMES}
        done = subprocess.run([paths['assayd'], '--config', str(other.config), '--worker', paths['worker'],
                               '--drivers', paths['drivers']], capture_output=True, text=True, timeout=30)
        if done.returncode == 0 or 'another program has it' not in done.stderr:
            raise Failure(f'a second daemon: {done.returncode}: {done.stderr}')
        assert before == {name: os.stat(lab.dir / 'run' / name).st_ino for name in NAMES}
    assert [i['key'] for i in lab.ask({'op': 'status'})['instruments']] == ['gen-1']


def test_removed(lab):
    """Files or the folder are gone: all three sockets are back within seconds, and the journal goes on."""
    for remove in (lambda: [os.unlink(lab.dir / 'run' / name) for name in NAMES],
                   lambda: shutil.rmtree(lab.dir / 'run')):
        remove()
        wait_for('the sockets', lambda: all((lab.dir / 'run' / name).exists() for name in NAMES), 5)
        assert lab.ask({'op': 'run-start', 'instrument': 'gen-1'})['ok']
        lab.wait_state('gen-1', 'idle')
        peer = Replay(lab.replay)
        assert peer.get(op='hello', proto=1)['journals']
        peer.close()
    assert lab.log().count('is made again') == 6, lab.log()


def test_foreign_file(lab):
    """It stays, and the start says so."""
    lab.stop()
    file = lab.dir / 'run' / 'replay'
    file.write_text('notes')
    lab.start(ready=False)
    assert lab.daemon.wait(30) == 1
    assert 'a file is there that is no socket' in lab.log() and file.read_text() == 'notes'
    file.unlink()
    lab.start()


NAMES = ('live', 'replay', 'control')
GENERATOR = {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
             'settings': {'frame_bytes': 256, 'frames': 2}}
with Lab(paths) as lab:
    lab.start({'instruments': {'gen-1': GENERATOR}})
    lab.wait_state('gen-1', 'idle')
    test_second_daemon(lab)
    test_removed(lab)
    test_foreign_file(lab)
    lab.stop()
