# SPDX-License-Identifier: Apache-2.0
"""assay-sim nirscan-nano on a real pseudo-terminal: a scan and its file, by the UART's frames."""
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
            end = time.monotonic() + DEADLINE_S
            while ask(line, 0xC0, 0x0219) != b"\1":
                self.assertLess(time.monotonic(), end)
            size = struct.unpack("<I", ask(line, 0xC0, 0x002D, b"\0"))[0]
            self.assertEqual(size, 3822)
            data = b""
            while len(data) < size:
                part = ask(line, 0xC0, 0x002E)
                self.assertLessEqual(len(part), 510)
                data += part
            truth = sim.truth("measured")[-1]
            at = data.index(b"i#\0") + 7
            seen = struct.unpack_from(f"<{len(truth['adc'])}i", data, at)
            self.assertEqual(list(seen), truth["adc"])


if __name__ == "__main__":
    unittest.main()
