# SPDX-License-Identifier: Apache-2.0
"""assay-sim(1) names every instrument and every option that the program has."""
import re
import subprocess
import sys
import unittest

PROGRAM, MANUAL = sys.argv.pop(1), sys.argv.pop(1)


def output(*args):
    return subprocess.run([PROGRAM, *args], check=True, capture_output=True, text=True).stdout


class Manual(unittest.TestCase):
    def test_every_instrument_and_option_is_described(self):
        with open(MANUAL, encoding="utf-8") as file:
            page = file.read()
        names = [line.split()[0] for line in output("--list").splitlines()]
        self.assertGreater(len(names), 1)
        for name in names:
            section = re.search(rf"^\.Ss {name}$(.*?)^\.S[sh] ", page, re.M | re.S)
            self.assertIsNotNone(section, name)
            common, _, own = output(name, "--help").partition("options of this instrument:")
            for option in re.findall(r"^  --([a-z-]+)", own, re.M):
                self.assertRegex(section[1], rf"\.It Fl -{option}\b", f"{name} --{option}")
            for option in re.findall(r"^  --([a-z-]+)", common, re.M):
                self.assertRegex(page, rf"\.It Fl -{option}\b", option)


if __name__ == "__main__":
    unittest.main()
