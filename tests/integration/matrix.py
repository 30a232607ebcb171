# SPDX-License-Identifier: Apache-2.0
"""One instrument of each kind in one daemon: every cell of the instrument matrix measures, and every record is right in form."""

import sys

sys.path.insert(0, sys.argv[1])
import units  # noqa: E402
from lab import Lab, lint, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])

# instrument: (its function in units, technique, kind of frame, units of its data)
CELLS = {
    'xrf-serial': (units.amptek_serial, 'xrf', 'spectrum', {'counts': '{count}'}),
    'xrf-udp': (units.amptek, 'xrf', 'spectrum', {'counts': '{count}'}),
    'ms-serial': (units.rga, 'ms', 'spectrum', {'ion_current': 'A'}),
    'ms-hal-serial': (units.ions_serial, 'ms', 'spectrum', {'partial_pressure': 'mm[Hg]'}),
    'ms-hal-tcp': (units.ions, 'ms', 'spectrum', {'partial_pressure': 'mm[Hg]'}),
    'ms-http': (units.partial_pressures, 'ms', 'spectrum', {'ion_current': 'A'}),
    'gc-http': (units.chromatograph, 'gc', 'chromatogram', {'signal': '1'}),
    'gc-modbus': (units.process_chromatograph, 'gc', 'scalar', {'mole_fraction': '%'}),
    'ftir-http': (units.infrared, 'ftir', 'spectrum', {'single_beam': '1'}),
    'ftir-modbus-tcp': (units.gas, 'ftir', 'scalar', {'concentration': 'mg/m3'}),
    'ftir-modbus-rtu': (units.gas_serial, 'ftir', 'scalar', {'concentration': 'mg/m3'}),
    'nir-serial': (units.near_infrared, 'nir', 'spectrum', {'single_beam': '{count}'}),
    'nir-text': (units.filter_spectrometer, 'nir', 'spectrum', {'single_beam': '1'}),
    'balance': (units.balance, 'weighing', 'scalar', {'mass': 'g'}),
    'ph-meter': (units.ph, 'ph', 'scalar', {'ph': '[pH]'}),
}
ON_USB = {
    'xrf-usb': (units.amptek_usb, 'xrf', 'spectrum', {'counts': '{count}'}),
    'gc-usb': (units.detector, 'gc', 'chromatogram', {'signal': 'V'}),
    'nir-usb': (units.near_infrared_usb, 'nir', 'spectrum', {'single_beam': '{count}'}),
}


def check_frames(lab, key):
    _, technique, kind, expected = cells[key]
    start = lab.entries(key, 'run-start')[-1]
    end = lab.wait_entries(key, 'run-end', 1, seconds=60)[-1].record
    assert end['status'] == 'complete', (key, end)
    frames = [f for f in lab.frames(key) if 'partial' not in f.record]
    assert frames, key
    assert start.topic.startswith(f'a1/sim-data/{technique}/'), (key, start.topic)
    for frame in frames:
        record = frame.record
        assert record['sim'] is True and record['kind'] == kind, (key, record['kind'])
        assert record['inst']['key'] == key and record['inst']['source'], (key, record['inst'])
        data = {v['name']: v['unit'] for v in record['vars'] if v['role'] == 'data'}
        assert expected.items() <= data.items(), (key, data)


with Lab(paths) as lab:
    cells = {**CELLS, **(ON_USB if 'usb-bus' in paths else {})}
    lab.start({'instruments': {key: {**row[0](lab), 'simulated': True} for key, row in cells.items()}})
    for key in cells:
        lab.wait_state(key, 'idle', seconds=60)
    for key in cells:
        assert (reply := lab.ask({'op': 'run-start', 'instrument': key}, seconds=60))['ok'], (key, reply)
    for key in cells:
        check_frames(lab, key)
    print(len(cells), 'instruments', lint(lab))
