# SPDX-License-Identifier: Apache-2.0
"""What CONTRIBUTING.md says of the layout: arrows between folders, one owner for each symbol."""

import collections
import pathlib
import re
import subprocess
import sys

top = pathlib.Path(sys.argv[1])
libraries = sys.argv[2:]

# Who may include whom, by the first folder of an include; a folder may always include itself.
ARROWS = {
    'daemon/base': set(),
    'daemon/record': {'base'},
    'daemon/wire': {'base', 'record'},
    'daemon/journal': {'base'},
    'daemon/capture': {'base', 'record'},
    'daemon/config': {'base', 'record', 'wire', 'capture'},
    'daemon/worker': {'base', 'record', 'wire', 'capture'},
    'daemon/core': {'base', 'record', 'wire', 'journal', 'config', 'capture'},
    'tools/assayctl': {'base', 'record', 'wire', 'journal', 'config', 'capture'},
    'tools/client': {'base', 'record'},
    'tools/sim': {'base'},
    'drivers': set(),
}
ROOMS = {'base', 'record', 'wire', 'journal', 'capture', 'config', 'worker', 'core'}
PUBLIC = {'drivers': {'driver.h'}, 'tools/sim': set()}

faults = []


def check_includes(folder, allowed):
    own = folder.rsplit('/', 1)[1] if folder.startswith('daemon/') else None
    for path in sorted(top.glob(f'{folder}/**/*.[ch]')):
        for line in path.read_text().splitlines():
            match = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
            if match is None:
                continue
            head, _, name = match[1].partition('/')
            if head in ROOMS and name and head != own and head not in allowed:
                faults.append(f'{path.relative_to(top)} includes {match[1]}')
            if head == 'assay' and folder in PUBLIC and name not in PUBLIC[folder]:
                faults.append(f'{path.relative_to(top)} includes <{match[1]}>')


def check_symbols():
    owners = collections.defaultdict(set)
    for library in libraries:
        out = subprocess.run(['nm', '-g', '--defined-only', library], capture_output=True, text=True, check=True)
        for line in out.stdout.splitlines():
            fields = line.split()
            if len(fields) == 3 and not fields[2].startswith('__'):
                owners[fields[2]].add(pathlib.Path(library).name)
    for symbol, where in sorted(owners.items()):
        if len(where) > 1:
            faults.append(f'{symbol} is defined in {", ".join(sorted(where))}')


for folder, allowed in ARROWS.items():
    check_includes(folder, allowed)
check_symbols()
print('\n'.join(faults) or f'{len(ARROWS)} folders and {len(libraries)} libraries keep the rules')
sys.exit(1 if faults else 0)
