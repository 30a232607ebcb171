# SPDX-License-Identifier: Apache-2.0
"""Simulators at the level of usbfs, by a host of libusb alone: endpoints, a stream without a gap, reports, requests."""
import select
import struct
import subprocess
import sys
import unittest

from sim_process import DEADLINE_S, Simulator

PROGRAM, BUS, TALK = sys.argv[1:4]
del sys.argv[1:4]

# Kills hosts amid their requests, and lets the last one end by itself.
KILLS = """
import subprocess, sys, time
request = "out 01 0BF80A08" + 22 * "00" + "\\nin 82\\n"
for i in range(40):
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as host:
        host.stdin.write(10 * request)
        host.stdin.flush()
        time.sleep(i / 1000)
        host.kill()
sys.exit(len(subprocess.run(sys.argv[1:], input=request, capture_output=True, text=True).stdout.split()[-1]) != 76)
"""


class Host:
    """A host of the only device on a bus."""

    def __init__(self, sim, vendor, product):
        # The device may be plugged in a moment after the program starts; a killed one is started again.
        self.args = ["umockdev-wrapper", BUS, "--device", sim.usb_path, "/bin/sh", "-c",
                     f"until {TALK} {vendor} {product}; do sleep 0.01; done"]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        status = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        if status != 0:
            raise RuntimeError(f"the host ended with {status}")

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.write(line)
        if not select.select([self.process.stdout], [], [], DEADLINE_S)[0]:
            self.process.terminate()
            raise TimeoutError(line)
        answer = self.process.stdout.readline().strip()
        return answer if answer.startswith("error") else bytes.fromhex(answer)


class Usb(unittest.TestCase):
    def test_a_stream_has_no_gap(self):
        with Simulator(PROGRAM, "labjack-u6", "--usb-socket", "USB") as sim, Host(sim, "0cd5", "0006") as host:
            host.ask("out 01 0BF80A08" + 22 * "00")
            self.assertEqual(host.ask("in 82")[1:4].hex(), "f81008")
            host.ask("out 01 D9F80511CA00010119000000A00F0000")
            self.assertEqual(host.ask("in 82").hex(), "0bf8011100000000")
            host.ask("out 01 A8A8")
            self.assertEqual(host.ask("in 82").hex(), "a9a90000")
            packets = [host.ask("in 83") for _ in range(60)]
            self.assertEqual([(p[10], p[11]) for p in packets], [(i, 0) for i in range(60)])
            raw = [list(struct.unpack_from("<25H", p, 12)) for p in packets]
            self.assertEqual(raw, [t["raw"] for t in sim.truth("packet")[:60]])
            host.ask("out 01 B0B0")
            self.assertEqual(host.ask("in 82").hex(), "b1b10000")

    def test_reports_and_their_descriptor(self):
        with Simulator(PROGRAM, "nirscan-nano", "--usb-socket", "USB") as sim, Host(sim, "0451", "4200") as host:
            descriptor = host.ask("control 8106002200000001")
            self.assertEqual((descriptor[:3].hex(), descriptor[-1], len(descriptor)), ("0600ff", 0xC0, 27))
            self.assertEqual(host.ask("control 8106002200000400").hex(), "0600ff09")
            self.assertEqual(host.ask("control A101000100004000"), "error LIBUSB_ERROR_PIPE")
            host.ask("out 01 C00002003302" + 58 * "00")
            self.assertEqual(host.ask("in 81").hex(), "c0000800" + b"9990500\0".hex() + 52 * "00")
            host.ask("out 01 C00002009904" + 58 * "00")
            self.assertEqual(host.ask("in 81").hex(), "d0000000" + 60 * "00")

    def test_a_killed_host_leaves_no_transfer_behind(self):
        with Simulator(PROGRAM, "labjack-u6", "--usb-socket", "USB") as sim, Host(sim, "0cd5", "0006") as host:
            host.write("die 82")
            host.ask("out 01 0BF80A08" + 22 * "00")
            self.assertEqual(len(host.ask("in 82")), 38)

    def test_a_bus_survives_hosts_that_are_killed(self):
        with Simulator(PROGRAM, "labjack-u6", "--usb-socket", "USB") as sim:
            subprocess.run(["umockdev-wrapper", BUS, "--device", sim.usb_path, sys.executable, "-c", KILLS,
                            TALK, "0cd5", "0006"], check=True, timeout=6 * DEADLINE_S)

    def test_a_device_leaves_and_comes_back(self):
        with Simulator(PROGRAM, "labjack-u6", "--usb-socket", "USB", "--control", "CONTROL") as sim:
            with Host(sim, "0cd5", "0006") as host:
                host.ask("out 01 0BF80A08" + 22 * "00")
                sim.fault("disconnect")
                while host.ask("out 01 B0B0") != "error LIBUSB_ERROR_NO_DEVICE":
                    pass
                sim.fault("disconnect=off")
            with Host(sim, "0cd5", "0006") as host:
                host.ask("out 01 0BF80A08" + 22 * "00")
                self.assertEqual(len(host.ask("in 82")), 38)


if __name__ == "__main__":
    unittest.main()
