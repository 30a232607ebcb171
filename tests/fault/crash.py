# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the core at random moments under load.

After each restart: the journal is contiguous, everything a subscriber had received is in it byte for
byte, runs that were open are ended as interrupted with the right count and digest, and the workers
of the killed core are gone.
"""

import hashlib
import random
import sys
import time

import cbor2

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402
from segments import folder_entries  # noqa: E402

paths = paths_from(sys.argv[2:])
KILLS = int(paths.get('kills', 50))


def journal_entries(state):
    id = (state / 'current').read_text().strip()
    return folder_entries(state / 'journal' / id)


class Check:
    """The required content of a journal, read once after each restart while it grows."""

    def __init__(self):
        self.seq, self.last, self.runs, self.hashes = 0, {}, {}, []

    def take(self, data):
        _, journal, seq, prev, tc, topic, body = cbor2.loads(data)
        if seq <= self.seq:
            return
        if seq != self.seq + 1:
            raise Failure(f'entry {seq} follows {self.seq}')
        if prev != self.last.get(topic, 0):
            raise Failure(f'entry {seq}: prev {prev}, not {self.last.get(topic, 0)}')
        self.seq, self.last[topic] = seq, seq
        digest = hashlib.sha256(b'\0' + data).digest()
        self.hashes.append(digest)
        record = cbor2.loads(body)
        if record['type'] == 'run-start':
            self.runs[record['run']] = []
        elif record['type'] == 'frame':
            leaves = self.runs[record['run']]
            if record['n'] != len(leaves):
                raise Failure(f'entry {seq}: n {record["n"]} after {len(leaves)} frames')
            leaves.append(digest)
        elif record['type'] == 'run-end':
            leaves = self.runs.pop(record['run'])
            if record['frames'] != len(leaves) or record['digest'] != hashlib.sha256(b''.join(leaves)).digest():
                raise Failure(f'entry {seq}: the run-end does not fit its {len(leaves)} frames')


def check_received(lab, check, known):
    """Every entry that was ever published is in the journal, at its seq, with its bytes."""
    raw = lab.subscriber.raw()
    for topic, data in raw[known:]:
        seq = cbor2.loads(data)[2]
        if seq > check.seq:
            raise Failure(f'entry {seq} was published and is not in the journal, which ends at {check.seq}')
        if check.hashes[seq - 1] != hashlib.sha256(b'\0' + data).digest():
            raise Failure(f'entry {seq} was published with other bytes')
    return len(raw)



with Lab(paths) as lab:
    seed = int(paths.get('seed', time.time()))
    print(f'seed {seed}')
    rng = random.Random(seed)
    sims = [lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0') for _ in range(3)]
    config = {'instruments': {
        f'gas-{i}': {'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
                     'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
                     'acquire': {'mode': 'continuous', 'every': '5ms'}}
        for i, sim in enumerate(sims)}}
    lab.configure(config)
    check, known = Check(), 0
    for kill in range(KILLS):
        lab.start(ready=False)
        before = len(lab.subscriber.raw())
        wait_for('entries', lambda: len(lab.subscriber.raw()) > before + 3 or lab.daemon.poll() is not None)
        if lab.daemon.poll() is not None:
            raise Failure(f'assayd ended with {lab.daemon.returncode}')
        moment = time.monotonic() + rng.uniform(0, 0.25)
        while time.monotonic() < moment:
            pass
        lab.kill()
        # The next core reads the files that are there; so does this, from the file of the killed one.
        lab.start(ready=False)
        wait_for('the core is back', lambda: lab.alive())
        lab.kill()
        for data in journal_entries(lab.dir / 'state'):
            check.take(data)
        known = check_received(lab, check, known)
    lab.start()
    lab.wait_state('gas-0', 'busy')
    lab.stop()
    for data in journal_entries(lab.dir / 'state'):
        check.take(data)
    check_received(lab, check, known)
    if check.runs:
        raise Failure(f'{len(check.runs)} runs have no end')
    print(f'{KILLS} kills, {check.seq} entries, {known} received')
