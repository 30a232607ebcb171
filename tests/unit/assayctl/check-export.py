# SPDX-License-Identifier: Apache-2.0
"""assayctl export of runs with hostile texts, read back by Python's csv: nothing becomes data, line, header or formula.

Usage: check-export.py ASSAYCTL [SEEDS]. A daemon of a few lines answers the two requests of an export.
"""

import csv
import fcntl
import hashlib
import io
import json
import pathlib
import random
import re
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree

import cbor2
import zmq

PIECES = ['"', '""', ',', ';', '\n', '\r\n', '\r', '\t', '#', '# SIMULATED', '=1+1', '=HYPERLINK("x")', '+', '-', '@SUM(A1)',
          "'", 'run,sample', '\x1b[31m', '\x9b', '\x00', '\u202e', '\u200b', '\ufeff', 'Müller', '山田', '\U0001f600', ' ', '0',
          '00123', '1e5', '\\', '\\n', 'TRUE', 'NaN', '\u2028', '|', '%', '##', '$$', '##END=', '$DATA:', '<<DATA>>', ' - ', 'a: b']
JOURNAL = bytes(range(16))
UTC = 1795335330123456789
INVISIBLE = re.compile('[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]')


def hostile(rng, least=0):
    return ''.join(rng.choice(PIECES) for _ in range(rng.randrange(least, 6)))


def shown(text):
    """A text as the page describes its cell: controls and invisible characters escaped, no formula."""
    def escape(found):
        code = ord(found[0])
        return {10: '\\n', 13: '\\r', 9: '\\t'}.get(code) or (f'\\x{code:02x}' if code < 0x80 else f'\\u{code:04x}')
    text = INVISIBLE.sub(escape, text)
    return "'" + text if text[:1] in tuple("=+-@'") and text else text


class Daemon(threading.Thread):
    def __init__(self, folder):
        super().__init__(daemon=True)
        self.runs, self.amended, self.sockets = {}, {}, []
        for name in ('control', 'replay'):
            socket = zmq.Context.instance().socket(zmq.ROUTER)
            socket.bind(f'ipc://{folder}/{name}')
            self.sockets.append(socket)

    def row(self, number):
        entries = self.runs[number]
        row = {'number': number, 'sim': 'sim' in number, 'start': UTC, 'first': 1, 'status': 'complete', 'last': 1000,
               'frames': len(entries) - 2}
        return {**row, 'amended': self.amended[number]} if number in self.amended else row

    def answer(self, r):
        if r['op'] == 'run-show':
            return [{'ok': True, 'run': self.row(r['number'])}]
        if r['op'] == 'find':
            rows = [self.row(number) for number in sorted(self.runs)]
            return [{'op': 'runs', 'runs': rows, 'count': len(rows), 'next': 0, 'head': 1000, 'gaps': []}]
        entries = self.runs[r['run']] if r.get('from', 1) <= 1 else []
        return [{'op': 'data', 'count': len(entries), 'next': 0, 'head': 1000, 'gaps': []}, *entries]

    def run(self):
        poller = zmq.Poller()
        for socket in self.sockets:
            poller.register(socket, zmq.POLLIN)
        while True:
            for socket, _ in poller.poll():
                *envelope, body = socket.recv_multipart()
                first, *more = self.answer(cbor2.loads(body))
                socket.send_multipart([*envelope, cbor2.dumps(first), *more])


def entry(seq, record):
    return cbor2.dumps([1, JOURNAL, seq, seq - 1, UTC, 'a1/data/xrf/site/node/x-1/', cbor2.dumps(record)])


def base(kind):
    return {'type': kind, 'v': 1, 'id': JOURNAL, 't': {'utc': UTC, 'mono': 1, 'sync': 'ntp'},
            'inst': {'key': 'x-1', 'make': 'm', 'model': 'm', 'serial': 's', 'source': 'read'}}


def make_run(rng, sim, shape):
    """The entries, and the cells that are expected for each frame."""
    sample, person, note, method, step, word = (hostile(rng) for _ in range(6))
    analyte = hostile(rng, 1)
    start = {**base('run-start'), 'run': JOURNAL, 'number': 'x', 'technique': {'id': hostile(rng)}, 'sim': sim,
             'mode': 'on-demand', 'sample': {'id': sample}, 'operator': {'id': person},
             'method': {'id': method, 'version': hostile(rng, 1)}, 'cal': [{'id': hostile(rng)}],
             'settings': {'a': hostile(rng)}, 'setup': {'b': hostile(rng)}, 'x-note': note}
    entries, rows = [entry(1, start)], []
    for n in range(3):
        partial = n == 1
        values = [rng.choice([0.1, -3.22e-14, 1.7, 1e300, 5.0, rng.random(), -rng.random()]) for _ in range(3)]
        single = struct.unpack('<f', struct.pack('<f', rng.random()))[0]
        variables = [{'name': 'energy', 'role': 'axis', 'dims': ['energy'], 'unit': 'keV',
                      'data': cbor2.CBORTag(86, struct.pack('<3d', 1, 2, 3))},
                     {'name': 'signal', 'role': 'data', 'dims': ['energy'], 'unit': '1',
                      'data': cbor2.CBORTag(86, struct.pack('<3d', *values))},
                     {'name': 'weight', 'role': 'aux', 'dims': [], 'unit': 'g',
                      'data': cbor2.CBORTag(85, struct.pack('<f', single))},
                     {'name': 'word', 'role': 'aux', 'dims': [], 'unit': '1', 'data': word}]
        if shape == 1:
            variables[1]['analyte'] = {'name': analyte}
        entries.append(entry(2 + n, {
            **base('frame'), 'run': JOURNAL, 'ctx': bytes(32), 'n': n, 'sim': sim,
            'q': {'flag': 3, 'why': ['cal-expired', 'late']}, 'kind': 'spectrum', 'step': {'i': 1, 'of': 1, 'name': step},
            **({'partial': True} if partial else {}), 'vars': variables}))
        if not partial:
            rows += [{'sample': shown(sample), 'operator': shown(person), 'note': shown(note), 'step': shown(step), 'frame': n,
                      'why': 'cal-expired late', 'simulated': sim, 'word [1]': shown(word), 'signal': value, 'weight': single}
                     for value in values]
    entries.append(entry(9, {**base('run-end'), 'run': JOURNAL, 'frames': 3, 'status': 'complete', 'why': hostile(rng),
                             'digest': bytes(32)}))
    return entries, rows, f'signal {analyte} [1]' if shape == 1 else 'signal [1]'


def parse(text, people, comma):
    """The rows for a reader that drops lines of comments."""
    if people:
        assert text.startswith('\ufeff') and not re.search('(?<!\r)\n', text)
        return list(csv.DictReader(io.StringIO(text[1:], newline=''), delimiter=';' if comma else ','))
    lines = text.split('\n')
    assert lines.pop() == ''
    assert not [line for line in lines if INVISIBLE.search(line)], [line for line in lines if INVISIBLE.search(line)]
    return list(csv.DictReader(line for line in lines if not line.startswith('#')))


def number(cell, comma):
    return float(cell.replace(',', '.') if comma else cell)


def check_rows(got, wanted, signal, people, comma, name):
    assert len(got) == len(wanted), (len(got), len(wanted))
    for row, want in zip(got, wanted):
        assert None not in row and None not in row.values(), row
        assert row['run'] == name and row['frame'] == str(want['frame']) and row['partial'] == 'FALSE', row
        for key in ('sample', 'step', 'why', 'word [1]') + (('operator', 'note') if people else ()):
            assert row[key] == want[key], (key, row[key], want[key])
        assert row['simulated'] == str(want['simulated']).upper() and row['valid'] == 'TRUE', row
        assert number(row[shown(signal)], comma) == want['signal'], row
        cell = row['weight [g]'].replace(',', '.')
        assert struct.pack('<f', float(cell)) == struct.pack('<f', want['weight']) and len(cell) < 14, cell


def export(*args, code=0, out=False):
    done = subprocess.run([assayctl, '--dir', str(folder), 'export', *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout if out else done.stderr


def check_seed(daemon, seed):
    rng = random.Random(seed)
    daemon.runs, wanted = {}, {}
    for i in range(4):
        sim, shape = i == 2, rng.randrange(2)
        name = f'node/x-1/{"sim" if sim else "run"}-{i}'
        daemon.runs[name], *wanted[name] = make_run(rng, sim, shape)
    names = [name for name in sorted(wanted) if 'sim' not in name]
    shapes = {wanted[name][1] for name in names}
    for form in ('csv', 'csv-excel', 'csv-excel-point'):
        people, comma = form != 'csv', form == 'csv-excel'
        to = folder / f'{seed}-{form}.csv'
        more = ['--decimal', 'point'] if form.endswith('point') else []
        said = export('--format', form.removesuffix('-point'), '--from', '2026-01-01', '--to', to, *more)
        assert '1 run left out: simulated; add --simulated' in said and '3 partial frames left out' in said, said
        files = [to] + [to.with_name(f'{to.stem}-{i}.csv') for i in range(2, len(shapes) + 1)]
        got = [row for file in files for row in parse(file.read_bytes().decode(), people, comma)]
        for name in names:
            rows, signal = wanted[name]
            check_rows([row for row in got if row['run'] == name], rows, signal, people, comma, name)
        assert len(got) == sum(len(wanted[name][0]) for name in names)
        assert not list(folder.glob('*.part*'))


def check_corrections(daemon):
    rng = random.Random(7)
    daemon.runs['node/x-1/run-0'] = make_run(rng, False, 0)[0]
    daemon.amended = {'node/x-1/run-0': {'sample': 'B-2', 'note': '', 'valid': False, 'reason': '=wrong', 'count': 2}}
    to = folder / 'corrected.csv'
    export('--format', 'csv-excel', '--run', 'node/x-1/run-0', '--to', to, '--partials')
    rows = parse(to.read_bytes().decode(), True, True)
    assert {(r['sample'], r['note'], r['valid'], r['corrected']) for r in rows} == {('B-2', '', 'FALSE', "'=wrong")}, rows[0]
    assert [r['partial'] for r in rows] == ['FALSE'] * 3 + ['TRUE'] * 3 + ['FALSE'] * 3
    for i, (sample, is_altered) in enumerate({'00123': 1, '3E5': 1, '1-2': 1, '123456789012': 1, '451': 0, 'A-1': 0, '-5': 0, 'e5': 0}.items()):
        daemon.amended = {'node/x-1/run-0': {**daemon.amended['node/x-1/run-0'], 'sample': sample}}
        to = folder / f'altered-{i}.csv'
        said = export('--format', 'csv-excel', '--run', 'node/x-1/run-0', '--to', to)
        assert ('1 sample ids look like numbers' in said) == bool(is_altered), (sample, said)
        assert parse(to.read_bytes().decode(), True, True)[0]['sample'] == shown(sample)
    to = folder / 'corrected-2.csv'
    export('--format', 'csv', '--run', 'node/x-1/run-0', '--to', to)
    assert '# NOT VALID' in to.read_text()


def check_files(daemon):
    """A file is not overwritten, nor written by two exports; without a run there is no file."""
    daemon.runs = {'node/x-1/sim-0': make_run(random.Random(1), True, 0)[0]}
    to = folder / 'none.csv'
    said = export('--format', 'csv', '--from', '2026-01-01', '--to', to, code=1)
    assert '1 run left out: simulated; add --simulated' in said and not list(folder.glob('none*')), said
    with open(folder / 'none.csv.part', 'w') as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        said = export('--format', 'csv', '--run', 'node/x-1/sim-0', '--to', to, code=1)
    assert 'another export writes this file' in said and not to.exists(), said
    export('--format', 'csv', '--run', 'node/x-1/sim-0', '--to', to)
    assert '# SIMULATED' in to.read_text() and not (folder / 'none.csv.part').exists()
    assert 'File exists' in export('--format', 'json', '--run', 'node/x-1/sim-0', '--to', to, code=1)
    assert 'csv-excel' in export('--format', 'csv', '--decimal', 'point', '--run', 'x', '--to', folder / 'x', code=2)


# --- formats of spectra ---------------------------------------------------------------------------

def make_spectra(rng, axis, name, frames, values, unit='1', sim=True):
    """Entries of a run whose frames have one spectrum each; all texts are hostile."""
    entries = make_run(rng, sim, 0)[0]
    start, end = entries[0], entries[-1]
    made = []
    for n in range(frames):
        variables = [{'name': axis[0], 'role': 'axis', 'dims': [axis[0]], 'unit': axis[1],
                      'data': {'start': axis[2], 'step': axis[3], 'n': len(values)}},
                     {'name': name, 'role': 'data', 'dims': [axis[0]], 'unit': unit,
                      'data': cbor2.CBORTag(86, struct.pack(f'<{len(values)}d', *(v + n for v in values)))}]
        made.append(entry(2 + n, {**base('frame'), 'run': JOURNAL, 'ctx': bytes(32), 'n': n, 'sim': sim,
                                  'q': {'flag': 3, 'why': ['cal-expired', 'late']}, 'kind': 'spectrum',
                                  'step': {'i': 1, 'of': 1, 'name': hostile(rng)}, 'vars': variables}))
    last = cbor2.loads(cbor2.loads(end)[6])
    return [start, *made, entry(2 + frames, {**last, 'frames': frames})]


def lines_of(file, most):
    """Lines of a text of ASCII for Windows, without controls, each at most so long."""
    text = file.read_bytes().decode('ascii')
    assert text.endswith('\r\n') and not re.search('(?<!\r)\n|\r(?!\n)', text), file
    lines = text[:-2].split('\r\n')
    assert not [line for line in lines if INVISIBLE.search(line) or len(line) > most], [line for line in lines if len(line) > most]
    return lines


def read_msa(file):
    lines = lines_of(file, 13 + 2 + 64)
    heads = [line for line in lines if line.startswith('#')]
    assert all(line.count(': ') == 1 for line in heads), heads
    assert [line[:13].strip() for line in heads].count('#TITLE') == 1 and lines[-1].startswith('#ENDOFDATA')
    return [float(line.rstrip(',')) for line in lines if not line.startswith('#')]


def read_spe(file):
    lines = lines_of(file, 200)
    blocks = [line for line in lines if '$' in line]
    assert blocks == ['$SPEC_ID:', '$SPEC_REM:', '$DATE_MEA:', '$MCA_CAL:', '$ENER_FIT:', '$DATA:', '$ENDRECORD:'], blocks
    return read_uncalibrated(file)


def read_uncalibrated(file):
    lines = lines_of(file, 200)
    return [float(line) for line in lines[lines.index('$DATA:') + 2:-1]]


def read_mca(file):
    lines = lines_of(file, 20000)
    assert [line for line in lines if '<<' in line or '>>' in line] == ['<<PMCA SPECTRUM>>', '<<CALIBRATION>>', '<<DATA>>', '<<END>>']
    heads = lines[1:lines.index('<<CALIBRATION>>')]
    assert all(len(re.split(' - ', head)) == 2 for head in heads), heads
    return [float(line) for line in lines[lines.index('<<DATA>>') + 1:-1]]


def read_jcamp(file):
    """The blocks: labels and ordinates."""
    blocks, labels = [], {}
    for line in lines_of(file, 80):
        if line.startswith('##'):
            label, value = line[2:].split('=', 1)
            assert '##' not in value and '$$' not in value, line
            if label == 'TITLE':
                labels = {}
                blocks.append(labels)
            labels[label] = value.strip()
            labels.setdefault('ends', []).append(label) if label == 'END' else None
        else:
            assert '##' not in line and '$$' not in line, line
            labels.setdefault('lines', []).append(line)
    return blocks


def check_spectra(daemon, seed):
    rng = random.Random(seed)
    counts = [rng.randrange(0, 1 << 20) for _ in range(rng.randrange(2, 40))]
    name = 'node/x-1/sim-0'
    daemon.runs = {name: make_spectra(rng, ('energy', 'keV', -0.01, 0.02), 'counts', 3, counts)}
    for form, read in (('msa', read_msa), ('spe', read_spe), ('mca', read_mca)):
        to = folder / f'{seed}.{form}'
        answer = json.loads(export('--json', '--format', form, '--run', name, '--to', to, out=True))
        assert len(answer['files']) == 3 and answer['ok'] and 'settings and setup of the instrument' in answer['not_carried'], answer
        for n, file in enumerate(map(pathlib.Path, answer['files'])):
            assert read(file) == [count + n for count in counts], file
            text = file.read_text()
            assert 'SIMULATED' in text and '0' * 64 in text and 'suspect' in text and name in text, text
    for axis, values, unit, kind in ((('wavenumber', 'cm-1', 4000.0, -2.0), [rng.random() for _ in range(200)], '%', 'transmittance'),
                                     (('wavelength', 'nm', 900.0, 0.5), [-1.5, float('nan'), 3e-9, 7.0], '{absorbance}', 'absorbance'),
                                     (('raman_shift', 'cm-1', 200.0, 1.0), [5.0, 7.0, 1e6], '1', 'ordinate'),
                                     (('path_difference', 'cm', -3e-5, 1e-6), [rng.random() for _ in range(70)], '1', 'interferogram')):
        daemon.runs = {name: make_spectra(rng, axis, kind, 2, values, unit)}
        to = folder / f'{seed}-{kind}.dx'
        export('--format', 'jcamp', '--run', name, '--to', to)
        link, *blocks = read_jcamp(to)
        assert link['DATA TYPE'] == 'LINK' and link['BLOCKS'] == '2' and len(blocks) == 2, link
        scale = 0.01 if unit == '%' else 1
        for n, block in enumerate(blocks):
            assert block['DATA TYPE'] == ('RAMAN' if axis[0] == 'raman_shift' else 'INFRARED') + ' SPECTRUM', block
            assert block['YUNITS'] == (kind.upper() if kind.endswith('ance') else 'ARBITRARY UNITS') and ('divided by 100' in block.get('$ASSAYD CORRECTION', '')) == (unit == '%'), block
            assert float(block['FIRSTX']) == axis[2] and float(block['LASTX']) == axis[2] + axis[3] * (len(values) - 1), block
            lines = [line for line in block['lines'] if re.fullmatch('[-0-9. ?]+', line)]
            assert block['lines'][-len(lines):] == lines, 'a letter would be a packed digit'
            words = [word for line in lines for word in line.split()[1:]][-len(values):]
            most = max(abs(v + n) for v in values if v == v) * scale
            for word, value in zip(words, values, strict=True):
                assert (word == '?') == (value != value), (word, value)
                if value == value:
                    assert abs(int(word) * float(block['YFACTOR']) - (value + n) * scale) <= most / 2 ** 29, (word, value)


def make_results(rng, results, sample, flags=(1, 2, 3), sim=False):
    """Frames of single numbers of analytes; each frame has all results, plus its number."""
    entries = make_run(rng, sim, 0)[0]
    start = cbor2.loads(cbor2.loads(entries[0])[6])
    start['sample']['id'] = sample
    made = [entry(2 + n, {**base('frame'), 'run': JOURNAL, 'ctx': bytes(32), 'n': n, 'sim': sim, 'q': {'flag': flag, 'why': []},
                          'kind': 'scalar', 'vars': [
                              {'name': 'concentration', 'role': 'data', 'dims': [], 'unit': 'mg/m3', 'analyte': {'name': analyte},
                               'data': cbor2.CBORTag(86, struct.pack('<d', value + n if value >= 0 else value))}
                              for analyte, value in results]})
            for n, flag in enumerate(flags)]
    return [entry(1, start), *made, entries[-1]]


def import_senaite(text):
    """{(sample, keyword): value} as SENAITE's importer takes it, in its worst version: a cell that it cannot read becomes 0."""
    keywords, got = None, {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(',')]
        if keywords is None:
            keywords = cells[1:-1] if cells[-1] == 'end' else None
        elif cells[0] != 'end' and any(cells):
            for i, cell in enumerate(cells[1:-1]):
                value = 0.0 if cell in ('', 'ND') or cell.startswith('--') else float(cell)
                got[cells[0], re.sub(r'\W', '', keywords[i])] = value if value > 0 else 0.0
    return got


def check_senaite(daemon):
    name = 'node/x-1/run-0'
    results = [('SO₂', 1.5), ('HCl', -0.25), ('NO-x', 0.0), ('CO', float('nan')), ('H2O', 3e-7), ('H2O', 4.0), ('山', 1.0)]

    def put(to, sample='24-0815', code=0, number=name, **more):
        daemon.runs = {number: make_results(random.Random(1), results, sample, sim='sim' in number, **more)}
        return export('--format', 'senaite', '--run', number, '--to', folder / to, code=code)
    said = put('s.csv')
    text = '\r\n'.join(lines_of(folder / 's.csv', 500))
    assert import_senaite(text) == {('24-0815', 'SO'): 2.5, ('24-0815', 'NOx'): 1.0}, text
    assert name in text and '0' * 64 in text and 'unchecked' in text, text
    for note in ('1 results below zero left out', '1 results left out that are not numbers', '2 results left out: several of one analyte',
                 '1 results left out whose analyte has no', '1 frames left out that are suspect', '1 frames left out before the last one',
                 'units: those of the analysis services apply'):
        assert note in said, (note, said)
    put('sim.csv', number='node/x-1/sim-0')
    assert {key[0] for key in import_senaite((folder / 'sim.csv').read_text())} == {'SIMULATED-24-0815'}
    for sample in ('none', '24,0815', 'Müller', '24 1'):
        assert '1 runs left out' in put('no.csv', sample, 1) and not (folder / 'no.csv').exists(), sample
    assert 'no file' in put('bad.csv', code=1, flags=(3, 4))
    daemon.amended = {name: {'valid': False, 'reason': 'wrong', 'count': 1}}
    assert '1 runs left out that are declared invalid' in put('invalid.csv', code=1)
    daemon.amended = {}


def read_classic(file):
    """A file of netCDF by scipy, which reads the classic format; None: it is not installed."""
    try:
        from scipy.io import netcdf_file
    except ImportError:
        return None
    with netcdf_file(file, mmap=False) as data:
        return ({n: v[:].tolist() for n, v in data.variables.items()}, {n: v.dimensions for n, v in data.variables.items()},
                {n: v.decode() for n, v in data._attributes.items()})


def check_wide(daemon, seed):
    """One file per axis; a column per spectrum; a value that is not a number is an empty cell."""
    rng = random.Random(seed)
    name = 'node/x-1/sim-0'
    one = make_spectra(rng, ('energy', 'keV', -0.01, 0.02), 'counts', 2, [1.0, float('nan'), 2.5])
    other = make_spectra(rng, ('mz', '1', 1.0, 1.0), 'ion_current', 1, [1e-13, -7.6e-15], 'A')
    third = cbor2.loads(cbor2.loads(other[1])[6])
    last = cbor2.loads(cbor2.loads(one[-1])[6])
    daemon.runs = {name: [*one[:-1], entry(8, {**third, 'n': 2}), entry(9, {**last, 'frames': 3})]}
    to = folder / f'wide-{seed}.csv'
    answer = json.loads(export('--json', '--format', 'csv-wide', '--run', name, '--to', to, out=True))
    assert answer['files'] == [str(to), str(to.with_name(f'{to.stem}-2.csv'))], answer
    for file, wanted in ((to, [['energy [keV]', 'frame 0 counts [1]', 'frame 1 counts [1]'], ['-0.01', '1', '2'],
                               ['0.01', '', ''], ['0.03', '2.5', '3.5']]),
                         (to.with_name(f'{to.stem}-2.csv'), [['mz [1]', 'frame 2 ion_current [A]'], ['1', '1e-13'], ['2', '-7.6e-15']])):
        text = file.read_text()
        lines = text.split('\n')
        assert not [line for line in lines if INVISIBLE.search(line)], lines
        assert list(csv.reader(line for line in lines if line and not line.startswith('#'))) == wanted, text
        assert f'# run: {name}\n# SIMULATED: this is not a measurement\n' in text and '0' * 64 in text and ', suspect' in text, text
    to = folder / f'wide-{seed}.nc'
    export('--format', 'netcdf', '--run', name, '--to', to)
    got = read_classic(to)
    if got is None:
        return
    values, dims, facts = got
    fill = 9.969209968386869e36
    assert values['counts'] == [[1.0, fill, 2.5], [2.0, fill, 3.5]] and dims['counts'] == ('frame', 'energy'), values
    assert values['energy'] == [-0.01, 0.01, 0.03] and values['quality'] == [3, 3] and values['frame_number'] == [0, 1], values
    assert all(abs(t - UTC / 1e9) < 1e-6 for t in values['time']), values
    assert facts['run'] == name and facts['SIMULATED'] and facts['digest'] == 'sha256 ' + '0' * 64, facts
    assert read_classic(to.with_name(f'{to.stem}-2.nc'))[0]['ion_current'] == [[1e-13, -7.6e-15]]


def check_masses(daemon, seed):
    """mzML of hostile texts is XML, its index right; MS Search gets 100 spectra at most."""
    rng, name, daemon.amended = random.Random(seed), 'node/x-1/sim-0', {}
    daemon.runs = {name: make_spectra(rng, ('mz', '1', 1.0, 1.0), 'ion_current', 101, [1e-13, -7.6e-15, 2e-9], 'A')}
    daemon.amended = {name: {'sample': ['\ufffe', '\uffff', ']]>', '<!--', '&amp;'][seed % 5] + hostile(rng).replace('\x00', ''), 'reason': 'x', 'count': 1}}
    to = folder / f'{seed}.mzML'
    export('--format', 'mzml', '--run', name, '--to', to)
    data = to.read_bytes()
    root = xml.etree.ElementTree.fromstring(data)
    elements = {kind: [e for e in root.iter() if e.tag.endswith('}' + kind)] for kind in ('spectrum', 'userParam', 'sample', 'offset')}
    assert len(elements['spectrum']) == 101 and len(elements['offset']) == 102
    facts = {e.get('name'): e.get('value') for e in elements['userParam']}
    assert facts['run'] == name and facts['SIMULATED'] and facts['unit'] == 'A' and '0' * 64 in facts['digest'], facts
    wanted = shown(daemon.amended[name]['sample'])
    wanted = wanted[1:] if wanted.startswith("'") else wanted
    assert elements['sample'][0].get('name') == wanted.replace('\ufffe', '\\ufffe').replace('\uffff', '\\uffff'), wanted
    for e in elements['offset']:
        assert re.match(rb'<\w+ index="\d+" id="%b"' % e.get('idRef').encode(), data[int(e.text):]), e.text
    share = folder / f'share-{seed}'
    share.mkdir()
    args = ['--format', 'msp', '--run', name, '--to', share / 'a.msp', '--nist', 'Z:/lab/']
    assert '101 spectra' in export(*args, code=1) and not list(share.iterdir()), list(share.iterdir())
    export(*args, '--scans', '2-101')
    assert (share / 'FILESPEC.FIL').read_bytes() == b'Z:/lab\\a.msp OVERWRITE\r\n'
    assert [line[:6] for line in lines_of(share / 'a.msp', 3000)].count('Name: ') == 100
    daemon.amended = {}


def check_many_files(daemon):
    """More spectra than files may be open; continued after an interruption to the same bytes."""
    name, rng, daemon.amended = 'node/x-1/run-0', random.Random(3), {}
    daemon.runs = {name: make_spectra(rng, ('channel', '1', 0.0, 1.0), 'counts', 120, [1, 2, 3], sim=False)}
    to = folder / 'many.spe'
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    answer = json.loads(export('--json', '--format', 'spe', '--run', name, '--to', to, out=True))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    files = [pathlib.Path(file) for file in answer['files']]
    good = [file.read_bytes() for file in files]
    assert len(set(files)) == 120 and len(set(good)) == 120
    for n, text in enumerate(good):
        assert text.endswith(b'%8d\r\n%8d\r\n%8d\r\n$ENDRECORD:\r\n' % (1 + n, 2 + n, 3 + n)) and b'$MCA_CAL' not in text
        assert b'SIMULATED= this is no' not in text
    assert not list(folder.glob('many*.part*'))
    # Interrupted in the last frame: a format that counts first is made again from its beginning.
    for file in files:
        file.rename(f'{file}.part')
    for file, text in ((files[-1], good[-1] + b'torn'), (files[3], b'?' + good[3][1:]), (files[40], good[40] + b'torn')):
        pathlib.Path(f'{file}.part').write_bytes(text)
    key = [hashlib.sha256(name.encode() + struct.pack('<Q', n + 1)).digest()[:8].hex() for n in range(120)]
    state = ''.join(f'{len(good[n])} 0 {key[n]}\n' for n in range(120))
    pathlib.Path(f'{to}.part.at').write_text(f'2 121 0 {name} spe {name} - - - - - 00\n{state}end\n')
    export('--format', 'spe', '--run', name, '--to', to)
    differ = [n for n, file in enumerate(files) if file.read_bytes() != good[n]]
    assert differ == [], (differ, files[differ[0]].read_bytes(), good[differ[0]])
    assert not list(folder.glob('many*.part*'))
    # The same command finds fewer frames: the files that are not needed any more go.
    for file in files[1:3]:
        file.unlink()
    files[0].rename(f'{to}.part')
    for file in files[1:3]:
        pathlib.Path(f'{file}.part').write_bytes(good[1])
    daemon.runs[name] = make_spectra(rng, ('channel', '1', 0.0, 1.0), 'counts', 1, [7, 8])
    pathlib.Path(f'{to}.part.at').write_text(f'2 4 0 {name} spe {name} - - - - - 00\n' + ''.join(
        f'{len(good[n])} 0 {key[n]}\n' for n in range(3)) + 'end\n')
    export('--format', 'spe', '--run', name, '--to', to)
    assert read_uncalibrated(to) == [7, 8] and not files[1].exists() and not list(folder.glob('many*.part*'))
    daemon.runs = {name: make_spectra(rng, ('channel', '1', 0.0, 1.0), 'counts', 2, [0.5, 2, 3])}
    answer = json.loads(export('--json', '--format', 'spe', '--run', name, '--to', folder / 'half.spe', code=1, out=True))
    assert not answer['ok'] and answer['files'] == [] and answer['notes'][0]['count'] == 2, answer
    said = export('--format', 'spe', '--run', name, '--to', folder / 'half.spe', code=1)
    assert '2 spectra left out: they have counts that are not whole' in said and 'no file' in said and not list(folder.glob('half*')), said
    export('--format', 'msa', '--run', name, '--to', folder / 'half.msa')
    assert read_msa(folder / 'half.msa') == [0.5, 2, 3]
    daemon.runs = {name: make_spectra(rng, ('energy', 'keV', 0.0, 1.0), 'counts', 1, [1, float('nan')])}
    said = export('--format', 'msa', '--run', name, '--to', folder / 'nan.msa', code=1)
    assert '1 spectra left out: they have values that are not numbers' in said, said


assayctl = sys.argv[1]
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    daemon = Daemon(folder)
    daemon.start()
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 8):
        check_seed(daemon, seed)
        check_masses(daemon, seed)
        if seed % 2 == 0:                                           # 20 files each, which are synced
            check_spectra(daemon, seed)
            check_wide(daemon, seed)
    check_corrections(daemon)
    check_files(daemon)
    check_many_files(daemon)
    check_senaite(daemon)
