# SPDX-License-Identifier: Apache-2.0
"""libassay against the real daemon: a consumer gets the published entries when any process is killed."""

import hashlib
import json
import signal
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402
from replay_peer import Replay  # noqa: E402

paths = paths_from(sys.argv[2:])
PREFIX = 'a1/sim-data/'
consumers = []


class Consumer:
    """The program consume, its output in a file."""

    def __init__(self, lab, name, *args):
        self.file = lab.dir / f'{name}.out'
        self.log = open(lab.dir / f'{name}.log', 'a')
        self.args = [paths['consume'], '--dir', str(lab.dir / 'run'), '--simulated', *args]
        self.process = None
        consumers.append(self)

    def start(self, output=None):
        self.process = subprocess.Popen(self.args, stdout=output, stderr=self.log)
        return self

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(20)
        if number == signal.SIGTERM and code != 0:
            raise Failure(f'consume ended with {code}: {open(self.log.name).read()}')

    def lines(self):
        text = self.file.read_text() if self.file.exists() else ''
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith('\n')]


def published(lab):
    return [e for e in lab.subscriber.all() if e.topic.startswith(PREFIX)]


def stored(lab):
    """The entries of the journal, which are more than a subscriber of the test happened to receive."""
    peer = Replay(f'ipc://{lab.dir}/run/replay')
    welcome = peer.get(op='hello', proto=1)
    entries, gaps = peer.fetch(journal=welcome['journal'], prefix=PREFIX, to=welcome['head'])
    peer.close()
    assert not gaps
    return {(e.journal.hex(), e.topic, e.seq): e for e in entries}


def compare(entries, lines):
    """Once each, in order per topic, byte for byte, and all of it."""
    seen, last = {}, {}
    for line in lines:
        place = line['journal'], line['topic'], line['seq']
        if place in seen:
            raise Failure(f'twice: {place}')
        if line['seq'] <= last.get(place[:2], 0):
            raise Failure(f'out of order: {place}')
        seen[place], last[place[:2]] = line['sha256'], line['seq']
    wanted = {place: hashlib.sha256(e.bytes).hexdigest() for place, e in entries.items()}
    if missing := sorted(set(wanted) - set(seen))[:5]:
        raise Failure(f'missing: {missing}')
    for place in set(wanted) & set(seen):
        assert seen[place] == wanted[place], f'other bytes: {place}'


def has_all(places, consumer):
    return set(places) <= {(line['journal'], line['topic'], line['seq']) for line in consumer.lines()}


def test_entries(lab):
    """Kills of both sides; the output is the position."""
    out = lab.dir / 'entries.out'
    consumer = Consumer(lab, 'entries', '--from-output', str(out), '--hwm', '10').start()
    for kill in range(3):
        wait_for('the consumer gets something', lambda: len(consumer.lines()) > 20 * (kill + 1))
        consumer.end(signal.SIGKILL)
        before = len(published(lab))
        wait_for('more is published meanwhile', lambda: len(published(lab)) > before + 20)
        if kill == 0:
            with open(out, 'ab') as file:
                file.write(b'{"journal":"torn')
        consumer.start()
    lab.kill()
    lab.start()
    before = len(published(lab))
    wait_for('the daemon goes on', lambda: len(published(lab)) > before + 20, 60)
    wanted = stored(lab)
    wait_for('the consumer has everything', lambda: has_all(wanted, consumer), 60)
    consumer.end()
    compare(wanted, consumer.lines())


def test_cursor(lab):
    """The daemon keeps the position: acknowledged items do not come again."""
    first = Consumer(lab, 'cursor', '--cursor', 'lims', '--count', '30')
    with open(first.file, 'ab') as file:
        first.start(file)
        assert first.process.wait(30) == 0
        first.start(file)
        assert first.process.wait(30) == 0
    lines = first.lines()
    assert len(lines) == 60, len(lines)
    assert len({(line['topic'], line['seq']) for line in lines}) == 60, 'acknowledged, and given again'


def test_runs(lab):
    """Whole runs, with all that was published of them."""
    out = lab.dir / 'runs.out'
    consumer = Consumer(lab, 'runs', '--from-output', str(out), '--runs').start()
    wait_for('some runs', lambda: len(consumer.lines()) >= 3)
    consumer.end(signal.SIGKILL)
    before = len(consumer.lines())
    consumer.start()
    wait_for('it goes on with runs', lambda: len(consumer.lines()) > before)
    ends = [e for e in published(lab) if e.type == 'run-end']
    wait_for('all runs', lambda: {e.seq for e in ends} <= {line['seqs'][-1] for line in consumer.lines()})
    consumer.end()
    everything = stored(lab)
    runs = consumer.lines()
    assert len(runs) == len({line['run'] for line in runs}), 'a run came twice'
    for line in runs:
        entries = [everything[line['journal'], line['topic'], seq] for seq in line['seqs']]
        hashes = b''.join(hashlib.sha256(e.bytes).digest() for e in entries)
        assert hashlib.sha256(hashes).hexdigest() == line['sha256'], line
        assert entries[0].type == 'run-start' and entries[0].record['number'] == line['run'], line
        assert entries[-1].type == 'run-end' and entries[-1].record['status'] == line['status'], line
        assert entries[-1].record['frames'] == line['frames'], line


def test_real_only(lab):
    """Only consumers that request simulated data get it."""
    args = [paths['consume'], '--dir', str(lab.dir / 'run'), '--topic', 'a1/', '--count', '3']
    done = subprocess.run(args, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    topics = {json.loads(line)['topic'] for line in done.stdout.splitlines()}
    assert topics and not any(topic.startswith('a1/sim-') for topic in topics), topics
    refused = subprocess.run([*args[:3], '--topic', PREFIX], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1 and 'Invalid' in refused.stderr, refused


with Lab(paths) as lab:
    config = {'instruments': instruments(lab, start_sims(lab), xrf='repeat')}
    config['instruments']['gas-1']['acquire']['every'] = '50ms'
    config['instruments']['gas-1']['acquire']['new_run'] = '2s'
    lab.start(config)
    try:
        test_entries(lab)
        test_cursor(lab)
        test_runs(lab)
        test_real_only(lab)
    finally:
        for consumer in consumers:
            if consumer.process is not None and consumer.process.poll() is None:
                consumer.process.kill()
                consumer.process.wait()
