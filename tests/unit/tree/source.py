# SPDX-License-Identifier: Apache-2.0
"""A source tree as the checks need it: code without comments, comments, messages, names, words."""

import collections
import functools
import json
import os
import pathlib
import re
import subprocess

FOLDERS = ('daemon', 'drivers', 'config', 'include', 'tools', 'tests', 'docs', '.ci', 'debian')
LEFT_OUT = {'node_modules', '__pycache__'}
C_LIKE = ('.c', '.h', '.cc', '.js')
# One pass finds comments and literals in their order, so that neither is found inside the other.
# Literals that the compiler joins are one.
LITERAL = r'"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*|\'(?:\\.|[^\'\\\n])*\''
C_TOKEN = re.compile(rf'//[^\n]*|/\*.*?\*/|{LITERAL}', re.S)
SCRIPT_TOKEN = re.compile(rf'(?<!\$)#[^\n]*(?:\n[ \t]*#[^\n]*)*|"""(?:\\.|[^\\])*?"""|{LITERAL}', re.S)

Text = collections.namedtuple('Text', 'path line text')
Name = collections.namedtuple('Name', 'kind name path line is_static')


def plain(comment):
    """A comment on one line, without its marks."""
    text = re.sub(r'\n[ \t]*(\*(?!/)|#+|//)?', '\n', comment)
    return ' '.join(re.sub(r'^(//|/\*+|#+!?|""")|(\*/|""")$', '', text).split())


class Tree:
    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.paths = sorted(self._walk())

    def _walk(self):
        yield from (p.name for p in self.top.iterdir() if p.is_file())
        for folder in FOLDERS:
            for where, folders, files in os.walk(self.top / folder):
                folders[:] = [f for f in folders if f not in LEFT_OUT]
                yield from (os.path.relpath(os.path.join(where, f), self.top) for f in files)

    def below(self, *folders, ends=('.c', '.h')):
        starts = tuple(folder + '/' for folder in folders)
        return [p for p in self.paths if p.startswith(starts) and p.endswith(ends)]

    @functools.lru_cache(None)
    def read(self, path):
        return (self.top / path).read_text(encoding='utf-8', errors='replace')

    @functools.lru_cache(None)
    def code(self, path):
        """A C file without comments and literals; its lines keep their numbers."""
        return C_TOKEN.sub(lambda m: '\n' * m[0].count('\n') or ' ', self.read(path))

    @functools.lru_cache(None)
    def comments(self, path):
        """Each comment of a C or JavaScript, Python, shell or meson file."""
        text, is_c = self.read(path), path.endswith(C_LIKE)
        found = []
        for m in (C_TOKEN if is_c else SCRIPT_TOKEN).finditer(text):
            starts_line = text[:m.start()].rpartition('\n')[2].strip() == ''
            if m[0].startswith(('//', '/*') if is_c else '#') or m[0].startswith('"""') and starts_line:
                found.append(Text(path, text.count('\n', 0, m.start()) + 1, plain(m[0])))
        return found

    @functools.lru_cache(None)
    def messages(self, path):
        """The string literals of a C file that have at least three words."""
        text = self.read(path)
        found = [Text(path, text.count('\n', 0, m.start()) + 1, re.sub(r'"\s*"', '', m[0])[1:-1])
                 for m in C_TOKEN.finditer(text) if m[0][0] == '"']
        return [t for t in found if len(re.findall(r'[a-z]{2,} ', t.text)) >= 2]

    @functools.lru_cache(None)
    def names(self):
        """Every function, struct and variable that the C files define."""
        files = self.below('daemon', 'drivers', 'tools', 'include')
        tags = subprocess.run(['ctags', '--language-force=C', '--kinds-C=fsv', '--fields=+nf', '--sort=no',
                               '--output-format=json', '-f', '-', *files],
                              cwd=self.top, capture_output=True, text=True, check=True).stdout
        found = [json.loads(line) for line in tags.splitlines()]
        return [Name(t['kind'], t['name'], t['path'], t['line'], t.get('file', False)) for t in found
                if not t['name'].startswith('__anon')]
