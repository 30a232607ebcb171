# SPDX-License-Identifier: Apache-2.0
"""ANDI by libnetcdf and by netcdf-gcms: the values are those of the frames; and MSP, line by line."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
import numpy  # noqa: E402
import units  # noqa: E402
from foreign import SKIPPED, export, frames, measure, records, variable, variables  # noqa: E402
from lab import Lab, paths_from, values  # noqa: E402

try:
    import netCDF4
except ImportError:
    print('not installed: python3-netcdf4; run tools/prepare foreign')
    sys.exit(SKIPPED)

paths = paths_from(sys.argv[2:])
HERE = pathlib.Path(__file__).parent


def gcms(file):
    """What netcdf-gcms reads; None where it is not installed."""
    done = subprocess.run(['node', HERE / 'read-andi.mjs', HERE / '../vectors/js/package.json', file], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode in (0, SKIPPED), done.stderr
    return json.loads(done.stdout) if done.returncode == 0 else None


def check_facts(file, lab, number, key):
    end = next(r for r in records(lab, number) if r['type'] == 'run-end')
    comments = file.administrative_comments
    for text in (number, 'SIMULATED', 'not a measurement', 'unchecked' if key != 'gc-2' else 'good', end['digest'].hex(),
                 f'<{key}> & "\\u00c4"'):
        assert text in comments, (text, comments)
    assert file.experiment_title.startswith('SIMULATED ') and '\n' not in comments
    assert file.dataset_origin


def check_ms(lab, key, number, name):
    (path,), answer = export(lab, 'andi-ms', number)
    data = frames(lab, number)
    masses, intensities = ([variable(frame, what) for frame in data] for what in ('mz', name))
    with netCDF4.Dataset(path) as file:
        assert file.data_model == 'NETCDF3_CLASSIC' and file.dimensions['point_number'].isunlimited()
        check_facts(file, lab, number, key)
        assert numpy.array_equal(file['mass_values'][:], numpy.concatenate(masses))
        assert numpy.array_equal(file['intensity_values'][:], numpy.concatenate(intensities))
        counts = [len(mass) for mass in masses]
        assert list(file['point_count'][:]) == counts and list(file['scan_index'][:]) == [sum(counts[:i]) for i in range(len(counts))]
        assert numpy.allclose(file['total_intensity'][:], [numpy.sum(i) for i in intensities], rtol=1e-12)
        assert list(file['actual_scan_number'][:]) == [frame['n'] + 1 for frame in data]
        assert [file['mass_range_max'][0], file['mass_range_min'][0]] == [masses[0].max(), masses[0].min()]
        times = list(file['scan_acquisition_time'][:])
        assert times == sorted(times) and times[0] > 0
    assert any('place' in text or 'raw' in text for text in answer['not_carried']), answer
    if (found := gcms(path)) is not None:
        assert found['times'] == times
        scans = next(s['data'] for s in found['series'] if s['name'] == 'ms')
        assert [list(mass) for mass in masses] == [scan[0] for scan in scans]
        assert [list(intensity) for intensity in intensities] == [scan[1] for scan in scans]


def check_chrom(lab, key, number):
    """A file per detector: slices put together, and the peaks of the detector."""
    files, _ = export(lab, 'andi-chrom', number)
    data = frames(lab, number)
    channels = list(variables(data[0], 'signal'))
    assert len(files) == len(channels) > 0, files
    for path, channel in zip(files, channels):
        signal = numpy.concatenate([variables(frame, 'signal')[channel] for frame in data])
        with netCDF4.Dataset(path) as file:
            check_facts(file, lab, number, key)
            assert numpy.array_equal(file['ordinate_values'][:], signal)
            assert file['ordinate_values'].uniform_sampling_flag == 'Y' and file.detector_name == channel
            axis = next(v['dims'][0] for v in data[0]['vars'] if v['name'] == 'signal' and v.get('channel', '') == channel)
            time = numpy.concatenate([variable(frame, axis) for frame in data])
            mine = float(file['actual_delay_time'][...]) + float(file['actual_sampling_interval'][...]) * numpy.arange(len(signal))
            assert numpy.allclose(mine, time, rtol=1e-9, atol=1e-9)
            check_peaks(file, data[-1], channel)
        if (found := gcms(path)) is not None:
            assert len(found['times']) == len(signal)
            assert numpy.array_equal(found['series'][0]['data'], signal), found['series'][0]


def check_peaks(file, frame, channel):
    table = {v['name']: values(v) for v in frame['vars'] if v['name'].startswith(('peak', 'retention'))}
    mine = [i for i, detector in enumerate(table.get('peak_detector', [])) if detector == channel]
    assert ('peak_area' in file.variables) == bool(mine), file.variables.keys()
    for name, of in {'peak_area': 'peak_area', 'peak_retention_time': 'retention_time', 'peak_end_time': 'peak_end'}.items():
        if mine:
            assert list(file[name][:]) == [table[of][i] for i in mine], name
    if mine:
        names = [row.tobytes().rstrip(b'\0').decode() for row in file['peak_name'][:].filled(b'\0')]
        assert names == [table['peak_name'][i] for i in mine], names


def check_msp(lab, number, name):
    (path,), answer = export(lab, 'msp', number)
    text = path.read_bytes()
    assert text.count(b'\n') == text.count(b'\r\n') and text.isascii(), 'every line ends with CRLF'
    blocks = text.decode().split('\r\n\r\n')[:-1]
    data = frames(lab, number)
    assert len(blocks) == len(data)
    for block, frame in zip(blocks, data):
        title, comment, count, *peaks = block.split('\r\n')
        assert title.startswith('Name: SIMULATED ') and title.endswith(f' scan {frame["n"] + 1}'), title
        assert number in comment and 'not a measurement' in comment and 'unchecked' in comment, comment
        mz, intensity = variable(frame, 'mz'), variable(frame, name)
        above = intensity / intensity.max() * 999 >= 1e-6
        assert count == f'Num Peaks: {above.sum()}' and len(peaks) == above.sum()
        found = numpy.array([peak.split(' ') for peak in peaks], dtype='f8')
        assert numpy.allclose(found[:, 0], mz[above], atol=5e-5) and found[:, 1].max() == 999
        assert numpy.allclose(found[:, 1], intensity[above] / intensity.max() * 999, atol=1e-6)


def check_search(lab, number):
    """One scan is handed over to MS Search: its locator names the file as that computer sees it, and is never replaced."""
    to, locator = lab.dir / 'search' / 'one.msp', lab.dir / 'search' / 'FILESPEC.FIL'
    to.parent.mkdir()
    args = ['export', '--format', 'msp', '--run', number, '--scans', '2-2', '--nist', 'Z:\\lab\\']
    lab.ctl(*args, '--to', str(to))
    assert locator.read_bytes() == b'Z:\\lab\\one.msp OVERWRITE\r\n'
    assert [line for line in to.read_text().splitlines() if line.startswith('Name: ')][0].endswith(' scan 2')
    said = lab.ctl(*args, '--to', str(to.parent / 'two.msp'), code=1).stderr
    assert 'has not taken the last file' in said and locator.read_bytes().startswith(b'Z:\\lab\\one'), said
    assert sorted(path.name for path in to.parent.iterdir()) == ['FILESPEC.FIL', 'one.msp', 'two.msp']
    for wrong in ('0', '5-2', 'x', '1-', '1-2x', '-3'):
        lab.ctl('export', '--format', 'msp', '--run', number, '--scans', wrong, '--to', str(to), code=2)
    lab.ctl('export', '--format', 'mzml', '--run', number, '--scans', '1', '--to', str(to), code=2)


with Lab(paths) as lab:
    makers = {'ms-1': units.rga, 'ms-2': units.ions, 'gc-1': units.chromatograph}
    if 'usb-bus' in paths:
        makers['gc-2'] = units.detector
    numbers = measure(lab, makers)
    for key, name in {'ms-1': 'ion_current', 'ms-2': 'partial_pressure'}.items():
        check_ms(lab, key, numbers[key], name)
        check_msp(lab, numbers[key], name)
    check_search(lab, numbers['ms-1'])
    for key in sorted(makers.keys() & {'gc-1', 'gc-2'}):
        check_chrom(lab, key, numbers[key])
    said = lab.ctl('export', '--format', 'msp', '--run', numbers['gc-1'], '--to', str(lab.dir / 'none.msp'), code=1).stderr
    assert 'nothing' in said and not (lab.dir / 'none.msp').exists(), said
