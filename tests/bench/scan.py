# SPDX-License-Identifier: Apache-2.0
"""Time from the last byte of a scan at the link to the published frame, per driver.

A tap between instrument and daemon notes when the byte passes.  Exchanges after the scan, such as those for the
instrument's status, are part of the time, as are the commit and the hop to the subscriber.
"""
import re
import select
import socket
import threading
import time

import cbor2
import zmq

from daemon import Daemon
from process import Failure, Program, wait_for
from table import Row, median

GROUP = "Latency from the last byte of a scan at the link to the subscriber, sync: always, simulators on TCP"
SCAN_WORDS = 21  # of srs-rga: 20 masses and the total pressure


def after_bracket(request, reply):
    """hiden-rga: a cycle ends with a bracket."""
    return b"]" in reply


def after_words():
    """srs-rga: a histogram has a number of words; its request tells where they begin."""
    left = 0

    def is_end(request, reply):
        nonlocal left
        if request:
            left = 4 * SCAN_WORDS if b"HS1\r" in request else 0
        was, left = left, max(left - len(reply), 0)
        return was > 0 and left == 0
    return is_end


def each_reply(request, reply):
    """modbus-map and text-map: the reply is the reading."""
    return bool(reply)


class Tap(threading.Thread):
    """Forwards one connection to the instrument and notes when a scan's last byte comes."""

    def __init__(self, port, is_end):
        super().__init__(daemon=True)
        self.instrument, self.is_end, self.ends = ("127.0.0.1", port), is_end, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            daemon, _ = self.server.accept()
            with daemon, socket.create_connection(self.instrument) as instrument:
                for one in (daemon, instrument):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.forward(daemon, instrument)

    def forward(self, daemon, instrument):
        while True:
            for ready in select.select([daemon, instrument], [], [])[0]:
                data, now = ready.recv(65536), time.monotonic_ns()
                if not data:
                    return
                from_daemon = ready is daemon
                if self.is_end(data if from_daemon else b"", b"" if from_daemon else data):
                    self.ends.append(now)
                (instrument if from_daemon else daemon).sendall(data)


INSTRUMENTS = {
    "hiden-rga": (["hiden-rga", "--speed", "10"], after_bracket, {
        "settings": {"mass_last": 20, "scans": 0, "dwell_time": "5 ms", "settle_time": "1 ms", "poll_interval": "10 ms"}}),
    "srs-rga": (["srs-rga", "--speed", "30"], after_words(), {
        "settings": {"mode": "histogram", "mass_last": SCAN_WORDS - 1, "noise_floor": 7, "scans": 0}}),
    "text-map": (["text", "--instrument", "mt-sics"], each_reply, {
        "technique": "weighing", "identity": {"make": "assay-sim", "model": "mt-sics", "serial": "sim-2"},
        "acquire": {"mode": "continuous", "every": "100ms"},
        "settings": {"requests": [{"ask": "SI", "reply": ["S {status word} {mass number} g"]}], "values": [{"name": "mass", "unit": "g"}]}}),
    "modbus-map": (["modbus", "--profile", "generic"], each_reply, {
        "technique": "ftir", "identity": {"make": "assay-sim", "model": "generic", "serial": "sim-1"},
        "acquire": {"mode": "continuous", "every": "100ms"},
        "settings": {"points": [{"name": "concentration", "table": "holding", "address": 12, "type": "float32", "unit": "mg/m3"}]}}),
}


def frame_times(live, count):
    """When `count` frames of one instrument come."""
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.subscribe("a1/sim-data/")
        subscriber.connect(live)
        times = []
        while len(times) < count:
            if not subscriber.poll(20000):
                raise Failure(f"only {len(times)} of {count} frames")
            data = subscriber.recv_multipart()[1]
            now = time.monotonic_ns()
            if cbor2.loads(cbor2.loads(data)[6])["type"] == "frame":
                times.append(now)
        return times


def latencies(place, driver, frames):
    command, is_end, config = INSTRUMENTS[driver]
    with Program([place.build / "tools/sim/assay-sim", *command, "--tcp", "127.0.0.1:0"], place.log("assay-sim")) as simulator:
        tap = Tap(int(re.search(r":(\d+)", simulator.read_line()).group(1)), is_end)
        link = {"type": "modbus-tcp" if driver == "modbus-map" else "tcp", "host": "127.0.0.1", "port": tap.port}
        instrument = {"driver": driver, "simulated": True, "link": link, "acquire": {"mode": "continuous"}, **config}
        with Daemon(place, {"one": instrument}) as daemon:
            daemon.wait_ready()
            wait_for("a scan", lambda: tap.ends)
            times = frame_times(daemon.live, frames)
            ends = list(tap.ends)
    return sorted(min(at - end for end in ends if end < at) / 1e6 for at in times)


def measure(place, plan):
    rows = []
    for driver in INSTRUMENTS:
        rounds = [latencies(place, driver, max(plan.frames // 4, 5)) for _ in range(plan.rounds)]
        rows.append(Row(GROUP, f"{driver}, p50", "ms", median([r[len(r) // 2] for r in rounds]), {}))
        rows.append(Row(GROUP, f"{driver}, p99", "ms", median([r[len(r) * 99 // 100] for r in rounds]), {}))
    return rows
