# SPDX-License-Identifier: Apache-2.0
"""Programs under measurement: started, watched, weighed, ended."""
import json
import os
import pathlib
import re
import select
import subprocess
import time

DEADLINE_S = 20


class Failure(Exception):
    """Something did not run, so there is nothing to compare."""


def wait_for(what, condition, seconds=DEADLINE_S):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return value


def run_json(*command):
    """Runs a program to its end and returns the JSON on its last line."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Failure(f"{command[0]}: status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


class Program:
    """A child process whose messages go to a file, and that reports on stdout when it is ready."""

    def __init__(self, command, log):
        self.name, self.log_path = os.path.basename(str(command[0])), log
        with open(log, "ab") as messages:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=messages, text=True)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def fail(self, what):
        lines = pathlib.Path(self.log_path).read_text(errors="replace").splitlines()
        raise Failure("\n".join([f"{self.name}: {what}", *lines[-15:]]))

    def check(self):
        if self.process.poll() is not None:
            self.fail(f"ended with status {self.process.returncode}")

    def read_line(self, seconds=DEADLINE_S):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            self.fail("says nothing")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(DEADLINE_S)
            self.fail(f"ended with status {self.process.returncode}")
        return line.strip()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def children(pid):
    """Processes that `pid` started and that live."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        if int(stat.rsplit(")", 1)[1].split()[1]) == pid:
            found.append(int(entry))
    return found


def arguments(pid):
    """A process's command line; empty once it has ended."""
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_text().split("\0")
    except OSError:
        return []


def cpu_ns(pids):
    """User and system time of all threads of these processes, ended ones included."""
    # The clock of another process, as clock_getcpuclockid(3) makes it; exact, unlike /proc's ticks.
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


def thread_ns(pids):
    """By name of the thread: time on a processor; a worker's threads have one name, the driver's is its second."""
    spent = {}
    for pid in pids:
        program = pathlib.Path("/proc", str(pid), "comm").read_text().strip()
        for task in pathlib.Path("/proc", str(pid), "task").iterdir():
            name = (task / "comm").read_text().strip()
            name += ", second thread" if name == program and task.name != str(pid) else ""
            spent[name] = spent.get(name, 0) + int((task / "schedstat").read_text().split()[0])
    return spent


def pss_kib(pid):
    """Proportional set size: private memory and the process's share of shared pages."""
    rollup = pathlib.Path("/proc", str(pid), "smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE).group(1))


def bytes_received(first_port, last_port):
    """Bytes received by the sockets of servers on these ports, in total."""
    done = subprocess.run(["ss", "-tinH", f"sport >= {first_port} and sport <= {last_port}"],
                          capture_output=True, text=True, check=True)
    return sum(int(n) for n in re.findall(r"bytes_received:(\d+)", done.stdout))
