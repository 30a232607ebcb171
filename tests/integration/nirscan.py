# SPDX-License-Identifier: Apache-2.0
"""nirscan-nano in the real daemon, with the simulator on serial lines and USB: frames, backgrounds, bad lines."""

import math
import sys

sys.path.insert(0, sys.argv[1])
import faults  # noqa: E402
from lab import Failure, Lab, lint, paths_from, values, wait_for  # noqa: E402

# Of the published capture, which the simulator takes, too: nm = C0 + C1 x + C2 x^2.
C0, C1, C2 = 1817.5628040683239, -0.9197324883412284, -0.00023377358306336216
FIRST_BLACK, BLACK_PERIOD, DARK = 24, 25, 21206


def column(nm):
    return (-C1 - math.sqrt(C1 * C1 - 4 * C2 * (C0 - nm))) / (2 * C2)


def wavelengths(first, last, width, count):
    a, b = column(first), column(last)
    for i in range(count):
        x = int(a + i * (b - a) / (count - 1)) - (0.5 if width % 2 == 0 else 0)
        yield C0 + C1 * x + C2 * x * x


def expect(condition, text, *seen):
    if not condition:
        raise Failure(f'{text}: {seen}')


def measure(lab, key, **more):
    """The frames of one run, their variables by name and channel, and the run."""
    lab.wait_state(key, 'idle')
    reply = lab.ask({'op': 'run-start', 'instrument': key, **more})
    expect(reply['ok'], 'start', reply)
    end = wait_for('the end', lambda: [e.record for e in lab.entries(key, 'run-end') if e.record['run'] == reply['run']])
    expect(end[0]['status'] == 'complete', 'end', end)
    frames = [e.record for e in lab.frames(key) if e.record['run'] == reply['run']]
    return frames, [{(v['name'], v.get('channel')): v for v in f['vars']} for f in frames], reply['run']


def intensities(truth):
    return [adc - DARK for i, adc in enumerate(truth['adc'])
            if i < FIRST_BLACK or (i - FIRST_BLACK) % BLACK_PERIOD != 0]


def measured(sim):
    return [t for t in sim.truths() if t['event'] == 'measured']


def test_single_beam(lab, key, sim):
    frames, found, _ = measure(lab, key)
    expect(len(frames) == 1 and frames[0]['q']['flag'] == 1, 'quality', frames)
    data, axis = found[0]['single_beam', None], found[0]['wavelength', None]
    expect(list(values(data)) == intensities(measured(sim)[-1]), 'counts', values(data))
    expect(data['unit'] == '{count}' and axis['unit'] == 'nm', 'units', data['unit'], axis['unit'])
    settings = frames[0]['settings']
    shape = [settings[k] if isinstance(settings[k], int) else settings[k]['v']
             for k in ('wavelength_first', 'wavelength_last', 'column_width')]
    for seen, right in zip(values(axis), wavelengths(*shape, len(values(axis))), strict=True):
        expect(abs(seen - right) < 1e-9, 'wavelength', seen, right)
    inst = lab.instrument(key)
    expect((inst['serial'], inst['technique']) == ('9990500', 'nir'), 'identity', inst)
    return settings['scan_name']


def test_absorbance(lab, white, sim):
    _, _, background = measure(lab, 'white')
    frames, found, _ = measure(lab, 'nir-ratio', refs=[{'rel': 'background', 'run': background}])
    expect(frames[0]['q']['flag'] == 1, 'quality', frames)
    data = found[0]['absorbance', None]
    expect(data['unit'] == '{absorbance}', 'unit', data)
    pairs = zip(values(data), intensities(measured(sim)[-1]), intensities(measured(white)[-1]), strict=True)
    for seen, sample, reference in pairs:
        expect(abs(seen + math.log10(sample / reference)) < 1e-9, 'absorbance', seen, sample, reference)
    frames, found, _ = measure(lab, 'nir-ratio')
    expect(frames[0]['q']['flag'] == 3 and 'no-background' in frames[0]['q']['why'], 'no background', frames)
    expect(('single_beam', None) in found[0], 'single beam', found)


def test_sections(lab, sim, name):
    """The configuration with two sections; the other one is selected again after the run."""
    frames, found, _ = measure(lab, 'nir-1', method='two')
    expect(frames[0]['settings']['scan_name'] != name, 'selected', frames[0]['settings'])
    counts = intensities(measured(sim)[-1])
    first, second = (list(values(found[0]['single_beam', channel])) for channel in ('1', '2'))
    expect(first + second == counts, 'counts', len(first), len(second))
    expect(len(values(found[0]['wavelength', None])) == len(first), 'axis', found)
    expect(len(values(found[0]['wavelength_2', None])) == len(second), 'axis of section 2', found)
    frames, _, _ = measure(lab, 'nir-1')
    expect(frames[0]['settings']['scan_name'] == name, 'put back', frames[0]['settings'])


def test_bad_line(lab, sim):
    """Damaged, cut and late frames: each run is complete with the right counts, and counts its repetitions."""
    retries = 0
    for fault in ('corrupt=0.01', 'truncate=0.01', 'stale=0.3', 'garbage=5'):
        faults.begin(lab, 'white', sim, fault)
        frames, found, _ = measure(lab, 'white')
        faults.end(lab, 'white', sim)
        expect(list(values(found[0]['single_beam', None])) == intensities(measured(sim)[-1]), fault, frames)
        retries += frames[0]['q'].get('retries', 0)
    expect(retries > 0, 'retries', retries)


def main():
    paths = paths_from(sys.argv[2:])
    with Lab(paths) as lab:
        sims = {}

        def instrument(key, *args, usb=False, **settings):
            args = ('--speed', '20', '--seed', '1', *args)
            link = {'type': 'usb'} if usb else {'type': 'serial', 'port': str(lab.dir / key)}
            sims[key] = (lab.usb_sim('nirscan-nano', *args) if usb else
                         lab.sim('nirscan-nano', '--pty', str(lab.dir / key), *args))
            return {'driver': 'nirscan-nano', 'simulated': True, 'acquire': {'mode': 'on-demand'}, 'link': link,
                    'settings': settings}
        two = {'version': '1', 'driver': 'nirscan-nano', 'settings': {'scan_configuration': 2}}
        instruments = {
            'nir-1': instrument('nir-1'),
            'nir-ratio': instrument('nir-ratio', result='absorbance', scan_configuration=1),
            'white': instrument('white', '--sample', 'white', scan_configuration=1)}
        if 'usb-bus' in paths:
            instruments['nir-usb'] = instrument('nir-usb', usb=True, scan_configuration=1)
        lab.start({'methods': {'two': two}, 'instruments': instruments})
        name = test_single_beam(lab, 'nir-1', sims['nir-1'])
        if 'usb-bus' in paths:
            test_single_beam(lab, 'nir-usb', sims['nir-usb'])
        test_absorbance(lab, sims['white'], sims['nir-ratio'])
        test_sections(lab, sims['nir-1'], name)
        test_bad_line(lab, sims['white'])
        for sim in sims.values():
            expect(not [t for t in sim.truths() if t['event'] == 'forbidden'], 'no forbidden command', sim.truths())
        print(lint(lab))


main()
