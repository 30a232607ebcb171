# SPDX-License-Identifier: Apache-2.0
"""Three instruments over three links, as the whole-system tests use them."""


def start_sims(lab):
    """An XRF on UDP, a mass spectrometer on a pseudo-terminal, a gas analyser on Modbus TCP."""
    return {
        'xrf-1': lab.sim('amptek-dp5', '--udp', '127.0.0.1:0', '--sample', 'steel-304'),
        'ms-1': lab.sim('srs-rga', '--pty', str(lab.dir / 'ms.tty'), '--speed', '30'),
        'gas-1': lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0'),
    }


def instruments(lab, sims, xrf='repeat'):
    return {
        'xrf-1': {
            'driver': 'amptek-dp5', 'simulated': True,
            'link': {'type': 'udp', 'host': '127.0.0.1', 'port': sims['xrf-1'].port},
            'acquire': {'mode': xrf},
            'settings': {'channels': 1024, 'preset_time': '0.5s'},
            'setup': {'tube_anode': 'Rh', 'atmosphere': 'air'},
            'calibration': {'id': 'CAL-1', 'until': '2099-01-01', 'energy': {'zero': '0 keV', 'gain': '20 eV'}},
        },
        'ms-1': {
            'driver': 'srs-rga', 'simulated': True,
            'link': {'type': 'serial', 'port': str(lab.dir / 'ms.tty')},
            'acquire': {'mode': 'continuous'},
            'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 50, 'noise_floor': 7,
                         'scans': 0, 'emission_current': '1 mA'},
        },
        'gas-1': {
            'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
            'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sims['gas-1'].port, 'unit_id': 1},
            'acquire': {'mode': 'continuous', 'every': '100ms'},
            'settings': {'adjust': [{'name': 'concentration', 'analyte': 'HCl', 'unit': 'mg/m3', 'unc': '0.4 mg/m3', 'unc_kind': 'expanded', 'unc_k': 2}]},
        },
    }
