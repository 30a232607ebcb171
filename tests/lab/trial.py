# SPDX-License-Identifier: Apache-2.0
"""assay-worker --try as tests run it."""

import re
import subprocess

DEADLINE = 40


class Trial:
    def __init__(self, worker, drivers):
        self.command = [worker, '--try', '--drivers', drivers]

    def start(self, *args):
        return subprocess.Popen([*self.command, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @staticmethod
    def finish(process, code):
        """Standard output and error; nothing in them moves a terminal's cursor."""
        out, err = (part.decode() for part in process.communicate(timeout=DEADLINE))
        assert process.returncode == code, f'{process.args[2:]}: {process.returncode} and not {code}\n{out}{err}'
        assert not re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', out + err), f'control characters: {out + err!r}'
        return out, err

    def run(self, *args, code=0):
        return self.finish(self.start(*args), code)


def expect(text, *parts):
    """The parts are in the text, in this order."""
    at = 0
    for part in parts:
        found = re.search(part, text[at:], re.M)
        assert found is not None, f'no {part!r} after byte {at} of\n{text}'
        at += found.end()
