#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The catalogue of log messages, from config/messages.csv.

make-messages.py rows messages.csv TARGET    rows of log-id.c
make-messages.py page messages.csv           docs/messages.md
"""
import csv
import re
import sys

COLUMNS = ['id', 'priority', 'text', 'meaning', 'remedy']
HEAD = """# Log messages

Generated from `config/messages.csv` by `daemon/base/make-messages.py page`.

Lines that need a person end with the id of their message, such as `[A201]`. An id never changes its meaning and is
never given again, while the text may get better. The id is the last word of its line; a line without an id that ends in `]`
because of a text of others gets `[-]`, so that no instrument can write one.

```sh
journalctl -u assayd --grep '\\[A201\\]$'
```

"""


def read(path):
    with open(path, newline='', encoding='utf-8') as f:
        reader = csv.DictReader(f)
        if reader.fieldnames != COLUMNS:
            sys.exit(f'{path}:1: found columns {reader.fieldnames}, expected {COLUMNS}')
        rows = list(reader)
    for i, row in enumerate(rows):
        if not re.fullmatch('A[0-9]{3}', row['id']) or i > 0 and row['id'] <= rows[i - 1]['id']:
            sys.exit(f'{path}:{i + 2}: "{row["id"]}" is no id, or not above the one before')
        if row['priority'] not in ('error', 'warning') or not all(row.values()):
            sys.exit(f'{path}:{i + 2}: expected error or warning, and no empty column')
    if len({row['text'] for row in rows}) < len(rows):
        sys.exit(f'{path}: a text is there twice')
    return rows


def people(text):
    """The text with an ellipsis for each value."""
    return re.sub(r'%[-+ #0-9.*]*(?:ll|z|l)?[a-zA-Z]', '…', re.sub(r'%" PRI\w+ "', '…', text))


def rows(source, target):
    with open(target, 'w', encoding='utf-8') as f:
        for row in read(source):
            f.write(f'\t{{"{row["id"]}", "{row["text"]}"}},\n')


def page(source):
    cells = [(r['id'], r['priority'], people(r['text']), r['meaning'], r['remedy']) for r in read(source)]
    lines = ['| id | priority | text | meaning | remedy |', '|---|---|---|---|---|']
    return HEAD + '\n'.join(lines + ['| ' + ' | '.join(c.replace('|', '\\|') for c in cell) + ' |' for cell in cells]) + '\n'


if __name__ == '__main__':
    if sys.argv[1] == 'rows':
        rows(*sys.argv[2:])
    else:
        sys.stdout.write(page(sys.argv[2]))
