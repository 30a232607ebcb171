# SPDX-License-Identifier: Apache-2.0
"""Completion offers the commands, options and words of the table, and the shells get them.

usage: check-complete.py ASSAYCTL FOLDER   (of the shells' files)
"""

import json
import pathlib
import shutil
import subprocess
import sys

assayctl, folder = sys.argv[1], pathlib.Path(sys.argv[2])
BASH = '''
source "$1"; binary=$2; shift 2
compopt() { echo :files; }
COMP_WORDS=(assayctl "$@"); COMP_CWORD=$#
_assayctl "$binary"
printf '%s\\n' "${COMPREPLY[@]}"
'''
ZSH = '''
file=$1; words=("$2" "${@:3}"); CURRENT=$#words
_files() { echo :files }
_describe() { local c; for c in "${(@P)2}"; do print -r -- "${c%%:*}"; done }
function complete_it { source "$file" }
complete_it
'''


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


def candidates(*words):
    return [line.split('\t')[0] for line in output(assayctl, 'complete', '--', *words).splitlines()]


def in_bash(*words):
    return output('bash', '--norc', '-c', BASH, 'bash', folder / 'completion.bash', assayctl, *words).split()


def in_zsh(*words):
    return output('zsh', '-f', '-c', ZSH, 'zsh', folder / 'completion.zsh', assayctl, *words).split()


def same(line, expected, found):
    if sorted(expected) != sorted(found):
        yield f'{line}: expected {sorted(expected)}, found {sorted(found)}'


def check(table, complete):
    first = {command['name'].split()[0] for command in table['commands']}
    yield from same('first word', first, complete(''))
    yield from same('re', [word for word in first if word.startswith('re')], complete('re'))
    for command in table['commands']:
        words = command['name'].split()
        if len(words) == 2:
            group = [c['name'].split()[1] for c in table['commands'] if c['name'].startswith(words[0] + ' ')]
            yield from same(words[0], group, complete(words[0], ''))
        options = [f'--{option["name"]}' for option in command['options']]
        yield from same(command['name'], options, complete(*words, '--'))
        yield from same(f'{command["name"]} behind an option', options, complete('--dir', 'run', *words, '--json', '--'))
        for option in command['options']:
            value = option.get('value', '')
            if value and value == value.lower():
                for start in (['--' + option['name'], ''], ['--' + option['name'], '=', ''], ['--' + option['name'], '=']):
                    yield from same(f'{command["name"]} {start}', value.split('|'), complete(*words, *start))


def check_shell(complete):
    yield from same('a group', candidates('journal', ''), complete('journal', ''))
    yield from same('an empty word', candidates(''), complete(''))
    yield from same('a file', [':files'], complete('check', ''))
    yield from same('nothing', [], complete('run', 'list', 'x'))
    yield from same('a choice', ['off', 'on'], complete('maintenance', 'xrf-1', 'o'))


faults = list(check(json.loads(output(assayctl, 'help', '--json')), candidates))
shells = {'bash': in_bash, 'zsh': in_zsh}
for name, complete in shells.items():
    if shutil.which(name) is not None:
        faults += [f'{name}: {fault}' for fault in check_shell(complete)]
print('\n'.join(faults) or 'complete')
sys.exit(1 if faults else 0)
