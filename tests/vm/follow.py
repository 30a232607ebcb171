# SPDX-License-Identifier: Apache-2.0
"""Runs in the machine: writes one line per entry to a file of the host, which no power cut takes back.

usage: follow.py FILE [whole]     from now on; whole: all entries that there are, then ends
"""
import hashlib
import os
import sys

import assay

WHOLE = sys.argv[2:] == ['whole']
with open(sys.argv[1], 'wb') as out:
    for item in assay.entries(topics=['a1/'], cursor={} if WHOLE else None, simulated=True, follow=not WHOLE):
        if isinstance(item, assay.Gap):
            out.write(f'gap {item}\n'.encode())
            continue
        where = f'{item.journal.hex()} {item.seq} {item.topic}'
        out.write(f'{where} {hashlib.sha256(item.bytes).hexdigest()}\n'.encode())
        if not WHOLE:
            out.flush()
            os.fsync(out.fileno())
