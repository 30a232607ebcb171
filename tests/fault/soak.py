# SPDX-License-Identifier: Apache-2.0
"""Faults at random for some minutes: nothing is lost, and neither memory nor descriptors grow.

    soak.py LAB NAME=PATH... [minutes=3] [seed=N]       (SOAK_MINUTES in the environment wins)
"""

import os
import random
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])
import faults  # noqa: E402
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
MINUTES = float(os.environ.get('SOAK_MINUTES', paths.get('minutes', 3)))
SEED = int(paths.get('seed', time.time_ns() % 1000000))

FAULTS = ['delay=150ms', 'busy=0.5', 'stale=0.3', 'corrupt=0.3', 'truncate=0.3', 'garbage=20', 'drop=0.3',
          'drop=1', 'disconnect=2s']
KILLS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP]
UNREVEALED = {'gas-1': ['corrupt'], 'ms-1': ['corrupt', 'garbage', 'stale']}
# Growth of a process that is allowed after its first minute: caches and the list of runs, no leak.
CORE_GROWTH_KIB, WORKER_GROWTH_KIB, FD_GROWTH = 6144, 1024, 2


def usage(pid):
    """Resident memory in KiB and open descriptors, or None when it is gone."""
    try:
        with open(f'/proc/{pid}/status') as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))
        return kib, len(os.listdir(f'/proc/{pid}/fd'))
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return None


class Processes:
    """The core and each start of each worker: their use of resources, first and last."""

    def __init__(self, lab):
        self.lab, self.first, self.last = lab, {}, {}

    def look(self, steady):
        pids = {'core': self.lab.daemon.pid}
        for instrument in self.lab.ask({'op': 'status'})['instruments']:
            pids[instrument['key']] = instrument['pid']
        for name, pid in pids.items():
            used = usage(pid) if pid else None
            if used is None:
                continue
            if steady:
                self.first.setdefault((name, pid), used)
            self.last[(name, pid)] = used

    def check(self):
        for (name, pid), (kib, fds) in self.first.items():
            kib_now, fds_now = self.last[(name, pid)]
            limit = CORE_GROWTH_KIB if name == 'core' else WORKER_GROWTH_KIB
            if kib_now - kib > limit or fds_now - fds > FD_GROWTH:
                raise Failure(f'{name} grew from {kib} to {kib_now} KiB, from {fds} to {fds_now} descriptors')
        faults.report(core=[self.first[('core', self.lab.daemon.pid)], self.last[('core', self.lab.daemon.pid)]],
                      workers=len(self.first) - 1)


def suffer(lab, sims, chance, key):
    """One fault of one instrument; returns the time in which damage cannot be revealed, if any."""
    fault = chance.choice(FAULTS + KILLS)
    trouble = faults.Trouble(lab, key, [other for other in sims if other != key])
    if isinstance(fault, str):
        faults.begin(lab, key, sims[key], fault)
        trouble.last(chance.uniform(0.5, 2.5))
        faults.end(lab, key, sims[key])
    else:
        pid = lab.instrument(key)['pid']
        os.kill(pid, fault)
        wait_for('another worker', lambda: lab.instrument(key)['pid'] not in (0, pid), 60)
    took = trouble.wait_recovery(seconds=120)
    trouble.check_others()
    trouble.check_log()
    faults.report(key=key, fault=str(fault), recovered=round(took, 2))
    hidden = isinstance(fault, str) and fault.split('=')[0] in UNREVEALED.get(key, [])
    return (trouble.began, time.time_ns()) if hidden else None


with Lab(paths) as lab:
    print(f'seed={SEED}', flush=True)
    chance = random.Random(SEED)
    sims = faults.start_sims(lab)
    faults.start(lab, faults.instruments(lab, sims))
    processes = Processes(lab)
    exempt = {key: [] for key in sims}
    began, end = time.monotonic(), time.monotonic() + 60 * MINUTES
    warm = began + min(60, 15 * MINUTES)
    while time.monotonic() < end:
        key = chance.choice(list(sims))
        span = suffer(lab, sims, chance, key)
        if span is not None:
            exempt[key].append(span)
        if time.monotonic() > warm:
            processes.look(steady=True)
    processes.look(steady=False)
    processes.check()
    lab.stop()
    entries = faults.check_journal(lab)
    for key, sim in sims.items():
        good, checked = faults.check_truth(lab, key, sim, exempt[key])
        faults.report(key=key, good=good, checked=checked)
    print(f'{len(entries)} entries')
