# SPDX-License-Identifier: Apache-2.0
"""assay-sim nirscan-nano on a real pseudo-terminal by the UART's frames, and by the reports of USB: a scan and its file."""
import struct
import sys
import time
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
DEADLINE_S = 10


def frame(flags, opcode, arguments=b""):
    body = struct.pack("<BBHH", flags, 0, 2 + len(arguments), opcode) + arguments
    return b"ABCD" + struct.pack("<I", sum(body)) + body + b"DCBA"


def ask(line, flags, opcode, arguments=b""):
    line.write(frame(flags, opcode, arguments))
    head = line.read(12)
    length = struct.unpack_from("<H", head, 10)[0]
    rest = line.read(length + 4)
    assert head[8] == flags and rest[:2] == struct.pack("<H", opcode), head.hex()
    assert struct.unpack_from("<I", head, 4)[0] == sum(head[8:] + rest[:-4])
    return rest[2:-4]


def report(line, flags, opcode, arguments=b""):
    line.write(struct.pack("<BBHH", flags, 7, 2 + len(arguments), opcode) + arguments.ljust(58, b"\0"))
    head = line.read(64)
    assert (head[0], head[1]) == (flags, 7), head.hex()
    length = struct.unpack_from("<H", head, 2)[0]
    data = head[4:]
    while len(data) < length:
        data += line.read(64)
    return data[:length]


def has_scanned(ask):
    end = time.monotonic() + DEADLINE_S
    while ask(0xC0, 0x0219) != b"\1":
        assert time.monotonic() < end


def check_file(data, sim):
    truth = sim.truth("measured")[-1]
    seen = struct.unpack_from(f"<{len(truth['adc'])}i", data, data.index(b"i#\0") + 7)
    assert list(seen) == truth["adc"]


class Usb(unittest.TestCase):
    def test_the_device_is_that_of_the_sheet(self):
        with Simulator(PROGRAM, "nirscan-nano", "--usb-socket", "USB") as sim, sim.open_usb() as line:
            self.assertEqual(line.device[8:12].hex(), "51040042")
            self.assertEqual(line.serial, "12345678")
            self.assertEqual(line.endpoints, {0x81: (3, 64), 0x01: (3, 64)})
            self.assertEqual(line.configuration[9:18].hex(), "090400000203000000")  # HID, no subclass
            self.assertEqual(line.configuration[18:20].hex(), "0921")
            self.assertEqual((line.reports[:3].hex(), line.reports[-1], len(line.reports)), ("0600ff", 0xC0, 27))

    def test_a_scan_is_in_its_file(self):
        with Simulator(PROGRAM, "nirscan-nano", "--usb-socket", "USB", "--speed", "20") as sim, \
                sim.open_usb() as line:
            self.assertEqual(report(line, 0xC0, 0x0233), b"9990500\0")
            report(line, 0x40, 0x0218, b"\0")
            has_scanned(lambda *args: report(line, *args))
            size = struct.unpack("<I", report(line, 0xC0, 0x002D, b"\0"))[0]
            data = b""
            while len(data) < size:
                part = report(line, 0xC0, 0x002E)
                self.assertIn(len(part), (512, size - len(data)))
                data += part
            check_file(data, sim)


class Uart(unittest.TestCase):
    def test_frames_have_the_printed_bytes(self):
        with Simulator(PROGRAM, "nirscan-nano", "--pty", "PTY") as sim, sim.open_line() as line:
            self.assertEqual(
                line.ask(frame(0xC0, 0x0403), 22),
                bytes.fromhex("41424344CE000000C000060003040100000044434241"))

    def test_a_scan_is_in_its_file(self):
        with Simulator(PROGRAM, "nirscan-nano", "--pty", "PTY", "--speed", "20") as sim, \
                sim.open_line() as line:
            self.assertEqual(ask(line, 0xC0, 0x0233), b"9990500\0")
            ask(line, 0x40, 0x0218, b"\0")
            has_scanned(lambda *args: ask(line, *args))
            size = struct.unpack("<I", ask(line, 0xC0, 0x002D, b"\0"))[0]
            self.assertEqual(size, 3822)
            data = b""
            while len(data) < size:
                part = ask(line, 0xC0, 0x002E)
                self.assertLessEqual(len(part), 510)
                data += part
            check_file(data, sim)


if __name__ == "__main__":
    unittest.main()
