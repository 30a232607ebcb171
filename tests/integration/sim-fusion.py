# SPDX-License-Identifier: Apache-2.0
"""assay-sim micro-gc-fusion by a plain HTTP client: a method, a run, its data."""
import http.client
import json
import sys
import time
import unittest

from sim_process import Simulator

PROGRAM = sys.argv.pop(1)
MANAGER = "/v1/scm/sessions/system-manager"
DEADLINE_S = 10


class Web(unittest.TestCase):
    def ask(self, path, method="GET", body=None, status=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port(), timeout=DEADLINE_S)
        connection.request(method, path, body)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        self.assertEqual(reply.status, status, path)
        return json.loads(data)

    def wait(self, state):
        end = time.monotonic() + DEADLINE_S
        while self.ask(MANAGER + "/publicConfiguration")[1] != "public:" + state:
            self.assertLess(time.monotonic(), end)

    def test_a_run_has_its_peaks(self):
        with Simulator(PROGRAM, "micro-gc-fusion", "--tcp", ":0", "--speed", "200") as self.sim:
            self.assertIn("NaturalGas", self.ask("/v1/methods/userMethods"))
            self.ask(MANAGER + "!cmd.loadMethod?methodLocation=/v1/methods/userMethods/NaturalGas")
            self.wait("ready")
            body = json.dumps({"runWhenReady": True, "annotations": {"name": "S 1"}})
            self.ask(MANAGER + "!cmd.run", "POST", body)
            self.wait("method-running")
            self.wait("ready")
            location = self.ask("/v1/lastRun")["dataLocation"]
            run = self.ask(location)
            truth = self.sim.truth("measured")[-1]
            self.assertEqual(location, "/runData/" + truth["uuid"])
            self.assertEqual(run["annotations"], {"name": "S 1"})
            peaks = {p.get("label"): p for d in run["detectors"].values()
                     for p in d["analysis"]["peaks"]}
            self.assertAlmostEqual(peaks["nitrogen"]["concentration"], 1.25 * truth["scale"], 6)
            self.assertEqual(len(run["detectors"]["moduleA:tcd"]["values"]), 6000)

    def test_refusals_have_a_status(self):
        with Simulator(PROGRAM, "micro-gc-fusion", "--tcp", ":0") as self.sim:
            self.ask("/v1/methods", status=500)
            self.ask("/v1/lastRun", status=404)
            self.ask("/v1/runData/x", "DELETE", status=405)


if __name__ == "__main__":
    unittest.main()
