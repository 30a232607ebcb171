# SPDX-License-Identifier: Apache-2.0
"""Use of a Modbus RTU line: polls per second beside the most that its speed allows.

The line is a pseudo-terminal with a unit that keeps the times of a real one: the request takes its time to
arrive, 3.5 characters of silence follow, and the last byte of the reply comes when a line would have sent
it.  A request in less than 3.5 characters after a reply is not answered, as real units do, and counts as
early.
"""
import os
import select
import struct
import threading
import time
import tty

from daemon import Daemon
from process import Failure, wait_for
from table import Row, median

GROUP = "Polls per second of 8 floats on a Modbus RTU line, even parity"
FLOATS = 8
BITS = 11  # of a character: start, 8 bits, parity, stop
SILENCE = 3.5  # characters
REQUEST, REPLY = 8, 5 + 4 * FLOATS


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)


class Unit(threading.Thread):
    """Function 3 of unit 1, at the pace of a line of `baud`."""

    def __init__(self, baud):
        super().__init__(daemon=True)
        self.character = BITS / baud
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.port, self.slave = os.ttyname(slave), slave
        self.polls = self.early = 0
        self.is_over = False
        self.start()

    def wait_until(self, when):
        while (left := when - time.monotonic()) > 0:
            time.sleep(left)

    def run(self):
        request, free_at, begin = b"", 0.0, 0.0
        while not self.is_over:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            now = time.monotonic()
            begin = begin if request else now
            request += os.read(self.master, 256)
            if len(request) < REQUEST:
                continue
            is_whole = len(request) == REQUEST and crc16(request[:6]) == request[6:]
            is_early = begin < free_at
            self.early += is_early
            request, due = b"", begin + (REQUEST + SILENCE) * self.character
            if not is_whole or is_early:
                continue
            body = bytes([1, 3, 4 * FLOATS]) + b"".join(struct.pack(">f", 1.5 + i) for i in range(FLOATS))
            reply = body + crc16(body)
            for i, byte in enumerate(reply, 1):  # each byte is there when its stop bit has passed
                self.wait_until(due + i * self.character)
                os.write(self.master, bytes([byte]))
            free_at = due + (REPLY + SILENCE) * self.character
            self.polls += 1

    def stop(self):
        self.is_over = True
        self.join()
        os.close(self.master)
        os.close(self.slave)


def polls_per_second(place, baud, seconds):
    points = [{"name": "concentration", "analyte": f"gas {i}", "table": "holding", "address": 2 * i, "type": "float32",
               "unit": "mg/m3"} for i in range(FLOATS)]
    unit = Unit(baud)
    config = {"one": {
        "driver": "modbus-map", "technique": "ftir", "simulated": True,
        "identity": {"make": "bench", "model": "line", "serial": "sim-1"},
        "link": {"type": "modbus-rtu", "port": unit.port, "baud": baud, "parity": "even", "unit_id": 1},
        "acquire": {"mode": "continuous", "every": "1ms"}, "settings": {"points": points, "word_order": "abcd"}}}
    try:
        with Daemon(place, config) as daemon:
            daemon.wait_ready()
            wait_for("the unit is polled", lambda: unit.polls > 3)
            polls, begin = unit.polls, time.monotonic()
            time.sleep(seconds)
            polls, took = unit.polls - polls, time.monotonic() - begin
    finally:
        unit.stop()
    if polls == 0:
        raise Failure("the unit was not polled")
    return polls / took, unit.early


def measure(place, plan):
    rows = []
    for baud in (9600, 19200):
        limit = baud / BITS / (REQUEST + SILENCE + REPLY + SILENCE)
        rounds = [polls_per_second(place, baud, plan.line_seconds) for _ in range(plan.rounds)]
        rate, early = median([r for r, _ in rounds]), sum(e for _, e in rounds)
        rows.append(Row(GROUP, f"{baud} Bd", "1/s", rate, {"line": limit}, rate / limit, ">= 0.95",
                        f"{early} requests too early" if early else ""))
    return rows
