#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns config/names.csv into the rows of names.c: make-names.py names.csv names.inc"""
import csv
import re
import sys

WHERE = {w: 'NAME_' + w.upper() for w in ('data', 'axis', 'aux', 'setting', 'setup')}
COLUMNS = ['name', 'where', 'technique', 'unit', 'term', 'export label', 'meaning', 'least', 'most',
           'other units', 'jcamp', 'andi']


def text(value):
    return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"' if value else 'NULL'


def row(line):
    techniques = ' | '.join('TECHNIQUE_' + t.upper().replace('-', '_')
                            for t in line['technique'].split())
    fields = [text(line['name']), WHERE[line['where']], techniques]
    fields += [text(line[c]) for c in COLUMNS[3:7]] + [line[c] or '0' for c in COLUMNS[7:9]]
    return '\t{' + ', '.join(fields + [text(line[c]) for c in COLUMNS[9:]]) + '},\n'


def main(source, target):
    with open(source, newline='', encoding='utf-8') as f:
        reader = csv.DictReader(f, restval='')  # a row may end before the last columns
        if reader.fieldnames != COLUMNS:
            sys.exit(f'{source}:1: found columns {reader.fieldnames}, expected {COLUMNS}')
        lines = sorted(reader, key=lambda line: line['name'].encode())
    names = [line['name'] for line in lines]
    for name in names:
        if not re.fullmatch('[a-z][a-z0-9_]{0,31}', name) or names.count(name) > 1:
            sys.exit(f'{source}: "{name}" is not a name, or is there twice')
    with open(target, 'w', encoding='utf-8') as f:
        f.writelines(row(line) for line in lines)


main(*sys.argv[1:])
