# SPDX-License-Identifier: Apache-2.0
"""No built driver module uses a forbidden function or has writable memory of its own, in which decode() could keep state.

usage: check-purity.py READELF FORBIDDEN MODULE ... -- IMPURE

IMPURE is a module that does both, to see that it is found.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

CRT_BYTES = 8  # of each section: __dso_handle, completed.0


def faults_of(readelf, forbidden, module):
    listed = subprocess.run([readelf, '--wide', '--dyn-syms', '--sections', module], check=True, capture_output=True,
                            text=True).stdout
    for name in re.findall(r' UND (\w+)', listed):
        if any(fnmatch.fnmatchcase(name.removesuffix('64'), pattern) for pattern in forbidden):
            yield f'{module}: {name}() is forbidden'
    for section, size in re.findall(r'\] (\.data|\.bss) +\w+ +\w+ +\w+ +(\w+) ', listed):
        if int(size, 16) > CRT_BYTES:
            yield f'{module}: {int(size, 16)} bytes of {section}: a variable that is neither constant nor in *state'


def main(readelf, table, *modules):
    forbidden = [line for line in pathlib.Path(table).read_text().splitlines() if line and not line.startswith('#')]
    *pure, dashes, impure = modules
    assert dashes == '--' and pure
    faults = [fault for module in pure for fault in faults_of(readelf, forbidden, module)]
    found = list(faults_of(readelf, forbidden, impure))
    for what in ('() is forbidden', 'of .bss'):
        if not any(what in fault for fault in found):
            faults.append(f'{impure}: "{what}" was not found')
    print('\n'.join(faults) or f'{len(pure)} modules')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
