# SPDX-License-Identifier: Apache-2.0
"""Profiles of text-map in the real daemon, with scripted instruments behind TCP: frames, quality, identity, lint."""

import socket
import struct
import sys
import threading

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values  # noqa: E402

SPECTRUM = struct.pack('<128f', *(1 + i / 8 for i in range(128)))


class Instrument(threading.Thread):
    """Replies to each request, which ends with `end`, by reply(request, its number)."""

    def __init__(self, end, reply):
        super().__init__(daemon=True)
        self.end, self.reply, self.count = end, reply, 0
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                self.serve(connection)

    def serve(self, connection):
        received = b''
        while True:
            data = connection.recv(4096)
            if not data:
                return
            received += data
            while self.end in received:
                request, received = received.split(self.end, 1)
                self.count += 1
                reply = self.reply(request, self.count)
                connection.sendall(reply[:3])
                connection.sendall(reply[3:])


def balance(request, count):
    if request in (b'I2', b'I4'):
        return request + b' A "B021002593"\r\n'
    return [b'S S     100.25 g\r\n', b'S D      99.75 g\r\n', b'S +\r\n'][count % 3]


def sensor(request, count):
    return {b'h0': b'Sensor type: N1.7\r\n', b'h2': b'Serial number: 17\r\n', b'i': b'Firmware: 1.12\r\n',
            b'XM': b'Measurement ready\r\n', b'Xm0,128': SPECTRUM}.get(request, b'Wavelength: set\r\n')


def scales(request, count):
    """Two on one line: the address in front of request and reply, and every fifth reply is missing."""
    return b'' if count % 5 == 0 else request[:2] + b' ' + request[:2] + b'.5 g\r\n'


def scale(port, address):
    return {'driver': 'text-map', 'simulated': True, 'technique': 'weighing',
            'link': {'type': 'tcp', 'host': '127.0.0.1', 'port': port, 'reply_timeout': '100ms'},
            'acquire': {'mode': 'continuous', 'every': '50 ms', 'new_run': '1h'},
            'settings': {'address': address, 'timeout': '0.1 s', 'values': [{'name': 'mass', 'unit': 'g'}],
                         'requests': [{'ask': '{address}W', 'reply': ['{address} {mass number} g']}]}}


def variables(frame):
    return {v['name']: v for v in frame.record['vars']}


def expect(condition, text, seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def check_balance(frames):
    seen = set()
    for frame in frames:
        flag, found = frame.record['q']['flag'], variables(frame)
        seen.add(flag)
        value = found['mass']['data'] if 'mass' in found else None
        expect(value == {1: 100.25, 3: 99.75, 9: None}[flag], 'value of quality', frame.record)
        expect('mass' not in found or found['mass']['unit'] == 'g', 'unit', frame.record)
    expect(seen == {1, 3, 9}, 'stable, unstable and overload', seen)


with Lab(paths_from(sys.argv[2:])) as lab:
    line, balances, nir = Instrument(b'\r\n', scales), Instrument(b'\r\n', balance), Instrument(b'\r', sensor)
    lab.start({'instruments': {
        'line-1': scale(line.port, '01'), 'line-2': scale(line.port, '02'),
        'scale-1': {'driver': 'text-map', 'profile': 'mt-sics', 'simulated': True,
                    'link': {'type': 'tcp', 'host': '127.0.0.1', 'port': balances.port},
                    'acquire': {'mode': 'continuous', 'every': '100 ms', 'new_run': '1h'},
                    'settings': {'timeout': '0.3 s'}},
        'nir-1': {'driver': 'text-map', 'profile': 'nirone', 'simulated': True,
                  'link': {'type': 'tcp', 'host': '127.0.0.1', 'port': nir.port},
                  'acquire': {'mode': 'on-demand'}, 'settings': {'timeout': '0.3 s', 'readings': 2}}}})
    check_balance(lab.wait_frames('scale-1', 3)[:3])
    expect(lab.instrument('scale-1')['serial'] == 'B021002593', 'serial', lab.instrument('scale-1'))
    lab.wait_state('nir-1', 'idle')
    expect(lab.ask({'op': 'run-start', 'instrument': 'nir-1'})['ok'], 'start', lab.log())
    for frame in lab.wait_frames('nir-1', 2):
        found = variables(frame)
        expect(frame.record['kind'] == 'spectrum' and frame.record['q']['flag'] == 2, 'unchecked', frame.record)
        expect(list(values(found['single_beam'])) == [1 + i / 8 for i in range(128)], 'numbers', found)
        expect(found['wavelength']['unit'] == 'nm', 'axis', found)
    for key, mass in ('line-1', 1.5), ('line-2', 2.5):
        for frame in lab.wait_frames(key, 10):
            expect(variables(frame)['mass']['data'] == mass, 'its own value', frame.record)
    print(lint(lab))
