# SPDX-License-Identifier: Apache-2.0
"""With the disk's sync stalled nothing is published, and the daemon still answers."""

import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, check_links, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])

with Lab(paths) as lab:
    stall = lab.dir / 'stall'
    lab.env = {'STALL': str(stall), 'LD_PRELOAD': paths['stall']}
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    lab.start({'instruments': {'gas-1': {
        'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
        'acquire': {'mode': 'continuous', 'every': '20ms'}}}})
    lab.wait_frames('gas-1', 10)
    stall.touch()
    # Entries synced before the stall may still arrive; then entries pile up in the core.
    wait_for('a group waits for the disk', lambda: lab.ask({'op': 'status'})['journal']['waiting_ns'] > 200_000_000)
    published = len(lab.subscriber.raw())
    wait_for('entries wait', lambda: lab.ask({'op': 'status'})['journal']['waiting_ns'] > 1_500_000_000)
    status = lab.ask({'op': 'status'})
    if len(lab.subscriber.raw()) != published:
        raise Failure('something was published while the disk did not take it')
    if status['journal']['queued_bytes'] == 0 or status['instruments'][0]['frames'] <= published:
        raise Failure(f'the instrument did not go on: {status}')
    stall.unlink()
    lab.wait_frames('gas-1', published + 20)
    lab.stop()
    entries = lab.subscriber.all()
    check_links(entries)
    n = [e.record['n'] for e in entries if e.type == 'frame']
    if n != list(range(n[0], n[0] + len(n))):
        raise Failure('frames were lost')
    print(f'{len(entries)} entries')
