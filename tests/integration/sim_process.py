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
        args = [self.pty_path if a == "PTY" else a for a in args]
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

    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1].split("-")[0])

    def connect(self, port=None):
        return Line(socket.create_connection(("127.0.0.1", port or self.port()), DEADLINE_S))

    def open_line(self):
        fd = os.open(self.pty_path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd)
        return Line(fd)


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
