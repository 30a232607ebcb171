# SPDX-License-Identifier: Apache-2.0
"""Measures a build of assayd together with the limits of its machine, and prints the table."""
import argparse
import dataclasses
import json
import os
import platform
import sys
import time

import files
import idle
import latency
import line
import polling
import replay
import scan
import stream
import throughput
import writes
from place import Place
from process import Failure
from table import show

PARTS = {"throughput": throughput.measure, "latency": latency.measure, "polling": polling.measure, "line": line.measure,
         "idle": idle.measure, "writes": writes.measure, "stream": stream.measure, "replay": replay.measure,
         "scan": scan.measure, "files": files.measure}


@dataclasses.dataclass
class Plan:
    """How long and how often; the defaults make a run of about three minutes."""
    rounds: int = 3
    slices: int = 15
    sizes: tuple = (1 << 10, 16 << 10, 128 << 10)
    warm_up: float = 0.3
    seconds: float = 0.4
    frames: int = 400
    instruments: int = 20
    poll_seconds: float = 4
    stream_seconds: float = 4
    line_seconds: float = 10
    write_seconds: float = 10  # two turns of a file system that writes its own changes every 5 s
    idle_seconds: float = 16  # two beats of idle workers
    journal_bytes: float = 10e9
    replay_seconds: float = 3
    files: int = 1000


QUICK = Plan(rounds=1, slices=1, sizes=(16 << 10,), warm_up=0.1, seconds=0.2, frames=25, instruments=3, poll_seconds=0.5, stream_seconds=0.2, line_seconds=0.5,
             write_seconds=0.5, idle_seconds=0.5, journal_bytes=50e6, replay_seconds=0.2, files=20)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the build folder")
    parser.add_argument("--disk", help="a folder on the disk to measure (default: the build folder)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few seconds: shows that it works, no more")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (3)")
    parser.add_argument("--journal-gb", type=float, help="size of the large journal (10)")
    return parser.parse_args()


def machine():
    return {"system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}


def main():
    options = parse()
    plan = QUICK if options.quick else Plan()
    plan.rounds = options.rounds or plan.rounds
    plan.journal_bytes = options.journal_gb * 1e9 if options.journal_gb else plan.journal_bytes
    about, rows, begin = machine(), [], time.monotonic()
    try:
        with Place(options.build, options.disk) as place:
            for part in options.only or PARTS:
                rows += PARTS[part](place, plan)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    about["seconds"] = round(time.monotonic() - begin, 1)
    if options.json:
        print(json.dumps({"machine": about, "rows": [row.as_json() for row in rows]}, indent=1))
        return
    print(f"{about['system']}, {about['cores']} cores, load {about['load']} at the start; "
          f"medians of {plan.rounds}; {about['seconds']} s")
    show(rows)


main()
