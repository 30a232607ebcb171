# SPDX-License-Identifier: Apache-2.0
"""A large journal: how long the daemon takes to open it, and how fast a consumer fetches from it."""
import os
import pathlib
import shutil
import socket
import tempfile
import time

from daemon import Daemon
from process import DEADLINE_S, Failure, run_json
from table import Row, median, spread

ENTRY = 16 << 10
OPENING = "A journal of {} GB: seconds until the daemon is ready, longer than with an empty one"
AFTER = "A journal of {} GB, nothing of it in memory: seconds until the daemon is ready"
REPLAY = "Entries per second that a consumer fetches over TCP; limit: raw libzmq PUB/SUB over TCP"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready_after(place, state, seconds=DEADLINE_S):
    """Seconds from the daemon's start until it answers on its control socket."""
    begin = time.monotonic()
    with Daemon(place, {}, state=state) as daemon:
        daemon.wait_ready(seconds)
        return time.monotonic() - begin


def measure_opening(place, plan, state):
    """The empty one is opened in turn with the large one."""
    empty, full = [], []
    for _ in range(max(3, plan.rounds)):
        fresh = tempfile.mkdtemp(prefix="journal-", dir=place.disk)
        ready_after(place, fresh)
        empty.append(ready_after(place, fresh))
        shutil.rmtree(fresh)
        full.append(ready_after(place, state))
    longer = median(full) - median(empty)
    return Row(OPENING.format(f"{plan.journal_bytes / 1e9:g}"), "opening", "s", max(longer, 0), {},
               None, "<= 1", f"empty {median(empty):.3f} s, full {median(full):.3f} s")


def forget_files():
    """As after a start of the machine: no file is in memory. Only root can do that."""
    os.sync()
    if os.geteuid() == 0:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def measure_starts(place, plan, state):
    """After a power cut, and with the list of runs lost, which is then made again from all entries."""
    def cut():
        with Daemon(place, {}, state=state) as daemon:
            daemon.wait_ready()
            daemon.program.process.kill()
            daemon.program.process.wait()

    def lose():
        cut()
        shutil.rmtree(pathlib.Path(state, "runs"))

    rows = []
    for name, do, goal in (("after a power cut", cut, "<= 1"), ("and without its runs/", lose, None)):
        times = []
        for _ in range(plan.rounds):
            do()
            forget_files()
            times.append(ready_after(place, state, DEADLINE_S + plan.journal_bytes / 20e6))
        seconds = median(times)
        rows.append(Row(AFTER.format(f"{plan.journal_bytes / 1e9:g}"), name, "s", seconds, {}, None, goal,
                        f"±{spread(times):.0f} %, {plan.journal_bytes / seconds / 1e6:.0f} MB/s"
                        if goal is None else f"±{spread(times):.0f} %"))
    return rows


def measure_replay(place, plan, state):
    rounds = []
    for _ in range(plan.rounds):
        ours = run_json(place.tool("bench-replay"), state, f"tcp://127.0.0.1:{free_port()}", plan.replay_seconds)
        raw = run_json(place.tool("bench-zmq"), f"tcp://127.0.0.1:{free_port()}",
                       ours["bytes"] // ours["entries"], plan.replay_seconds)
        rounds.append((ours["per_s"], raw["per_s"], ours["per_s"] / raw["per_s"]))
    rates, limits, ratios = zip(*rounds)
    return Row(REPLAY, f"{ENTRY >> 10} KiB", "entries/s", median(rates), {"libzmq": median(limits)}, median(ratios),
               ">= 0.7", f"±{spread(ratios):.0f} %")


def measure(place, plan):
    free = shutil.disk_usage(place.disk).free
    if free < plan.journal_bytes * 1.3:
        raise Failure(f"{place.disk}: {plan.journal_bytes / 1e9:g} GB are needed, {free / 1e9:.1f} GB are free; "
                      "see --disk and --journal-gb")
    state = tempfile.mkdtemp(prefix="large-", dir=place.disk)
    try:
        run_json(place.tool("bench-fill"), state, int(plan.journal_bytes), ENTRY)
        return [measure_opening(place, plan, state), *measure_starts(place, plan, state),
                measure_replay(place, plan, state)]
    finally:
        shutil.rmtree(state)
