# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of the documentation and compares its lists with the code.

usage: check-docs.py static|config|build|code SOURCE LAB NAME=PATH ...

static  links resolve; lists, tables and excerpts agree with the code they were written from
config  blocks marked <!-- config --> are accepted by the real daemon, those marked <!-- wrong -->
        are rejected with the text of the next block
build   blocks marked <!-- build --> build a driver that the worker loads
code    blocks marked <!-- run: NAME --> run against a laboratory of simulated instruments, and
        print the lines of the block marked <!-- prints --> after them, '…' standing for anything,
        with <!-- prints: like --> also any number for any other

In blocks that run, the installed names are replaced by those of the test: ipc:///run/assayd,
"/run/assayd", a1/data/, a1/state/, /var/lib/assayd; libraries are those of the source. Programs
that do not end are ended once all lines were seen.
"""
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE = 60 if 'ASAN_OPTIONS' not in os.environ else 120
FENCE = re.compile(r'^<!-- ([a-z]+)(?:: ([\w./-]+))? -->\n\n?```([a-z]*)\n(.*?)^```$', re.M | re.S)
LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')


def pages(source):
    return [*source.glob('*.md'), *source.glob('docs/*.md'), *source.glob('drivers/*/README.md')]


def blocks(page):
    """(kind, name, language, text, line) of each marked block."""
    text = page.read_text(encoding='utf-8')
    for m in FENCE.finditer(text):
        yield m[1], m[2], m[3], m[4], text.count('\n', 0, m.start()) + 1


def words(text):
    return re.findall(r'`([^`]+)`', text)


def section(page, mark):
    """The table or list behind <!-- mark -->, up to the next blank line after it."""
    text = page.read_text(encoding='utf-8')
    begin = text.index(f'<!-- {mark} -->') + len(mark) + 10
    return re.split(r'\n\n(?=[^|\n])', text[begin:], maxsplit=1)[0]


# --- static: links, lists ------------------------------------------------------------------------

def anchors(page):
    """As GitHub makes them of headings."""
    text = re.sub(r'^```.*?^```', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
    for heading in re.findall(r'^#+ (.*)$', text, re.M):
        plain = re.sub(r'[`*]', '', heading).lower()
        yield re.sub(r'[^\w\- ]', '', plain).replace(' ', '-')


def check_links(source):
    for page in pages(source):
        text = re.sub(r'^```.*?^```', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
        for link in LINK.findall(text):
            target, _, anchor = link.partition('#')
            if re.match(r'[a-z]+:', link):
                continue
            file = page if target == '' else (page.parent / target)
            where = f'{page.relative_to(source)}: {link}'
            if not file.exists():
                yield f'{where}: there is no such file'
            elif anchor and file.suffix == '.md' and anchor not in anchors(file):
                yield f'{where}: there is no such heading'


def same(what, expected, found):
    for word in sorted(set(expected) - set(found)):
        yield f'{what}: `{word}` is missing'
    for word in sorted(set(found) - set(expected)):
        yield f'{what}: `{word}` does not exist'


def read(source, name):
    return (source / name).read_text(encoding='utf-8')


def check_excerpts(source):
    """An excerpt of a file is in that file, word for word."""
    for page in pages(source):
        for kind, name, language, text, line in blocks(page):
            if kind == 'from' and text not in read(source, name):
                yield f'{page.relative_to(source)}:{line}: this is not in {name}'


def check_format(source):
    page = source / 'docs/frame-format.md'
    codes = re.findall(r'^\t\{"([^"]+)", "[^"]+", DIM_[A-Z_,|\s]+\}', read(source, 'daemon/record/units.c'), re.M)
    yield from same('units', codes, words(section(page, 'units')))
    reasons = re.findall(r'^\t\{"([a-z-]+)", "', read(source, 'daemon/record/quality.c'), re.M)
    table = re.findall(r'^\| `([a-z-]+)` \|', section(page, 'reasons'), re.M)
    yield from same('reasons of quality', reasons, table)


def check_rules(source):
    """The table of rules has every bad example, and every message of rules.c has one."""
    page = source / 'docs/frame-format.md'
    examples = read(source, 'tests/vectors/bad-examples.c').split('bad_examples[] = {')[1]
    names = re.findall(r'^\t\{"([a-z0-9-]+)"', examples, re.M)
    rows = section(page, 'rules').splitlines()
    listed = [name for row in rows for name in words(row.split(' | ')[-1])]
    yield from same('docs/frame-format.md, rules', names, listed)
    for name in sorted({name for name in listed if listed.count(name) > 1}):
        yield f'docs/frame-format.md, rules: `{name}` stands twice'
    texts = [(source / f'tests/vectors/bad/{name}.txt').read_text(encoding='utf-8') for name in names]
    calls = re.findall(r'schema_fail\((.*?)\);', read(source, 'daemon/record/rules.c'), re.S)
    for call in calls:
        message = ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', call)).replace('\\"', '"')
        pattern = re.sub(r'%(?:\\\.\\\*s|zu|llu|s)', '.*', re.escape(message))
        if not any(re.search(pattern, text) for text in texts):
            yield f'daemon/record/rules.c: no bad example for "{message}"'


def operations(source, room):
    """{op: its arguments} of the tables at the ends of files in a folder of daemon/core."""
    for file in sorted((source / 'daemon/core' / room).glob('*.c')):
        for table in re.findall(r'^const struct op \w+_ops\[\] = \{\n(.*?)^\};', file.read_text(encoding='utf-8'), re.M | re.S):
            for op, row in re.findall(r'^\t\{"([a-z-]+)",\s+"(.*?)(?=^\t\{|\Z)', table, re.M | re.S):
                yield op, re.findall(r'\{"([a-z_]+)",\s+KEY_', row)


def check_operations(source):
    page = read(source, 'docs/sockets.md')
    ops = dict(operations(source, 'control'))
    yield from same('docs/sockets.md, operations', ops, re.findall(r'^### `([a-z-]+)`$', page, re.M))
    for op, args in ops.items():
        part = page.split(f'### `{op}`\n')[-1].split('\n##')[0]
        for arg in args:
            if f'`{arg}`' not in part:
                yield f'docs/sockets.md: {op}: the argument `{arg}` is missing'
    files = [*sorted((source / 'daemon/core/control').glob('*.c')), source / 'daemon/core/router/call.c']
    pattern = r'call_refuse\(\s*call,\s*"([a-z-]+)"|"(not-started|not-ready|not-authorised|refused)"'
    codes = {a or b for file in files for a, b in re.findall(pattern, file.read_text(encoding='utf-8'))}
    table = re.findall(r'^\| `([a-z-]+)` \|', section(source / 'docs/sockets.md', 'codes'), re.M)
    yield from same('docs/sockets.md, codes of refusals', codes, table)


def check_replay_operations(source):
    ops = dict(operations(source, 'replay'))
    part = read(source, 'docs/sockets.md').split('\n## Replay\n')[1].split('\n## ')[0]
    table = section(source / 'docs/sockets.md', 'replay-ops')
    yield from same('docs/sockets.md, operations of replay', ops, re.findall(r'`([a-z]+)`(?=[^|]*\|[^|]*\|[^|]*\|$)', table, re.M))
    request = read(source, 'docs/assay1.cddl').split('replay-request')[1].split('replay-reply')[0]
    for op, args in ops.items():
        for arg in args:
            if not re.search(rf'\b{arg}\b', part) or f'"{arg}"' not in request:
                yield f'docs/sockets.md, docs/assay1.cddl: {op}: the argument {arg} is missing'


def check_events(source):
    code = ''.join(p.read_text(encoding='utf-8') for p in sorted((source / 'daemon/core').rglob('*.c')))
    calls = re.findall(r'audit(?:_put|_text|_config|_then)?\((.*?)(?:\);|\) < 0)', code, re.S)
    events = {w for call in calls for w in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', call)} - {'orderly', 'started'}
    table = re.findall(r'^\| `([a-z-]+)` \|', section(source / 'docs/operations.md', 'events'), re.M)
    yield from same('docs/operations.md, audit events', events, table)


def check_serials(source):
    rows = [line.split(',') for line in read(source, 'config/reserved-serials.csv').splitlines()[1:]]
    table = section(source / 'docs/technician.md', 'serials')
    for driver, first, last, *note in rows:
        if f'| `{driver}` | {first} to {last} |' not in table:
            yield f'docs/technician.md: the serial numbers of {driver} are {first} to {last}'


def check_options(source, paths):
    """Of assayctl see tests/unit/assayctl/check-manual.py."""
    for program, name in (('assayd', 'assayd.8'), ('worker', 'assay-worker.8')):
        told = subprocess.run([paths[program], '--help'], capture_output=True, text=True).stdout
        page = read(source, f'docs/man/{name}').replace('\\-', '-')
        for option in sorted(set(re.findall(r'--([a-z]+)', told))):
            if f'-{option}' not in page:
                yield f'{name}: the option --{option} is missing'


def check_settings(source, paths):
    """The driver's page names every setting, or points at describe for all of them."""
    told = subprocess.run([paths['assayctl'], '--worker', paths['worker'], '--drivers', paths['drivers'],
                           '--json', 'describe'], capture_output=True, text=True)
    if told.returncode != 0:
        yield f'assayctl describe: {told.stderr}'
        return
    import json
    for driver in json.loads(told.stdout)['drivers']:
        file = source / 'drivers' / driver['name'] / 'README.md'
        if not file.exists():
            if (source / 'drivers' / driver['name']).exists():
                yield f'{file.relative_to(source)} is missing'
            continue
        page = file.read_text(encoding='utf-8')
        if f'assayctl describe {driver["name"]}' in page:
            continue
        for setting in driver['settings']:
            if f'`{setting["name"]}`' not in page:
                yield f'{file.relative_to(source)}: the setting `{setting["name"]}` is missing'


def check_keys(source, paths):
    """Every key of the configuration stands in its manual page."""
    import json
    told = subprocess.run([paths['assayctl'], '--worker', paths['worker'], '--drivers', paths['drivers'],
                           'schema'], capture_output=True, text=True, check=True)
    page = read(source, 'docs/man/assayd.yaml.5')
    described = {word for item in re.findall(r'^\.It (?:Sy|Cm) (.*)', page, re.M) for word in re.findall(r'(?:^| , )([a-z_0-9]+)', item)}
    keys = set()

    def walk(schema):
        if isinstance(schema, list):
            for item in schema:
                walk(item)
        if not isinstance(schema, dict):
            return
        for key, value in schema.get('properties', {}).items():
            keys.add(key)
            walk(value)
        for key in ('additionalProperties', 'patternProperties', 'allOf', 'anyOf', 'oneOf', 'items',
                    'then', 'else'):
            inner = schema.get(key)
            walk(list(inner.values()) if key == 'patternProperties' and inner else inner)
        ref = schema.get('$ref', '')
        if ref.startswith('#/') and ref not in seen and not re.match(drivers_own, ref):
            seen.add(ref)
            at = whole
            for part in ref[2:].split('/'):
                at = at[part]
            walk(at)

    drivers_own = '#/definitions/(settings|calibration|setup)'
    whole, seen = json.loads(told.stdout), set()
    walk(whole)
    yield from (f'assayd.yaml.5: the key {key} is missing' for key in sorted(keys - described))


def check_static(source, paths):
    yield from check_links(source)
    yield from check_excerpts(source)
    yield from check_format(source)
    yield from check_rules(source)
    yield from check_operations(source)
    yield from check_replay_operations(source)
    yield from check_events(source)
    yield from check_serials(source)
    yield from check_options(source, paths)
    yield from check_settings(source, paths)
    yield from check_keys(source, paths)


# --- config --------------------------------------------------------------------------------------

def use_of_profile(text):
    """A configuration with an instrument that has the keys of this profile."""
    said = re.sub(r'^(summary|make|model): .*\n', '', text, flags=re.M)
    link = ('modbus-rtu, port: /dev/ttyS0, unit_id: 1' if 'driver: modbus' in said else
            'folder, path: /srv/reports' if 'driver: file-import' in said else 'serial, port: /dev/ttyS0')
    said = re.sub(r'^link: {', f'link: {{type: {link}, ', said, flags=re.M)
    if 'driver: file-import' in said and 'link:' not in said:
        said += f'link: {{type: {link}}}\n'
    return 'instruments:\n  gas-1:\n' + re.sub(r'^(?=.)', '    ', said, flags=re.M)


def configurations(source):
    """(page, line, text) of each block with a configuration."""
    for page in pages(source):
        for kind, name, language, text, line in blocks(page):
            if kind == 'config':
                yield page, line, text
            elif kind == 'profile':
                yield page, line, use_of_profile(text)
    manual = source / 'docs/man/assayd.yaml.5'
    text = manual.read_text(encoding='utf-8')
    for m in re.finditer(r'^\.Bd -literal\n(.*?)^\.Ed$', text, re.M | re.S):
        yield manual, text.count('\n', 0, m.start()) + 1, m[1].replace('\\e', '\\')


SECTIONS = ('laboratory', 'journal', 'sockets', 'instruments', 'methods')


def completed(text):
    """A piece of a configuration as a whole one."""
    first = re.match(r'(?:\s*#.*\n|\s*\n)*([^\s:]+):', text)
    if first is not None and first[1] not in SECTIONS:
        text = 'instruments:\n' + re.sub(r'^(?=.)', '  ', text, flags=re.M)
    if not re.search(r'^laboratory:', text, re.M):
        text = 'laboratory: {site: lab, node: bench-1}\n' + text
    return text


def refusal(paths, text):
    """The errors of the daemon about a configuration; None: it is right."""
    with tempfile.TemporaryDirectory(prefix='assay-docs-') as name:
        folder = pathlib.Path(name)
        (folder / 'assayd.yaml').write_text(completed(text), encoding='utf-8')
        (folder / 'profiles').symlink_to(paths['profiles'])
        done = subprocess.run([paths['assayd'], '--check', '--config', str(folder / 'assayd.yaml'), '--worker',
                               paths['worker'], '--drivers', paths['drivers']],
                              capture_output=True, text=True, timeout=DEADLINE)
        return None if done.returncode == 0 else done.stderr.replace(f'{folder}/', '')


def wrong_configurations(source):
    """(page, line, text, errors of the daemon about it)"""
    for page in pages(source):
        found = list(blocks(page))
        for block, after in zip(found, found[1:]):
            if block[0] == 'wrong' and after[0] == 'prints':
                yield page, block[4], block[3], after[3]


# Sentences that call something impossible: (page, its words, configuration, words of the error).
IMPOSSIBLE_CONFIG = (
    ('docs/technician.md', 'never tabs', 'laboratory:\n\tsite: lab\n', 'tab'),
    ('docs/technician.md', 'In the main file that line stands once', 'instruments: {}\ninstruments: {}\n', 'twice'),
    ('docs/technician.md', 'A missing or wrong unit is an error',
     'instruments:\n  x-1:\n    driver: amptek-dp5\n    link: usb\n    settings: {preset_time: 60}\n', 'its unit is missing'),
    ('docs/technician.md', 'Numbers have a\ndecimal point',
     'instruments:\n  x-1:\n    driver: amptek-dp5\n    link: usb\n    settings: {preset_time: "1,5 s"}\n', "found '1,5 s'"),
    ('docs/sockets.md', 'Programs of other machines connect', 'sockets: {live: "tcp://127.0.0.1:5555"}\n', 'tcp://'),
    ('docs/man/assayd.yaml.5', 'Needs the two next keys', 'sockets: {listen: {live: "tcp://127.0.0.1:5555"}}\n', 'CURVE keys'),
    ('docs/man/assayd.yaml.5', 'Anchors, aliases, tags, tabs', 'laboratory: &a {site: lab, node: bench-1}\n', 'anchor'),
    ('docs/man/assayd.yaml.5', 'a second document', 'laboratory: {site: lab, node: bench-1}\n---\nx: 1\n', 'document'),
    ('docs/man/assayd.yaml.5', 'An unknown key is an error', 'laboratory: {site: lab, node: bench-1, colour: red}\n', "'colour'"),
)


def check_impossible_config(source, paths):
    for page, claim, text, error in IMPOSSIBLE_CONFIG:
        if not re.search(claim, read(source, page)):
            yield f'{page}: it no longer has "{claim}", which is tried here'
        said = refusal(paths, text)
        if said is None or error not in said:
            yield f'{page}: "{claim}": the daemon says\n{said}'


def check_config(source, paths):
    yield from check_impossible_config(source, paths)
    tried = 0
    for page, line, text in configurations(source):
        tried += 1
        said = refusal(paths, text)
        if said is not None:
            yield f'{page.relative_to(source)}:{line}: not accepted:\n{said}'
    if tried == 0:
        yield 'no configuration was tried'
    for page, line, text, expected in wrong_configurations(source):
        said = refusal(paths, text)
        if said != expected:
            yield f'{page.relative_to(source)}:{line}: the daemon says\n{said}'


# --- code ----------------------------------------------------------------------------------------

INSTRUMENTS = {
    'xrf-1': lambda lab: {
        'driver': 'amptek-dp5', 'simulated': True,
        'link': {'type': 'udp', 'host': '127.0.0.1', 'port': lab.sim('amptek-dp5', '--udp', '127.0.0.1:0').port},
        'settings': {'channels': 1024, 'preset_time': '1 s'},
        'calibration': {'id': 'CAL-2026-04', 'energy': {'zero': '0 keV', 'gain': '10 eV'}}},
    'xrf-2': lambda lab: {
        'driver': 'amptek-dp5', 'simulated': True, 'acquire': {'mode': 'repeat'},
        'link': {'type': 'udp', 'host': '127.0.0.1', 'port': lab.sim('amptek-dp5', '--udp', '127.0.0.1:0').port},
        'settings': {'channels': 1024, 'preset_time': '1 s'},
        'calibration': {'id': 'CAL-2026-04', 'energy': {'zero': '0 keV', 'gain': '10 eV'}}},
    'xrf-3': lambda lab: {
        'driver': 'amptek-dp5', 'simulated': True, 'acquire': {'mode': 'repeat'},
        'link': {'type': 'udp', 'host': '127.0.0.1', 'port': lab.sim('amptek-dp5', '--udp', '127.0.0.1:0').port},
        'settings': {'channels': 1024, 'preset_time': '2 s', 'progress_every': '500 ms'},
        'calibration': {'id': 'CAL-2026-04', 'energy': {'zero': '0 keV', 'gain': '10 eV'}}},
    'ms-1': lambda lab: {
        'driver': 'srs-rga', 'simulated': True, 'acquire': {'mode': 'continuous', 'new_run': '2 s'},
        'link': {'type': 'serial', 'port': lab.sim('srs-rga', '--pty', f'{lab.dir}/ms.tty', '--speed', '30') and f'{lab.dir}/ms.tty'},
        'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 50, 'scans': 0, 'emission_current': '1 mA'}},
    'gas-1': lambda lab: {
        'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
        'acquire': {'mode': 'continuous', 'every': '500 ms', 'new_run': '2 s'},
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'unit_id': 1,
                 'port': lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0').port}},
}


CONFIG = {'laboratory': {'site': 'ccl-tokyo', 'node': 'bench-3', 'require': ['sample']},
          'journal': {'segment': '64 KiB', 'reserve': '1 MiB'}}


def make_history(lab, config):
    """Runs of all instruments, and an amend of one between later ones."""
    lab.start(config)
    for key in config['instruments']:
        if key != 'xrf-1':                               # runs on demand
            lab.wait_entries(key, 'run-end', 2)
    run = lab.entries('xrf-2', 'run-start')[0].record
    if not lab.ask({'op': 'amend', 'run': run['run'], 'set': {'sample': 'CCL-2026-00452'}, 'reason': 'wrong label'})['ok']:
        raise RuntimeError('the amend was rejected')
    lab.wait_entries('xrf-2', 'amend')
    lab.wait_state('xrf-1', 'idle')


def lose_a_file(lab, config, wait_for):
    """Consumers report the entries that were in it as a gap."""
    def closed():
        return sorted((lab.dir / 'state/journal').glob('*/*.idx'))
    wait_for('a closed file', lambda: len(closed()) >= 3)
    lab.stop()
    closed()[1].with_suffix('.seg').unlink()
    closed()[1].unlink()
    lab.is_damaged = True
    lab.start(config)
    lab.wait_state('xrf-1', 'idle')
    lab.wait_entries('xrf-2', 'run-end')


def start_laboratory(lab_module, source, paths):
    lab = lab_module.Lab(paths)
    instruments = {key: make(lab) for key, make in INSTRUMENTS.items()}
    lab.config_of_docs = {**CONFIG, 'instruments': instruments}
    make_history(lab, lab.config_of_docs)
    (lab.dir / 'tests').symlink_to(source / 'tests')
    (lab.dir / 'node_modules').mkdir()
    (lab.dir / 'node_modules/assay').symlink_to(source / 'tools/client/javascript')
    tools = lab.dir / 'bin'
    tools.mkdir()
    options = f'--dir {lab.dir}/run --config {lab.config} --worker {paths["worker"]} --drivers {paths["drivers"]}'
    script = tools / 'assayctl'
    script.write_text(f'#!/bin/sh\nexec {paths["assayctl"]} {options} "$@"\n')
    script.chmod(0o755)
    return lab


def substitute(lab, text):
    for old, new in (('ipc:///run/assayd', f'ipc://{lab.dir}/run'), ('a1/data/', 'a1/sim-data/'),
                     ('a1/state/', 'a1/sim-state/'), ('/var/lib/assayd', f'{lab.dir}/state'),
                     ('"/run/assayd"', f'"{lab.dir}/run"'), ('.simulated = false', '.simulated = true'),
                     ('simulated=False)', 'simulated=True)')):
        text = text.replace(old, new)
    return text


def pattern_of(line, is_alike):
    pattern = '.*'.join(re.escape(part) for part in line.rstrip().split('…'))
    if is_alike:
        pattern = re.sub(r'\d+(\\\.\d+)?', lambda m: r'[\d.]+', pattern)
    return re.compile(pattern + r'\s*')


def follow(process, expected):
    """Reads lines until all patterns were seen in order; the patterns left, the lines read, and why it ended."""
    lines = queue.Queue()

    def pump():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)
    threading.Thread(target=pump, daemon=True).start()
    left, came, end = list(expected), [], time.monotonic() + DEADLINE
    while left or not expected:
        try:
            line = lines.get(timeout=max(0.01, end - time.monotonic()))
        except queue.Empty:
            return left, came, 'its time was over'
        if line is None:
            break
        came.append(line)
        if left and left[0].fullmatch(line):
            left.pop(0)
    return left, came, None


COMMANDS = {'python': ['/usr/bin/python3', '-u'], 'sh': ['bash', '-e'], 'js': ['node'], 'c': ['stdbuf', '-oL']}


def compile_block(lab, source, file):
    """The program, or the compiler's errors."""
    library = pathlib.Path(lab.paths['libassay'])
    program = file.with_suffix('')
    sanitizers = ['-fsanitize=address,undefined'] if 'ASAN_OPTIONS' in os.environ else []
    done = subprocess.run([os.environ.get('CC', 'cc').split()[-1], '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra',
                           '-Werror', *sanitizers, f'-I{source}/include', str(file), str(library),
                           f'-Wl,-rpath,{library.parent}', '-o', str(program)], capture_output=True, text=True)
    return program if done.returncode == 0 else done.stderr


def run_block(lab, source, language, text, expected):
    """None, or the fault."""
    env = {**os.environ, 'PATH': f'{lab.dir}/bin:{os.environ["PATH"]}',
           'PYTHONPATH': str(source / 'tools/client/python')}
    if language == 'js':
        modules = source / 'tests/vectors/js/node_modules'
        if shutil.which('node') is None or not (modules / 'zeromq').exists():
            return None
        env['NODE_PATH'] = str(modules)
    file = lab.dir / f'block.{language}'
    file.write_text(substitute(lab, text), encoding='utf-8')
    if language == 'c':
        # stdbuf loads a library of its own before the sanitizer's.
        env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        file = compile_block(lab, source, file)
        if isinstance(file, str):
            return f'it does not compile:\n{file}'
    process = subprocess.Popen([*COMMANDS[language], str(file)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               stderr=subprocess.STDOUT, text=True, cwd=lab.dir, env=env, start_new_session=True)
    try:
        left, came, why = follow(process, expected)
        code = process.poll()
        if why is None and (not expected or left):
            code = process.wait(DEADLINE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.wait()
    said = '    ' + '    '.join(came[-30:])
    if code not in (None, 0):
        return f'ended with {code}:\n{said}'
    if left or why:
        missing = left[0].pattern if left else 'nothing'
        return f'{why or "it ended"}; missing: {missing}; it printed:\n{said}'
    return None


def numbered(source):
    """(page, line, name, language, text, lines it prints, whether numbers may differ)."""
    for page in pages(source):
        found = list(blocks(page))
        for i, (kind, name, language, text, line) in enumerate(found):
            if kind != 'run':
                continue
            after = found[i + 1] if i + 1 < len(found) else None
            lines = after[3].splitlines() if after is not None and after[0] == 'prints' else []
            yield page, line, name, language, text, lines, bool(lines) and after[1] == 'like'


# Sentences that call something impossible: (page, its words, command of assayctl or a change of the
# configuration for a reload, words of the rejection).  RUN is a run that has ended.
IMPOSSIBLE = (
    ('docs/technician.md', 'a run without them is rejected', ['run', 'start', 'xrf-1'], 'a sample id is required'),
    ('docs/technician.md', 'Control characters, invisible characters and blanks at the ends',
     ['run', 'start', 'xrf-1', '--sample', 'LAB-1\r'], "sample 'LAB-1\\r' ends with a carriage return"),
    ('docs/technician.md', 'Control characters, invisible characters and blanks at the ends',
     ['run', 'start', 'xrf-1', '--sample', 'LAB-1\u200b'], 'LAB-1'),
    ('docs/technician.md', 'Control characters, invisible characters and blanks at the ends',
     ['run', 'start', 'xrf-1', '--sample', 'LAB-1', '--operator', ' '], 'operator'),
    ('docs/sockets.md', '`none` is rejected as well', ['run', 'start', 'xrf-1', '--sample', 'none'], 'none'),
    ('docs/sockets.md', 'a correction without a reason is rejected', ['run', 'amend', 'RUN', '--valid', 'no', '--reason', ' '], 'reason'),
    ('docs/technician.md', 'are not marked `assayctl set` there', ['set', 'xrf-1', 'detector_bias=-100V'], 'detector_bias'),
    ('docs/operations.md', 'A reload cannot change `site`, `node`', ('"bench-3"', '"bench-4"'), 'node'),
    ('docs/technician.md', 'A file with errors changes nothing', ('"channels"', '"chanels"'), "'chanels'"),
)


def check_impossible(source, lab):
    run = lab.entries('xrf-2', 'run-start')[0].record['number']
    right = lab.config.read_text(encoding='utf-8')
    for page, claim, deed, error in IMPOSSIBLE:
        if claim not in read(source, page):
            yield f'{page}: it no longer has "{claim}", which is tried here'
        if isinstance(deed, tuple):
            lab.config.write_text(right.replace(*deed), encoding='utf-8')
            deed = ['reload']
        done = subprocess.run([lab.dir / 'bin/assayctl', *(run if word == 'RUN' else word for word in deed)],
                              capture_output=True, text=True, timeout=DEADLINE)
        lab.config.write_text(right, encoding='utf-8')
        if done.returncode == 0 or error not in done.stderr:
            yield f'{page}: "{claim}": it is possible, or the text has no "{error}": {done.stdout}{done.stderr}'


BEFORE_THE_LOSS = ('journal', 'lint', 'journal-info', 'archive')


def check_code(source, paths):
    import lab as lab_module
    todo = list(numbered(source))
    if not todo:
        yield 'nothing was run'
    lab = start_laboratory(lab_module, source, paths)
    try:
        yield from check_impossible(source, lab)
        # Those that read the journal's files, or what was committed, see it whole; the others after a loss.
        for page, line, name, language, text, lines, is_alike in sorted(todo, key=lambda row: row[2] not in BEFORE_THE_LOSS):
            if name not in BEFORE_THE_LOSS and not lab.is_damaged:
                lose_a_file(lab, lab.config_of_docs, lab_module.wait_for)
            lab.wait_state('xrf-1', 'idle')  # a snippet before may have started a run
            began = time.monotonic()
            expected = [pattern_of(substitute(lab, l), is_alike) for l in lines]
            wrong = run_block(lab, source, language, text, expected)
            print(f'{page.relative_to(source)}:{line}: {name}: {time.monotonic() - began:.1f} s', flush=True)
            if wrong is not None:
                yield f'{page.relative_to(source)}:{line}: {name}: {wrong}'
                print(lab.log()[-2000:], file=sys.stderr)
    finally:
        lab.close()
        shutil.rmtree(lab.dir, ignore_errors=True)


# --- a driver outside of the tree ----------------------------------------------------------------

def check_build(source, paths):
    """Runs each block marked <!-- build --> beside the skeleton's driver.c, with the programs and the header of this tree."""
    tried = 0
    for page in pages(source):
        for text, line in ((text, line) for kind, _, _, text, line in blocks(page) if kind == 'build'):
            tried += 1
            with tempfile.TemporaryDirectory() as folder:
                shutil.copy(source / 'drivers/skeleton/driver.c', folder)
                script = text.replace('assayctl ', f'{paths["assayctl"]} --worker {paths["worker"]} ')
                done = subprocess.run(['sh', '-e', '-c', script], cwd=folder, capture_output=True, text=True, timeout=DEADLINE,
                                      env={**os.environ, 'CPATH': str(source / 'include')})
            if done.returncode != 0 or done.stderr or 'skeleton' not in done.stdout:
                yield f'{page.relative_to(source)}:{line}: {done.returncode} {done.stdout}{done.stderr}'
    if tried == 0:
        yield 'no block is marked <!-- build -->'


def main(what, source, lab, *args):
    sys.path.insert(0, lab)
    paths = dict(arg.split('=', 1) for arg in args)
    checks = {'static': check_static, 'config': check_config, 'build': check_build, 'code': check_code}
    wrong = list(checks[what](pathlib.Path(source), paths))
    for finding in wrong:
        print(finding, file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:]))
