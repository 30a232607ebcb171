# SPDX-License-Identifier: Apache-2.0
"""A simulator as a child process, and its serial line or socket, each read with a deadline."""
import json
import os
import select
import socket
import subprocess
import tempfile
import time
import tty

DEADLINE_S = 10


class Simulator:
    """Runs `assay-sim MODEL ARGS`; `endpoint` is the one of its ready line."""

    def __init__(self, program, model, *args, faults=()):
        self.dir = tempfile.TemporaryDirectory(prefix="assay-sim-")
        self.truth_path = os.path.join(self.dir.name, "truth")
        self.pty_path = os.path.join(self.dir.name, "line")
        self.usb_path = os.path.join(self.dir.name, "usb")
        self.program, self.control_path = program, os.path.join(self.dir.name, "control")
        args = [{"PTY": self.pty_path, "USB": self.usb_path, "CONTROL": self.control_path}.get(a, a) for a in args]
        for fault in faults:
            args += ["--fault", fault]
        self.process = subprocess.Popen(
            [program, model, *args, "--truth", self.truth_path, "--seconds", "60"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not select.select([self.process.stdout], [], [], DEADLINE_S)[0]:
            raise TimeoutError("no ready line")
        line = self.process.stdout.readline().split()
        if line[:1] != ["ready"]:
            raise RuntimeError(f"not ready: {line}")
        self.ready = line
        self.endpoint = line[2] if len(line) > 2 else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        status = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        self.dir.cleanup()
        if status != 0:
            raise RuntimeError(f"simulator ended with {status}")

    def truth(self, event):
        with open(self.truth_path, encoding="ascii") as lines:
            return [t for t in map(json.loads, lines) if t["event"] == event]

    def fault(self, *faults):
        subprocess.run([self.program, "fault", "--control", self.control_path, *faults], check=True,
                       timeout=DEADLINE_S, stdout=subprocess.DEVNULL)

    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1].split("-")[0])

    def connect(self, port=None):
        return Line(socket.create_connection(("127.0.0.1", port or self.port()), DEADLINE_S))

    def open_line(self):
        fd = os.open(self.pty_path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd)
        return Line(fd)

    def open_usb(self):
        end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        end.connect(self.usb_path)
        return Usb(end)


class Line:
    """A socket or a terminal."""

    def __init__(self, end):
        self.end = end
        self.fd = end if isinstance(end, int) else end.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if isinstance(self.end, int):
            os.close(self.end)
        else:
            self.end.close()

    def write(self, data):
        os.write(self.fd, bytes(data))

    def read(self, n, seconds=DEADLINE_S):
        """n bytes, or fewer when the time is over or the other side has gone."""
        end, data = time.monotonic() + seconds, b""
        while len(data) < n:
            wait = end - time.monotonic()
            if wait <= 0 or not select.select([self.fd], [], [], wait)[0]:
                break
            try:
                piece = os.read(self.fd, n - len(data))
            except OSError:
                break
            if not piece:
                break
            data += piece
        return data

    def ask(self, data, n, seconds=DEADLINE_S):
        self.write(data)
        return self.read(n, seconds)


class Usb(Line):
    """A played USB device: its descriptors, and transfers at its endpoints."""

    def __init__(self, end):
        super().__init__(end)
        self.end.settimeout(DEADLINE_S)
        hello = self.end.recv(65537)
        total = 18 + int.from_bytes(hello[20:22], "little")
        self.device, self.configuration = hello[:18], hello[18:total]
        serial, self.reports = hello[total:].split(b"\0", 1)
        self.serial = serial.decode()
        self.endpoints, at = {}, 0  # address: type and size of a packet
        while at < len(self.configuration):
            one = self.configuration[at:at + self.configuration[at]]
            if one[1] == 5:
                self.endpoints[one[2]] = (one[3], int.from_bytes(one[4:6], "little"))
            at += one[0]
        self.rest = {address: b"" for address in self.endpoints}

    def write(self, data):
        self.write_to(next(address for address in self.endpoints if address < 0x80), data)

    def write_to(self, address, data):
        self.end.send(bytes([address]) + bytes(data))

    def read(self, n, seconds=DEADLINE_S, address=None):
        address = next(a for a in self.endpoints if a >= 0x80) if address is None else address
        end = time.monotonic() + seconds
        while len(self.rest[address]) < n:
            wait = end - time.monotonic()
            if wait <= 0 or not select.select([self.fd], [], [], wait)[0]:
                break
            transfer = self.end.recv(65537)
            if not transfer:
                break
            self.rest[transfer[0]] += transfer[1:]
        data, self.rest[address] = self.rest[address][:n], self.rest[address][n:]
        return data
