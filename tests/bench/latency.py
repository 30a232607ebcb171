# SPDX-License-Identifier: Apache-2.0
"""Time from an instrument's last byte to the subscriber, beside one fdatasync and one hop."""
from daemon import Daemon
from process import run_json
from table import Row, median, spread
from throughput import generator

SIZE = 16 << 10
EVERY_MS = 20
GROUP = ("Latency from the instrument's last byte to the subscriber, 16 KiB frames, 50 per second, sync: always;\n"
         "limit: append + fdatasync, then one raw libzmq hop")


def measure(place, plan):
    rounds = []
    for _ in range(plan.rounds):
        with Daemon(place, {"gen-1": generator(SIZE, every=f"{EVERY_MS}ms")}) as daemon:
            counts = daemon.count_frames(plan.warm_up, plan.frames * EVERY_MS / 1000)
        entry = counts["bytes"] // counts["entries"]
        raw = run_json(place.tool("bench-hop"), f"ipc://{place.sockets}/raw", place.disk, entry,
                       plan.frames, EVERY_MS)
        rounds.append((counts["latency"], raw))
    return [row(rounds, "p50", "<= 2"), row(rounds, "p99", "<= 3")]


def row(rounds, name, goal):
    ratios = [daemon[name] / raw["sum"][name] for daemon, raw in rounds]
    limits = {step: median([raw[step][name] for _, raw in rounds]) for step in ("sync", "hop", "sum")}
    return Row(GROUP, name, "us", median([daemon[name] for daemon, _ in rounds]), limits,
               median(ratios), goal, f"±{spread(ratios):.0f} %")
