# SPDX-License-Identifier: Apache-2.0
"""Techniques of the list and others: `check`, topic, term and units, up to `lint` and the journal."""

import select
import socket
import sys
import threading

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from  # noqa: E402

OTHER = 'ASSAY:0000004'
# technique, its term's id, a unit that it has, one that it has not
MATRIX = [('ftir', 'CHMO:0000636', 'cm-1', 'keV'), ('nir', 'CHMO:0000630', 'nm', 'u'), ('raman', 'CHMO:0000656', 'cm-1', 'u'),
          ('uv-vis', 'CHMO:0000292', '{absorbance}', 'MPa'), ('gc', 'CHMO:0001002', 'mV.s', 'nm'),
          ('ms', 'CHMO:0000470', '{m/z}', 'nm'), ('gcms', 'CHMO:0000497', 'u', 'cm-1'), ('xrf', 'CHMO:0000307', 'keV', 'nm'),
          ('weighing', 'ASSAY:0000001', 'g', 'keV'), ('ph', 'ASSAY:0000002', '[pH]', 'u'),
          ('environment', 'ASSAY:0000003', 'Cel', 'cm-1'), ('other', OTHER, 'V', 'keV'),
          ('tga', OTHER, 'keV', 'XYZ'), ('x-2', OTHER, 'cm-1', 'mv'), ('a' * 32, OTHER, '{m/z}', 'Th')]


def serve(servers):
    """Sends a number on each connection, fifty times a second."""
    connections = []
    while True:
        for server in select.select(servers, [], [], 0.02)[0]:
            connections.append(server.accept()[0])
        for connection in connections[:]:
            try:
                connection.sendall(b'1.5\n')
            except OSError:
                connections.remove(connection)


def configuration(column):
    return {'instruments': {f'i-{n}': {
        'driver': 'skeleton', 'simulated': True, 'technique': row[0], 'settings': {'unit': row[column]},
        'link': {'type': 'tcp', 'host': '127.0.0.1', 'port': servers[n].getsockname()[1]},
        'acquire': {'mode': 'on-demand', 'frames': 1}} for n, row in enumerate(MATRIX)}}


def check(lab, code):
    done = lab.ctl('--worker', lab.paths['worker'], '--drivers', lab.paths['drivers'], 'check', str(lab.config), code=code)
    return (done.stdout + done.stderr).splitlines()


with Lab(paths_from(sys.argv[2:])) as lab:
    servers = [socket.create_server(('127.0.0.1', 0)) for _ in MATRIX]
    threading.Thread(target=serve, args=(servers,), daemon=True).start()
    lab.configure(configuration(3))
    wrong = [line for line in check(lab, 1) if 'unit' in line and 'warning' not in line]
    assert len(wrong) == len(MATRIX), wrong
    lab.configure(configuration(2))
    warnings = [line for line in check(lab, 0) if 'technique' in line]
    assert len(warnings) == sum(row[0] != 'other' and row[1] == OTHER for row in MATRIX), warnings
    lab.start()
    for n, (technique, term, unit, _) in enumerate(MATRIX):
        key = f'i-{n}'
        lab.wait_state(key, 'idle')
        assert lab.ask({'op': 'run-start', 'instrument': key})['ok']
        start, frame = lab.wait_entries(key, 'run-start')[0], lab.wait_frames(key)[0]
        assert frame.topic == f'a1/sim-data/{technique}/ccl-test/bench-1/{key}/', frame.topic
        assert start.record['technique']['id'] == term, start.record
        known = technique == 'other' or term != OTHER
        assert known or start.record['technique']['name'] == technique, start.record
        assert frame.record['vars'][0]['unit'] == unit, frame.record
        lab.wait_entries(key, 'run-end')
    print(lint(lab))
