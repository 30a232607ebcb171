# SPDX-License-Identifier: Apache-2.0
"""Decoding the raw bytes of a journal again gives its frames bit for bit; differences are found."""

import json
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, crc32c, lint, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])

# Every kind of point, in registers that the simulator serves; their meaning does not matter here.
POINTS = [
    {'name': 'a', 'table': 'holding', 'address': 0, 'type': 'float32', 'unit': 'mg/m3', 'analyte': 'HCl',
     'cas': '7647-01-0', 'basis': 'wet', 'label': 'hydrogen chloride', 'scale': 1.5, 'offset': -2},
    {'name': 'b', 'table': 'holding', 'address': 2, 'type': 'float32', 'unit': '1', 'word_order': 'abcd'},
    {'name': 'c', 'table': 'holding', 'address': 4, 'type': 'uint16', 'unit': '1', 'role': 'aux'},
    {'name': 'd', 'table': 'holding', 'address': 5, 'type': 'int16', 'unit': '1', 'scale': 0.1},
    {'name': 'e', 'table': 'holding', 'address': 6, 'type': 'uint32', 'unit': '1', 'word_order': 'dcba'},
    {'name': 'f', 'table': 'holding', 'address': 8, 'type': 'int32', 'unit': '1', 'word_order': 'badc', 'offset': 5},
    {'name': 'g', 'table': 'holding', 'address': 12, 'type': 'float32', 'unit': 'mg/m3', 'unc': 0.5,
     'unc_kind': 'expanded', 'unc_k': 2, 'unc_src': 'calibration', 'group': 'other'},
    {'name': 'i', 'table': 'holding', 'address': 20, 'type': 'uint64', 'unit': '1'},
    {'name': 'j', 'table': 'holding', 'address': 24, 'type': 'int64', 'unit': '1', 'word_order': 'dcba'},
    {'name': 'l', 'table': 'holding', 'address': 26, 'type': 'uint16', 'unit': '1', 'role': 'flags', 'of': 'b'},
    {'name': 'h', 'table': 'holding', 'address': 16, 'type': 'uint16', 'unit': '1', 'option': 'more'},
]


ADJUST = [{'name': 'b', 'unit': '%', 'basis': 'dry', 'label': 'adjusted'}, {'name': 'd', 'unit': 'K'}]
STATUS = [
    {'name': 's', 'table': 'holding', 'address': 18, 'type': 'uint16', 'bit': 0, 'quality': 'suspect', 'reason': 'out-of-range'},
    {'name': 't', 'table': 'holding', 'address': 19, 'type': 'uint16', 'equals': 3, 'quality': 'bad', 'reason': 'saturated'},
]


def measure(lab):
    """Three instruments that run, two that keep less, and one on a method with steps."""
    def simulated(config):
        return {'simulated': True, **config}

    tcp = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--extras', '--tcp', '127.0.0.1:0').port
    lab.sim('modbus', '--profile', 'gasmet-cx4000', '--extras', '--pty', str(lab.dir / 'gas.tty'))
    generic = lab.sim('modbus', '--profile', 'generic', '--tcp', '127.0.0.1:0').port
    udp = [lab.sim('amptek-dp5', '--udp', '127.0.0.1:0', '--sample', 'steel-304').port for _ in range(3)]
    for name in ('ms', 'ms2'):
        lab.sim('srs-rga', '--pty', str(lab.dir / f'{name}.tty'), '--speed', '30')
    calibration = {'id': 'CAL-1', 'energy': {'zero': '-0.01 keV', 'gain': '20.3 eV'}}
    ms = {'driver': 'srs-rga', 'settings': {'mode': 'analog', 'mass_first': 1, 'mass_last': 12, 'noise_floor': 7,
                                            'scans': 1, 'emission_current': '1 mA'}}
    lab.start({'instruments': {
        'xrf-1': simulated({'driver': 'amptek-dp5', 'acquire': {'mode': 'repeat'}, 'calibration': calibration,
                            'link': {'type': 'udp', 'host': '127.0.0.1', 'port': udp[0]},
                            'settings': {'channels': 1024, 'preset_time': '0.2s', 'gain': 12.3}}),
        'xrf-hash': simulated({'driver': 'amptek-dp5', 'acquire': {'mode': 'repeat'}, 'raw': 'hash',
                               'link': {'type': 'udp', 'host': '127.0.0.1', 'port': udp[1]},
                               'settings': {'channels': 256, 'preset_time': '0.2s'}}),
        'xrf-steps': simulated({'driver': 'amptek-dp5', 'calibration': calibration,
                                'link': {'type': 'udp', 'host': '127.0.0.1', 'port': udp[2]},
                                'settings': {'channels': 512}}),
        'ms-1': simulated({**ms, 'acquire': {'mode': 'repeat'},
                           'link': {'type': 'serial', 'port': str(lab.dir / 'ms.tty')}}),
        'ms-steps': simulated({**ms, 'link': {'type': 'serial', 'port': str(lab.dir / 'ms2.tty')}}),
        'gas-1': simulated({'driver': 'modbus-map', 'profile': 'sick-mcs100ft',
                            'acquire': {'mode': 'continuous', 'every': '50ms', 'new_run': '1s'},
                            'settings': {'options': ['value_status', 'zero', 'span', 'ranges'], 'basis': 'wet'},
                            'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': tcp, 'unit_id': 1}}),
        'gas-off': simulated({'driver': 'modbus-map', 'profile': 'gasmet-cx4000', 'raw': 'off',
                              'acquire': {'mode': 'continuous', 'every': '200ms'},
                              'link': {'type': 'modbus-rtu', 'port': str(lab.dir / 'gas.tty'), 'baud': 19200,
                                       'parity': 'even', 'unit_id': 1}}),
        'gas-2': simulated({'driver': 'modbus-map', 'technique': 'ftir',
                            'acquire': {'mode': 'continuous', 'every': '50ms'},
                            'settings': {'points': POINTS, 'status': STATUS, 'adjust': ADJUST, 'basis': 'wet', 'options': ['more'], 'word_order': 'cdab', 'max_gap': 4},
                            'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': generic, 'unit_id': 1}}),
    }, 'methods': {
        'XRF-2': {'version': 1, 'driver': 'amptek-dp5', 'steps': [
            {'name': 'short', 'settings': {'preset_time': '0.2s', 'gain': 10}},
            {'name': 'long', 'settings': {'preset_time': '0.4s', 'channels': 256}}]},
        'MS-2': {'version': 1, 'driver': 'srs-rga', 'steps': [
            {'name': 'currents', 'settings': {'convert': 'none'}},
            {'name': 'pressures', 'settings': {'convert': 'partial_pressure'}}]},
    }})
    for key, method in (('xrf-steps', 'XRF-2'), ('ms-steps', 'MS-2')):
        lab.wait_state(key, 'idle')
        done = lab.ctl('run', 'start', key, '--method', method, '--wait', code=None)
        assert ' complete ' in done.stdout, (key, done, lab.instrument(key))
        assert len(lab.frames(key)) >= 2
    for key in ('xrf-1', 'xrf-hash', 'ms-1', 'gas-1', 'gas-off', 'gas-2'):
        lab.wait_frames(key, 3)
        lab.wait_entries(key, 'run-end', 1) if key in ('xrf-1', 'gas-1') else None
    lab.stop()
    lint(lab)


def reparse(lab, *args, code=0, json_too=True):
    path = lab.dir / 'state'
    done = subprocess.run([paths['assayctl'], '--worker', paths['worker'], '--drivers', paths['drivers'],
                           *(['--json'] if json_too else []), 'journal', 'reparse', '--path', str(path), *args],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != code:
        raise Failure(f'{args}: {done.returncode}: {done.stdout[-2000:]}{done.stderr}')
    return [json.loads(line) for line in done.stdout.splitlines()] if json_too else done.stdout + done.stderr


def test_all_the_same(lab):
    """Each frame that was published, counted per run."""
    rows = {row['run']: row for row in reparse(lab)}
    starts = {e.record['run']: e.record for e in lab.entries(type='run-start')}
    frames = {}
    for entry in lab.entries(type='frame'):
        if entry.record['run'] not in starts:
            continue  # it started before the subscriber was there
        frames.setdefault(starts[entry.record['run']]['number'], []).append(entry.record)
    assert set(rows) >= set(frames), (set(frames) - set(rows))
    for number, records in frames.items():
        row = rows[number]
        assert row['differ'] == 0 and row['failed'] == 0, row
        assert row['frames'] == len(records), (row, len(records))
        kept = sum(1 for r in records if 'raw' in r and all('data' in b for b in r['raw']))
        assert row['same'] == kept and row['without_raw'] == len(records) - kept, (row, kept)
    keys = {number.split('/')[1]: row for number, row in rows.items() if row['frames'] > 0}
    assert keys['xrf-hash']['same'] == 0 and keys['gas-off']['same'] == 0
    assert all(keys[k]['same'] > 0 for k in ('xrf-1', 'xrf-steps', 'ms-1', 'ms-steps', 'gas-1', 'gas-2')), keys
    text = reparse(lab, json_too=False)
    assert ' 0 differ, 0 cannot be decoded' in text, text


def test_choice(lab):
    number = next(e.record['number'] for e in lab.entries('xrf-steps', 'run-start'))
    rows = reparse(lab, '--run', number)
    assert [row['run'] for row in rows] == [number] and rows[0]['same'] == 2, rows
    reparse(lab, '--run', 'bench-1/xrf-1/20010101-001', code=1)
    assert reparse(lab, '--from', '2100-01-01') == []
    assert len(reparse(lab, '--to', '2100-01-01T00:00:00Z')) == len(reparse(lab))
    assert 'expected a date' in reparse(lab, '--from', 'yesterday', code=2, json_too=False)


def alter(lab, key, name='', at=None):
    """Changes a raw block of the last frame of an instrument in the journal's file, checksum and all."""
    wanted = lab.frames(key)[-1]
    data = max((b['data'] for b in wanted.record['raw'] if b.get('name', '').startswith(name)), key=len)
    place = len(data) // 2 if at is None else at
    for file in lab.dir.glob('state/journal/*/*.seg'):
        bytes_ = bytearray(file.read_bytes())
        entry = bytes_.find(wanted.bytes)
        if entry < 0:
            continue
        bytes_[bytes_.index(data, entry) + place] ^= 4
        hcrc = int.from_bytes(bytes_[entry - 8:entry - 4], 'little')
        bytes_[entry - 4:entry] = crc32c(hcrc, bytes_[entry:entry + len(wanted.bytes)]).to_bytes(4, 'little')
        file.write_bytes(bytes_)
        return next(e.record['number'] for e in lab.entries(key, 'run-start')
                    if e.record['run'] == wanted.record['run']), wanted.record['n']
    raise Failure(f'the frame of {key} is not in the journal')


def test_altered(lab):
    """A bit that changed behind the checksums is named: run, frame, variable, element."""
    changed = {'xrf-1': alter(lab, 'xrf-1'), 'ms-1': alter(lab, 'ms-1'),
               'gas-1': alter(lab, 'gas-1', 'input 138', 1)}
    rows = {row['run']: row for row in reparse(lab, code=1)}
    for key, (number, n) in changed.items():
        row = rows[number]
        assert row['differ'] + row['failed'] == 1 and row['same'] == row['frames'] - 1, row
        assert row['first'].startswith(f'frame {n}: '), row
    found = {key: rows[number]['first'] for key, (number, _) in changed.items()}
    assert 'break the protocol' in found['xrf-1'], found  # its packets have a checksum of their own
    assert 'concentration' in found['gas-1'], found
    assert '[' in found['ms-1'], found
    assert sum(row['differ'] + row['failed'] for row in rows.values()) == 3
    text = reparse(lab, '--run', changed['ms-1'][0], code=1, json_too=False)
    assert '1 of' in text and 'DIFFER' in text and '[' in text, text


def main():
    with Lab(paths) as lab:
        measure(lab)
        test_all_the_same(lab)
        test_choice(lab)
        test_altered(lab)
    print('ok')


main()
