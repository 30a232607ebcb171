# SPDX-License-Identifier: Apache-2.0
"""CPU time per Modbus reading and memory, compared with collectd and a script of pymodbus and pyzmq.

A reading is one float.  Every instrument has eight in sixteen registers, read ten times a second.
collectd requests each register by itself, because of its configuration; the daemon and the script
request once per instrument.  Readings are counted at the simulator's sockets.  The kernel's work for
a file is charged to the process whose call does it.  A second script journals as the daemon does, so
that the cost of reading and publishing and the cost of the journal are known separately.
"""
import importlib.util
import pathlib
import shutil
import sys
import tempfile
import time

from daemon import Daemon
from process import Failure, Program, bytes_received, cpu_ns, pss_kib, wait_for
from table import Row, median, spread

REGISTERS = range(12, 28, 2)  # of the simulator's generic map
READINGS = len(REGISTERS)
REQUEST_BYTES = 12
EVERY_S = 0.1
CPU = ("CPU time per Modbus reading; the daemon checks, journals with sync: always and publishes; collectd makes\n"
       "a request per reading and discards; the script publishes, or appends, syncs and publishes")
MEMORY = "Memory (PSS) of {} Modbus instruments, one worker each"


class Instruments:
    """Simulated analysers on ports in a row."""

    def __init__(self, place, count):
        self.count = count
        self.program = Program([place.build / "tools/sim/assay-sim", "modbus", "--profile", "generic",
                                "--tcp", "127.0.0.1:0", "--ports", count], place.log("assay-sim"))
        ports = self.program.read_line().rsplit(":", 1)[1].split("-")
        self.ports = range(int(ports[0]), int(ports[-1]) + 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop()

    def requests(self):
        return bytes_received(self.ports[0], self.ports[-1]) / REQUEST_BYTES


def cpu_per_reading(instruments, pids, per_request, plan):
    """Microseconds per reading over some time, once every instrument is being read."""
    def is_asked():
        before = instruments.requests()
        time.sleep(2 * EVERY_S)
        return instruments.requests() - before >= instruments.count * READINGS / per_request
    wait_for("all instruments are read", is_asked)
    cpu, requests = cpu_ns(pids), instruments.requests()
    time.sleep(plan.poll_seconds)
    cpu, requests = cpu_ns(pids) - cpu, instruments.requests() - requests
    expected = instruments.count * READINGS / per_request * plan.poll_seconds / EVERY_S
    if requests < 0.9 * expected:
        raise Failure(f"only {requests:.0f} of {expected:.0f} requests were made")
    return cpu / 1000 / (requests * per_request)


def run_daemon(place, instruments, plan):
    points = [{"name": "concentration", "analyte": f"gas {register}", "table": "holding", "address": register,
               "type": "float32", "unit": "mg/m3"} for register in REGISTERS]
    config = {f"gas-{i}": {
        "driver": "modbus-map", "technique": "ftir", "simulated": True,
        "identity": {"make": "assay-sim", "model": "generic", "serial": f"sim-{port}"},
        "link": {"type": "modbus-tcp", "host": "127.0.0.1", "port": port, "unit_id": 1},
        "acquire": {"mode": "continuous", "every": "100ms"}, "settings": {"points": points},
    } for i, port in enumerate(instruments.ports, 1)}
    with Daemon(place, config) as daemon, daemon.subscribe(0, 3600):
        cpu = cpu_per_reading(instruments, daemon.pids(), READINGS, plan)
        workers = [pss_kib(pid) for pid in daemon.workers()]
        return {"cpu": cpu, "core": pss_kib(daemon.program.pid), "workers": workers}


def collectd_config(place, instruments):
    lines = [f'BaseDir "{place.sockets}"', f'PIDFile "{place.sockets}/collectd.pid"',
             'TypesDB "/usr/share/collectd/types.db"', f"Interval {EVERY_S}",
             "LoadPlugin logfile", "<Plugin logfile>", 'LogLevel "warning"', 'File STDERR', "</Plugin>",
             # Values reach the cache and are not written: the least that collectd can do.
             'PostCacheChain "discard"', '<Chain "discard">', 'Target "stop"', "</Chain>",
             "LoadPlugin modbus", "<Plugin modbus>"]
    for register in REGISTERS:
        lines += [f'<Data "r{register}">', f"RegisterBase {register}", "RegisterType float",
                  "RegisterCmd ReadHolding", "Type gauge", f'Instance "r{register}"', "</Data>"]
    for port in instruments.ports:
        lines += [f'<Host "gas-{port}">', 'Address "127.0.0.1"', f'Port "{port}"', f"Interval {EVERY_S}",
                  "<Slave 1>", 'Instance "1"', *(f'Collect "r{register}"' for register in REGISTERS), "</Slave>", "</Host>"]
    path = place.sockets / "collectd.conf"
    path.write_text("\n".join([*lines, "</Plugin>", ""]))
    return path


def run_collectd(place, instruments, plan):
    program = shutil.which("collectd", path="/usr/sbin:/usr/bin")
    if program is None:
        return None
    with Program([program, "-f", "-C", collectd_config(place, instruments)], place.log("collectd")) as collectd:
        return cpu_per_reading(instruments, [collectd.pid], 1, plan)


def run_script(place, instruments, plan, journal=None):
    # pymodbus does not even import without serial_asyncio, which Debian only recommends.
    if any(importlib.util.find_spec(module) is None for module in ("pymodbus", "serial_asyncio", "zmq")):
        return None
    import zmq
    endpoint = f"ipc://{place.sockets}/script"
    subscriber = zmq.Context.instance().socket(zmq.SUB)
    subscriber.rcvhwm = 0
    subscriber.subscribe("")
    subscriber.connect(endpoint)
    script = pathlib.Path(__file__).with_name("poll-script.py")
    try:
        with Program([sys.executable, script, endpoint, instruments.ports[0], instruments.count, REGISTERS[0],
                      *([journal] if journal else [])], place.log("script")) as program:
            return cpu_per_reading(instruments, [program.pid], READINGS, plan)
    finally:
        subscriber.close(linger=0)


def run_journaling_script(place, instruments, plan):
    with tempfile.TemporaryDirectory(dir=place.disk) as folder:
        return run_script(place, instruments, plan, pathlib.Path(folder, "journal"))


def cpu_row(rounds, other, name, goal):
    limit = median([r[other] for r in rounds])
    ratios = [r["daemon"]["cpu"] / r[other] for r in rounds if r[other] is not None]
    return Row(CPU, f"beside {name}", "us", median([r["daemon"]["cpu"] for r in rounds]),
               {name: limit}, median(ratios), goal,
               "not installed" if limit is None else f"±{spread(ratios):.0f} %")


def measure(place, plan):
    rounds = []
    for _ in range(plan.rounds):
        with Instruments(place, plan.instruments) as instruments:
            rounds.append({"daemon": run_daemon(place, instruments, plan),
                           "collectd": run_collectd(place, instruments, plan),
                           "script": run_script(place, instruments, plan),
                           "journaling": run_journaling_script(place, instruments, plan)})
    workers = [kib for r in rounds for kib in r["daemon"]["workers"]]
    group = MEMORY.format(plan.instruments)
    return [cpu_row(rounds, "collectd", "collectd", "<= 0.4"),
            cpu_row(rounds, "script", "pymodbus script", "<= 0.7"),
            cpu_row(rounds, "journaling", "script with journal", None),
            Row(group, "per instrument, mean", "MiB", sum(workers) / len(workers) / 1024, {}, goal="<= 2"),
            Row(group, "per instrument, largest", "MiB", max(workers) / 1024, {}, goal="<= 2"),
            Row(group, "core", "MiB", median([r["daemon"]["core"] for r in rounds]) / 1024, {})]
