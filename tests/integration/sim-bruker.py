# SPDX-License-Identifier: Apache-2.0
"""assay-sim bruker-web by a plain HTTP client: a measurement, its file, faults of the wire."""
import http.client
import re
import struct
import sys
import time
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
DEADLINE_S = 10


def bruker(*args, faults=()):
    return Simulator(PROGRAM, "bruker-web", "--tcp", ":0", *args, faults=faults)


def get(sim, path):
    connection = http.client.HTTPConnection("127.0.0.1", sim.port(), timeout=DEADLINE_S)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read(), reply.getheader("Connection")
    finally:
        connection.close()


def measure(sim, command):
    assert get(sim, "/cmd.htm?" + command)[0] == 200
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        page = get(sim, "/stat.htm")[1].decode()
        if page.split("ID=MSTCO>")[-1].startswith("IDL"):
            break
    page = get(sim, "/datafile.htm")[1].decode()
    assert "Ready for download" in page, page
    return get(sim, re.search('A HREF="([^"]+)"', page)[1])[1]


def blocks(data):
    start, places, count = struct.unpack_from("<3I", data, 12)
    assert data[:4] == b"\x0a\x0a\xfe\xfe" and count <= places
    entries = [struct.unpack_from("<3I", data, start + 12 * i) for i in range(count)]
    return {kind & 0xFFFFF: data[at:at + 4 * words] for kind, words, at in entries}


class Web(unittest.TestCase):
    def test_a_measurement_ends_in_a_file_that_the_truth_names(self):
        with bruker("--speed", "50") as sim:
            data = measure(sim, "WRK=1&RES=4&NSS=4&AQM=DD&VEL=10&SNM=Probe%201")
            truth = sim.truth("measured")[-1]
            self.assertEqual(len(data), truth["bytes"])
            parts = blocks(data)
            self.assertEqual(len(parts[0x807]), 4 * 2 * truth["points"])
            points = struct.unpack(f"<{2 * truth['points']}f", parts[0x807])
            first = points[:truth["points"]]
            peak = max(range(len(first)), key=lambda i: abs(first[i]))
            self.assertLessEqual(abs(peak - truth["centre"]), 1)
            self.assertIn(b"SNM\0\2\0\4\0Probe 1\0", parts[0xA0])

    def test_connection_closes_or_stays_as_it_was_told(self):
        with bruker() as sim:
            self.assertEqual(get(sim, "/stat.htm")[2], "close")
        with bruker("--keep-alive") as sim:
            connection = http.client.HTTPConnection("127.0.0.1", sim.port(), timeout=DEADLINE_S)
            for _ in range(3):
                connection.request("GET", "/stat.htm")
                self.assertIn(b"IDL", connection.getresponse().read())
                self.assertIsNotNone(connection.sock)
            connection.close()

    def test_refusals_have_a_status(self):
        with bruker() as sim:
            self.assertEqual(get(sim, "/nowhere.htm")[0], 404)
            self.assertEqual(get(sim, "/cmd.htm?WRK=1&RES=-1")[0], 400)
            self.assertEqual(get(sim, "/cmd.htm?WRK=1&NSS=100")[0], 200)
            self.assertEqual(get(sim, "/cmd.htm?WRK=1")[0], 503)

    def test_stale_reply_is_the_one_before(self):
        with bruker(faults=["stale=1"]) as sim:
            get(sim, "/stat.htm")
            self.assertIn(b"IDL", get(sim, "/datafile.htm")[1])

    def test_nobody_is_admitted_while_it_is_disconnected(self):
        with bruker(faults=["disconnect"]) as sim:
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
                get(sim, "/stat.htm")


if __name__ == "__main__":
    unittest.main()
