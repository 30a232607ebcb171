# SPDX-License-Identifier: Apache-2.0
"""Simulators on a bus that umockdev plays: the daemon's link usb finds them, loses them, and finds them again."""

import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, lint, paths_from, values  # noqa: E402

COUNTERS = {'channels': 1024, 'preset_time': '0.5s'}


def spectrometer(sim):
    """The link names the place on the bus: the device has no serial number of USB."""
    return {'driver': 'amptek-dp5', 'simulated': True, 'link': {'type': 'usb', 'path': sim.place},
            'acquire': {'mode': 'repeat'}, 'settings': COUNTERS,
            'calibration': {'id': 'CAL-1', 'until': '2099-01-01', 'energy': {'zero': '0 keV', 'gain': '20 eV'}}}


def spectrum(frame):
    return next(values(v) for v in frame.record['vars'] if v['name'] == 'counts')


def check_truth(sim, frame):
    counts = list(spectrum(frame))
    if counts not in [t['counts'] for t in sim.truths() if t['event'] == 'spectrum']:
        raise Failure(f'a spectrum that the instrument did not send, with {sum(counts)} counts')


with Lab(paths_from(sys.argv[2:])) as lab:
    sims = {f'xrf-{i}': lab.usb_sim('amptek-dp5', '--serial', f'999000{i}') for i in (1, 2)}
    lab.start({'instruments': {key: spectrometer(sim) for key, sim in sims.items()}})
    for i, key in enumerate(sims):
        lab.wait_frames(key, 2)
        if lab.frames(key)[0].record['inst']['serial'] != f'999000{i + 1}':
            raise Failure(f'{key} is another one: {lab.frames(key)[0].record["inst"]}')
    sims['xrf-1'].fault('disconnect')
    lab.wait_state('xrf-1', 'fault')
    seen = len(lab.frames('xrf-2'))
    lab.wait_frames('xrf-2', seen + 2)
    sims['xrf-1'].fault('disconnect=off')
    seen = len(lab.frames('xrf-1'))
    lab.wait_frames('xrf-1', seen + 2)
    lab.stop()
    for key, sim in sims.items():
        for frame in lab.frames(key):
            check_truth(sim, frame)
    lint(lab)
