# SPDX-License-Identifier: Apache-2.0
"""Metrics of a real daemon: Prometheus' own parser reads them, and the numbers are those of the records."""

import atexit
import collections
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, sys.argv[1])
import main_job  # noqa: E402
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
HOSTILE = 'CAL "7" \\ µ, {x="y"} # 1'


class Metrics:
    def __init__(self, lab):
        self.lab = lab
        self.log = open(lab.dir / 'metrics.log', 'w')
        self.process = subprocess.Popen([paths['metrics'], '--dir', str(lab.dir / 'run'), '--port', '0'],
                                        stderr=self.log)
        atexit.register(self.process.kill)
        text = wait_for('it listens', lambda: 'http://' in (lab.dir / 'metrics.log').read_text()
                        and (lab.dir / 'metrics.log').read_text())
        self.port = int(text.split('127.0.0.1:')[1].split('/')[0])

    def get(self, path='/metrics', seconds=5):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}{path}', timeout=seconds) as reply:
            assert reply.headers['Content-Type'].startswith('text/plain; version=0.0.4'), reply.headers
            return reply.read().decode()

    def samples(self):
        return parse(self.get())


def parse(text):
    """{(name, labels): value}; no sample is there twice, and each has its help and type."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ('gauge', 'counter'), family
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found


def value(samples, name, **labels):
    return samples.get((name, frozenset(labels.items())))


def slow(port, count):
    """Connections that send a byte a second, and never a whole request."""
    peers = []
    for _ in range(count):
        peer = socket.create_connection(('127.0.0.1', port), 5)
        peer.send(b'GET /metrics HTTP/1.1\r\nX: ')
        peers.append(peer)
    return peers


def count_records(lab):
    runs, frames = collections.Counter(), collections.Counter()
    words = {1: 'good', 2: 'unchecked', 3: 'suspect', 4: 'bad', 9: 'missing'}
    for e in lab.entries('gas-1'):
        if e.type == 'run-end':
            runs[e.record['status']] += 1
        elif e.type == 'frame':
            frames[words[e.record['q']['flag']]] += 1
    return runs, frames


def difference(lab, metrics, before):
    """Records of gas-1 since `before`, a pair of counters, that are published and not counted, or the reverse."""
    runs, frames = count_records(lab)
    samples = metrics.samples()
    counted = {('runs', s): value(samples, 'assay_runs_total', instrument='gas-1', status=s) or 0
               for s in ('complete', 'stopped', 'aborted', 'lost-device', 'interrupted', 'failed')}
    counted |= {('frames', q): value(samples, 'assay_frames_total', instrument='gas-1', quality=q) or 0
                for q in ('good', 'unchecked', 'suspect', 'bad', 'missing')}
    published = {('runs', s): n for s, n in runs.items()} | {('frames', q): n for q, n in frames.items()}
    return {key: counted[key] - published.get(key, 0) - before.get(key, 0) for key in counted}


def set_maintenance(lab, on):
    lab.ask({'op': 'maintenance', 'instrument': 'gas-1', 'on': on})
    lab.wait_state('gas-1', 'maintenance' if on else 'busy')


with Lab(paths) as lab:
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    gas = main_job.instruments(lab, {'xrf-1': sim, 'gas-1': sim})['gas-1']
    gas['calibration'] = {'id': HOSTILE, 'until': '2099-01-01'}
    gas['acquire']['new_run'] = '1 s'
    (lab.dir / 'run').mkdir()
    metrics = Metrics(lab)

    # Without a daemon there is a page, too.
    assert value(metrics.samples(), 'assay_up') == 0
    lab.start({'instruments': {'gas-1': gas}})
    lab.wait_frames('gas-1', 5)
    wait_for('it is up', lambda: value(metrics.samples(), 'assay_up') == 1)
    samples = metrics.samples()
    assert value(samples, 'assay_instruments', state='busy') == 1, samples
    assert value(samples, 'assay_instrument_working', instrument='gas-1') == 1
    assert value(samples, 'assay_instrument_frames_total', instrument='gas-1') > 0
    assert abs(value(samples, 'assay_instrument_last_frame_timestamp_seconds', instrument='gas-1') - time.time()) < 60
    assert value(samples, 'assay_journal_free_bytes') > 1e6
    assert value(samples, 'assay_calibration_end_timestamp_seconds', instrument='gas-1', method='', step='',
                 calibration=HOSTILE) == 4070995200, [k for k in samples if 'calibration' in k[0]]
    once = subprocess.run([paths['metrics'], '--dir', str(lab.dir / 'run'), '--once'], capture_output=True, text=True,
                          timeout=20, check=True)
    assert value(parse(once.stdout), 'assay_up') == 1

    # Every record that is published from here on is counted.
    wait_for('frames are counted', lambda: any(n for (name, _), n in metrics.samples().items()
                                               if name == 'assay_frames_total'))
    set_maintenance(lab, True)
    wait_for('the last run is counted', lambda: count_records(lab)[0]['stopped'] == 1
             and difference(lab, metrics, {})[('runs', 'stopped')] == 0)
    before = difference(lab, metrics, {})
    set_maintenance(lab, False)
    sim.fault('disconnect=1s')
    lab.wait_state('gas-1', 'fault')
    lab.wait_state('gas-1', 'busy')
    lab.wait_frames('gas-1', len(lab.frames('gas-1')) + 5)
    set_maintenance(lab, True)
    wait_for('the run-ends are published', lambda: count_records(lab)[0]['stopped'] == 2)
    assert count_records(lab)[0]['lost-device'] == 1
    wait_for('all records are counted', lambda: not any(difference(lab, metrics, before).values()))

    for path, method, code in (('/', 'GET', 404), ('/metrics/../etc', 'GET', 404), ('/metrics', 'POST', 405)):
        try:
            urllib.request.urlopen(urllib.request.Request(
                f'http://127.0.0.1:{metrics.port}{path}', method=method), timeout=5)
            raise Failure(f'{method} {path} was answered')
        except urllib.error.HTTPError as error:
            assert error.code == code, (path, error.code)

    # All connections are taken by peers that are slow; the page is there again within seconds.
    peers, began = slow(metrics.port, 20), time.monotonic()

    def answered():
        for peer in peers:
            try:
                peer.send(b'x')
            except OSError:
                pass
        try:
            return metrics.get(seconds=0.5)
        except OSError:
            return None
    wait_for('the page, in spite of slow peers', answered, 20)
    took = time.monotonic() - began
    assert took < 10, took
    lab.kill()
    wait_for('it is down', lambda: value(metrics.samples(), 'assay_up') == 0)
    for peer in peers:
        peer.close()
    lab.start()
    wait_for('it is up again', lambda: value(metrics.samples(), 'assay_up') == 1)
    metrics.process.terminate()
    assert metrics.process.wait(10) == 0
