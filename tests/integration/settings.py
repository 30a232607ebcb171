# SPDX-License-Identifier: Apache-2.0
"""A run is measured with the settings that its request and the file say, and its axis is right."""

import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, values, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])

CU_KA = 8.05  # keV
ENERGY = {'zero': '0 keV', 'gain': '10 eV'}  # at gain 16, the simulator's own
STEPS = [{'name': 'light', 'settings': {'gain': 40}}, {'name': 'heavy', 'settings': {'gain': 10}}]
CALIBRATED = [{**step, 'calibration': {'id': f'G{step["settings"]["gain"]}',
                                       'energy': {'zero': '0 keV', 'gain': f'{160 / step["settings"]["gain"]} eV'}}}
              for step in STEPS]


def configuration(port, settings=None, **calibration):
    return {
        'instruments': {'xrf-1': {
            'driver': 'amptek-dp5', 'simulated': True, 'link': {'type': 'udp', 'host': '127.0.0.1', 'port': port},
            'settings': {'channels': 2048, 'preset_time': '0.5 s', **(settings or {})},
            'calibration': {'id': 'CAL', 'energy': ENERGY, **calibration}}},
        'methods': {
            'BARE': {'version': 1, 'driver': 'amptek-dp5', 'steps': STEPS},
            'WHOLE': {'version': 1, 'driver': 'amptek-dp5', 'steps': CALIBRATED},
            'FEW': {'version': 1, 'driver': 'amptek-dp5', 'settings': {'channels': 1024}},
        }}


def measure(lab, *args):
    """The frames of a run, once it is over."""
    def start():
        """After a reload the instrument is idle for a moment before its worker is replaced."""
        lab.wait_state('xrf-1', 'idle')
        done = lab.ctl('run', 'start', 'xrf-1', *args, '--wait', code=None)
        return 'not ready' not in done.stderr and done
    done = wait_for('a run', start)
    number = done.stdout.split()[1]
    assert ' complete ' in done.stdout, done
    start = next(e.record for e in lab.entries('xrf-1', 'run-start') if e.record['number'] == number)
    return start, [e.record for e in lab.frames('xrf-1') if e.record['run'] == start['run']]


def peak(frame):
    """The axis and the place of the highest channel on it."""
    found = {v['name']: v for v in frame['vars']}
    axis = found['counts']['dims'][0]
    return axis, values(found[axis])[values(found['counts']).argmax()]


def check_calibrated(frame):
    axis, place = peak(frame)
    assert axis == 'energy' and abs(place - CU_KA) < 0.15, (axis, place)
    assert 'cal-settings' not in frame['q'].get('why', []), frame['q']


def check_bare(frame):
    axis, _ = peak(frame)
    assert axis == 'channel', axis
    assert frame['q']['flag'] == 3 and 'cal-settings' in frame['q']['why'], frame['q']


def reparse(lab):
    done = lab.ctl('--worker', paths['worker'], '--drivers', paths['drivers'], 'journal', 'reparse', '--path',
                   str(lab.dir / 'state'))
    assert ' 0 differ, 0 cannot be decoded' in done.stdout, done


def test_check(lab):
    done = lab.ctl('--worker', paths['worker'], '--drivers', paths['drivers'], 'check', str(lab.config))
    assert 'no errors' in done.stdout
    for word in ("step 'light' of method BARE sets gain", "step 'heavy' of method BARE sets gain",
                 'method FEW sets channels to 1024, and the calibration of xrf-1 holds for 2048'):
        assert done.stderr.count(f'warning: {word}') == 1, (word, done.stderr)
    assert 'WHOLE' not in done.stderr


def test_calibrations(lab):
    """No frame has an axis in energy that its calibration does not hold for."""
    for frame in measure(lab)[1]:
        check_calibrated(frame)
    for frame in measure(lab, '--method', 'BARE')[1] + measure(lab, '--method', 'FEW')[1]:
        check_bare(frame)
    start, frames = measure(lab, '--method', 'WHOLE')
    assert [c['id'] for c in start['cal']] == ['G40', 'G10'], start['cal']
    assert len(frames) == 2
    for frame in frames:
        check_calibrated(frame)


def test_holds_for(lab, port):
    """A value that the file names is compared with the one that the instrument has."""
    lab.configure(configuration(port, holds_for={'gain': 12}))
    lab.ctl('reload')
    check_bare(measure(lab)[1][-1])
    lab.configure(configuration(port, {'gain': 16}, holds_for={'gain': 16}))
    lab.ctl('reload')
    check_calibrated(measure(lab)[1][-1])
    lab.ctl('set', 'xrf-1', 'channels=1024')
    check_bare(measure(lab)[1][-1])


def recorded(start, *names):
    """Numbers of the settings that a run-start has."""
    def number(value):
        return round(value['v'] if isinstance(value, dict) else value, 3)
    return tuple(number(start['settings'][name]) for name in names)


OWN = ('gain', 'channels', 'slow_threshold', 'peaking_time', 'flat_top')


def test_borrowed(lab, port):
    """What methods, `set`, the file and a crash changed is put back: a run has what it requests and the file names."""
    def reload(*args, **more):
        lab.configure(configuration(port, *args, **more))
        lab.ctl('reload')

    reload()
    start, frames = measure(lab)
    own = recorded(start, *OWN)
    check_calibrated(frames[-1])

    def check_own():
        now, spectra = measure(lab)
        assert recorded(now, *OWN) == own, (own, recorded(now, *OWN))
        check_calibrated(spectra[-1])

    measure(lab, '--method', 'BARE')
    lab.wait_state('xrf-1', 'idle')
    again = lab.ctl('run', 'repeat', start['number'], '--wait').stdout.split()[1]
    repeated = next(e.record for e in lab.entries('xrf-1', 'run-start') if e.record['number'] == again)
    assert recorded(repeated, *OWN) == own, repeated['settings']
    check_own()
    described = next(s for s in lab.ask({'op': 'describe', 'instrument': 'xrf-1'})['instrument']['settings']
                     if s['name'] == 'gain')
    assert round(described['read_back']['v'], 3) == own[0], described

    lab.ctl('set', 'xrf-1', 'slow_threshold=20%')
    assert recorded(measure(lab)[0], 'slow_threshold') == (20,)
    measure(lab, '--method', 'BARE')
    assert recorded(measure(lab)[0], 'gain', 'slow_threshold') == (own[0], 20)
    lab.ctl('reload')
    check_own()
    lab.ctl('set', 'xrf-1', 'slow_threshold=20%')
    measure(lab)
    lab.stop()
    lab.start()
    check_own()

    lab.wait_state('xrf-1', 'idle')
    lab.ctl('run', 'start', 'xrf-1', '--method', 'BARE')
    assert (lab.dir / 'state/borrowed/xrf-1').exists()
    lab.kill()
    lab.start()
    check_own()

    reload({'gain': 12, 'peaking_time': '4 us'})
    loud = measure(lab)[0]
    assert recorded(loud, 'gain') == (12,)
    reload()
    check_own()
    refused = lab.ctl('run', 'repeat', loud['number'], code=1).stderr
    assert 'gain is 16' in refused and 'was 12' in refused, refused


def main():
    with Lab(paths) as lab:
        port = lab.sim('amptek-dp5', '--udp', '127.0.0.1:0', '--sample', 'brass').port
        lab.start(configuration(port))
        test_check(lab)
        test_calibrations(lab)
        test_holds_for(lab, port)
        test_borrowed(lab, port)
        lint(lab)
        lab.stop()
        reparse(lab)
    print('ok')


main()
