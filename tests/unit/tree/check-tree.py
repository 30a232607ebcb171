# SPDX-License-Identifier: Apache-2.0
"""The rules of CONTRIBUTING.md and docs/architecture.md that can be read from the source.

usage: check-tree.py SOURCE [CHECK ...]
"""

import collections
import csv
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

from source import Tree

# --- arrows: allowed includes --------------------------------------------------------------------

# By the first folder of an include; a folder may always include itself.
ROOMS = {
    'daemon/base': '',
    'daemon/record': 'base',
    'daemon/wire': 'base record',
    'daemon/clock': 'base',
    'daemon/journal': 'base',
    'daemon/capture': 'base record',
    'daemon/config': 'base record wire capture',
    'daemon/worker': 'base record wire capture',
    'daemon/try': 'base record wire capture config',
    'daemon/core': 'base record wire journal config capture',
    'tools/assayctl': 'base record wire journal config capture',
    'tools/client': 'base record',
    'tools/alert': 'base record config',
    'tools/metrics': 'base record',
    'tools/export': 'base record',
    'tools/sim': 'base',
    'drivers': '',
}
ALL_ROOMS = {'base', 'record', 'wire', 'journal', 'capture', 'config', 'worker', 'core', 'clock', 'try'}
# Of the public headers: all, unless a folder has a row here.
PUBLIC = {'drivers': {'driver.h'}, 'tools/sim': set()}
# Between the folders of daemon/core; the files directly in it, the roof, may include all of them.
CORE = {
    'commit': '',
    'router': '',
    'port': '',
    'access': 'commit',
    'runs': 'commit',
    'replay': 'access commit router runs',
    'keep': 'commit runs replay',
    'instrument': 'commit runs port',
    'control': 'access commit router port runs keep replay instrument',
}
# These may include core.h.
ROOF = re.compile(r'daemon/core/((main|startup|core|reload)\.[ch]|control/.*)')


def includes(tree, path):
    """(line number, head, rest) of each #include of a path with a folder."""
    for number, line in enumerate(tree.read(path).splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+["<](\w+)/([^">]+)[">]', line)
        if m is not None:
            yield number, m[1], m[2]


def check_arrows(tree):
    for folder, allowed in ROOMS.items():
        may = {folder.rpartition('/')[2], *allowed.split()}
        for path in tree.below(folder):
            for line, head, rest in includes(tree, path):
                if head in ALL_ROOMS and head not in may:
                    yield f'{path}:{line}: {folder} may not include {head}/{rest}'
                if head == 'assay' and rest not in PUBLIC.get(folder, {rest}):
                    yield f'{path}:{line}: {folder} may not include <assay/{rest}>'


def check_apart(tree):
    """A driver knows no other driver, a family of simulators no other family, and neither knows the other side."""
    sides = {'drivers': set(), 'tools/sim': {'framework'}}
    folders = {side: {p[len(side) + 1:].split('/')[0] for p in tree.below(side) if p.count('/') > side.count('/') + 1}
               for side in sides}
    for side, shared in sides.items():
        for path in tree.below(side):
            own = path[len(side) + 1:].split('/')[0]
            for m in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', tree.read(path), re.M):
                head = m[1].split('/')[0]
                is_foreign = '/' in m[1] and head not in {own, *shared} and any(head in f for f in folders.values())
                if head == '..' or is_foreign:
                    yield f'{path}: {own} may not include {m[1]}'


def check_core(tree):
    for path in tree.below('daemon/core'):
        room = path.split('/')[2]
        for line, head, rest in includes(tree, path):
            other = rest.split('/')[0]
            if head != 'core':
                continue
            if rest == 'core.h' and not ROOF.fullmatch(path):
                yield f'{path}:{line}: only the roof and control/ know core.h'
            elif room in CORE and other.endswith('.h') and room != 'control':
                yield f'{path}:{line}: {room} may not include the roof\'s {other}'
            elif room in CORE and other in CORE and other not in {room, *CORE[room].split()}:
                yield f'{path}:{line}: {room} may not include {other}'


# --- names and circles: by functions -------------------------------------------------------------

# The folders whose files are linked into one program.
GROUND = 'daemon/base daemon/record'
PROGRAMS = {
    'assayd': f'{GROUND} daemon/wire daemon/capture daemon/journal daemon/config daemon/core',
    'assay-clock': 'daemon/base daemon/clock',
    'assay-worker': f'{GROUND} daemon/wire daemon/capture daemon/worker',
    'assay-try': f'{GROUND} daemon/wire daemon/capture daemon/config daemon/try',
    'libassay': f'{GROUND} tools/client/c',
    'assayctl': f'{GROUND} daemon/wire daemon/capture daemon/journal daemon/config tools/client/c '
                'tools/export tools/assayctl',
    'assay-alert': f'{GROUND} daemon/wire daemon/capture daemon/config tools/client/c tools/alert',
    'assay-metrics': f'{GROUND} tools/client/c tools/metrics',
    'assay-sim': 'daemon/base tools/sim',
}


def check_names(tree):
    """One program has one function, variable and struct of a name; of static ones each file has its own."""
    for program, folders in PROGRAMS.items():
        files = set(tree.below(*folders.split()))
        owners = collections.defaultdict(list)
        for n in tree.names():
            if n.path in files and (n.kind == 'struct' or not n.is_static):
                owners[n.kind, n.name].append(f'{n.path}:{n.line}')
        for (kind, name), places in owners.items():
            if len(places) > 1:
                yield f'{program}: {kind} {name} is defined in {" and ".join(places)}'


def calls_of(tree, files):
    """{file: {other file: functions of it that the file uses}}"""
    owner = {n.name: n.path for n in tree.names()
             if n.kind == 'function' and n.path in files and not n.is_static}
    calls = collections.defaultdict(lambda: collections.defaultdict(set))
    for path in files:
        # A member of the same name as a function does not count.
        for word in set(re.findall(r'(?<![\w.>])[a-z]\w*', tree.code(path))):
            if owner.get(word, path) != path:
                calls[path][owner[word]].add(word)
    return calls


def circles(graph):
    """The sets of nodes that reach each other: those that reach and are reached by one another."""
    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for other in graph.get(todo.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen
    reach = {node: reached(node) for node in graph}
    found = {frozenset(o for o in reach[n] if n in reach.get(o, ())) for n in graph if n in reach[n]}
    return sorted(found, key=len)


def check_circles(tree):
    seen = set()
    for program, folders in PROGRAMS.items():
        calls = calls_of(tree, [p for p in tree.below(*folders.split()) if p.endswith('.c')])
        for circle in circles(calls):
            if circle in seen:
                continue
            seen.add(circle)
            ties = [f'    {a} -> {b}: {", ".join(sorted(words))}' for a in sorted(circle)
                    for b, words in sorted(calls[a].items()) if b in circle]
            yield f'{program}: {len(circle)} files call each other:\n' + '\n'.join(ties)


# --- tables --------------------------------------------------------------------------------------

def check_links(tree):
    """The kinds of link stand in the table of ports and where the worker implements them."""
    for path in tree.below('daemon'):
        if path not in ('daemon/wire/port.c', 'daemon/wire/port.h') and not path.startswith('daemon/worker/link/'):
            code = tree.code(path)
            for m in re.finditer(r'\bASSAY_LINK_\w+', code):
                yield f'{path}:{code.count(chr(10), 0, m.start()) + 1}: {m[0]} belongs into wire/port.[ch]'


# --- docs/architecture.md: budgets and recipes ---------------------------------------------------

MAP = 'docs/architecture.md'


def check_budgets(tree):
    """| `folder` | budget | ... |: lines of .c and .h; of a folder's own files with a trailing `/*`."""
    rows = re.findall(r'^\| `([\w./*-]+)` \| ([\d,]+) \|', tree.read(MAP), re.M)
    if not rows:
        yield f'{MAP}: there is no table of budgets'
    for folder, budget in rows:
        own = folder.endswith('/*')
        files = [p for p in tree.below(folder.removesuffix('/*'))
                 if not own or os.path.dirname(p) == folder[:-2]]
        lines = sum(tree.read(p).count('\n') for p in files)
        if not files or lines > int(budget.replace(',', '')):
            yield f'{MAP}: {folder} has {lines} lines, its budget is {budget}'


def check_recipes(tree):
    """In each numbered step, `name()` and `name[]` stand in one of the `files` that it names."""
    text = tree.read(MAP)
    steps = re.findall(r'^\d+\. .*(?:\n   .*)*', text, re.M)
    if not steps:
        yield f'{MAP}: there are no steps'
    for step in steps:
        files = [p for word in re.findall(r'`([\w./-]+\.\w+)`', step) for p in tree.paths
                 if p == word or p.endswith('/' + word)]
        for name in re.findall(r'`(\w+)(?:\(\)|\[\])`', step):
            if not any(re.search(rf'\b{name}\b', tree.read(p)) for p in files):
                yield f'{MAP}: {name} is in none of the files of the step: {step.splitlines()[0]}'


# --- drivers: the places of each -----------------------------------------------------------------

def check_drivers(tree):
    """Each folder with a driver.c has a page, is in the list and in README.md, has tests and fuzz targets."""
    paths, readme = set(tree.paths), tree.read('README.md')
    listed = re.search(r"^driver_names = \[(.*?)\]", tree.read('drivers/meson.build'), re.M | re.S)
    names = re.findall(r"'([\w-]+)'", listed[1]) if listed else []
    for name in sorted(p.split('/')[1] for p in paths if re.fullmatch(r'drivers/[\w-]+/driver\.c', p)):
        fuzz = [f'tests/fuzz/{name}-{slots}' for slots in ('decode', 'session')]
        wanted = [f'drivers/{name}/README.md', f'tests/unit/drivers/{name}/meson.build',
                  *(f'{folder}/fuzz-{folder.rpartition("/")[2]}.c' for folder in fuzz)]
        yield from (f'drivers/{name}: there is no {path}' for path in wanted if path not in paths)
        yield from (f'drivers/{name}: {folder} has no corpus' for folder in fuzz
                    if not any(p.startswith(f'{folder}/corpus/') for p in paths))
        if name not in names:
            yield f'drivers/{name}: driver_names of drivers/meson.build does not have it'
        if f'drivers/{name}' not in readme:
            yield f'drivers/{name}: README.md does not mention it'


QUALIFIED = 'docs/qualification.md'


def check_instruments(tree):
    """Each driver and each profile has one row in the list of tried instruments, and each row is one of them."""
    if QUALIFIED not in tree.paths:
        return
    text = tree.read(QUALIFIED).partition('<!-- tried -->')[2]
    rows = re.findall(r'^\| (driver|profile) `([\w-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$', text, re.M)
    listed = [f'{kind} {name}' for kind, name, *_ in rows]
    there = {f'driver {p.split("/")[1]}' for p in tree.paths if re.fullmatch(r'drivers/(?!skeleton)[\w-]+/driver\.c', p)}
    there |= {f'profile {p[len("config/profiles/"):-len(".yaml")]}' for p in tree.paths
              if re.fullmatch(r'config/profiles/[\w-]+\.yaml', p)}
    for name in sorted(there | set(listed)):
        if name not in there or listed.count(name) != 1:
            yield f'{QUALIFIED}: the list of tried instruments has {listed.count(name)} rows for {name}, ' \
                  f'{"which is there" if name in there else "which does not exist"}'


# --- the frozen interface ------------------------------------------------------------------------

# Made by the daemon and given to the driver, which has no size of them: they may grow with the services.
GIVEN = {f'struct assay_{name}' for name in ('identity', 'instrument', 'decoding', 'settings', 'frame', 'raw', 'check')}


def interface_of(text):
    """{declaration: its body, on one line} of a public header."""
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    found = [*re.findall(r'^((?:struct|enum) \w+) \{\n(.*?)^\};', text, re.M | re.S),
             *((head, '') for head in re.findall(r'^static inline ([^{]+?)\n\{', text, re.M)),
             *re.findall(r'^(#define \w+) +(\(?-?\d+\)?)$', text, re.M)]
    return {' '.join(what.split()): ' '.join(body.split()).rstrip(',') for what, body in found}


def check_frozen(tree):
    """<assay/driver.h> has all of each released header, in its order; new members and constants come at the end."""
    for path in sorted(p for p in tree.paths if re.fullmatch(r'tests/drivers/released/driver-.*\.h', p)):
        old, now = interface_of(tree.read(path)), interface_of(tree.read('include/assay/driver.h'))
        has_services = old['struct assay_host'] != now['struct assay_host']
        for what, body in old.items():
            found = now.get(what, ';')
            has_grown = found.startswith(body if what.startswith('struct') else f'{body},')
            may_grow = not what.startswith('#') and what != 'struct assay_bytes'
            if found != body and not (may_grow and has_grown):
                yield f'include/assay/driver.h: {what} is not that of {path} with more at its end'
            elif found != body and what in GIVEN and not has_services:
                yield f'include/assay/driver.h: {what} has grown since {path}, and struct assay_host has not'


# --- log messages --------------------------------------------------------------------------------

LOG_CALL = re.compile(r'\blog_(error|warn)\(\s*((?:"(?:\\.|[^"\\\n])*"|\w+|\s)+)')


def log_calls(tree):
    """(priority, format) of each call; macros of the same file are replaced, those of PRIu64 stay."""
    for path in tree.below('daemon', ends=('.c',)):
        text = tree.read(path)
        macros = dict(re.findall(r'^#define (\w+)\s+"(.*)"$', text, re.M))
        for m in LOG_CALL.finditer(text):
            joined = re.sub(r'\b([A-Z_]+)\b(?=\s*(?:"|$))',
                            lambda name: f'"{macros[name[1]]}"' if name[1] in macros else name[0], m[2].strip())
            yield {'error': 'error', 'warn': 'warning'}[m[1]], re.sub(r'"\s*"', '', joined)[1:-1]


def check_messages(tree):
    """Each row of config/messages.csv is the text of a call of its priority, and the page shows all rows."""
    calls = set(log_calls(tree))
    for row in csv.DictReader(tree.read('config/messages.csv').splitlines()):
        if (row['priority'], row['text']) not in calls:
            yield f'config/messages.csv: {row["id"]}: no call of {row["priority"]} has the text {row["text"]!r}'
    page = subprocess.run([sys.executable, 'daemon/base/make-messages.py', 'page', 'config/messages.csv'], cwd=tree.top,
                          capture_output=True, text=True)
    if page.returncode != 0:
        yield page.stderr.strip()
    elif page.stdout != tree.read('docs/messages.md'):
        yield 'docs/messages.md: make it again: daemon/base/make-messages.py page config/messages.csv'


# --- files: comments and pages name files that exist ---------------------------------------------

ENDINGS = 'c|h|cc|py|js|md|build|csv|yaml|yml|cddl|in|rules|service|txt|json|supp'
TOP = 'daemon|drivers|config|include|tools|tests|docs'
FILE = re.compile(rf'(?<![\w.*<{{/$@-])((?:[\w.-]+/)*[\w-]+(?:\.[\w-]+)*\.(?:{ENDINGS})(?![\w-])|'
                  rf'(?:{TOP})/[\w./-]*\w(?![\w*]))')
# Files of a site or of other programs, and two words that look like files.
NOT_OURS = {'audit.txt', 'runs.csv', 'README.txt', 'read.csv', 'run.csv', 'report.json', 'my.yaml', 'consumer.c', 'devices.txt',
            'runstart.txt', 'acqmeth.txt', 'Node.js', 'W.h', 'kW.h', 'MW.h'}
SCRIPTS = {f'tools/{name}' for name in ('bench', 'demo', 'new-driver', 'package', 'prepare', 'site-demo', 'test')}


def texts(tree):
    """Every comment and page: (path, line, text)."""
    for path in tree.paths:
        if path.endswith('.md'):
            yield path, 1, tree.read(path)
        elif path.endswith(('.c', '.h', '.cc', '.py', '.js', 'meson.build')) or path in SCRIPTS or (
                path.startswith('config/') and path.endswith('.yaml')):
            yield from tree.comments(path)




def check_files(tree):
    known = set()                                # each path, its folders, its ends, with and without its ending
    for path in tree.paths:
        for parts in (path.split('/'), os.path.splitext(path)[0].split('/')):
            known.update('/'.join(parts[i:]) for i in range(len(parts)))
            known.update('/'.join(parts[:i]) for i in range(1, len(parts)))
    for path, line, text in texts(tree):
        for m in FILE.finditer(text):
            name = os.path.normpath(m[1]).replace('../', '')
            is_placeholder = re.search(r'\b(NAME|DIR|FILE)\b', name)
            if name not in known and os.path.basename(name) not in NOT_OURS and not is_placeholder:
                yield f'{path}:{line + text.count(chr(10), 0, m.start())}: there is no file {name}'


# --- words ---------------------------------------------------------------------------------------

# Relatives without a noun, and verbs of speech for program parts: at most so many of 1000 words.
LIMITS = {
    'free relatives': (re.compile(r'\b(what|whatever|who|whoever)\b', re.I), 2.0),
    'parts that speak': (re.compile(r'\b(told|tells|says|said|asks|asked|hears?|speaks?)\b', re.I), 2.0),
}
NEVER = re.compile(r'\b(anew|beneath|besides|likewise|by and by|utmost|but for|hence|lest|thereby|for ever|'
                   r'whoever|whatever|nobody|somebody|strangers?|by chance|of its own accord)\b', re.I)


def check_words(tree):
    rooms = collections.defaultdict(list)
    for path, line, text in texts(tree):
        if path.endswith('.md'):
            text = re.sub(r'^```.*?^```', lambda m: '\n' * m[0].count('\n'), text, flags=re.M | re.S)
            text = re.sub(r'`[^`]*`', 'code', text)
        rooms[room_of(path)].append((path, line, text))
    for path in tree.below('daemon', 'drivers', 'tools'):
        rooms[room_of(path)].extend(tree.messages(path))
    for room, found in sorted(rooms.items()):
        words = sum(len(re.findall(r"[A-Za-z']+", text)) for _, _, text in found)
        for kind, (pattern, limit) in LIMITS.items():
            hits = [(path, line, m[0]) for path, line, text in found for m in pattern.finditer(text)]
            if len(hits) > max(2, limit * words / 1000):
                yield (f'{room}: {len(hits)} {kind} in {words} words, {1000 * len(hits) / words:.1f} of 1000; '
                       f'first {hits[0][0]}:{hits[0][1]}: {hits[0][2]}')
        for path, line, text in found:
            for m in NEVER.finditer(text):
                yield f'{path}:{line + text.count(chr(10), 0, m.start())}: use another word for "{m[0]}"'


def room_of(path):
    """A page is a room of its own."""
    return path if path.endswith('.md') else os.path.dirname(path) or '.'


# --- format, clock -------------------------------------------------------------------------------

def check_format(tree):
    """A file that passed is not formatted again: the file $FORMATTED has the digests of such files."""
    if shutil.which('clang-format') is None:
        return
    memory = pathlib.Path(os.environ.get('FORMATTED', os.devnull))
    passed = set(memory.read_text().split()) if memory.exists() else set()
    style = tree.read('.clang-format')
    digests = {p: hashlib.sha256((style + tree.read(p)).encode()).hexdigest() for p in tree.paths
               if p.endswith(('.c', '.h'))}
    todo = [p for p, digest in digests.items() if digest not in passed]
    # Two processes share the files: the machine has at least two processors.
    halves = [subprocess.Popen(['clang-format', '--dry-run', '-Werror', '-ferror-limit=1', *half], cwd=tree.top,
                               stderr=subprocess.PIPE, text=True) for half in (todo[::2], todo[1::2]) if half]
    wrong = {}
    for half in halves:
        for m in re.finditer(r'^([^\s:]+):(\d+):.*clang-formatted', half.communicate()[1], re.M):
            wrong[m[1]] = f'{m[1]}:{m[2]}: clang-format changes this line'
    memory.write_text('\n'.join(digest for path, digest in digests.items() if path not in wrong))
    yield from wrong.values()


CLOCK = re.compile(r'\b(clock_gettime(?!\(CLOCK_PROCESS_CPUTIME_ID)|clock_nanosleep|nanosleep|usleep|sleep|time|'
                   r'gettimeofday|poll|ppoll|select|sd_event_\w+)\s*\(')
OWN_CLOCK = re.compile(r'\b(clock_boot)\s*\(')  # virtual-loop.h replaces it
# The real commit thread, and libzmq's; their waits have a deadline.
CLOCK_NEEDED = {'tests/unit/core/test-commit.c', 'tests/unit/core/test-publish.c', 'tests/unit/core/test-access.c'}


def check_clock(tree):
    """The core's unit tests run on virtual time."""
    for path in sorted(set(tree.below('tests/unit/core')) - CLOCK_NEEDED):
        code, is_virtual = tree.code(path), 'virtual-loop.h' in tree.read(path)
        for m in [*CLOCK.finditer(code), *([] if is_virtual else OWN_CLOCK.finditer(code))]:
            yield f'{path}:{code.count(chr(10), 0, m.start()) + 1}: {m[1]} waits for real time'


def check_packages(tree):
    """The packages that tools/prepare installs for building are those that the Debian package is built with."""
    listed = re.search(r'^packages=\((.*?)\)', tree.read('tools/prepare'), re.M | re.S)[1].split()
    field = re.search(r'^Build-Depends:\n((?: .*\n)+)', tree.read('debian/control'), re.M)[1]
    needed = {line.split()[0].rstrip(',') for line in field.splitlines() if '!nocheck' not in line}
    for name in sorted(set(listed) - needed - {'gcc', 'dpkg-dev', 'ninja-build'}):
        yield f'debian/control: Build-Depends has no {name}, which tools/prepare installs'
    for name in sorted(needed - set(listed) - {'debhelper-compat', 'dh-python', 'python3-all:any', 'systemd'}):
        yield f'tools/prepare: no {name}, with which the Debian package is built'


CHECKS = {name.removeprefix('check_'): function for name, function in list(globals().items())
          if name.startswith('check_')}


def main(top, *names):
    tree, faults = Tree(top), []
    for name in names or CHECKS:
        faults += [f'{name}: {fault}' for fault in CHECKS[name](tree)]
    print('\n'.join(faults) or f'{len(names or CHECKS)} checks, {len(tree.paths)} files')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
