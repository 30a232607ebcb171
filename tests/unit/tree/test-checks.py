# SPDX-License-Identifier: Apache-2.0
"""Each check of check-tree.py finds the fault it is for, in a tree made for that, and no other."""

import importlib
import pathlib
import subprocess
import sys
import tempfile

check_tree = importlib.import_module('check-tree')

MAP = """# Architecture

| folder | lines | duty |
|---|---|---|
| `daemon/core` | 40 | all |
| `daemon/core/*` | 20 | roof |

1. `core/runs/run.c`: `run_open()` and a row of
   `run_words[]`
"""
RUN = '#include "core/runs/run.h"\nconst char *const run_words[] = {"open"};\nvoid run_open(void)\n{\n}\n'
MAKE_MESSAGES = pathlib.Path(__file__).parents[3] / 'daemon/base/make-messages.py'
CLEAN = {
    '.clang-format': (pathlib.Path(__file__).parents[3] / '.clang-format').read_text(),
    'docs/architecture.md': MAP,
    'README.md': 'The [map](docs/architecture.md), `daemon/core/main.c`.\n',
    'drivers/meson.build': 'driver_names = []\n',
    'daemon/core/core.h': 'struct core {\n\tint n;\n};\n',
    'daemon/core/main.c': '#include "core/core.h"\n#include "core/runs/run.h"\nint main(void)\n{\n\trun_open();\n}\n',
    'daemon/core/runs/run.h': '/* Opens runs; see run.c. */\nvoid run_open(void);\n',
    'daemon/core/runs/run.c': RUN,
    'daemon/core/commit/commit.c': 'void commit(void)\n{\n}\n',
    'daemon/base/log-id.c': 'void log_disk(void)\n{\n\tlog_error("no disk");\n}\n',
    'daemon/base/make-messages.py': MAKE_MESSAGES.read_text(),
    'debian/control': 'Build-Depends:\n debhelper-compat (= 13),\n meson,\n\nPackage: assayd\n',
    'tools/prepare': '#!/bin/bash\npackages=(gcc meson)\n',
    'config/messages.csv': 'id,priority,text,meaning,remedy\nA101,error,no disk,it is gone,plug it in\n',
    'tests/unit/core/test-runs.c': 'int now;\n',
}
with tempfile.TemporaryDirectory() as messages:
    pathlib.Path(messages, 'rows').write_text(CLEAN['config/messages.csv'])
    CLEAN['docs/messages.md'] = subprocess.run([sys.executable, MAKE_MESSAGES, 'page', pathlib.Path(messages, 'rows')],
                                               check=True, capture_output=True, text=True).stdout
DRIVER = {
    'README.md': 'See drivers/x.\n',
    'drivers/meson.build': "driver_names = ['x']\n",
    'drivers/x/driver.c': 'int x;\n',
    'drivers/x/README.md': 'x\n',
    'tests/unit/drivers/x/meson.build': 'x\n',
    'tests/fuzz/x-decode/fuzz-x-decode.c': 'int y;\n',
    'tests/fuzz/x-decode/corpus/one': '1\n',
    'tests/fuzz/x-session/fuzz-x-session.c': 'int z;\n',
    'tests/fuzz/x-session/corpus/one': '1\n',
}
HEADER = """#define ASSAY_DRIVER_ABI 2
enum assay_kind {
	ASSAY_SPECTRUM = 1, /* one */
	ASSAY_SCALARS,
};
struct assay_bytes {
	size_t len;
};
struct assay_raw {
	const struct assay_host *host;
};
struct assay_host {
	int (*write)(int);
};
static inline int assay_write(int n)
{
	return n;
}
"""


def released(change, *to):
    return {'include/assay/driver.h': HEADER.replace(change, *to), 'tests/drivers/released/driver-2.h': HEADER}


def driver_without(*names):
    return {name: text for name, text in DRIVER.items() if name not in names}


# (check, changed files, a part of the only fault)
CASES = [
    ('packages', {'tools/prepare': '#!/bin/bash\npackages=(gcc meson libx-dev)\n'}, 'Build-Depends has no libx-dev'),
    ('packages', {'tools/prepare': '#!/bin/bash\npackages=(gcc)\n'}, 'no meson, with which the Debian package is built'),
    ('messages', {'daemon/base/log-id.c': 'int disk;\n'}, "no call of error has the text 'no disk'"),
    ('arrows', {'daemon/base/log.c': '#include "record/read.h"\n'}, 'daemon/base may not include record/read.h'),
    ('arrows', {'drivers/x/driver.c': '#include <assay/client.h>\n'}, 'drivers may not include <assay/client.h>'),
    ('core', {'daemon/core/commit/commit.c': '#include "core/runs/run.h"\n'}, 'commit may not include runs'),
    ('core', {'daemon/core/runs/run.c': '#include "core/core.h"\n'}, 'only the roof and control/ know core.h'),
    ('core', {'daemon/core/runs/run.c': '#include "core/ports.h"\n'}, "runs may not include the roof's ports.h"),
    ('names', {'daemon/core/commit/commit.c': 'void run_open(void)\n{\n}\n'}, 'assayd: function run_open'),
    ('names', {'daemon/core/runs/run.c': RUN + 'struct core {\n\tint m;\n};\n'}, 'assayd: struct core'),
    ('circles', {'daemon/core/runs/run.c': RUN.replace('{\n}', '{\n\tcommit();\n}'),
                 'daemon/core/commit/commit.c': 'void commit(void)\n{\n\trun_open();\n}\n'}, '2 files call each other'),
    ('circles', {'tools/sim/a.c': 'void a(void)\n{\n\tb();\n}\n', 'tools/sim/b.c': 'void b(void)\n{\n\tc();\n}\n',
                 'tools/sim/c.c': 'void c(void)\n{\n\ta();\n}\n'}, 'assay-sim: 3 files call each other'),
    ('links', {'daemon/core/runs/run.c': RUN + 'int link = ASSAY_LINK_USB;\n'}, 'run.c:6: ASSAY_LINK_USB'),
    ('budgets', {'daemon/core/main.c': '\n' * 20}, 'daemon/core/* has 23 lines, its budget is 20'),
    ('budgets', {'daemon/core/runs/run.c': '\n' * 50}, 'daemon/core has 64 lines, its budget is 40'),
    ('budgets', {'docs/architecture.md': 'nothing\n'}, 'there is no table of budgets'),
    ('recipes', {'docs/architecture.md': MAP.replace('run_open', 'run_close')}, 'run_close is in none'),
    ('recipes', {'docs/architecture.md': MAP.replace('run_words', 'run_names')}, 'run_names is in none'),
    ('apart', {'drivers/x/a.c': 'int a;\n', 'drivers/y/b.c': '#include "x/a.h"\n'}, 'y may not include x/a.h'),
    ('apart', {'tools/sim/x/a.c': '#include "../../drivers/y/b.h"\n'}, 'x may not include ../../drivers/y/b.h'),
    ('apart', {'drivers/y/b.c': '#include "framework/sim.h"\n', 'tools/sim/framework/sim.c': 'int a;\n'},
     'y may not include framework/sim.h'),
    ('apart', {'tools/sim/framework/sim.c': '#include "x/a.h"\n', 'tools/sim/x/a.c': '#include "framework/sim.h"\n'},
     'framework may not include x/a.h'),
    ('drivers', driver_without('drivers/x/README.md'), 'there is no drivers/x/README.md'),
    ('drivers', driver_without('tests/unit/drivers/x/meson.build'), 'there is no tests/unit/drivers/x/meson.build'),
    ('drivers', driver_without('tests/fuzz/x-decode/fuzz-x-decode.c'), 'there is no tests/fuzz/x-decode/fuzz'),
    ('drivers', driver_without('tests/fuzz/x-session/corpus/one'), 'tests/fuzz/x-session has no corpus'),
    ('drivers', {**DRIVER, 'drivers/meson.build': "driver_names = ['y']\n"}, 'does not have it'),
    ('drivers', {**DRIVER, 'README.md': 'none\n'}, 'README.md does not mention it'),
    ('instruments', {**DRIVER, 'docs/qualification.md': '<!-- tried -->\n'}, '0 rows for driver x, which is there'),
    ('instruments', {'config/profiles/p.yaml': 'p\n', 'docs/qualification.md': '<!-- tried -->\n'}, '0 rows for profile p'),
    ('instruments', {'docs/qualification.md': '<!-- tried -->\n| driver `x` | a | b | c |\n'}, 'which does not exist'),
    ('instruments', {**DRIVER, 'docs/qualification.md': '<!-- tried -->\n' + 2 * '| driver `x` | a | b | c |\n'}, 'has 2 rows'),
    ('frozen', released('ABI 2', 'ABI 3'), '#define ASSAY_DRIVER_ABI is not that of'),
    ('frozen', released('ASSAY_SCALARS', 'ASSAY_TABLE,\n\tASSAY_SCALARS'), 'enum assay_kind is not that of'),
    ('frozen', released('size_t len;', 'size_t len;\n\tint more;'), 'struct assay_bytes is not that of'),
    ('frozen', released('\tint (*w', '\tint (*read)(int);\n\tint (*w'), 'struct assay_host is not that of'),
    ('frozen', released('*host;', '*host;\n\tint more;'), 'struct assay_raw has grown since'),
    ('frozen', released('int assay_write', 'long assay_write'), 'int assay_write(int n) is not that of'),
    ('files', {'daemon/core/core.h': '/* See runs/row.c. */\n'}, 'daemon/core/core.h:1: there is no file runs/row.c'),
    ('files', {'README.md': '\nas [here](docs/none.md)\n'}, 'README.md:2: there is no file docs/none.md'),
    ('files', {'daemon/core/meson.build': '# as daemon/roof\n'}, 'meson.build:1: there is no file daemon/roof'),
    ('words', {'daemon/core/core.h': '/* What is what, and who is who. */\n'}, 'daemon/core: 4 free relatives'),
    ('words', {'README.md': 'It tells, it asks, it says.\n'}, 'README.md: 3 parts that speak'),
    ('words', {'daemon/core/core.h': '// start it\n// anew\n'}, 'daemon/core/core.h:2: use another word for "anew"'),
    ('words', {'daemon/core/core.h': 'const char *s = "start the run "\n\t"anew";\n'}, 'another word for "anew"'),
    ('clock', {'tests/unit/core/test-runs.c': 'void f(void)\n{\n\tusleep(1);\n}\n'}, 'test-runs.c:3: usleep'),
    ('clock', {'tests/unit/core/test-runs.c': 'uint64_t f(void)\n{\n\treturn clock_boot();\n}\n'}, ':3: clock_boot'),
    ('format', {'daemon/core/core.h': 'int  a ;\n'}, 'daemon/core/core.h:1: clang-format changes this line'),
]


def faults_of(check, files):
    with tempfile.TemporaryDirectory() as top:
        for name, text in files.items():
            path = pathlib.Path(top, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(check_tree.CHECKS[check](check_tree.Tree(top)))


wrong = []
for check in check_tree.CHECKS:
    if check not in {case[0] for case in CASES}:
        wrong.append(f'{check}: no case')
    wrong += [f'{check}: of a clean tree: {fault}' for fault in faults_of(check, CLEAN)]
GROWN = HEADER.replace('SCALARS,', 'SCALARS,\n\tASSAY_TABLE,').replace('(int);', '(int);\n\tint (*read)(int);').replace(
    '*host;', '*host;\n\tint more;')
wrong += faults_of('frozen', {**CLEAN, **released(HEADER, GROWN)})
for check, change, expected in CASES:
    found = faults_of(check, {**CLEAN, **change})
    is_skipped = check == 'format' and check_tree.shutil.which('clang-format') is None
    if not is_skipped and (len(found) != 1 or expected not in found[0]):
        wrong.append(f'{check}: expected "{expected}", found {found}')
print('\n'.join(wrong) or f'{len(CASES)} cases')
sys.exit(1 if wrong else 0)
