# SPDX-License-Identifier: Apache-2.0
"""libassay exports the symbols that abi.txt lists and its headers declare, and no others."""

import pathlib
import re
import subprocess
import sys

library, listed, *headers = sys.argv[1:]
out = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True, check=True).stdout
exported = {line.split()[2] for line in out.splitlines() if ' A ' not in line}
expected = {f'{name}@@ASSAY_1' for name in pathlib.Path(listed).read_text().split()}
declared = set()
for header in headers:
    code = re.sub(r'/\*.*?\*/', '', pathlib.Path(header).read_text(), flags=re.S)
    declared |= {f'{name}@@ASSAY_1' for name in re.findall(r'\b(assay_\w+)\s*\(', code)}
faults = [f'{name} is exported and not listed' for name in sorted(exported - expected)]
faults += [f'{name} is listed and not exported' for name in sorted(expected - exported)]
faults += [f'{name} is declared and not exported' for name in sorted(declared - exported)]
soname = subprocess.run(['readelf', '-d', library], capture_output=True, text=True, check=True).stdout
if '[libassay.so.1]' not in soname:
    faults.append('the soname is not libassay.so.1')
print('\n'.join(faults) or f'{len(exported)} symbols')
sys.exit(1 if faults else 0)
