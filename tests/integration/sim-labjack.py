# SPDX-License-Identifier: Apache-2.0
"""assay-sim labjack-u6 on a played bus: its endpoints, a reading, a stream that is the truth, and one that overflows."""
import struct
import sys
import time
import unittest

from sim_process import DEADLINE_S, Simulator

PROGRAM = sys.argv.pop(1)
IN, STREAM = 0x82, 0x83
STREAM_1_KHZ = bytes.fromhex("D9F80511CA00010119000000A00F0000")
START, STOP = b"\xa8\xa8", b"\xb0\xb0"


def labjack(*args, faults=()):
    return Simulator(PROGRAM, "labjack-u6", "--usb-socket", "USB", *args, faults=faults)


def samples(packet):
    assert packet[1:4] == bytes([0xF9, 29, 0xC0]), packet.hex()
    return list(struct.unpack_from("<25H", packet, 12))


def read_packet(line, seconds=DEADLINE_S):
    packet = line.read(64, seconds, STREAM)
    if packet:
        line.write_to(STREAM, b"")  # it was taken
    return packet


class Usb(unittest.TestCase):
    def test_the_device_is_that_of_the_sheet(self):
        with labjack("--serial", "9990817") as sim, sim.open_usb() as line:
            self.assertEqual(line.device[8:12].hex(), "d50c0600")
            self.assertEqual(line.endpoints, {IN: (2, 64), 0x01: (2, 64), STREAM: (2, 64)})
            reply = line.ask(bytes.fromhex("0BF80A08" + 22 * "00"), 38)
            self.assertEqual(struct.unpack_from("<I", reply, 15)[0], 9990817)
            self.assertEqual(line.ask(b"\0\0", 2), b"\xb8\xb8")

    def test_the_printed_reading_comes_out(self):
        with labjack("--nominal", "--noise", "0", "--adc-noise", "0", "--drift", "0", "--height", "0",
                     "--baseline", "0.5") as sim, sim.open_usb() as line:
            self.assertEqual(line.ask(bytes.fromhex("06F803000A00000200080000"), 12).hex(),
                             "e7f80300eb00000000402289")

    def test_a_stream_is_the_truth(self):
        with labjack("--length", "2", "--first", "0") as sim, sim.open_usb() as line:
            self.assertEqual(line.ask(STREAM_1_KHZ, 8)[6], 0)
            self.assertEqual(line.ask(START, 4).hex(), "a9a90000")
            packets = [read_packet(line) for _ in range(40)]
            self.assertEqual(line.ask(STOP, 4).hex(), "b1b10000")
            self.assertEqual([p[10] for p in packets], list(range(40)))
            self.assertEqual([samples(p) for p in packets], [t["raw"] for t in sim.truth("packet")[:40]])
            self.assertEqual(sim.truth("injection")[0]["peaks"][1]["name"], "ethanol")

    def test_a_host_that_takes_nothing_loses_scans(self):
        with labjack() as sim, sim.open_usb() as line:
            line.ask(STREAM_1_KHZ, 8)
            line.ask(START, 4)
            end = time.monotonic() + DEADLINE_S
            while not sim.truth("overflow"):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.01)
            errors = []
            while 60 not in errors:
                packet = read_packet(line)
                errors.append(packet[11])
            self.assertGreater(struct.unpack_from("<H", packet, 6)[0], 0)
            self.assertIn(59, errors)
            line.ask(STOP, 4)

    def test_stall_is_switched_at_run_time(self):
        with labjack(faults=["stall"]) as sim, sim.open_usb() as line:
            line.ask(STREAM_1_KHZ, 8)
            line.ask(START, 4)
            self.assertEqual(read_packet(line, 0.3), b"")


if __name__ == "__main__":
    unittest.main()
