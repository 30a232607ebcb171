# SPDX-License-Identifier: Apache-2.0
"""Time from the last byte of a scan at the link to the published frame, per driver.

A tap between instrument and daemon notes when the byte passes.  Exchanges after the scan, such as those for the
instrument's status, are part of the time, as are the commit and the hop to the subscriber.
"""
import os
import pty
import re
import select
import socket
import threading
import time
import tty

import cbor2
import zmq

from daemon import Daemon
from process import Failure, Program, wait_for
from table import Row, median

GROUP = "Latency from the last byte of a scan at the link to the subscriber, sync: always, all drivers except those on USB only"
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
    """modbus-map and text-map: the reply is the reading.  nirscan-nano: no reply follows that with the end of the file."""
    return bool(reply)


def after_spectrum():
    """amptek-dp5: a packet of spectrum and status, PID1 81; its length stands behind the head."""
    reply_so_far = b""

    def is_end(request, reply):
        nonlocal reply_so_far
        reply_so_far = b"" if request else reply_so_far + reply
        head = reply_so_far[:6]
        if head[:3] != b"\xf5\xfa\x81" or len(head) < 6 or len(reply_so_far) < 8 + int.from_bytes(head[4:], "big"):
            return False
        reply_so_far = b""
        return True
    return is_end


def after_page(path):
    """HTTP: the whole reply to a request of this path."""
    is_wanted, reply_so_far = False, b""

    def is_end(request, reply):
        nonlocal is_wanted, reply_so_far
        if request:
            is_wanted, reply_so_far = path in request, b""
        reply_so_far += reply
        length = re.search(rb"(?i)content-length: *(\d+)", reply_so_far)
        if not is_wanted or length is None or b"\r\n\r\n" not in reply_so_far:
            return False
        is_wanted = len(reply_so_far.split(b"\r\n\r\n", 1)[1]) < int(length.group(1))
        return not is_wanted
    return is_end


class Tap(threading.Thread):
    """Between daemon and instrument: notes when a scan's last byte comes."""

    def __init__(self, instrument, is_end):
        super().__init__(daemon=True)
        self.instrument, self.is_end, self.ends = instrument, is_end, []
        self.link = self.listen()
        self.start()

    def look(self, request, reply):
        now = time.monotonic_ns()
        if self.is_end(request, reply):
            self.ends.append(now)


class StreamTap(Tap):
    """Forwards one connection after the other."""

    def listen(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        return {"host": "127.0.0.1", "port": self.server.getsockname()[1]}

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
                data = ready.recv(65536)
                if not data:
                    return
                from_daemon = ready is daemon
                self.look(data if from_daemon else b"", b"" if from_daemon else data)
                (instrument if from_daemon else daemon).sendall(data)


class DatagramTap(Tap):
    """Forwards the datagrams of one daemon."""

    def listen(self):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        return {"host": "127.0.0.1", "port": self.server.getsockname()[1]}

    def run(self):
        daemon = None
        while True:
            data, sender = self.server.recvfrom(65536)
            from_daemon = sender != self.instrument
            daemon = sender if from_daemon else daemon
            self.look(data if from_daemon else b"", b"" if from_daemon else data)
            self.server.sendto(data, self.instrument if from_daemon else daemon)


class SerialTap(Tap):
    """Forwards a pseudo-terminal."""

    def listen(self):
        self.host, terminal = pty.openpty()
        tty.setraw(terminal)
        return {"port": os.ttyname(terminal)}

    def run(self):
        instrument = os.open(self.instrument, os.O_RDWR | os.O_NOCTTY)
        while True:
            for ready in select.select([self.host, instrument], [], [])[0]:
                data = os.read(ready, 65536)
                from_daemon = ready == self.host
                self.look(data if from_daemon else b"", b"" if from_daemon else data)
                os.write(instrument if from_daemon else self.host, data)


BRUKER = ("REP=1&APT=4000&NSS=1&RES=4&BMS=1&VEL=10&SRC=201&AQM=DD&CHN=1&DTC=16416&OPF=1&PGN=2&DEL=0&COR=0&GNS=1"
          "&SNM=background")
LINKS = {"amptek-dp5": "udp", "bruker-web": "http", "prismapro": "http", "micro-gc-fusion": "http", "modbus-map": "modbus-tcp",
         "nirscan-nano": "serial"}
REPEAT = {"acquire": {"mode": "repeat"}}

# The arguments of the simulator, the end of a scan, the instrument.
INSTRUMENTS = {
    "amptek-dp5": (["amptek-dp5"], after_spectrum(), {**REPEAT, "settings": {"channels": 1024, "preset_time": "0.2s"}}),
    "bruker-web": (["bruker-web", "--speed", "100"], after_page(b"GET /data/"), {
        **REPEAT, "identity": {"make": "Bruker", "model": "VERTEX 80", "serial": 9990200},
        "settings": {"command": BRUKER, "result": "interferogram", "poll": "0.1 s"}}),
    "prismapro": (["prismapro", "--speed", "100"], after_page(b"GET /mmsp/measurement/scans/"), {
        **REPEAT, "settings": {"poll": "0.05 s", "timeout": "5 s"}}),
    "micro-gc-fusion": (["micro-gc-fusion", "--speed", "300"], after_page(b"GET /runData/"), {
        **REPEAT, "settings": {"method": "Air", "poll": "0.05 s", "ready_timeout": "20 s", "run_timeout": "20 s"}}),
    "nirscan-nano": (["nirscan-nano", "--speed", "20"], each_reply, {**REPEAT, "settings": {"scan_configuration": 1}}),
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
    link_type = LINKS.get(driver, "tcp")
    end, tap_type = {"udp": (["--udp", "127.0.0.1:0"], DatagramTap),
                     "serial": (["--pty", place.sockets / "line"], SerialTap)}.get(link_type, (["--tcp", "127.0.0.1:0"], StreamTap))
    with Program([place.build / "tools/sim/assay-sim", *command, *end], place.log("assay-sim")) as simulator:
        port = re.search(r":(\d+)$", simulator.read_line())
        tap = tap_type(("127.0.0.1", int(port.group(1))) if port else place.sockets / "line", is_end)
        link = {"type": link_type, **tap.link}
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
