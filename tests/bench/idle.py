# SPDX-License-Identifier: Apache-2.0
"""Wake-ups of a service that has nothing to do: every thread of the core and of its workers.

A wake-up is a voluntary context switch, of which a thread makes one each time it waits.
"""
import json
import pathlib
import subprocess
import time

from daemon import Daemon
from polling import Instruments
from process import wait_for
from table import Row, median, spread

GROUP = "Wake-ups of the whole service while {} instruments are idle (Modbus TCP, on demand, one worker each)"


def tasks(pid):
    return pathlib.Path("/proc", str(pid), "task").iterdir()


def wakeups(pids):
    """By thread: {(pid, tid): count}."""
    return {(pid, task.name): int(next(line for line in (task / "status").read_text().splitlines()
                                       if line.startswith("voluntary_ctxt_switches")).split()[1])
            for pid in pids for task in tasks(pid)}


def are_idle(place):
    done = subprocess.run([str(place.build / "tools/assayctl/assayctl"), "--dir", str(place.sockets / "run"), "--json", "status"],
                          capture_output=True, text=True, timeout=30)
    return done.returncode == 0 and all(i["state"] == "idle" for i in json.loads(done.stdout)["instruments"])


def measure(place, plan):
    rates, parts = [], []
    with Instruments(place, plan.instruments) as instruments:
        config = {f"gas-{i}": {
            "driver": "modbus-map", "technique": "ftir", "simulated": True,
            "link": {"type": "modbus-tcp", "host": "127.0.0.1", "port": port, "unit_id": 1},
            "acquire": {"mode": "on-demand"},
            "settings": {"points": [{"name": "concentration", "table": "holding", "address": 12, "type": "float32",
                                     "unit": "mg/m3"}]},
        } for i, port in enumerate(instruments.ports, 1)}
        with Daemon(place, config) as daemon:
            wait_for("all instruments are idle", lambda: are_idle(place), 60)
            for _ in range(plan.rounds):
                pids = daemon.pids()
                before = wakeups(pids)
                time.sleep(plan.idle_seconds)
                after = wakeups(pids)
                counts = {key: after[key] - before.get(key, 0) for key in after}
                core = sum(n for (pid, _), n in counts.items() if pid == daemon.program.pid)
                rates.append(sum(counts.values()) / plan.idle_seconds)
                parts.append(core / plan.idle_seconds)
    return [Row(GROUP.format(plan.instruments), "idle", "per s", median(rates), {}, None, "<= 10",
                f"core {median(parts):.1f}, workers {median(rates) - median(parts):.1f}, ±{spread(rates):.0f} %")]
