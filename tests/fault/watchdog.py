# SPDX-License-Identifier: Apache-2.0
"""The service manager's watchdog and time limits: a thread that hangs, a disk that stalls, a long start."""

import shutil
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])
from lab import Lab, Manager, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
WATCHDOG = 4
GENERATOR = {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'continuous', 'every': '100ms'},
             'settings': {'frame_bytes': 256}}


class Trouble:
    """While it is entered, a file of tests/fault/hang.c exists."""

    def __init__(self, lab, name):
        self.file = lab.dir / 'hang' / name

    def __enter__(self):
        self.file.touch()

    def __exit__(self, *_):
        self.file.unlink()


def test_hang(lab, manager, name, thread):
    """No beat while the thread hangs; they go on after it."""
    text = f'the {thread} makes no progress'
    with Trouble(lab, name):
        wait_for(text, lambda: text in lab.log())
        before, end = manager.count('WATCHDOG=1'), time.monotonic() + WATCHDOG
        wait_for('the watchdog would end it', lambda: time.monotonic() > end)
        assert manager.count('WATCHDOG=1') == before, f'{thread}: fed although it hangs'
    manager.wait_more('WATCHDOG=1', 2)


def test_stall(lab, manager):
    """Nothing can be published, and nothing is to be gained by a kill."""
    with Trouble(lab, 'disk'):
        wait_for('the group waits', lambda: lab.ask({'op': 'status'})['journal']['waiting_ns'] > WATCHDOG * 1e9)
        manager.wait_more('WATCHDOG=1', 2)
    assert 'makes no progress' not in lab.log(), lab.log()
    frames = len(lab.frames('gen-1'))
    lab.wait_frames('gen-1', frames + 5)


def running(lab, manager):
    lab.wait_frames('gen-1', 5)
    manager.wait_more('WATCHDOG=1', 2)
    test_stall(lab, manager)
    test_hang(lab, manager, 'main', 'main loop')
    test_hang(lab, manager, 'commit', 'commit thread')


def stopping(lab, manager):
    """A stop waits for a disk that stalls, and keeps what it got."""
    lab.wait_frames('gen-1', 5)
    with Trouble(lab, 'disk'):
        lab.daemon.send_signal(signal.SIGTERM)
        manager.wait('STOPPING=1')
        wait_for('it asks for time', lambda: manager.count('EXTEND_TIMEOUT_USEC=60000000\nSTATUS=stopping') >= 3)
        assert lab.daemon.poll() is None
    assert lab.daemon.wait(30) == 0


def starting(lab, manager):
    """The list of runs is made again from a journal on a slow disk."""
    lab.wait_frames('gen-1', 20)
    lab.stop()
    shutil.rmtree(lab.dir / 'state' / 'runs')
    ready, asked = manager.count('READY=1'), manager.count('STATUS=starting')
    with Trouble(lab, 'read'):
        lab.start(ready=False)
        manager.wait('EXTEND_TIMEOUT_USEC=60000000\nSTATUS=starting', asked + 1)
        assert manager.count('READY=1') == ready
    manager.wait('READY=1', ready + 1)


with Lab(paths) as lab:
    (lab.dir / 'hang').mkdir()
    lab.env.update(LD_PRELOAD=paths['hang'], HANG=str(lab.dir / 'hang'))
    manager = Manager(lab, WATCHDOG)
    lab.start({'instruments': {'gen-1': GENERATOR}})
    manager.wait('READY=1')
    {'running': running, 'starting': starting, 'stopping': stopping}[paths['part']](lab, manager)
