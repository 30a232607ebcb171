# SPDX-License-Identifier: Apache-2.0
"""Exports of spectra and tables, read by the programs that analysts use: the values are those of the journal's frames.

Usage: spectra.py LAB PROGRAM=PATH... . Runs of simulated instruments are recorded and exported. A reader that is not installed is named;
the test is skipped if none is there.
"""

import importlib.util
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import numpy

sys.path.insert(0, sys.argv[1])
from foreign import SKIPPED, export, frames, records, run  # noqa: E402
from lab import Lab, paths_from, values, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

paths = paths_from(sys.argv[2:])
HERE = pathlib.Path(__file__).parent
tried, missing = [], []
IR = {'command': 'REP=1&APT=4000&NSS=4&RES=4&BMS=1&VEL=10&SRC=201&AQM=DD&CHN=1&DTC=16416&OPF=1&PGN=2&DEL=0&COR=0&GNS=1&SNM=background',
      'phase_resolution': '32 cm-1', 'poll': '0.1 s', 'wavenumber_first': '600 cm-1', 'wavenumber_last': '4000 cm-1'}


def has(reader, is_there):
    (tried if is_there else missing).append(reader)
    return is_there


def has_module(name):
    return importlib.util.find_spec(name) is not None


def same(read, wanted, tolerance=0.0):
    read, wanted = numpy.asarray(read, float), numpy.asarray(wanted, float)
    assert read.shape == wanted.shape and read.size > 0, (read.shape, wanted.shape)
    assert numpy.all(numpy.abs(read - wanted) <= tolerance), (read[:5], wanted[:5], numpy.abs(read - wanted).max())


def data_of(frame):
    """[(name, axis, numbers)] of its spectra."""
    by_name = {v['name']: v for v in frame['vars']}
    return [(v['name'], v['dims'][0], numpy.asarray(values(by_name[v['dims'][0]]), float), numpy.asarray(values(v), float))
            for v in frame['vars'] if v['role'] == 'data' and len(v['dims']) == 1]


def of(frame, name):
    return next(numpy.asarray(values(v), float) for v in frame['vars'] if v['name'] == name)


def check_marks(lab, number, files):
    """Each file has the run's number, the mark of a simulation, the quality, and the digest of the run."""
    end = next(record for record in records(lab, number) if record['type'] == 'run-end')
    quality = {1: 'good', 2: 'unchecked'}[frames(lab, number)[0]['q']['flag']]
    for file in files:
        text = file.read_bytes().decode('latin-1').replace('\r\n', '')
        for mark in (number, 'SIMULATED', end['digest'].hex(), quality):
            assert mark in text, (file.name, mark)


# --- JCAMP-DX -----------------------------------------------------------------------------------------

def read_jcamp(file):
    return json.loads(run('node', HERE / 'read-jcamp.mjs', HERE / '../vectors/js/package.json', file))


def check_jcamp(lab, light, mass):
    has_reader = has('jcampconverter', run('node', HERE / 'read-jcamp.mjs', HERE / '../vectors/js/package.json', code=None) == 'there\n')
    for number in light:
        files, _ = export(lab, 'jcamp', number)
        check_marks(lab, number, files)
        if not has_reader:
            continue
        blocks = [block for block in read_jcamp(files[0]) if block['spectra']]
        wanted = [spectrum for frame in frames(lab, number) for spectrum in data_of(frame)]
        assert len(blocks) == len(wanted), (len(blocks), len(wanted))
        for block, (name, _, x, y) in zip(blocks, wanted):
            same(block['spectra'][0]['x'], x, 1e-6)
            same(block['spectra'][0]['y'], y, numpy.abs(y).max() / 2 ** 29)
            assert block['title'].startswith('SIMULATED') and name[:20] in block['title'], block['title']
    files, _ = export(lab, 'jcamp', mass)
    check_marks(lab, mass, files)
    if has_reader:
        block = read_jcamp(files[0])[0]
        scans = frames(lab, mass)
        assert len(scans) > 1 and len(block['spectra']) == len(scans), (len(scans), len(block['spectra']))
        start = next(record for record in records(lab, mass) if record['type'] == 'run-start')['t']['utc']
        for page, time, frame in zip(block['spectra'], block['times'], scans, strict=True):
            (_, _, x, y), = data_of(frame)
            same(page['x'], x)
            same(page['y'], y)
            same([time], [(frame['t']['utc'] - start) / 1e9], 1e-6)


# --- X-ray spectra -----------------------------------------------------------------------------------------

def check_xray(lab, number):
    files = {form: export(lab, form, number)[0] for form in ('msa', 'spe', 'mca')}
    spectra = frames(lab, number)
    for form in files:
        check_marks(lab, number, files[form])
        assert len(files[form]) == len(spectra), (form, files)
    for file, frame in zip(files['msa'], spectra):                  # no package of Debian reads it
        lines = file.read_text().splitlines()
        fields = {line[1:13].strip(): line[15:] for line in lines if line.startswith('#')}
        same([float(line.rstrip(',')) for line in lines if not line.startswith('#')], of(frame, 'counts'))
        energy = float(fields['OFFSET']) + float(fields['XPERCHAN']) * numpy.arange(int(float(fields['NPOINTS'])))
        same(energy, of(frame, 'energy'), 1e-9)
        same([float(fields['REALTIME'])], [of(frame, 'real_time')])
    if not has('PyMca', has_module('PyMca5')):
        return
    from PyMca5.PyMcaIO import specfilewrapper
    for form in ('spe', 'mca'):
        for file, frame in zip(files[form], spectra):
            scan = specfilewrapper.Specfile(str(file))[0]
            counts = numpy.asarray(scan.mca(1) if scan.nbmca() else scan.datacol(2), float)
            same(counts, of(frame, 'counts'))
            zero, gain, *_ = map(float, next(line for line in scan.header('@CALIB')).split()[1:])
            same(zero + gain * numpy.arange(len(counts)), of(frame, 'energy'), 1e-6)


# --- netCDF, CSV -------------------------------------------------------------------------------------------

def check_netcdf(lab, numbers):
    has_reader = has('xarray', has_module('xarray') and (has_module('netCDF4') or has_module('scipy')))
    for number in numbers:
        files, _ = export(lab, 'netcdf', number)
        check_marks(lab, number, files)
        if not has_reader:
            continue
        import xarray
        read = {}
        for file in files:
            with xarray.open_dataset(file) as data:
                assert data.attrs['run'] == number and data.attrs['SIMULATED'], data.attrs
                for i, n in enumerate(data['frame_number'].values):
                    time = data['time'].values[i].astype('datetime64[us]').astype(int)
                    for name, variable in data.data_vars.items():
                        if variable.dims[0] == 'frame' and len(variable.dims) == 2:
                            read[int(n), name] = (time, data[variable.dims[1]].values, variable.values[i])
        wanted = {(frame['n'], name): (frame['t']['utc'] // 1000, x, y) for frame in frames(lab, number)
                  for name, _, x, y in data_of(frame)}
        assert set(read) == set(wanted), (sorted(read), sorted(wanted))
        for key, (time, x, y) in wanted.items():
            assert abs(read[key][0] - time) <= 1, key
            same(read[key][1], x)
            same(read[key][2], y)


READ_R = '''d <- read.csv(commandArgs(TRUE)[1], comment.char = "#", check.names = FALSE)
for (name in names(d)) if (is.numeric(d[[name]])) cat(name, sprintf("%.17g", d[[name]]), sep = "\\t", fill = FALSE, "\\n")'''


def read_r(file):
    lines = run('Rscript', '--vanilla', '-e', READ_R, file).splitlines()
    return {line.split('\t')[0]: [float(v) for v in line.split('\t')[1:] if v.strip() not in ('', 'NA')] for line in lines if '\t' in line}


def read_pandas(file):
    import pandas
    data = pandas.read_csv(file, comment='#', float_precision='round_trip')
    return {name: data[name].dropna().tolist() for name in data if data[name].dtype.kind in 'if'}


def read_office(lab, file):
    """The cells as LibreOffice has them with German settings: the numbers of each column."""
    run('soffice', '--headless', f'-env:UserInstallation=file://{lab.dir}/office', '--infilter=Text - txt - csv (StarCalc):59,34,76,1,,1031,false,true',
        '--convert-to', 'fods', '--outdir', lab.dir, file, seconds=300)
    ns = {'t': 'urn:oasis:names:tc:opendocument:xmlns:table:1.0', 'o': 'urn:oasis:names:tc:opendocument:xmlns:office:1.0',
          'x': 'urn:oasis:names:tc:opendocument:xmlns:text:1.0'}
    rows = []
    for row in xml.etree.ElementTree.parse(lab.dir / f'{file.stem}.fods').getroot().iterfind('.//t:table-row', ns):
        cells = []
        for cell in row.iterfind('t:table-cell', ns):
            assert cell.get(f'{{{ns["t"]}}}formula') is None, 'a text became a formula'
            value = cell.get(f'{{{ns["o"]}}}value')
            cells += [float(value) if value is not None else ''.join(cell.itertext()).strip()] * min(
                1000, int(cell.get(f'{{{ns["t"]}}}number-columns-repeated', 1)))
        rows.append(cells)
    head = rows[0]
    return {name: [row[i] for row in rows[1:] if i < len(row) and isinstance(row[i], float)] for i, name in enumerate(head) if name}


def gas_columns(lab, number):
    """{column: numbers} of frames of single values."""
    wanted = {}
    for frame in frames(lab, number):
        for v in frame['vars']:
            if v['role'] == 'data' and isinstance(v['data'], (int, float)) and not math.isnan(v['data']):
                analyte = f' {v["analyte"]["name"]}' if 'analyte' in v else ''
                basis = f' ({v["basis"]})' if 'basis' in v else ''
                wanted.setdefault(f'{v["name"]}{analyte}{basis} [{v["unit"]}]', []).append(v['data'])
    return wanted


def check_columns(read, wanted):
    assert len(wanted) > 3
    for name, numbers in wanted.items():
        same(numpy.asarray(read[name], 'f4'), numpy.asarray(numbers, 'f4'))      # of 32-bit registers


def check_csv(lab, gas, wide):
    wanted = gas_columns(lab, gas)
    (table, *_), _ = export(lab, 'csv', gas)
    (sheet, *_), _ = export(lab, 'csv-excel', gas)
    sheet = sheet.rename(sheet.with_name('sheet.csv'))
    (side, *_), _ = export(lab, 'csv-wide', wide)
    spectra = {f'frame {frame["n"]} {name}': (x, y) for frame in frames(lab, wide) for name, _, x, y in data_of(frame)}
    readers = {'R': (shutil.which('Rscript'), read_r), 'pandas': (has_module('pandas'), read_pandas)}
    for reader, (is_there, read) in readers.items():
        if not has(reader, is_there):
            continue
        check_columns(read(table), wanted)
        columns = read(side)
        for name, (x, y) in spectra.items():
            found = next(numbers for column, numbers in columns.items() if column.startswith(name + ' '))
            same(found, y, numpy.abs(y).max() * 1e-15)           # R's last digit
            same(next(iter(columns.values())), x, numpy.abs(x).max() * 1e-15)
    if has('LibreOffice', shutil.which('soffice')):
        check_columns(read_office(lab, sheet), wanted)


def ended(lab, key):
    """The run of this instrument that has ended and has the most frames."""
    def longest():
        rows = [row for row in lab.ask({'op': 'runs', 'instrument': key})['runs'] if row.get('frames', 0) > 0 and 'status' in row]
        return rows and max(rows, key=lambda row: row['frames'])['number']
    return wait_for(f'a run of {key}', longest, 60)


def bruker(lab, result):
    sim = lab.sim('bruker-web', '--tcp', '127.0.0.1:0', '--speed', '20')
    return {'driver': 'bruker-web', 'simulated': True, 'link': {'type': 'http', 'host': '127.0.0.1', 'port': sim.port},
            'identity': {'make': 'Bruker', 'model': 'VERTEX 80', 'serial': 9990200}, 'acquire': {'mode': 'on-demand'},
            'settings': {**IR, 'result': result}}


with Lab(paths) as lab:
    config = instruments(lab, start_sims(lab), xrf='repeat')
    config['ir-1'], config['ir-2'] = bruker(lab, 'single_beam'), bruker(lab, 'interferogram')
    config['ms-1']['acquire']['new_run'] = config['gas-1']['acquire']['new_run'] = '3s'
    lab.start({'instruments': config})
    for key in ('ir-1', 'ir-2'):
        lab.wait_state(key, 'idle')
        assert lab.ask({'op': 'run-start', 'instrument': key})['ok']
    xrf, ms, gas, light, interferogram = (ended(lab, key) for key in ('xrf-1', 'ms-1', 'gas-1', 'ir-1', 'ir-2'))
    assert [len(data_of(frame)) for frame in frames(lab, interferogram)] == [2], 'two blocks'
    check_jcamp(lab, [light, interferogram], ms)
    check_xray(lab, xrf)
    check_netcdf(lab, [light, interferogram, ms, xrf])
    check_csv(lab, gas, light)
print('read by', *tried)
for reader in missing:
    print(f'{reader} is not installed: not tried; run tools/prepare foreign')
sys.exit(0 if tried else SKIPPED)
