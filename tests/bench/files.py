# SPDX-License-Identifier: Apache-2.0
"""Files per second and bytes per second that a folder's files become complete runs, beside sha256sum of the same files.

The time goes from the first run-start to the last run-end at a subscriber: the settle time before it is a setting.  The keeper reads
each file twice, and the journal is synced for each run.
"""
import os
import shutil
import subprocess
import time

import cbor2
import zmq

from daemon import Daemon
from process import DEADLINE_S, Failure
from table import Row, median

GROUP = "Files of a folder that become complete runs, sync: always; read from the cache of the system"


def instrument(folder):
    return {"driver": "files", "simulated": True, "acquire": {"mode": "repeat"},
            "link": {"type": "folder", "path": str(folder), "settle": "100ms", "poll": "500ms"}}


def take_in(place, folder, count):
    """Seconds."""
    context = zmq.Context()
    with Daemon(place, {"files-1": instrument(folder)}) as daemon, context.socket(zmq.SUB) as socket:
        socket.rcvhwm = 0
        socket.connect(daemon.live)
        socket.subscribe(b"a1/sim-data/")
        begin, ends, last = None, 0, time.monotonic()
        while ends < count:
            if not socket.poll(1000 * DEADLINE_S):
                raise Failure(f"{ends} of {count} files became runs, then none")
            record = cbor2.loads(cbor2.loads(socket.recv_multipart()[1])[6])
            last = time.monotonic()
            begin = begin if begin is not None or record["type"] != "run-start" else last
            ends += record["type"] == "run-end" and record["status"] == "complete"
        return last - (begin or last)


def hash_all(folder):
    begin = time.monotonic()
    subprocess.run(["sha256sum", *folder.iterdir()], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def measure_size(place, plan, name, count, size):
    folder = place.disk / "files"
    folder.mkdir()
    for i in range(count):
        (folder / f"{i:06}.dat").write_bytes(os.urandom(size - 3) + b"END")
    ours, hashed = [], []
    for _ in range(plan.rounds):
        hashed.append(hash_all(folder))
        ours.append(take_in(place, folder, count))
    shutil.rmtree(folder)
    rate, limit = count / median(ours), count / median(hashed)
    note = f"{rate * size / 1e6:.0f} MB/s; sha256sum {limit * size / 1e6:.0f} MB/s"
    return Row(GROUP, name, "files/s", rate, {"sha256sum": limit}, rate / limit, note=note)


def measure(place, plan):
    return [measure_size(place, plan, "files of 10 kB", plan.files, 10_000),
            measure_size(place, plan, "files of 7 MB", max(2, plan.files // 50), 7_000_000)]
