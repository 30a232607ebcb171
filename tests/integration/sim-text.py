# SPDX-License-Identifier: Apache-2.0
"""assay-sim text on a real pseudo-terminal and over TCP: one dialogue of each instrument."""
import functools
import operator
import struct
import sys
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
SHORT_S = 0.3


def text(instrument, *args, end=("--pty", "PTY"), faults=()):
    return Simulator(PROGRAM, "text", "--instrument", instrument, *end, *args, faults=faults)


class Dialogues(unittest.TestCase):
    def test_balance(self):
        with text("mt-sics", "--value", "12.34") as sim, sim.open_line() as line:
            self.assertEqual(line.ask(b"S\r\n", 18), b"S S      12.34 g\r\n")
            self.assertEqual(line.ask(b"I4\r\n", 16), b'I4 A "9990300"\r\n')
            self.assertEqual(line.ask(b"nonsense\r\n", 4), b"ES\r\n")
            self.assertEqual(sim.truth("measured")[0]["value"], 12.34)

    def test_ph_circuit(self):
        with text("ezo-ph", "--speed", "10") as sim, sim.open_line() as line:
            self.assertEqual(line.read(6), b"7.012\r")
            line.write(b"C,0\r")
            self.assertTrue(line.read(100, SHORT_S).endswith(b"*OK\r"))
            self.assertEqual(line.ask(b"R\r", 10), b"7.012\r*OK\r")

    def test_nirone(self):
        with text("nirone") as sim, sim.open_line() as line:
            self.assertEqual(line.ask(b"V2,5\r", 8), b"V: 2,5\r\n")
            self.assertEqual(line.ask(b"XM\r", 19), b"Measurement ready\r\n")
            seen = struct.unpack("<2f", line.ask(b"Xm0,2\r", 8))
            for value, truth in zip(seen, sim.truth("measured")[-1]["values"]):
                self.assertAlmostEqual(value, truth, 6)

    def test_gasera_over_tcp(self):
        with text("gasera-one", end=("--tcp", ":0")) as sim, sim.connect() as line:
            self.assertEqual(line.ask(b"\x02 STAM K0 1\x03", 9), b"\x02 STAM 0\x03")
            self.assertEqual(line.ask(b"\x02 ASTS K0\x03", 11), b"\x02 ASTS 0 5\x03")

    def test_meter(self):
        with text("iec-62056-21") as sim, sim.open_line() as line:
            self.assertEqual(line.ask(b"/?!\r\n", 20), b"/SIM5ASSAY 9990300\r\n")
            data = line.ask(b"\x06050\r\n", 1000, SHORT_S)
            self.assertEqual((data[0], data[-2]), (2, 3))
            self.assertEqual(functools.reduce(operator.xor, data[1:-1]), data[-1])

    def test_wrong_identity(self):
        with text("ak", faults=["wrong-identity"]) as sim, sim.open_line() as line:
            self.assertEqual(line.ask(b"\x02 AKEN K0\x03", 21), b"\x02 AKEN 0 SIM-9990301\x03")


if __name__ == "__main__":
    unittest.main()
