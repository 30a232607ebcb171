# SPDX-License-Identifier: Apache-2.0
"""assayctl keygen: PyZMQ reads the pair, only the owner the secret key, and no file is ever replaced."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml
import zmq
from zmq.auth import load_certificate

assayctl = sys.argv[1]


def keygen(*args):
    return subprocess.run([assayctl, 'keygen', *args], capture_output=True, text=True)


with tempfile.TemporaryDirectory() as base:
    folder = pathlib.Path(base)
    os.umask(0)                                  # the mode of the file must not come from it
    done = keygen('lims', '--to', base)
    assert done.returncode == 0, done
    secret, public = folder / 'lims.secret', folder / 'lims.public'
    modes = [oct(path.stat().st_mode & 0o7777) for path in (secret, public)]
    assert modes == ['0o600', '0o644'], modes
    pair, alone = load_certificate(secret), load_certificate(public)
    assert alone == (pair[0], None) and zmq.curve_public(pair[1]) == pair[0], (pair, alone)
    listed = yaml.safe_load(done.stdout.splitlines()[-1])
    assert listed == {'lims': {'key': pair[0].decode(), 'roles': ['read', 'replay']}}, done.stdout

    before = secret.read_bytes(), public.read_bytes()
    for gone in (None, public, secret):
        if gone is not None:
            gone.unlink()
        done = keygen('lims', '--to', base)
        assert done.returncode == 1 and 'there is a key already' in done.stderr, done
        assert secret.read_bytes() == before[0] if gone != secret else public.read_bytes() == before[1]
        assert sorted(os.listdir(base)) == [path.name for path in (public, secret) if path != gone], os.listdir(base)
        secret.write_bytes(before[0])
        public.write_bytes(before[1])

    other = keygen('lims-2', '--to', base, '--json')
    assert json.loads(other.stdout)['key'] != pair[0].decode()
    for name in ('', '../x', 'Lims', 'a' * 33):
        assert keygen('--to', base, '--', name).returncode == 2, name
    assert keygen('x', '--to', base + '/none').returncode == 1
print('ok')
