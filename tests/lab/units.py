# SPDX-License-Identifier: Apache-2.0
"""One simulated instrument for each cell of the instrument matrix, with settings for a short measurement.

Each function starts a simulator in a lab and returns the section of the configuration, without `simulated`.
"""


def tcp(type, sim, **more):
    return {'type': type, 'host': '127.0.0.1', 'port': sim.port, **more}


def amptek_settings():
    return {'driver': 'amptek-dp5', 'settings': {'channels': 256, 'preset_time': '0.3 s'},
            'calibration': {'id': 'CAL-1', 'energy': {'zero': '0 keV', 'gain': '80 eV'}}}


def amptek(lab):
    sim = lab.sim('amptek-dp5', '--udp', '127.0.0.1:0', '--seed', '1')
    return {**amptek_settings(), 'link': tcp('udp', sim)}


def rga(lab):
    lab.sim('srs-rga', '--pty', str(lab.dir / 'rga.tty'), '--speed', '30', '--seed', '1')
    return {'driver': 'srs-rga', 'link': {'type': 'serial', 'port': str(lab.dir / 'rga.tty')},
            'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 30, 'noise_floor': 7, 'scans': 2,
                         'zeroing_time': '2 s', 'emission_current': '1 mA'}}


def gas(lab):
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    return {'driver': 'modbus-map', 'profile': 'sick-mcs100ft', 'acquire': {'frames': 4, 'every': '100ms'},
            'link': tcp('modbus-tcp', sim, unit_id=1, reply_timeout='100ms')}


def balance(lab):
    sim = lab.sim('text', '--instrument', 'mt-sics', '--settle', '0', '--tcp', '127.0.0.1:0')
    return {'driver': 'text-map', 'profile': 'mt-sics', 'acquire': {'frames': 4, 'every': '100ms'},
            'link': tcp('tcp', sim)}


def infrared(lab):
    sim = lab.sim('bruker-web', '--tcp', '127.0.0.1:0', '--speed', '10', '--seed', '1')
    return {'driver': 'bruker-web', 'link': tcp('http', sim), 'settings': {
        'command': 'REP=1&APT=4000&NSS=8&RES=16&BMS=1&VEL=10000&SRC=201&AQM=DD&CHN=1&DTC=16416&OPF=1&PGN=2&DEL=0&PHR=100&COR=0&GNS=1',
        'result': 'single_beam', 'phase_resolution': '100 cm-1'}}


def ions(lab):
    sim = lab.sim('hiden-rga', '--tcp', '127.0.0.1:0', '--speed', '10', '--seed', '1')
    return {'driver': 'hiden-rga', 'link': tcp('tcp', sim), 'settings': {
        'mass_last': 20, 'scans': 2, 'dwell_time': '5 ms', 'settle_time': '1 ms', 'poll_interval': '20 ms', 'timeout': '0.3 s',
        'emission_current': '1 mA', 'unit': 'Torr'}}


def near_infrared(lab):
    lab.sim('nirscan-nano', '--pty', str(lab.dir / 'nir.tty'), '--speed', '20', '--seed', '1')
    return {'driver': 'nirscan-nano', 'link': {'type': 'serial', 'port': str(lab.dir / 'nir.tty')}}


def partial_pressures(lab):
    sim = lab.sim('prismapro', '--tcp', '127.0.0.1:0', '--speed', '100', '--seed', '1')
    return {'driver': 'prismapro', 'link': tcp('http', sim), 'settings': {
        'poll': '0.05 s', 'timeout': '5 s', 'mass_first': 1, 'mass_last': 20, 'points_per_amu': 10, 'dwell_time': '32 ms', 'scans': 3,
        'emission': True}}


def chromatograph(lab):
    sim = lab.sim('micro-gc-fusion', '--tcp', '127.0.0.1:0', '--speed', '1000', '--seed', '1')
    return {'driver': 'micro-gc-fusion', 'link': tcp('http', sim), 'settings': {
        'method': 'Air', 'poll': '0.05 s', 'ready_timeout': '20 s', 'run_timeout': '20 s'}}


def serial(lab, name, model, *args, **more):
    """A simulator on a pseudo-terminal, and its link."""
    lab.sim(model, '--pty', str(lab.dir / f'{name}.tty'), *args)
    return {'type': 'serial', 'port': str(lab.dir / f'{name}.tty'), **more}


def amptek_serial(lab):
    return {**amptek_settings(), 'link': serial(lab, 'xrf', 'amptek-dp5', '--seed', '1', baud=115200)}


def amptek_usb(lab):
    return {**amptek_settings(), 'link': {'type': 'usb', 'path': lab.usb_sim('amptek-dp5', '--seed', '1').place}}


def ions_serial(lab):
    section = ions(lab)
    return {**section, 'link': serial(lab, 'ions', 'hiden-rga', '--speed', '10', '--seed', '1')}


def near_infrared_usb(lab):
    sim = lab.usb_sim('nirscan-nano', '--speed', '20', '--seed', '1')
    return {'driver': 'nirscan-nano', 'link': {'type': 'usb', 'path': sim.place}}


def detector(lab):
    sim = lab.usb_sim('labjack-u6', '--seed', '1')
    return {'driver': 'labjack-u6', 'link': {'type': 'usb', 'path': sim.place}, 'settings': {
        'inputs': [{'channel': 0, 'range': '10 V', 'name': 'signal'}], 'rate': '1000 Hz', 'slice': '0.2 s', 'duration': '0.4 s'}}


def gas_serial(lab):
    link = serial(lab, 'gas', 'modbus', '--profile', 'gasmet-cx4000', baud=19200, parity='even', unit_id=1)
    return {'driver': 'modbus-map', 'profile': 'gasmet-cx4000', 'acquire': {'frames': 2, 'every': '100ms'},
            'link': {**link, 'type': 'modbus-rtu'}}


def process_chromatograph(lab):
    sim = lab.sim('modbus', '--profile', 'daniel-2251', '--speed', '100', '--tcp', '127.0.0.1:0')
    return {'driver': 'modbus-map', 'profile': 'daniel-2251', 'acquire': {'frames': 1},
            'link': tcp('modbus-tcp', sim, unit_id=1)}


def text(lab, instrument, **acquire):
    sim = lab.sim('text', '--instrument', instrument, '--settle', '0', '--tcp', '127.0.0.1:0')
    return {'driver': 'text-map', 'profile': instrument, 'acquire': {'frames': 2, **acquire}, 'link': tcp('tcp', sim)}


def ph(lab):
    return text(lab, 'ezo-ph')


def filter_spectrometer(lab):
    return text(lab, 'nirone', every='200ms')
