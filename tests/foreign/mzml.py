# SPDX-License-Identifier: Apache-2.0
"""mzML by ProteoWizard and OpenMS: valid by schema and terms, the index right, and the values those of the frames."""

import base64
import hashlib
import re
import sys
import xml.etree.ElementTree
import zlib

sys.path.insert(0, sys.argv[1])
import numpy  # noqa: E402
import units  # noqa: E402
from foreign import export, frames, measure, need, records, run, variable, variables  # noqa: E402
from lab import Lab, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])
NS = {'m': 'http://psi.hupo.org/ms/mzml'}


def profile(lab):
    """A mass spectrometer whose spectra are profiles."""
    lab.sim('srs-rga', '--pty', str(lab.dir / 'analog.tty'), '--speed', '30', '--seed', '2')
    section = {'driver': 'srs-rga', 'link': {'type': 'serial', 'port': str(lab.dir / 'analog.tty')}}
    return {**section, 'settings': {'mode': 'analog', 'mass_first': 1, 'mass_last': 10, 'noise_floor': 7, 'scans': 1,
                                    'zeroing_time': '2 s'}}


def validate(file):
    """OpenMS: the schema, the rules of the vocabulary, the index, the data."""
    said = run('FileInfo', '-in', file, '-v')
    assert said.count('Success') == 2, said
    assert 'does not contain a valid index' not in (said := run('FileInfo', '-in', file, '-i')) and 'valid' in said, said
    found = [line for line in run('FileInfo', '-in', file, '-c').splitlines() if re.search('warning|error', line, re.IGNORECASE)]
    assert all('Negative peak intensity' in line for line in found), found      # noise around zero


def converted(lab, file):
    """ProteoWizard's copy of it without compression, which it writes after it has read everything."""
    folder = lab.dir / 'pwiz'
    said = run('msconvert', file, '--mzML', '--64', '-o', folder)
    name = re.search(r'writing output file: (.*)', said)
    assert name is not None, said
    return xml.etree.ElementTree.parse(name.group(1).strip()).getroot()


def arrays(element):
    """{term: numbers} of a spectrum or chromatogram."""
    found = {}
    for array in element.iterfind('.//m:binaryDataArray', NS):
        terms = {p.get('accession') for p in array.iterfind('m:cvParam', NS)}
        data = base64.b64decode(array.findtext('m:binary', '', NS))
        data = zlib.decompress(data) if 'MS:1000574' in terms else data
        found[next(iter(terms & {'MS:1000514', 'MS:1000515', 'MS:1000595'}))] = numpy.frombuffer(data, '<f8')
    return found


def term(element, accession):
    return next((p.get('value') for p in element.iter(f'{{{NS["m"]}}}cvParam') if p.get('accession') == accession), None)


def check_spectra(root, data, name):
    spectra = root.findall('.//m:spectrum', NS)
    assert len(spectra) == len(data) and len(data) > 0, (len(spectra), len(data))
    totals = []
    for spectrum, frame in zip(spectra, data):
        found = arrays(spectrum)
        assert numpy.array_equal(found['MS:1000514'], variable(frame, 'mz')), frame['n']
        assert numpy.array_equal(found['MS:1000515'], variable(frame, name)), frame['n']
        assert spectrum.get('id') == f'scan={frame["n"] + 1}'
        totals.append(numpy.sum(variable(frame, name)))
    tic = next(c for c in root.iterfind('.//m:chromatogram', NS) if c.get('id') == 'TIC')
    assert numpy.allclose(arrays(tic)['MS:1000515'], totals, rtol=1e-12), totals
    times = arrays(tic)['MS:1000595']
    assert (numpy.diff(times) > 0).all() and times[0] > 0, times


def check_facts(root, number, all_of_it, key):
    """The facts of the run stand in the file's description; texts of people are texts."""
    said = {p.get('name'): p.get('value') for p in root.iterfind('.//m:fileContent/m:userParam', NS)}
    end = next(r for r in all_of_it if r['type'] == 'run-end')
    assert said['run'] == number and 'not a measurement' in said['SIMULATED'], said
    assert end['digest'].hex() in said['digest'] and 'unchecked' in said['quality'], said
    assert said['sample'] == f'<{key}> & "Ä"', said
    assert root.find('.//m:sample', NS).get('name') == said['sample']


def check_bytes(file):
    """Each offset points at its element, and the checksum is that of the bytes before it."""
    data = file.read_bytes()
    for id, offset in re.findall(rb'<offset idRef="([^"]*)">(\d+)</offset>', data):
        assert re.match(rb'<(spectrum|chromatogram) index="\d+" id="%b"' % re.escape(id), data[int(offset):]), id
    index = int(re.search(rb'<indexListOffset>(\d+)<', data).group(1))
    assert data[index:].startswith(b'<indexList ')
    head, sum = data.split(b'<fileChecksum>')
    assert sum.startswith(hashlib.sha1(head + b'<fileChecksum>').hexdigest().encode())


def check(lab, key, number, name):
    (file,), answer = export(lab, 'mzml', number)
    check_bytes(file)
    validate(file)
    root = xml.etree.ElementTree.parse(file).getroot()
    check_facts(root, number, records(lab, number), key)
    data = frames(lab, number)
    if name is not None:
        check_spectra(root, data, name)
        check_spectra(converted(lab, file), data, name)
        assert any('unit' in note['text'] for note in answer['notes']), answer
        return
    signals = [(channel, signal) for frame in data for channel, signal in variables(frame, 'signal').items()]
    for copy in (root, converted(lab, file)):
        found = {c.get('id'): arrays(c) for c in copy.iterfind('.//m:chromatogram', NS)}
        assert len(found) == len(signals) > 0 and copy.find('.//m:spectrum', NS) is None, found.keys()
        for channel, signal in signals:
            assert numpy.array_equal(found[channel]['MS:1000515'], signal), channel
            assert found[channel]['MS:1000595'][0] == 0


need('FileInfo', 'msconvert')
with Lab(paths) as lab:
    numbers = measure(lab, {'ms-1': units.rga, 'ms-2': units.ions, 'ms-3': profile, 'gc-1': units.chromatograph})
    for key, name in {'ms-1': 'ion_current', 'ms-2': 'partial_pressure', 'ms-3': 'ion_current', 'gc-1': None}.items():
        check(lab, key, numbers[key], name)
