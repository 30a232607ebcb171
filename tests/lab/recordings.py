# SPDX-License-Identifier: Apache-2.0
"""The recordings in tests/captures: how each was made, and with which configuration it is played."""

# File: the simulator's arguments, the instrument's configuration, and its link to that simulator.
SOURCES = {
    'amptek-dp5-udp.cap': (
        ['amptek-dp5', '--udp', '127.0.0.1:0', '--sample', 'steel-304', '--seed', '1'],
        {'driver': 'amptek-dp5', 'settings': {'channels': 256, 'preset_time': '0.5s'},
         'calibration': {'id': 'CAL-1', 'energy': {'zero': '0 keV', 'gain': '80 eV'}}},
        lambda sim, tty: {'type': 'udp', 'host': '127.0.0.1', 'port': sim.port}),
    'srs-rga-serial.cap': (
        ['srs-rga', '--pty', 'TTY', '--speed', '30', '--seed', '1'],
        {'driver': 'srs-rga', 'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 50, 'noise_floor': 7,
                                           'scans': 2, 'emission_current': '1 mA', 'convert': 'partial_pressure'}},
        lambda sim, tty: {'type': 'serial', 'port': tty}),
    'nirscan-nano-serial.cap': (
        ['nirscan-nano', '--pty', 'TTY', '--speed', '20', '--seed', '1'],
        {'driver': 'nirscan-nano', 'settings': {'gain': '64'}},
        lambda sim, tty: {'type': 'serial', 'port': tty}),
    'sick-mcs100ft-tcp.cap': (
        ['modbus', '--profile', 'sick-mcs100ft', '--extras', '--tcp', '127.0.0.1:0', '--seed', '1'],
        {'driver': 'modbus-map', 'profile': 'sick-mcs100ft', 'acquire': {'frames': 4, 'every': '50ms'},
         'settings': {'options': ['value_status', 'zero', 'span', 'ranges']}},
        lambda sim, tty: {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1}),
    'gasmet-cx4000-rtu.cap': (
        ['modbus', '--profile', 'gasmet-cx4000', '--pty', 'TTY', '--seed', '1'],
        {'driver': 'modbus-map', 'profile': 'gasmet-cx4000', 'acquire': {'frames': 4, 'every': '100ms'}},
        lambda sim, tty: {'type': 'modbus-rtu', 'port': tty, 'baud': 19200, 'parity': 'even', 'unit_id': 1}),
}


def sheet_of(recording):
    """`assayctl comply` writes one beside its recording."""
    return recording.with_suffix('.json')


def unsheeted(folder):
    return [p for p in folder.glob('*.cap') if not sheet_of(p).exists()]
