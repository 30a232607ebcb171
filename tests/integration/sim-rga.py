# SPDX-License-Identifier: Apache-2.0
"""assay-sim srs-rga on a real pseudo-terminal: the worked session, aborts, faults of the line."""
import struct
import sys
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
SHORT_S = 0.3


def rga(*args, faults=()):
    return Simulator(PROGRAM, "srs-rga", "--pty", "PTY", *args, faults=faults)


def words(data):
    return struct.unpack(f"<{len(data) // 4}i", data)


class Session(unittest.TestCase):
    def test_worked_session_has_the_printed_bytes(self):
        with rga("--fixed", "--serial", "12226", "--speed", "20") as sim, \
                sim.open_line() as line:
            self.assertEqual(line.ask(b"\x49\x4e\x30\x0d", 3), b"\x30\x0a\x0d")
            self.assertEqual(line.ask(b"ID?\r", 25), b"SRSRGA200VER0.24SN12226\n\r")
            self.assertEqual(line.ask(b"MO?\r", 3), b"1\n\r")
            self.assertEqual(line.ask(b"FL1.0\r", 3), b"0\n\r")
            self.assertEqual(line.ask(b"MF200\rMI10\rMF50\rMI?\r", 4), b"10\n\r")
            self.assertEqual(line.ask(b"NF4\rSA10\rAP?\r", 5), b"401\n\r")
            scan = line.ask(b"SC1\r", 1608)
            self.assertEqual(len(scan), 1608)
            self.assertEqual(scan[:12].hex(), "3930000006ffffff00e1f505")
            self.assertEqual(words(scan)[-1], 100000000)
            self.assertEqual(line.ask(b"MR28\r", 4), bytes.fromhex("39300000"))
            self.assertEqual(line.ask(b"MR0\rFL0\r", 3), b"0\n\r")
            self.assertEqual(line.read(1, SHORT_S), b"")

    def test_byte_aborts_a_scan_and_the_host_resynchronises(self):
        with rga("--speed", "10") as sim, sim.open_line() as line:
            self.assertEqual(len(line.ask(b"SC\r", 400)), 400)
            line.write(b"\r")
            while line.read(4096, SHORT_S):
                pass
            self.assertEqual(line.ask(b"ID?\r", 27), b"SRSRGA200VER0.24SN9990100\n\r")
            self.assertEqual(len(sim.truth("aborted")), 1)

    def test_abort_clears_what_the_line_has_not_carried(self):
        with rga("--speed", "1000", "--baud", "28800") as sim, sim.open_line() as line:
            self.assertEqual(len(line.ask(b"SC\r", 400)), 400)
            line.write(b"ID?\r")
            rest = line.read(100000, SHORT_S)
            self.assertTrue(rest.endswith(b"SRSRGA200VER0.24SN9990100\n\r"))
            self.assertLess(len(rest), 600)  # of tens of thousands that were measured

    def test_words_are_the_truth(self):
        with rga("--speed", "100", "--gases", "N2:4e-7,ethanol:1e-7") as sim, \
                sim.open_line() as line:
            self.assertEqual(line.ask(b"FL1\r", 3), b"0\n\r")
            seen = words(line.ask(b"MF50\rHS1\r", 4 * 51))
            truth = sim.truth("measured")[-1]
            self.assertEqual(list(seen), truth["counts"])
            self.assertGreater(seen[27], 300000)
            self.assertGreater(seen[30], 200000)

    def test_filament_stays_lit_for_the_next_host(self):
        with rga("--speed", "20", "--fixed") as sim:
            with sim.open_line() as line:
                self.assertEqual(line.ask(b"FL1\r", 3), b"0\n\r")
            with sim.open_line() as line:
                self.assertEqual(line.ask(b"FL?\r", 8), b"1.0000\n\r")

    def test_overrun_is_healed_by_in0(self):
        with rga("--speed", "100", "--overrun", "1") as sim, sim.open_line() as line:
            line.write(b"MF20\rSC1\r")
            count = len(line.read(1000, 1))
            self.assertNotEqual(count, 4 * 192)
            self.assertEqual(line.ask(b"IN0\r", 1, SHORT_S), b"")
            self.assertEqual(line.ask(b"IN0\r", 1, SHORT_S), b"")
            self.assertEqual(line.ask(b"IN0\r", 3), b"0\n\r")

    def test_wrong_identity_is_another_serial(self):
        with rga(faults=["wrong-identity"]) as sim, sim.open_line() as line:
            self.assertEqual(line.ask(b"ID?\r", 27), b"SRSRGA200VER0.24SN9990101\n\r")


if __name__ == "__main__":
    unittest.main()
