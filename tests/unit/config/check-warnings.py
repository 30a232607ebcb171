# SPDX-License-Identifier: Apache-2.0
"""Every warning of daemon/config/warnings.h is in the man page and the technician's page, has a
file in tests/configs/slips that gives it, and is used.

usage: check-warnings.py SOURCE
"""
import pathlib
import re
import sys

DEFINE = re.compile(r'#define (WARN_\w+)((?:\s|\\\n|"(?:[^"\\]|\\.)*")+)\n')
PLACE = re.compile(r'%[-.0-9l]*[a-z]')


def texts(header):
    for name, literals in DEFINE.findall(header):
        yield name, ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"')


def pattern(text):
    """The text with anything for its values."""
    return re.compile('.{0,120}?'.join(re.escape(part) for part in PLACE.split(text)))


def flat(page):
    """Without macros, line ends and escapes."""
    page = re.sub(r'^\.(?!\w).*\n|^\.\w.*\n', '', page, flags=re.M)
    for escape, character in ((r'\&', ''), (r'\(lq', '“'), (r'\(rq', '”')):
        page = page.replace(escape, character)
    return ' '.join(page.split())


def main(source):
    source = pathlib.Path(source)
    rooms = source / 'daemon/config'
    header = (rooms / 'warnings.h').read_text()
    code = ''.join(p.read_text() for p in rooms.glob('*.c'))
    slips = '\n'.join(p.read_text() for p in sorted((source / 'tests/configs/slips').rglob('*.yaml')))
    expected = '\n'.join(re.findall(r'^# expect: .*', slips, re.M))
    pages = {name: flat((source / name).read_text()) for name in ('docs/man/assayd.yaml.5', 'docs/technician.md')}
    warnings = list(texts(header))
    assert len(warnings) == header.count('#define WARN_') and len(warnings) > 20, 'the header is not understood'
    wrong = [f'{name}: {page} does not have it' for name, text in warnings
             for page, found in pages.items() if not pattern(text).search(found)]
    for name, text in warnings:
        if not re.search(rf'\b{name}\b', code):
            wrong.append(f'{name}: nothing reports it')
        # A phrase: an expected text may end before a part that depends on the machine.
        start = max(PLACE.split(text), key=len).split(' days ')[0]
        if start not in expected:
            wrong.append(f'{name}: no file in tests/configs/slips expects "{start}"')
    print('\n'.join(wrong) or f'{len(warnings)} warnings')
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:]))
