# SPDX-License-Identifier: Apache-2.0
"""assay-sim modbus on real sockets and a real pseudo-terminal, against the worked examples."""
import struct
import sys
import time
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)

MCS_REQUEST = bytes.fromhex("01 04 00 8A 00 22 51 F9")
MCS_REPLY = bytes.fromhex(
    "01 04 44 00 00 41 48 00 00 00 00 00 00 40 50 00 00 42 34 00 00 42 F1 00 00 00 00"
    "00 00 42 0F 00 00 40 20 00 00 00 00 00 00 00 00 33 33 41 63 66 66 41 2E"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 4C CD 43 3B EF D8")
BENCH_REPLY = bytes.fromhex(
    "01 04 24 00 00 40 C8 00 00 41 C8 00 00 42 C8 00 00 43 C8 00 00 44 C8 00 00 45 C8"
    "00 00 46 C8 00 00 47 C8 00 00 48 C8 CF C4")
GASMET_REPLY = bytes.fromhex(
    "01 03 24 00 00 42 0F 4C CD 43 3B 00 00 40 20 00 00 40 50 00 00 42 34 68 00 47 BF"
    "00 00 41 48 00 00 3F 00 33 33 41 63 0C 34")
SHORT_S = 0.3


def adu(pdu, transaction=1):
    return struct.pack(">HHH", transaction, 0, len(pdu)) + pdu


TCP_REQUEST, TCP_REPLY = adu(MCS_REQUEST[:-2]), adu(MCS_REPLY[:-2])


def tcp(*args, faults=()):
    return Simulator(PROGRAM, "modbus", "--tcp", "127.0.0.1:0", *args, faults=faults)


def rtu(*args, faults=()):
    return Simulator(PROGRAM, "modbus", "--pty", "PTY", *args, faults=faults)


def floats(data):
    """CDAB"""
    return [struct.unpack(">f", data[i + 2:i + 4] + data[i:i + 2])[0]
            for i in range(0, len(data), 4)]


class Rtu(unittest.TestCase):
    def ask(self, request, reply, *args):
        with rtu(*args) as sim, sim.open_line() as line:
            self.assertEqual(line.ask(request, len(reply)).hex(), reply.hex())
            self.assertEqual(line.read(1, SHORT_S), b"")

    def test_mcs100ft_block_has_the_printed_bytes(self):
        self.ask(MCS_REQUEST, MCS_REPLY, "--fixed", "example")

    def test_mcs100ft_fault_flag_has_the_printed_bytes(self):
        self.ask(bytes.fromhex("01 02 0F A0 00 01 BA FC"), bytes.fromhex("01 02 01 00 A1 88"),
                 "--fixed", "example")

    def test_daniel_2251_has_a_float_at_each_address(self):
        reply = bytes.fromhex("01 03 10 3C FD F3 B6 3F A0 00 00 42 BC 66 66 3F 59 99 9A 15 8B")
        self.ask(bytes.fromhex("01 03 1B 59 00 04 92 FE"), reply, "--profile", "daniel-2251",
                 "--fixed", "example")
        with tcp("--profile", "daniel-2251", "--fixed", "example") as sim, sim.connect() as line:
            seen = line.ask(adu(bytes.fromhex("01 03 1B 59 00 04")), 25)
            self.assertEqual(seen.hex(), adu(reply[:-2]).hex())

    def test_bench_vector_one_register_earlier(self):
        self.ask(bytes.fromhex("01 04 00 89 00 12 A1 ED"), BENCH_REPLY,
                 "--fixed", "bench", "--address-offset", "-1")

    def test_gasmet_block_has_the_printed_bytes(self):
        self.ask(bytes.fromhex("01 03 00 00 00 12 C5 C7"), GASMET_REPLY,
                 "--profile", "gasmet-cx4000", "--fixed", "example")

    def test_unmapped_register_is_exception_2(self):
        # 01 04 01 F3 00 02: registers 499 and 500; CRC computed apart from the simulator
        self.ask(bytes.fromhex("01 04 01 F3 00 02 80 04"), bytes.fromhex("01 84 02 C2 C1"))

    def test_wrong_crc_is_met_with_silence_and_the_line_recovers(self):
        with rtu("--fixed", "example") as sim, sim.open_line() as line:
            self.assertEqual(line.ask(MCS_REQUEST[:-1] + b"\xf8", 1, SHORT_S), b"")
            self.assertEqual(line.ask(MCS_REQUEST, len(MCS_REPLY)), MCS_REPLY)

    def test_units_share_a_line(self):
        request = bytes.fromhex("02 04 00 8A 00 22 51 CA")
        with rtu("--units", "1,2") as sim, sim.open_line() as line:
            one = line.ask(MCS_REQUEST, len(MCS_REPLY))
            two = line.ask(request, len(MCS_REPLY))
            self.assertEqual((one[0], two[0], len(two)), (1, 2, len(MCS_REPLY)))


class Tcp(unittest.TestCase):
    def test_block_has_the_printed_bytes(self):
        with tcp("--fixed", "example") as sim, sim.connect() as client:
            self.assertEqual(client.ask(TCP_REQUEST, len(TCP_REPLY)), TCP_REPLY)

    def test_requests_in_one_piece_are_answered_in_order(self):
        with tcp("--fixed", "example") as sim, sim.connect() as client:
            requests = b"".join(adu(MCS_REQUEST[:-2], i) for i in range(20))
            replies = b"".join(adu(MCS_REPLY[:-2], i) for i in range(20))
            self.assertEqual(client.ask(requests, len(replies)), replies)

    def test_slow_client_keeps_nobody_waiting(self):
        with tcp("--fixed", "example") as sim, sim.connect() as slow, sim.connect() as quick:
            slow.write(TCP_REQUEST[:7])
            for _ in range(20):
                self.assertEqual(quick.ask(TCP_REQUEST, len(TCP_REPLY)), TCP_REPLY)
            self.assertEqual(slow.ask(TCP_REQUEST[7:], len(TCP_REPLY)), TCP_REPLY)

    def test_ports_in_a_row_are_different_analysers(self):
        with tcp("--ports", "5", "--units", "1,2") as sim:
            first = sim.port()
            self.assertEqual(sim.endpoint, f"127.0.0.1:{first}-{first + 4}")
            replies = set()
            for port in range(first, first + 5):
                with sim.connect(port) as client:
                    reply = client.ask(TCP_REQUEST, len(TCP_REPLY))
                    self.assertEqual(len(reply), len(TCP_REPLY))
                    replies.add(reply)
            self.assertEqual(len(replies), 1)  # all start at the usual values
            self.assertEqual(len({t["port"] for t in sim.truth("poll")}), 5)

    def test_truth_is_what_was_sent(self):
        with tcp("--interval", "0.01", "--speed", "100") as sim, sim.connect() as client:
            seen = []
            for _ in range(10):
                data = client.ask(TCP_REQUEST, len(TCP_REPLY))[9:]
                seen.append(floats(data))
                time.sleep(0.005)
            polls = sim.truth("poll")
            self.assertEqual(len(polls), 10)
            for values, poll in zip(seen, polls):
                self.assertAlmostEqual(values[0], poll["values"]["HCl"], places=5)
                self.assertAlmostEqual(values[16], poll["values"]["NOx"], places=4)
            self.assertGreater(len({v[0] for v in seen}), 5)

    def test_not_modbus_is_passed_over_and_nonsense_closes(self):
        with tcp("--fixed", "example") as sim, sim.connect() as client:
            other = bytes.fromhex("00 01 00 07 00 06 01 04 00 8A 00 22")
            self.assertEqual(client.ask(other + TCP_REQUEST, len(TCP_REPLY)), TCP_REPLY)
            client.write(b"GET / HTTP/1.0\r\n\r\n")
            self.assertEqual(client.read(1), b"")

    def test_unknown_unit_gets_the_gateway_exception(self):
        with tcp() as sim, sim.connect() as client:
            reply = client.ask(adu(b"\x09\x04\x00\x8a\x00\x02"), 9)
            self.assertEqual(reply, adu(b"\x09\x84\x0b"))

    def test_busy_is_exception_6(self):
        with tcp(faults=["busy"]) as sim, sim.connect() as client:
            self.assertEqual(client.ask(TCP_REQUEST, 9), adu(b"\x01\x84\x06"))

    def test_wrong_identity_is_another_unit(self):
        with tcp("--fixed", "example", faults=["wrong-identity"]) as sim, sim.connect() as client:
            reply = client.ask(TCP_REQUEST, len(TCP_REPLY))
            self.assertNotEqual(reply[6], 1)
            self.assertEqual(reply[7:], TCP_REPLY[7:])

    def test_stale_reply_comes_before_the_new_one(self):
        with tcp("--fixed", "example", faults=["stale=1"]) as sim, sim.connect() as client:
            self.assertEqual(client.ask(adu(MCS_REQUEST[:-2], 7), len(TCP_REPLY)),
                             adu(MCS_REPLY[:-2], 7))
            both = client.ask(adu(MCS_REQUEST[:-2], 8), 2 * len(TCP_REPLY))
            self.assertEqual(both, adu(MCS_REPLY[:-2], 7) + adu(MCS_REPLY[:-2], 8))

    def test_garbage_comes_unasked(self):
        with tcp(faults=["garbage=50"]) as sim, sim.connect() as client:
            self.assertEqual(len(client.read(20)), 20)

    def test_disconnected_port_comes_back(self):
        with tcp("--fixed", "example", faults=["disconnect=500ms"]) as sim:
            end = time.monotonic() + 10
            reply = b""
            attempts = 0
            while reply != TCP_REPLY and time.monotonic() < end:
                attempts += 1
                with sim.connect() as client:
                    try:
                        reply = client.ask(TCP_REQUEST, len(TCP_REPLY))
                    except ConnectionError:
                        pass
            self.assertEqual(reply, TCP_REPLY)
            self.assertGreater(attempts, 1)


if __name__ == "__main__":
    unittest.main()
