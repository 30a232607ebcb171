# SPDX-License-Identifier: Apache-2.0
"""Simulates many laboratories, one of each seed: seeds.py PROGRAM FIRST HOURS [JOBS]."""
import concurrent.futures
import subprocess
import sys

EACH = 12  # simulated hours of one seed

program, first, hours = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
jobs = int(sys.argv[4]) if len(sys.argv) > 4 else 1


def simulate(seed):
    return subprocess.run([program, '--seed', str(seed), '--hours', str(EACH)], capture_output=True, text=True, check=False)


seeds = range(first, first + -(-hours // EACH))
with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
    for seed, run in zip(seeds, pool.map(simulate, seeds)):
        if run.returncode != 0:
            pool.shutdown(cancel_futures=True)
            sys.exit(f'seed {seed} of {program}:\n{run.stdout[-8000:]}{run.stderr[-2000:]}')
print(f'{len(seeds) * EACH} h, seeds {seeds.start} to {seeds.stop - 1}')
