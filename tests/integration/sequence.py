# SPDX-License-Identifier: Apache-2.0
"""An instrument that starts its own measurements: armed, its sample ids, the span and the gaps of its frames."""

import pathlib
import socket
import sys
import threading

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])


class Autosampler:
    """Sends what the test wants on every connection; the daemon makes one per instrument."""

    def __init__(self):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.connection = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            self.connection, _ = self.server.accept()

    def send(self, *lines):
        self.connection.sendall(''.join(line + '\n' for line in lines).encode())


def config(port, mode, **more):
    return {'driver': 'sequence', 'simulated': True, 'link': {'type': 'tcp', 'host': '127.0.0.1', 'port': port},
            'acquire': {'mode': mode, **more}}


def add_driver(lab):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    for module in pathlib.Path(paths['drivers']).glob('*.so'):
        (folder / module.name).symlink_to(module)
    (folder / 'sequence.so').symlink_to(paths['sequence'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def run_of(lab, key, n):
    """run-start, frames and run-end of the instrument's run number n, from 0."""
    end = lab.wait_entries(key, 'run-end', n + 1)[n].record
    start = lab.entries(key, 'run-start')[n].record
    assert start['run'] == end['run'], (start, end)
    return start, [f.record for f in lab.frames(key) if f.record['run'] == start['run']], end


def test_each_measurement_is_a_run(lab, sampler):
    lab.wait_state('auto', 'armed')
    assert not lab.entries('auto', 'run-start')
    sampler.send('x', 'R CCL-2026-00001', 'D 50 0', 'D 40 10', 'E')
    start, frames, end = run_of(lab, 'auto', 0)
    assert start['sample'] == {'id': 'CCL-2026-00001', 'entered': 'instrument'}, start['sample']
    assert end['status'] == 'complete' and end['frames'] == 2, end
    whole, short = frames
    assert whole['span'] == short['span'] == 500_000_000, frames
    assert 'gaps' not in whole and whole['q']['flag'] == 2, whole
    assert short['gaps'] == [{'at': 2, 'n': 10}], short
    assert short['q']['flag'] == 3 and 'driver-overrun' in short['q']['why'], short['q']
    assert start['t']['mono'] <= whole['t']['mono'], (start['t'], whole['t'])
    sampler.send('R ', 'D 10 0', 'E', 'R CCL-2026-00002', 'D 10 0', 'E')  # the next one begins before the end of one
    assert run_of(lab, 'auto', 1)[0]['sample'] == {'id': 'none'}
    assert run_of(lab, 'auto', 2)[0]['sample']['id'] == 'CCL-2026-00002'
    sampler.send('R CCL-\x1b[31m', 'D 10 0', 'E')
    start, frames, _ = run_of(lab, 'auto', 3)
    assert start['sample'] == {'id': 'none'} and start['x-sample'] == 'CCL-\\x1b[31m', start
    assert [(f['q']['flag'], 'sample-mismatch' in f['q']['why']) for f in frames] == [(3, True)], frames
    sampler.send('R CCL-3', 'D 10 0', 'E')  # not of the site's pattern
    start, frames, _ = run_of(lab, 'auto', 4)
    assert start['sample'] == {'id': 'none'} and start['x-sample'] == 'CCL-3', start
    assert 'sample-mismatch' in frames[0]['q']['why'], frames


def test_a_request_is_compared(lab, sampler):
    def request():
        lab.wait_state('asked', 'idle')
        done = threading.Thread(target=lambda: replies.append(lab.ask(
            {'op': 'run-start', 'instrument': 'asked', 'sample': 'CCL-2026-00007'}, seconds=30)))
        done.start()
        lab.wait_state('asked', 'armed')
        return done

    replies = []
    done = request()
    sampler.send('R CCL-2026-00008', 'D 10 0', 'E')
    done.join()
    start, frames, _ = run_of(lab, 'asked', 0)
    assert replies[-1]['ok'] and start['sample']['id'] == 'CCL-2026-00007', (replies, start)
    assert start['x-sample'] == 'CCL-2026-00008' and 'sample-mismatch' in frames[0]['q']['why'], (start, frames)
    done = request()
    sampler.send('R CCL-2026-00007', 'D 10 0', 'E')
    done.join()
    start, frames, _ = run_of(lab, 'asked', 1)
    assert 'x-sample' not in start and 'sample-mismatch' not in frames[0]['q'].get('why', []), (start, frames)
    for op in 'run-stop', 'run-abort':
        done = request()
        assert lab.ask({'op': op, 'instrument': 'asked'})['ok']
        done.join()
        assert not replies[-1]['ok'] and replies[-1]['error']['code'] == 'not-started', replies
    assert len(lab.entries('asked', 'run-start')) == 2
    lab.wait_state('asked', 'idle')


def test_one_run_of_many(lab, sampler):
    """Continuous: one run; a measurement of another sample is flagged."""
    lab.wait_state('long', 'armed')
    sampler.send('R CCL-2026-00001', 'D 10 0', 'E', 'R CCL-2026-00001', 'D 10 0', 'E', 'R CCL-2026-00002', 'D 10 0', 'E')
    frames = lab.wait_frames('long', 3)
    assert len(lab.entries('long', 'run-start')) == 1
    assert ['sample-mismatch' in f.record['q'].get('why', []) for f in frames] == [False, False, True], frames


with Lab(paths) as lab:
    add_driver(lab)
    samplers = {key: Autosampler() for key in ('auto', 'asked', 'long')}
    lab.start({'laboratory': {'sample_id': {'pattern': '^CCL-[0-9]{4}-[0-9]{5}$', 'example': 'CCL-2026-00451'}},
               'instruments': {'auto': config(samplers['auto'].port, 'repeat'),
                               'asked': config(samplers['asked'].port, 'on-demand'),
                               'long': config(samplers['long'].port, 'continuous', new_run='1h')}})
    test_each_measurement_is_a_run(lab, samplers['auto'])
    test_a_request_is_compared(lab, samplers['asked'])
    test_one_run_of_many(lab, samplers['long'])
    print(lint(lab))
