# SPDX-License-Identifier: Apache-2.0
"""assay-sim amptek-dp5 on a real pseudo-terminal, UDP and TCP, and the faults that all models share."""
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from sim_process import DEADLINE_S, Line, Simulator

PROGRAM = sys.argv.pop(1)
SILENT_S = 0.3  # how long nothing must come for it to count as nothing
STATUS, SPECTRUM_AND_STATUS, CLEAR, ENABLE = (1, 1), (2, 3), (0xF0, 1), (0xF0, 2)


def packet(pid, data=b""):
    body = bytes([0xF5, 0xFA, *pid, len(data) >> 8, len(data) & 255]) + data
    return body + struct.pack(">H", -sum(body) & 0xFFFF)


def is_good(answer):
    total = sum(answer[:-2]) + struct.unpack(">H", answer[-2:])[0]
    return answer[:2] == b"\xf5\xfa" and total & 0xFFFF == 0


def read_answer(line, seconds=DEADLINE_S):
    """One packet; the bytes received if it is cut short."""
    head = line.read(6, seconds)
    if len(head) < 6:
        return head
    return head + line.read(struct.unpack(">H", head[4:])[0] + 2, seconds)


def ask(line, pid, data=b"", seconds=DEADLINE_S):
    line.write(packet(pid, data))
    return read_answer(line, seconds)


class Datagrams(Line):
    """Bytes of datagrams in a row, as the host puts them together."""

    def __init__(self, port):
        super().__init__(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.end.connect(("127.0.0.1", port))
        self.rest = b""

    def read(self, n, seconds=DEADLINE_S):
        end = time.monotonic() + seconds
        while len(self.rest) < n:
            wait = end - time.monotonic()
            if wait <= 0 or not select.select([self.fd], [], [], wait)[0]:
                break
            datagram = self.end.recv(65536)
            assert len(datagram) <= 520
            self.rest += datagram
        data, self.rest = self.rest[:n], self.rest[n:]
        return data


def amptek(*args, faults=()):
    return Simulator(PROGRAM, "amptek-dp5", *args, faults=faults)


def connections():
    """Each transport: its arguments, and how a client comes to it."""
    return {"pty": (["--pty", "PTY"], lambda sim: sim.open_line()),
            "udp": (["--udp", "127.0.0.1:0"], lambda sim: Datagrams(sim.port())),
            "tcp": (["--tcp", "127.0.0.1:0"], lambda sim: sim.connect()),
            "usb": (["--usb-socket", "USB"], lambda sim: sim.open_usb())}


def until(condition):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


class Transports(unittest.TestCase):
    def test_identity_is_the_same_everywhere(self):
        for name, (where, connect) in connections().items():
            with self.subTest(name), amptek(*where, "--serial", "9990007") as sim, \
                    connect(sim) as line:
                answer = ask(line, STATUS)
                self.assertTrue(is_good(answer))
                self.assertEqual(struct.unpack_from("<I", answer, 6 + 26)[0], 9990007)
                self.assertEqual(ask(line, (0xF1, 0x7F), b"\1\2\3").hex(), "f5fa8f7f0003010203fcfa")

    def test_measured_spectrum_is_the_truth(self):
        for name, (where, connect) in connections().items():
            with self.subTest(name), amptek(*where, "--speed", "100") as sim, connect(sim) as line:
                ask(line, (0x20, 4), b"MCAC=2048;PRET=20;")
                ask(line, CLEAR)
                ask(line, ENABLE)
                until(lambda: not ask(line, STATUS)[6 + 35] & 0x20)
                answer = ask(line, SPECTRUM_AND_STATUS)
                self.assertTrue(is_good(answer))
                self.assertEqual(len(answer), 6216)
                counts = [int.from_bytes(answer[6 + 3 * i:9 + 3 * i], "little") for i in range(2048)]
                truth = sim.truth("spectrum")[-1]
                self.assertEqual(counts, truth["counts"])
                self.assertEqual(sum(counts), struct.unpack_from("<I", answer, 6 + 6144 + 4)[0])
                self.assertEqual(truth["accumulation_ms"], 20000)
                self.assertAlmostEqual(counts.index(max(counts)), 640, delta=3)

    def test_udp_stays_with_its_first_host(self):
        with amptek("--udp", ":0") as sim, Datagrams(sim.port()) as first, \
                Datagrams(sim.port()) as second:
            self.assertTrue(is_good(ask(first, STATUS)))
            self.assertEqual(ask(second, STATUS, seconds=SILENT_S), b"")
            self.assertTrue(is_good(ask(first, STATUS)))

    def test_netfinder_answers_any_host_on_its_own_port(self):
        with amptek("--udp", ":0", "--netfinder", ":0", "--serial", "9990007") as sim, \
                Datagrams(sim.port()) as owner, \
                Datagrams(int(sim.ready[-1].rsplit(":", 1)[1])) as first, \
                Datagrams(int(sim.ready[-1].rsplit(":", 1)[1])) as second:
            self.assertTrue(is_good(ask(owner, STATUS)))
            for n, line in enumerate((first, second)):
                line.write(bytes.fromhex(f"0000010{n}f4fa"))
                self.assertEqual(line.read(4), bytes([1, 1, 1, n]))
                line.read(28)
                self.assertEqual(line.read(27), b"Amptek DP5 - S/N 9990007\0(n")
            self.assertTrue(is_good(ask(owner, STATUS)))

    def test_netfinder_needs_udp(self):
        done = subprocess.run([PROGRAM, "amptek-dp5", "--tcp", ":0", "--netfinder", ":0"],
                              capture_output=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(done.returncode, 2)

    def test_clients_come_one_after_the_other(self):
        for name in ("pty", "tcp"):
            where, connect = connections()[name]
            with self.subTest(name), amptek(*where) as sim:
                for _ in range(3):
                    with connect(sim) as line:
                        line.read(100000, SILENT_S)  # as a host does that opens a serial line
                        self.assertTrue(is_good(ask(line, STATUS)))
                        line.write(packet(SPECTRUM_AND_STATUS) + b"\xf5\xfa\x01")  # leaves early

    def test_baud_paces_the_serial_line(self):
        with amptek("--pty", "PTY", "--baud", "115200") as sim, sim.open_line() as line:
            begin = time.monotonic()
            self.assertEqual(len(ask(line, SPECTRUM_AND_STATUS)), 6216)
            self.assertGreater(time.monotonic() - begin, 0.5)

    def test_terminated_program_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            link, control = os.path.join(folder, "line"), os.path.join(folder, "control")
            process = subprocess.Popen(
                [PROGRAM, "amptek-dp5", "--pty", link, "--control", control],
                stdout=subprocess.PIPE, text=True)
            self.assertEqual(process.stdout.readline(), f"ready pty {link}\n")
            self.assertEqual(sorted(os.listdir(folder)), ["control", "line"])
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(DEADLINE_S), 0)
            process.stdout.close()
            self.assertEqual(os.listdir(folder), [])

    def test_time_limit_ends_it(self):
        begin = time.monotonic()
        done = subprocess.run([PROGRAM, "amptek-dp5", "--udp", ":0", "--seconds", "0.2"],
                              capture_output=True, timeout=DEADLINE_S, check=True)
        self.assertTrue(done.stdout.startswith(b"ready udp 127.0.0.1:"))
        self.assertGreater(time.monotonic() - begin, 0.2)


class Faults(unittest.TestCase):
    """One simulator each, faults switched while it runs."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.control = os.path.join(self.folder.name, "control")

    def begin(self, *where):
        return self.enterContext(amptek(*where, "--control", self.control))

    def switch(self, *faults):
        done = subprocess.run([PROGRAM, "fault", "--control", self.control, *faults],
                              capture_output=True, text=True, timeout=DEADLINE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_stale_replies_come_before_the_new_one(self):
        sim = self.begin("--tcp", ":0")
        line = self.enterContext(sim.connect())
        self.assertTrue(is_good(ask(line, STATUS)))
        self.assertEqual(self.switch("stale=1"), "ok stale=1")
        self.assertTrue(is_good(ask(line, (0xF1, 3))))  # the status comes once more
        self.assertEqual(read_answer(line)[2:4], b"\xff\x03")
        self.assertEqual(self.switch("off"), "ok off")
        self.assertTrue(is_good(ask(line, STATUS)))
        self.assertEqual([d["stale"] for d in sim.truth("damaged")], [True])
        self.assertEqual([f["state"] for f in sim.truth("faults")], ["stale=1", "off"])

    def test_garbage_comes_unasked(self):
        sim = self.begin("--pty", "PTY")
        line = self.enterContext(sim.open_line())
        self.assertTrue(is_good(ask(line, STATUS)))
        self.switch("garbage=100")
        self.assertGreater(len(line.read(200)), 100)

    def test_pty_hangs_up_and_comes_back(self):
        sim = self.begin("--pty", "PTY")
        line = self.enterContext(sim.open_line())
        self.assertTrue(is_good(ask(line, STATUS)))
        self.switch("disconnect=0.5s")
        self.assertEqual(line.read(1), b"")  # end of file at once, not after the deadline
        until(lambda: not os.path.lexists(sim.pty_path))
        until(lambda: os.path.exists(sim.pty_path))
        with sim.open_line() as again:
            self.assertTrue(is_good(ask(again, STATUS)))

    def test_tcp_closes_until_off(self):
        sim = self.begin("--tcp", ":0")
        line = self.enterContext(sim.connect())
        self.assertTrue(is_good(ask(line, STATUS)))
        self.switch("disconnect")
        self.assertEqual(line.read(1), b"")
        with sim.connect() as other:
            self.assertEqual(other.read(1), b"")
        self.switch("disconnect=off")
        with sim.connect() as other:
            self.assertTrue(is_good(ask(other, STATUS)))

    def test_udp_is_silent_while_down(self):
        sim = self.begin("--udp", ":0")
        line = self.enterContext(Datagrams(sim.port()))
        self.switch("disconnect=0.5s")
        self.assertEqual(ask(line, STATUS, seconds=SILENT_S), b"")
        until(lambda: is_good(ask(line, STATUS, seconds=0.1) or b"\0\0"))

    def test_wrong_identity_and_busy(self):
        sim = self.begin("--udp", ":0")
        line = self.enterContext(Datagrams(sim.port()))
        self.switch("wrong-identity")
        self.assertEqual(struct.unpack_from("<I", ask(line, STATUS), 32)[0], 9990002)
        self.switch("off", "busy")
        self.assertEqual(ask(line, STATUS).hex(), "f5faff0d0000fd05")

    def test_bad_switch_is_refused_and_changes_nothing(self):
        self.begin("--udp", ":0")
        self.switch("stale=0.5")
        done = subprocess.run([PROGRAM, "fault", "--control", self.control, "busy", "slate=1"],
                              capture_output=True, text=True, timeout=DEADLINE_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("slate=1: unknown; accepted are", done.stderr)
        self.assertEqual(self.switch(), "ok stale=0.5")


class CommandLine(unittest.TestCase):
    def test_wrong_ones_are_explained(self):
        for args, expected in ((["nothing"], "no such instrument"),
                               (["amptek-dp5"], "--pty LINK"),
                               (["amptek-dp5", "--udp", "localhost:1"], "numeric"),
                               (["amptek-dp5", "--udp", ":99999"], "HOST:PORT"),
                               (["amptek-dp5", "--udp", ":0", "--sample", "gold"], "expected one of"),
                               (["amptek-dp5", "--udp", ":0", "--device", "dp6"], "expected one of dp5"),
                               (["amptek-dp5", "--udp", ":0", "--fault", "stale=2"], "probability"),
                               (["amptek-dp5", "--udp", ":0", "--speed", "0"], "factor"),
                               (["amptek-dp5", "--udp", ":0", "--config", "MCAC=1;"], "MCAC=1;"),
                               (["amptek-dp5", "--udp", ":0", "--speed", "9000"], "too many"),
                               (["amptek-dp5", "--udp", ":0", "extra"], "unexpected")):
            with self.subTest(args):
                done = subprocess.run([PROGRAM, *args], capture_output=True, text=True,
                                      timeout=DEADLINE_S)
                self.assertEqual(done.returncode, 2)
                self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main()
