# SPDX-License-Identifier: Apache-2.0
"""The manual page of assayctl describes the commands and options of its table, and no others."""

import json
import pathlib
import re
import subprocess
import sys

assayctl, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(encoding='utf-8')
table = json.loads(subprocess.run([assayctl, 'help', '--json'], capture_output=True, text=True, check=True).stdout)
groups = {command['name'].split()[0] for command in table['commands'] if ' ' in command['name']}
everywhere = {'json', 'help'}


def name_of(heading):
    words = heading.split()
    return ' '.join(words[:2 if words[0] in groups else 1])


def options_in(text):
    return set(re.findall(r'\bFl -([a-z]+)', text)) - everywhere


def names(options):
    return {option['name'] for option in options} - everywhere


front, _, rest = page.partition('.Sh COMMANDS')
described = {}
for part in re.split(r'^\.It Cm ', rest.split('\n.Sh ')[0], flags=re.M)[1:]:
    described.setdefault(name_of(part), set()).update(options_in(part))
expected = {command['name']: names(command['options']) for command in table['commands']}
faults = [f'{name} is not described' for name in sorted(expected.keys() - described.keys())]
faults += [f'there is no {name}' for name in sorted(described.keys() - expected.keys())]
for name in sorted(expected.keys() & described.keys()):
    faults += [f'{name}: --{option} is not described' for option in sorted(expected[name] - described[name])]
    faults += [f'{name}: there is no --{option}' for option in sorted(described[name] - expected[name])]
faults += [f'--{option} is not described' for option in sorted(names(table['options']) - options_in(front))]
print('\n'.join(faults) or f'{len(expected)} commands')
sys.exit(1 if faults else 0)
