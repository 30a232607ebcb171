# SPDX-License-Identifier: Apache-2.0
"""assayd with a configuration and a journal of its own, and a subscriber that counts."""
import contextlib
import json
import os
import shutil
import signal
import tempfile

from process import DEADLINE_S, Failure, Program, arguments, children, wait_for


class Daemon:
    """Runs the daemon of the build at `build` of the place; the journal lies in its `disk`."""

    def __init__(self, place, instruments, sync="always", state=None, bus=()):
        """`state`: a journal that is there already, and stays.  `bus`: a command that runs it on a machine with USB devices."""
        self.place, self.keeps = place, state is not None
        self.state = state or tempfile.mkdtemp(prefix="journal-", dir=place.disk)
        self.count = len(instruments)
        run = place.sockets / "run"
        run.mkdir(exist_ok=True)
        self.live, self.control = f"ipc://{run}/live", run / "control"
        self.control.unlink(missing_ok=True)
        config = place.sockets / "assayd.yaml"
        config.write_text(json.dumps({
            "laboratory": {"site": "bench", "node": "bench-1"},
            "journal": {"path": self.state, "sync": sync},
            "sockets": {"dir": str(run)},
            "instruments": instruments,
        }, indent=1))
        build = place.build
        self.has_bus = bool(bus)
        self.program = Program([*bus, build / "daemon/core/assayd", "--config", config,
                                "--worker", build / "daemon/worker/assay-worker",
                                "--drivers", place.drivers], place.log("assayd"))

    def __enter__(self):
        try:
            wait_for("a worker per instrument", lambda: len(self.workers()) == self.count)
        except Failure as failure:
            self.__exit__()
            self.program.fail(failure)
        return self

    def __exit__(self, *_):
        self.program.stop()
        if not self.keeps:
            shutil.rmtree(self.state, ignore_errors=True)

    def wait_ready(self, seconds=DEADLINE_S):
        """Until it has opened its sockets, which it does when it has read its journal."""
        wait_for("the control socket", lambda: self.program.check() or self.control.exists(), seconds)

    def core(self):
        """Its process; with a bus, the only child of that one, 0 until it is there."""
        return next(iter(children(self.program.pid)), 0) if self.has_bus else self.program.pid

    def workers(self):
        self.program.check()
        # The daemon also starts the worker's program to ask it about drivers.
        return [pid for pid in children(self.core()) if "--fd" in arguments(pid)]

    def pids(self):
        return [self.core(), *self.workers()]

    @contextlib.contextmanager
    def stopped(self):
        """Leaves the machine to others for a moment."""
        pids = self.pids()
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def subscribe(self, warm_up, seconds):
        """A subscriber to frames that has got its first one; read_line() gives the counts."""
        subscriber = Program([self.place.tool("bench-subscribe"), self.live, "a1/sim-data/",
                              warm_up, seconds], self.place.log("bench-subscribe"))
        try:
            subscriber.read_line()
        except Failure as failure:
            subscriber.stop()
            self.program.fail(failure)
        return subscriber

    def count_frames(self, warm_up, seconds):
        """Subscribes for some time and returns the counts."""
        with self.subscribe(warm_up, seconds) as subscriber:
            return json.loads(subscriber.read_line(warm_up + seconds + DEADLINE_S))
