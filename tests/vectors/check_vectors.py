#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decodes the golden vectors with cbor2 alone and compares them with their JSON projections.

The projection is written here a second time, from the documentation and not from the C code.
"""
import array
import datetime
import hashlib
import json
import math
import pathlib
import struct
import sys

import cbor2

ELEMENTS = {64: 'B', 69: 'H', 70: 'I', 71: 'Q', 72: 'b', 77: 'h', 78: 'i', 79: 'q', 85: 'f', 86: 'd'}
TIMES = {'utc', 'tc', 'from', 'to', 'since', 'until', 'start'}
FLAGS = {1: 'good', 2: 'unchecked', 3: 'suspect', 4: 'bad', 9: 'missing'}


class Float32:
    """Written with as many digits as name it among the floats of 32 bits."""

    def __init__(self, value):
        self.value = value

    def equals(self, found):
        return struct.pack('<f', found) == struct.pack('<f', self.value)


def reshape(flat, shape):
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0]
    return [reshape(flat[i:i + step], shape[1:]) for i in range(0, len(flat), step)]


def tag_hook(decoder, tag, shareable_index=None):
    if tag.tag == 40:
        shape, values = tag.value
        assert math.prod(shape) == len(values)
        return reshape(values, shape)
    values = array.array(ELEMENTS[tag.tag])
    values.frombytes(tag.value)
    if sys.byteorder == 'big':
        values.byteswap()
    if tag.tag == 85:
        return [Float32(v) if math.isfinite(v) else None for v in values]
    return list(values)


def project_pair(key, value, parent):
    if key in TIMES and isinstance(value, int) and value >= 10**17:
        return {key: value, key + '_ns': str(value)}
    if key == 'flag' and parent == 'q':
        return {key: value, 'flag_text': FLAGS[value]}
    return {str(key): project(value, key)}


def project(value, key=None):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        pairs = {}
        for k, v in value.items():
            pairs.update(project_pair(k, v, key))
        return pairs
    if isinstance(value, list):
        return [project(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value


def rfc3339(ns):
    seconds, rest = divmod(ns, 10**9)
    days, seconds = divmod(seconds, 86400)
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=days)
    return f'{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:09}Z'


def compare(expected, found, path):
    if isinstance(expected, dict):
        assert isinstance(found, dict), f'{path}: {found!r}'
        assert list(expected) == list(found), f'{path}: keys {list(found)}'
        for key, value in expected.items():
            if key + '_ns' in expected:
                value = rfc3339(value)
            compare(value, found[key], f'{path}.{key}')
    elif isinstance(expected, list):
        assert len(expected) == len(found), f'{path}: {len(found)} items'
        for i, (a, b) in enumerate(zip(expected, found)):
            compare(a, b, f'{path}[{i}]')
    elif isinstance(expected, Float32):
        assert expected.equals(found), f'{path}: {found!r}, not {expected.value!r}'
    elif type(expected) in (int, float):
        assert type(found) in (int, float) and expected == found, \
            f'{path}: {found!r}, not {expected!r}'
    else:
        assert type(expected) is type(found) and expected == found, \
            f'{path}: {found!r}, not {expected!r}'


def decode(data):
    return cbor2.loads(data, tag_hook=tag_hook)


def expected_of(data):
    value = decode(data)
    if isinstance(value, dict):
        return project(value)
    version, journal, seq, prev, tc, topic, body = value
    assert version == 1
    entry = {'journal': journal, 'seq': seq, 'prev': prev, 'tc': tc, 'topic': topic,
             'entry_sha256': hashlib.sha256(b'\0' + data).digest(), 'record': decode(body)}
    return project(entry)


def main(directory):
    files = sorted(pathlib.Path(directory).glob('*.cbor'))
    assert len(files) >= 20, f'only {len(files)} vectors in {directory}'
    for file in files:
        found = json.loads(file.with_suffix('.json').read_text(encoding='utf-8'))
        compare(expected_of(file.read_bytes()), found, file.stem)
    print(f'{len(files)} vectors decoded by cbor2 equal their JSON')


main(sys.argv[1])
