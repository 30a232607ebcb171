# SPDX-License-Identifier: Apache-2.0
"""assayctl scan: lists without opening; asks on request, never at a port of the daemon; prints YAML that passes check."""

import os
import pathlib
import pty
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import tty

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])
LABORATORY = 'laboratory: {site: scan, node: bench-1}\n'

DEVICES = '''P: /devices/pci0000:00/0000:00:14.0/usb1
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=1d6b
A: idProduct=0002
A: bDeviceClass=09

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=10c4
A: idProduct=842a
A: bDeviceClass=00
A: manufacturer=Amptek\x1b[2J
A: product=DP5
A: serial=0017

P: /devices/pci0000:00/0000:00:14.0/usb1/1-3
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=0403
A: idProduct=6001
A: bDeviceClass=00
A: manufacturer=FTDI
A: product=FT232R USB UART
A: serial=A50285BI

P: /devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb

P: /devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/ttyUSB0/tty/ttyUSB0
N: ttyUSB0
E: DEVNAME=/dev/ttyUSB0
E: SUBSYSTEM=tty
'''

# The model is a code in a register; the make is in the profile and in function 43.
CODES = '''summary: Acme analysers
driver: modbus-map
make: Acme
technique: other
settings:
  identity: [{field: model, table: holding, address: 7, type: uint16, codes: [41=AX-41, 42=AX-42]}]
  points: [{name: signal, table: holding, address: 7, type: uint16, unit: "1"}]
'''
OTHER = CODES.replace('Acme', 'Other').replace('41=AX-41, 42=AX-42', '1=O-1')


class Modbus(threading.Thread):
    """Modbus TCP: unit 1 has function 43 and one register, unit 2 that register only, unit 3 is silent."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server, self.connections = socket.create_server(('127.0.0.1', 0)), 0
        self.place = f'127.0.0.1:{self.server.getsockname()[1]}'
        self.start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        while len(head := connection.recv(7, socket.MSG_WAITALL)) == 7:
            body, unit = connection.recv(int.from_bytes(head[4:6], 'big') - 1, socket.MSG_WAITALL), head[6]
            reply = self.reply(unit, body)
            if reply is not None:
                connection.sendall(head[:4] + (len(reply) + 1).to_bytes(2, 'big') + head[6:] + reply)
        connection.close()

    def reply(self, unit, body):
        if unit > 2:
            return None
        if body[0] == 43 and unit == 1:
            text = [b'ACME\x1b[2J: {#\n', b'AX', b'1.0'][body[3]]
            return b'\x2b\x0e\x04\x83\x00\x00\x01' + bytes([body[3], len(text)]) + text
        if body[0] == 3 and int.from_bytes(body[1:3], 'big') == 7:
            return b'\x03\x02\x00\x2a'
        return bytes([body[0] | 0x80, 1])


class Balance(threading.Thread):
    """MT-SICS on a pseudo-terminal."""

    def __init__(self):
        super().__init__(daemon=True)
        self.fd, self.device = pty.openpty()
        tty.setraw(self.device)
        self.path, self.received = os.ttyname(self.device), b''
        self.start()

    def run(self):
        while True:
            self.received += os.read(self.fd, 100)
            while b'\r\n' in self.received:
                line, self.received = self.received.split(b'\r\n', 1)
                os.write(self.fd, line + b' A "B021002593"\r\n')


class Scanner:
    def __init__(self, lab):
        self.lab, self.calls, self.config = lab, lab.dir / 'calls', lab.dir / 'scan.yaml'
        self.worker = lab.dir / 'worker'
        # umockdev's library does not bear a confined process; and each process is noted.
        self.worker.write_text(f'#!/bin/sh\nunset LD_PRELOAD\necho "$@" >>{self.calls}\nexec {paths["worker"]} "$@"\n')
        self.worker.chmod(0o755)
        self.config.write_text(LABORATORY)
        self.before = []

    def run(self, *args, code=0):
        self.calls.write_text('')
        command = [*self.before, paths['assayctl'], '--worker', str(self.worker), '--drivers', paths['drivers'], '--config',
                   str(self.config), '--dir', str(self.lab.dir / 'run'), 'scan', *args]
        done = subprocess.run(command, capture_output=True, timeout=60)
        out, err = done.stdout.decode(), done.stderr.decode()
        if done.returncode != code:
            raise Failure(f'{args}: {done.returncode} and not {code}\n{out}{err}')
        if re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', out + err):
            raise Failure(f'control characters: {out + err!r}')
        if code == 0:
            self.check(out)
        return out + err

    def check(self, text):
        file = self.lab.dir / 'found.yaml'
        file.write_text(LABORATORY + text)
        done = subprocess.run([paths['assayctl'], '--worker', paths['worker'], '--drivers', paths['drivers'], 'check',
                               str(file)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failure(f'{done.stderr}\n{text}')

    def tried(self):
        return sum('--try' in line for line in self.calls.read_text().splitlines())


def expect(text, *parts, never=()):
    for part in parts:
        if re.search(part, text, re.M) is None:
            raise Failure(f'no {part!r} in\n{text}')
    for part in never:
        if re.search(part, text, re.M) is not None:
            raise Failure(f'{part!r} in\n{text}')


def check_devices(scanner):
    if shutil.which('umockdev-run') is None:
        print('without devices: umockdev-run is not there')
        return
    devices = scanner.lab.dir / 'devices.umockdev'
    devices.write_text(DEVICES)
    scanner.before = ['umockdev-run', '-d', str(devices), '--']
    expect(scanner.run(), r'/dev/ttyUSB0: 0403:6001 FTDI FT232R USB UART, serial A50285BI\n#     any instrument', 'srs-rga',
           r'1-2: 10c4:842a Amptek\?\[2J DP5, serial 0017\n#     the USB numbers of driver amptek-dp5',
           r'driver: amptek-dp5\n    link: \{type: usb, serial: "0017"\}', never=('1d6b', 'ttyS0'))
    if scanner.tried() != 0:
        raise Failure('a list without a request asked a device')
    scanner.run('--serial')
    if scanner.tried() != 0:
        raise Failure('an adapter without a driver was asked')
    expect(scanner.run('--usb'), '1-2: amptek-dp5: ', never=('instruments:',))
    if scanner.tried() != 1:
        raise Failure('the device of a driver was not asked, or another one')
    scanner.config.write_text(LABORATORY + 'instruments: {xrf-7: {driver: amptek-dp5, link: {type: usb}}}\n')
    expect(scanner.run('--usb'), '#     used by instrument xrf-7', never=('instruments:',))
    if scanner.tried() != 0:
        raise Failure('a device of the daemon was asked')
    scanner.before = []


def check_wrong(scanner):
    for args, found in [(('127.0.0.1',), 'places need one of'), (('--modbus',), 'nothing searches a network'),
                        (('--http',), 'nothing searches'), (('--serial', '/dev/ttyS9'), 'needs --driver'),
                        (('--modbus', '/dev/ttyS9'), 'needs --link'), (('--modbus', 'a:b'), 'expected HOST'),
                        (('--modbus', '127.0.0.1', '--units', '0-3'), 'expected 1 to 247'),
                        (('--serial', 'ttyS9', '--driver', 'skeleton'), 'expected the path')]:
        expect(scanner.run(*args, code=2), found)
    expect(scanner.run('--serial', '/dev/none', '--driver', 'nothing', code=1), 'no driver or profile nothing')


def check_modbus(scanner):
    server, folder = Modbus(), scanner.lab.dir / 'own'
    folder.mkdir()
    (folder / 'acme.yaml').write_text(CODES)
    (folder / 'other.yaml').write_text(OTHER)
    out = scanner.run('--modbus', server.place, '--units', '1-3', '--profiles', str(folder))
    expect(out, r'unit 1: function 43: make ACME\?\[2J: \{#\?, model AX', 'unit 2: function 43: .*exception 1',
           r'profile: ".*own/acme.yaml"\n    link: \{type: modbus-tcp, host: "127.0.0.1", port: \d+, unit_id: 1\}',
           '# make , model AX-42', 'unit_id: 2', never=('other.yaml', 'unit 3'))
    before, config = server.connections, f'{{type: modbus-tcp, host: 127.0.0.1, port: {server.place.split(":")[1]}}}'
    scanner.config.write_text(LABORATORY + f'instruments: {{gas-1: {{driver: modbus-map, simulated: true, '
                              f'profile: {folder}/acme.yaml, link: {config}}}}}\n')
    expect(scanner.run('--modbus', server.place, '--profiles', str(folder)), 'is used by instrument gas-1')
    if server.connections != before:
        raise Failure('a port of the daemon was opened')
    # The same of the daemon that runs, by another configuration than this one.
    scanner.config.write_text(LABORATORY)
    scanner.lab.start({'instruments': {'gas-2': {'driver': 'modbus-map', 'simulated': True, 'profile': f'{folder}/acme.yaml',
                                                 'link': {'type': 'modbus-tcp', 'host': '127.0.0.1',
                                                          'port': int(server.place.split(':')[1])}}}}, ready=False)
    scanner.lab.wait_state('gas-2', 'idle')
    before = server.connections
    expect(scanner.run('--modbus', server.place, '--profiles', str(folder)), 'is used by instrument gas-2')
    if server.connections != before:
        raise Failure('a port of the running daemon was opened')
    scanner.lab.stop()
    silent = socket.create_server(('127.0.0.1', 0))
    started = time.monotonic()
    expect(scanner.run('--modbus', f'127.0.0.1:{silent.getsockname()[1]}', '--units', '1-247', '--seconds', '1'),
           'not all was asked')
    if time.monotonic() - started > 15:
        raise Failure('--seconds does not end it')


def check_hostile(scanner):
    """A worker whose driver was taken over prints controls: they do not reach the terminal, nor the YAML."""
    real = scanner.worker.read_text()
    scanner.worker.write_text(real.replace('exec ', 'case $1 in --try) printf \'%s\\n\' \'{"event": "identity", '
        '"make": "A\\u001b[2J", "model": "\\n: }", "serial": "1\\n  x: {", "fw": "\\u202e"}\'; exit;; esac; exec ', 1))
    expect(scanner.run('--serial', '/dev/none', '--driver', 'srs-rga'), r'make A\?\[2J, model \?: }', r'serial: "1\?  x: \{"')
    scanner.worker.write_text(real)


def check_serial(scanner):
    balance, profile = Balance(), str(pathlib.Path(paths['profiles']) / 'mt-sics.yaml')
    rga = scanner.lab.dir / 'rga.tty'
    scanner.lab.sim('srs-rga', '--pty', str(rga), '--speed', '20')
    expect(scanner.run('--serial', balance.path, '--driver', profile), 'model B021002593', 'profile: ".*mt-sics.yaml"')
    expect(scanner.run('--serial', str(rga), '--driver', 'srs-rga'), 'make SRS|make Stanford', 'driver: srs-rga')


def check_line(scanner):
    """Modbus RTU: unit 2 of two addresses replies, and has no function 43."""
    line = scanner.lab.dir / 'gas.tty'
    scanner.lab.sim('modbus', '--profile', 'gasmet-cx4000', '--pty', str(line), '--units', '2')
    out = scanner.run('--modbus', str(line), '--link', 'baud=19200,parity=even', '--units', '1-2', '--profiles',
                      paths['profiles'])
    expect(out, r'gas.tty unit 2: function 43: ', 'unit 2: no profile has this identity', never=('unit 1',))


def check_web(scanner):
    sim = scanner.lab.sim('bruker-web', '--tcp', '127.0.0.1:0')
    expect(scanner.run('--http', f'127.0.0.1:{sim.port}'), 'bruker-web: found no fault', '#     driver: bruker-web',
           "to be completed: 'command' is missing")


def main():
    with Lab(paths) as lab:
        scanner = Scanner(lab)
        check_wrong(scanner)
        check_devices(scanner)
        check_hostile(scanner)
        check_serial(scanner)
        check_line(scanner)
        check_web(scanner)
        check_modbus(scanner)


main()
