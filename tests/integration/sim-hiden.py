# SPDX-License-Identifier: Apache-2.0
"""assay-sim hiden-rga on a real pseudo-terminal and over TCP: a whole session."""
import re
import sys
import time
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
DEADLINE_S = 10


class Session(unittest.TestCase):
    def ask(self, line, text):
        line.write(text.encode() + b"\r")
        reply = b""
        while not reply.endswith(b"\r\n"):
            piece = line.read(1)
            self.assertTrue(piece, text)
            reply += piece
        return reply[:-2].decode()

    def measure(self, line):
        for text in ("pset terse 1", "sdel all", "lset enable 1", "lput F1 0 1", "lset mode 1",
                     "sset scan Ascans", "sset row 1", "sset start 1", "sset stop 50",
                     "sset step 1", "sset report 5", "sset cycles 1", "data on", "lini Ascans"):
            self.assertEqual(self.ask(line, text), "", text)
        self.assertRegex(self.ask(line, "sjob lget Ascans"), r"^task \d+, job \d+,$")
        data, end = self.ask(line, "data all"), time.monotonic() + DEADLINE_S
        while "*C110*" not in data and time.monotonic() < end:
            data += self.ask(line, "data")
        return re.findall(r"([\d.]+):([ -][\d.e+-]+),", data), data

    def test_session_over_both_links(self):
        for end in (("--pty", "PTY"), ("--tcp", ":0")):
            with Simulator(PROGRAM, "hiden-rga", *end, "--speed", "20") as sim, \
                    (sim.open_line() if end[0] == "--pty" else sim.connect()) as line:
                self.assertEqual(self.ask(line, "pget name"), '"HAL RC RGA 201 #9990400"')
                values, data = self.measure(line)
                self.assertEqual(data[:2], "[{")
                self.assertEqual([float(mass) for mass, _ in values], list(range(1, 51)))
                truth = sim.truth("measured")
                for (_, value), true in zip(values, truth, strict=True):
                    self.assertAlmostEqual(float(value), true["torr"], delta=abs(true["torr"]) / 50)

    def test_filament_stays_lit_for_the_next_host(self):
        with Simulator(PROGRAM, "hiden-rga", "--tcp", ":0") as sim:
            with sim.connect() as line:
                for text in ("lset enable 1", "lput F1 0 1", "lset mode 1"):
                    self.ask(line, text)
            with sim.connect() as line:
                self.assertEqual(self.ask(line, "lget emok"), "emok 1")


if __name__ == "__main__":
    unittest.main()
