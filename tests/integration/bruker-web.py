# SPDX-License-Identifier: Apache-2.0
"""Driver and simulator of a Bruker spectrometer: a background run, a sample run, its absorbance by wavenumber."""

import json
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])

COMMAND = 'REP=1&APT=4000&NSS=4&RES=4&BMS=1&VEL=10&SRC=201&AQM=DD&CHN=1&DTC=16416&OPF=1&PGN=2&DEL=0&COR=0&GNS=1'
# The bands of polystyrene by which wavenumbers are checked, cm-1.
POLYSTYRENE = [3060.0, 2849.5, 1942.9, 1601.2, 1583.0, 1154.5, 1028.3]
LASER = 15798.1  # cm-1


def expect(condition, text, seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def instrument(sim, name, result):
    """The sample name `background` is an open beam."""
    return {'driver': 'bruker-web', 'simulated': True, 'link': {'type': 'http', 'host': '127.0.0.1', 'port': sim.port},
            'identity': {'make': 'Bruker', 'model': 'VERTEX 80', 'serial': 9990200}, 'acquire': {'mode': 'on-demand'},
            'settings': {'command': f'{COMMAND}&SNM={name}', 'result': result, 'phase_resolution': '32 cm-1',
                         'poll': '0.1 s', 'wavenumber_first': '600 cm-1', 'wavenumber_last': '4000 cm-1'}}


def measure(lab, key, **refs):
    """The run, and the variables of its only frame, which is as good as one without a checksum can be."""
    lab.wait_state(key, 'idle')
    more = {'refs': [{'rel': rel, 'run': run} for rel, run in refs.items()]} if refs else {}
    reply = lab.ask({'op': 'run-start', 'instrument': key, **more})
    expect(reply['ok'], 'start', reply)
    end = wait_for('its end', lambda: [e.record for e in lab.entries(key, 'run-end') if e.record['run'] == reply['run']])
    expect(end[0]['status'] == 'complete', 'end', end)
    frames = [e.record for e in lab.frames(key) if e.record['run'] == reply['run']]
    start = next(e.record for e in lab.entries(key, 'run-start') if e.record['run'] == reply['run'])
    expect(start['technique']['id'] == 'CHMO:0000636', 'technique', start['technique'])
    expect(len(frames) == 1 and 'below-detection' not in frames[0]['q']['why'], 'frame', frames[0]['q'])
    return reply['run'], frames[0]


def spectrum(frame, name, unit):
    """Its points by wavenumber."""
    found = {v['name']: v for v in frame['vars']}
    expect(name in found, f'a frame with {name}', {n: v.get('data') for n, v in found.items() if n == 'status_text'})
    expect(frame['kind'] == 'spectrum', 'kind', frame)
    expect((found[name]['unit'], found['wavenumber']['unit']) == (unit, 'cm-1'), 'units',
           (found[name]['unit'], found['wavenumber']['unit']))
    return list(zip(values(found['wavenumber']), values(found[name])))


def peak_near(points, wavenumber):
    """The place of the highest point within 6 cm-1, by a parabola through it and its neighbours."""
    near = [i for i, (x, _) in enumerate(points) if abs(x - wavenumber) < 6]
    top = max(near, key=lambda i: points[i][1])
    left, middle, right = (points[i][1] for i in (top - 1, top, top + 1))
    step = points[top + 1][0] - points[top][0]
    return points[top][0] + step * (left - right) / (2 * (left - 2 * middle + right))


def reparse(lab):
    done = subprocess.run([paths['assayctl'], '--worker', paths['worker'], '--drivers', paths['drivers'], '--json',
                           'journal', 'reparse', '--path', str(lab.dir / 'state')],
                          capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, 'reparse', done)
    for row in map(json.loads, done.stdout.splitlines()):
        expect((row['same'], row['differ'], row['failed']) == (1, 0, 0), 'reparse', row)


with Lab(paths) as lab:
    sim = lab.sim('bruker-web', '--tcp', '127.0.0.1:0', '--speed', '20')
    lab.start({'instruments': {'ir-1': instrument(sim, 'background', 'single_beam')}})
    background, frame = measure(lab, 'ir-1')
    expect(abs(frame['settings']['laser_wavenumber']['v'] - LASER) < 0.05, 'laser', frame['settings'])
    light = spectrum(frame, 'single_beam', '1')
    lab.stop()
    lab.start({'instruments': {'ir-1': instrument(sim, 'polystyrene', 'absorbance')}})
    _, frame = measure(lab, 'ir-1', background=background)
    absorbance = spectrum(frame, 'absorbance', '{absorbance}')
    expect([x for x, _ in absorbance] == [x for x, _ in light], 'axis', absorbance[:3])
    places = {band: peak_near(absorbance, band) for band in POLYSTYRENE}
    expect(all(abs(band - at) < 1 for band, at in places.items()), 'bands', places)
    floor = sorted(y for _, y in absorbance)[len(absorbance) // 4]
    expect(abs(floor) < 0.02, 'absorbance without a band', floor)
    lab.stop()
    lint(lab)
    reparse(lab)
