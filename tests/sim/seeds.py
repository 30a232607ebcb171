# SPDX-License-Identifier: Apache-2.0
"""Simulates laboratories, one of each seed: seeds.py PROGRAM FIRST COUNT HOURS [JOBS].

Each seed has a process of its own, so that it does the same alone.
"""
import concurrent.futures
import subprocess
import sys

program, hours = sys.argv[1], sys.argv[4]
seeds = range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3]))
jobs = int(sys.argv[5]) if len(sys.argv) > 5 else 1


def simulate(seed):
    return subprocess.run([program, '--seed', str(seed), '--hours', hours], capture_output=True, text=True, check=False)


with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
    for seed, run in zip(seeds, pool.map(simulate, seeds)):
        if run.returncode != 0:
            pool.shutdown(cancel_futures=True)
            sys.exit(f'seed {seed} of {program}:\n{run.stdout[-8000:]}{run.stderr[-2000:]}')
print(f'{len(seeds)} times {hours} h, seeds {seeds.start} to {seeds.stop - 1}')
