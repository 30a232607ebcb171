# SPDX-License-Identifier: Apache-2.0
"""Frames per second from a worker to a subscriber, beside libzmq and the disk."""
from daemon import Daemon
from process import run_json, thread_ns
from table import Row, median, quartiles

BATCH = 4 << 20
GROUP = "Frames per second from worker to subscriber; limits: raw libzmq PUB/SUB, 4 MiB append + fdatasync"
COST = "Processor time per frame by thread, in the runs above"
GOALS = {(1 << 10, "always"): ">= 0.5", (16 << 10, "always"): ">= 0.7"}


def generator(size, **acquire):
    return {"driver": "generator", "simulated": True, "link": {"type": "none"},
            "acquire": {"mode": "continuous", **acquire}, "settings": {"frame_bytes": size}}


def limits_of(place, entry, seconds):
    zmq = run_json(place.tool("bench-zmq"), f"ipc://{place.sockets}/raw", entry, seconds)
    disk = run_json(place.tool("bench-append"), place.disk, BATCH, seconds)
    return {"libzmq": zmq["per_s"], "append": disk["bytes_per_s"] / entry}


def measure_case(place, size, sync, plan):
    """The daemon and its limits in turns so short that both meet the same disturbances of the machine."""
    slices, busy = [], {}
    with Daemon(place, {"gen-1": generator(size)}, sync) as daemon:
        for _ in range(plan.slices):
            before = thread_ns(daemon.pids())
            counts = daemon.count_frames(plan.warm_up, plan.seconds)
            for name, spent in thread_ns(daemon.pids()).items():
                busy[name] = busy.get(name, 0) + spent - before.get(name, 0)
            with daemon.stopped():
                limits = limits_of(place, counts["bytes"] // counts["entries"], plan.seconds)
            slices.append((counts, limits, counts["frames_per_s"] / min(limits.values())))
    return slices, busy


def row(size, sync, slices):
    counts, limits, ratios = zip(*slices)
    lost = sum(c["gaps"] + c["dropped"] for c in counts)
    note = f"entry {counts[0]['bytes'] // counts[0]['entries']} B, {quartiles(ratios)}"
    return Row(GROUP, f"{size >> 10} KiB, sync: {sync}", "frames/s",
               median([c["frames_per_s"] for c in counts]), {name: median([l[name] for l in limits]) for name in limits[0]},
               median(ratios), GOALS.get((size, sync)), note + (f", {lost} GAPS" if lost else ""))


def cost_rows(size, sync, slices, busy, plan):
    """Processor time per frame by thread: how much of the machine each takes when all is used."""
    frames = sum(counts["frames_per_s"] for counts, _, _ in slices) * (plan.warm_up + plan.seconds)
    rows = [(name, spent / frames / 1000) for name, spent in busy.items()]
    rows.append(("all", sum(us for _, us in rows)))
    return [Row(COST, f"{size >> 10} KiB, sync: {sync}: {name}", "us", us, {})
            for name, us in sorted(rows, key=lambda r: -r[1]) if us >= 0.05]


def measure(place, plan):
    rows, costs = [], []
    for size, sync in [(size, sync) for sync in ("always", "1s") for size in plan.sizes]:
        slices, busy = measure_case(place, size, sync, plan)
        rows.append(row(size, sync, slices))
        if sync == "always":
            costs += cost_rows(size, sync, slices, busy, plan)
    return rows + costs
