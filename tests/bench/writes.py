# SPDX-License-Identifier: Apache-2.0
"""Bytes that reach the disk per byte of data: each frame is synced alone, so small ones cost whole blocks.

The disk's own counter is read, with the file system's bookkeeping in it, and other programs' writes taken off: a disk that
no other program uses, such as a file that is mounted, gives the steadiest value.
"""
import os
import pathlib
import time

from daemon import Daemon
from table import Row, median, spread
from throughput import generator

PER_S = 10
SECTOR = 512
GROUP = f"Bytes written to the disk per byte of data; {PER_S} frames per second, sync: always"
YEAR_S = 365 * 24 * 3600


def bytes_written(folder):
    """By the disk of this folder since it was attached; None if the system does not count them."""
    device = os.stat(folder).st_dev
    counters = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    return int(counters.read_text().split()[6]) * SECTOR if counters.exists() else None


def written_in(place, seconds):
    os.sync()
    before = bytes_written(place.disk)
    time.sleep(seconds)
    os.sync()
    return bytes_written(place.disk) - before


def measure_once(place, size, plan):
    """Bytes per second of the disk for these frames alone; None if other programs wrote more than that."""
    with Daemon(place, {"gen-1": generator(size, every=f"{1000 // PER_S}ms")}) as daemon:
        with daemon.subscribe(0, plan.write_seconds):  # until the first frame is there
            pass
        ours = written_in(place, plan.write_seconds)
        with daemon.stopped():
            others = written_in(place, plan.write_seconds)
    return (ours - others) / plan.write_seconds if ours > 2 * others else None


def measure(place, plan):
    rows = []
    for size, name, goal in ((100, "100 B", None), (16 << 10, "16 KiB", "<= 3")):
        if bytes_written(place.disk) is None:
            rows.append(Row(GROUP, name, "bytes", None, {}, None, goal, "this file system's disk counts nothing"))
            continue
        rates = [measure_once(place, size, plan) for _ in range(plan.rounds)]
        if None in rates:
            rows.append(Row(GROUP, name, "bytes", None, {}, None, goal, "not measured: other programs write to this disk"))
            continue
        rate = median(rates)
        rows.append(Row(GROUP, name, "bytes", rate / PER_S / size, {}, None, goal,
                        f"{rate / PER_S:,.0f} B per frame, {rate * YEAR_S / 1e12:.2f} TB in a year of such frames, "
                        f"±{spread(rates):.0f} %"))
    return rows
