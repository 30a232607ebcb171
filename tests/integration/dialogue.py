# SPDX-License-Identifier: Apache-2.0
"""The bytes on a link are recorded, shown, and played back: the same frames, bit for bit."""

import os
import signal
import subprocess
import sys
import time

import cbor2

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, crc32c, lint, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])

XRF = {'driver': 'amptek-dp5', 'settings': {'channels': 256, 'preset_time': '0.3s'}}
MS = {'driver': 'srs-rga', 'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 20, 'noise_floor': 7,
                                        'scans': 2, 'emission_current': '1 mA'}}
GAS = {'driver': 'modbus-map', 'profile': 'sick-mcs100ft', 'acquire': {'frames': 4, 'every': '50ms'}}


def udp(lab):
    sim = lab.sim('amptek-dp5', '--udp', '127.0.0.1:0')
    return {**XRF, 'link': {'type': 'udp', 'host': '127.0.0.1', 'port': sim.port}}


def serial_xrf(lab):
    lab.sim('amptek-dp5', '--pty', str(lab.dir / 'xrf.tty'))
    return {**XRF, 'link': {'type': 'serial', 'port': str(lab.dir / 'xrf.tty'), 'baud': 115200}}


def serial_ms(lab):
    lab.sim('srs-rga', '--pty', str(lab.dir / 'ms.tty'), '--speed', '30')
    return {**MS, 'link': {'type': 'serial', 'port': str(lab.dir / 'ms.tty')}}


def tcp_ms(lab):
    sim = lab.sim('srs-rga', '--tcp', '127.0.0.1:0', '--speed', '30')
    return {**MS, 'link': {'type': 'tcp', 'host': '127.0.0.1', 'port': sim.port}}


def modbus_tcp(lab):
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    return {**GAS, 'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1}}


def modbus_rtu(lab):
    lab.sim('modbus', '--profile', 'sick-mcs100ft', '--pty', str(lab.dir / 'gas.tty'))
    return {**GAS, 'link': {'type': 'modbus-rtu', 'port': str(lab.dir / 'gas.tty'), 'baud': 19200, 'parity': 'even',
                            'unit_id': 1}}


class Recorder:
    """assayctl capture, until a signal ends it."""

    def __init__(self, lab, key, file, *args):
        self.process = subprocess.Popen([paths['assayctl'], '--dir', str(lab.dir / 'run'), 'capture', key, '--to',
                                         str(file), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for('the recording begins', lambda: [e for e in audits(lab, 'capture-start') if key in e['after']])

    def stop(self, sig=signal.SIGINT):
        if sig is not None:
            self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=30)
        if self.process.returncode != 0:
            raise Failure(f'capture: {self.process.returncode}: {out}{err}')
        return out


def audits(lab, event):
    return [e.record for e in lab.entries(type='audit') if e.record['event'] == event]


def measure(lab, key, runs=1):
    """Some runs on demand; the variables and raw blocks of their frames, and the identity."""
    for _ in range(runs):
        done = lab.ctl('run', 'start', key, '--wait', code=None)
        if ' complete ' not in done.stdout:
            raise Failure(f'{done.stdout}{done.stderr}')
    ends = len(lab.wait_entries(key, 'run-end', runs))
    assert ends == runs, ends
    frames = [(cbor2.dumps(f.record['vars']), cbor2.dumps(f.record['raw'])) for f in lab.frames(key)]
    inst = {k: v for k, v in lab.entries(key, 'run-start')[0].record['inst'].items()}
    return frames, inst


def record(make, file, runs=2, key='one'):
    with Lab(paths) as lab:
        config = {**make(lab), 'simulated': True}
        lab.start({'instruments': {key: config}})
        lab.wait_state(key, 'idle')
        recorder = Recorder(lab, key, file)
        frames, inst = measure(lab, key, runs)
        out = recorder.stop()
        assert ' 0 bytes not recorded' in out, out
        stop = wait_for('the end is audited', lambda: audits(lab, 'capture-stop'))[0]
        assert stop['actor']['auth'] == 'os' and 'stopped' in stop['after'], stop
        lint(lab)
        shown = lab.ctl('capture', '--show', str(file)).stdout
        assert 'SIMULATED' in shown and ' opened' in shown and ' out' in shown and ' in' in shown, shown[:500]
        return frames, inst, config


def play(config, file, runs, link=None, key='one'):
    with Lab(paths) as lab:
        config = {**config, 'link': {'type': 'playback', 'file': str(file), **(link or {})}}
        lab.start({'instruments': {key: config}})
        lab.wait_state(key, 'idle')
        frames, inst = measure(lab, key, runs)
        assert all(f.record['sim'] for f in lab.frames(key))
        assert all('/sim-data/' in f.topic or f.topic.startswith('a1/sim-data/') for f in lab.frames(key))
        lint(lab)
        return frames, inst


def test_the_same_again(make, tmp):
    file = tmp / f'{make.__name__}.cap'
    frames, inst, config = record(make, file)
    assert len(frames) >= 2, len(frames)
    again, who = play(config, file, 2)
    assert who == inst, (who, inst)
    assert len(again) == len(frames), (len(again), len(frames))
    for i, (was, now) in enumerate(zip(frames, again)):
        assert was == now, f'{make.__name__}: frame {i} differs'
    return file, frames, config


def test_a_shared_port(tmp):
    """One recording has all units of a port, and each is played by its own unit id, in any order."""
    file, keys = tmp / 'shared.cap', ['left', 'right']

    def frames(lab, order):
        for key in order:
            done = lab.ctl('run', 'start', key, '--wait', code=None)
            assert ' complete ' in done.stdout, done
        for key in keys:
            lab.wait_frames(key, 4)
        return {key: [cbor2.dumps([f.record['vars'], f.record['raw']]) for f in lab.frames(key)] for key in keys}

    def start(lab, links):
        lab.start({'instruments': {key: {**GAS, 'simulated': True, 'link': link} for key, link in zip(keys, links)}})
        for key in keys:
            lab.wait_state(key, 'idle')

    with Lab(paths) as lab:
        port = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--units', '1,2', '--interval', '0.1', '--tcp', '127.0.0.1:0').port
        link = {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': port}
        start(lab, [{**link, 'unit_id': 1}, {**link, 'unit_id': 2}])
        recorder = Recorder(lab, 'right', file)
        was = frames(lab, ['left', 'right'])
        recorder.stop()
    assert was['left'] != was['right']
    with Lab(paths) as lab:
        link = {'type': 'playback', 'file': str(file)}
        start(lab, [{**link, 'unit_id': 1}, {**link, 'unit_id': 2}])
        now = frames(lab, ['right', 'left'])
        assert now == was, [(k, i) for k in keys for i in range(4) if now[k][i] != was[k][i]]
        assert lab.instrument('left')['pid'] == lab.instrument('right')['pid']


def test_as_usb(file, frames, config):
    """The same dialogue as if it had been recorded over USB: the driver gets that link, and reads it."""
    data = file.read_bytes()
    size = int.from_bytes(data[12:16], 'little')
    head = cbor2.loads(data[16:16 + size])
    body = cbor2.dumps({**head, 'link': 'usb'})
    begin = data[:12] + len(body).to_bytes(4, 'little') + body
    other = file.with_name('usb.cap')
    other.write_bytes(begin + crc32c(0, begin).to_bytes(4, 'little') + data[20 + size:])
    again, _ = play(config, other, 2)
    assert [vars_ for vars_, _ in again] == [vars_ for vars_, _ in frames]


def test_loop_and_pace(file, frames, config):
    """From the beginning again, with the times of the recording."""
    begin = time.monotonic()
    again, _ = play(config, file, 4, {'end': 'loop', 'pace': 'recorded'})
    assert again == frames + frames
    assert time.monotonic() - begin > 0.5


def test_the_end(file, config):
    """After its last request a recording is over, and stays so."""
    with Lab(paths) as lab:
        lab.start({'instruments': {'one': {**config, 'link': {'type': 'playback', 'file': str(file)}}}})
        lab.wait_state('one', 'idle')
        measure(lab, 'one', 2)
        done = lab.ctl('run', 'start', 'one', '--wait', code=1)
        assert 'is over' in done.stdout + done.stderr, done
        lab.wait_state('one', 'fault')
        assert 'is over' in lab.instrument('one')['text']
        starts = lab.instrument('one')['worker_starts']
        assert starts == 1, starts


def test_another_request(file, config):
    """Other settings than recorded: the error has the bytes sent, the bytes recorded, and their first difference."""
    other = {**config, 'settings': {**config['settings'], 'channels': 512}}
    with Lab(paths) as lab:
        lab.start({'instruments': {'one': {**other, 'link': {'type': 'playback', 'file': str(file)}}}})
        lab.wait_state('one', 'fault')
        text = lab.instrument('one')['text']
        assert 'the driver sends' in text and 'differ from byte' in text, text


def test_only_simulated(file, config):
    with Lab(paths) as lab:
        real = {**config, 'simulated': False, 'link': {'type': 'playback', 'file': str(file)}}
        lab.configure({'instruments': {'one': real}})
        done = subprocess.run([paths['assayd'], '--check', '--config', str(lab.config), '--worker', paths['worker'],
                               '--drivers', paths['drivers']], capture_output=True, text=True)
        assert done.returncode == 1 and "'simulated: true'" in done.stdout + done.stderr, done


def test_limits(tmp):
    """By count; one recording of a port at a time; damage is seen; a reader that left is noticed."""
    with Lab(paths) as lab:
        lab.start({'instruments': {'one': {**udp(lab), 'simulated': True, 'acquire': {'mode': 'repeat'}}}})
        lab.wait_frames('one')
        file = tmp / 'counted.cap'
        recorder = Recorder(lab, 'one', file, '--count', '20000')
        busy = lab.ask({'op': 'capture-start', 'instrument': 'one'})
        assert busy['error']['code'] == 'busy', busy
        out = recorder.stop(None)
        assert ' 0 bytes not recorded' not in out, out  # before its start, and after the first part of the connection
        assert 'File exists' in lab.ctl('capture', 'one', '--to', str(file), code=1).stderr
        assert ' bytes of dialogue' in lab.ctl('capture', 'one', '--seconds', '1', '--to', str(tmp / 'timed.cap')).stdout
        assert lab.ctl('capture', 'two', '--to', str(tmp / 'none.cap'), code=1) and not (tmp / 'none.cap').exists()
        data = file.read_bytes()
        for name, bad in (('cut', data[:-7]), ('bent', data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])):
            (tmp / name).write_bytes(bad)
            done = lab.ctl('capture', '--show', str(tmp / name), code=1)
            assert 'damaged or cut off' in done.stderr, done.stderr
        assert lab.ask({'op': 'capture-read', 'id': 99})['error']['code'] == 'not-found'
        id = lab.ask({'op': 'capture-start', 'instrument': 'one'})['id']
        reply = lab.ask({'op': 'capture-read', 'id': id})
        assert reply['data'].startswith(b'ASSAYCAP') and reply['end'] is False
        before = len(lab.frames('one'))
        wait_for('nobody reads it', lambda: [a for a in audits(lab, 'capture-stop') if 'lapsed' in a['after']], 40)
        assert lab.ask({'op': 'capture-read', 'id': id})['error']['code'] == 'not-found'
        assert len(lab.frames('one')) > before + 10, 'measuring goes on'
        assert lab.instrument('one')['worker_starts'] == 1
        again = lab.ask({'op': 'capture-start', 'instrument': 'one'})
        assert again['ok'], again


def test_a_crash(tmp):
    """The recording goes on with the next worker, and its records stay whole."""
    file = tmp / 'crash.cap'
    with Lab(paths) as lab:
        lab.start({'instruments': {'one': {**udp(lab), 'simulated': True, 'acquire': {'mode': 'repeat'}}}})
        lab.wait_frames('one')
        recorder = Recorder(lab, 'one', file)
        for starts in (2, 3):
            frames = len(lab.frames('one'))
            lab.wait_frames('one', frames + 1)
            os.kill(lab.instrument('one')['pid'], signal.SIGKILL)
            wait_for('the next worker', lambda: lab.instrument('one')['worker_starts'] == starts)
            lab.wait_frames('one', frames + 2)
        recorder.stop()
        shown = lab.ctl('capture', '--show', str(file)).stdout.splitlines()
        events = [line.split()[1] for line in shown if line.split()[1:2] in (['opened'], ['lost'], ['end'])]
        assert events == ['opened', 'lost', 'opened', 'lost', 'opened', 'end'], events
        assert any('crashed' in line for line in shown)


def test_reload(tmp):
    """A recording ends in good order when the configuration of its instrument changes."""
    file = tmp / 'reload.cap'
    with Lab(paths) as lab:
        config = {**udp(lab), 'simulated': True}
        lab.start({'instruments': {'one': config}})
        lab.wait_state('one', 'idle')
        recorder = Recorder(lab, 'one', file)
        lab.configure({'instruments': {'one': {**config, 'settings': {'channels': 512}}}})
        lab.ctl('reload')
        recorder.stop(None)
        assert 'configuration changed' in lab.ctl('capture', '--show', str(file)).stdout


def test_playback(tmp):
    for make in (serial_xrf, serial_ms, tcp_ms, modbus_tcp, modbus_rtu):
        test_the_same_again(make, tmp)
    file, frames, config = test_the_same_again(udp, tmp)
    test_loop_and_pace(file, frames, config)
    test_a_shared_port(tmp)
    test_as_usb(file, frames, config)
    test_the_end(file, config)
    test_another_request(file, config)
    test_only_simulated(file, config)


def test_recording(tmp):
    test_limits(tmp)
    test_a_crash(tmp)
    test_reload(tmp)


with Lab(paths) as place:
    {'playback': test_playback, 'recording': test_recording}[paths['part']](place.dir)
print('ok')
