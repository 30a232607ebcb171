# SPDX-License-Identifier: Apache-2.0
"""Frames per second from a worker to a subscriber, beside libzmq and the disk."""
from daemon import Daemon
from process import run_json
from table import Row, median, spread

BATCH = 4 << 20
GROUP = "Frames per second from worker to subscriber; limits: raw libzmq PUB/SUB, 4 MiB append + fdatasync"


def generator(size, **acquire):
    return {"driver": "generator", "simulated": True, "link": {"type": "none"},
            "acquire": {"mode": "continuous", **acquire}, "settings": {"frame_bytes": size}}


def measure_once(place, size, sync, plan):
    """The daemon, then the limits for entries of the size that came out."""
    with Daemon(place, {"gen-1": generator(size)}, sync) as daemon:
        counts = daemon.count_frames(plan.warm_up, plan.seconds)
    entry = counts["bytes"] // counts["entries"]
    zmq = run_json(place.tool("bench-zmq"), f"ipc://{place.sockets}/raw", entry, plan.seconds)
    disk = run_json(place.tool("bench-append"), place.disk, BATCH, plan.seconds)
    limits = {"libzmq": zmq["per_s"], "append": disk["bytes_per_s"] / entry}
    return {"rate": counts["frames_per_s"], "limits": limits, "entry": entry,
            "ratio": counts["frames_per_s"] / min(limits.values()),
            "lost": counts["gaps"] + counts["dropped"]}


def row(size, sync, rounds):
    lost = sum(r["lost"] for r in rounds)
    note = f"entry {rounds[0]['entry']} B, ±{spread([r['ratio'] for r in rounds]):.0f} %"
    limits = {name: median([r["limits"][name] for r in rounds]) for name in rounds[0]["limits"]}
    return Row(GROUP, f"{size >> 10} KiB, sync: {sync}", "frames/s",
               median([r["rate"] for r in rounds]), limits, median([r["ratio"] for r in rounds]),
               ">= 0.5" if (size, sync) == (16 << 10, "always") else None,
               note + (f", {lost} GAPS" if lost else ""))


def measure(place, plan):
    cases = [(size, sync) for sync in ("always", "1s") for size in plan.sizes]
    rounds = {case: [] for case in cases}
    for _ in range(plan.rounds):
        for case in cases:
            rounds[case].append(measure_once(place, *case, plan))
    return [row(*case, rounds[case]) for case in cases]
