# SPDX-License-Identifier: Apache-2.0
"""assay-sim prismapro by a plain HTTP client: control, emission, a scan, its values."""
import http.client
import json
import sys
import time
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
DEADLINE_S = 10


class Web(unittest.TestCase):
    def ask(self, path):
        self.connection.request("GET", "/mmsp/" + path)
        reply = self.connection.getresponse()
        self.assertEqual(reply.status, 200)
        return json.loads(reply.read())

    def set(self, path):
        self.assertEqual(self.ask(path)["name"], "wasSet", path)

    def wait(self, path, is_there):
        end = time.monotonic() + DEADLINE_S
        while not is_there(self.ask(path)["data"]):
            self.assertLess(time.monotonic(), end)

    def test_a_scan_has_the_values_of_the_truth(self):
        with Simulator(PROGRAM, "prismapro", "--tcp", ":0", "--speed", "50", "--keep-alive") as sim:
            self.connection = http.client.HTTPConnection("127.0.0.1", sim.port(), timeout=DEADLINE_S)
            self.addCleanup(self.connection.close)
            self.assertEqual(self.ask("electronicsInfo/serialNumber/get")["data"], "09990600")
            reply = self.ask("generalControl/setEmission/set?On")
            self.assertEqual(reply["name"], "error")
            self.set("communication/control/set?force")
            reply = self.ask("generalControl/setEM/set?On")
            self.assertEqual(reply["data"][0]["id"], "interlockEmisRequired")
            self.set("generalControl/setEmission/set?On")
            self.wait("status/systemStatus/get", lambda status: status >> 31 & 1)
            self.set("scanSetup/channels/1/set?channelMode=Sweep&startMass=0&stopMass=30&dwell=32"
                     "&ppamu=4&enabled=True")
            self.set("scanSetup/set?startChannel=1&stopChannel=1&scanCount=1&scanInterval=0")
            self.set("scanSetup/scanStart/set?1")
            self.wait("measurement/scans/-1/get", lambda scan: scan["scannum"] == 1)
            scan = self.ask("measurement/scans/-1/get")["data"]
            self.assertEqual((scan["scansize"], len(scan["values"])), (121, 121))
            self.assertEqual(scan["values"], sim.truth("measured")[-1]["values"])


if __name__ == "__main__":
    unittest.main()
