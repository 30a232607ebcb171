# SPDX-License-Identifier: Apache-2.0
"""assayctl replay and cursor against the real daemon."""

import json
import signal
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, paths_from, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

paths = paths_from(sys.argv[2:])


def replay(lab, *args):
    return [json.loads(line) for line in lab.ctl('replay', '--json', '--simulated', *args).stdout.splitlines()]


def test_everything(lab):
    """All that was published is there, once, in the order of each topic, as JSON."""
    published = {e.seq: e for e in lab.subscriber.all() if e.topic.startswith('a1/sim-data/')}
    entries = replay(lab)
    seqs = [entry['seq'] for entry in entries]
    assert len(set(seqs)) == len(seqs) and set(published) <= set(seqs), seqs
    for topic in {entry['topic'] for entry in entries}:
        one = [entry['seq'] for entry in entries if entry['topic'] == topic]
        assert one == sorted(one), (topic, one)
    for entry in entries:
        if entry['seq'] in published:
            assert entry['record']['type'] == published[entry['seq']].type, entry
    assert not lab.ctl('replay', '--json').stdout, 'simulated data come only when asked for'


def test_where_to_begin(lab):
    whole = replay(lab)
    middle = whole[len(whole) // 2]
    assert replay(lab, '--from', str(middle['seq']))[0] == middle
    assert replay(lab, '--from', '2001-01-01')[:5] == whole[:5]
    assert replay(lab, '--since', '1 h')[:5] == whole[:5]
    assert replay(lab, '--from', '2099-01-01') == []
    one = replay(lab, '--instrument', 'gas-1')
    assert one and {entry['record']['inst']['key'] for entry in one} == {'gas-1'}
    narrow = replay(lab, '--topic', 'a1/sim-data/ms/')
    assert narrow and {entry['topic'].split('/')[2] for entry in narrow} == {'ms'}
    assert 'run-start' in lab.ctl('replay', '--simulated').stdout
    assert 'expected a seq' in lab.ctl('replay', '--from', 'yesterday', code=2).stderr
    assert '--simulated' in lab.ctl('replay', '--topic', 'a1/sim-data/', code=2).stderr


def test_follow(lab):
    """With --follow it goes on, a signal ends it; a cursor goes on where the last one ended."""
    args = [paths['assayctl'], '--dir', str(lab.dir / 'run'), 'replay', '--json', '--simulated', '--follow',
            '--cursor', 'excel']
    seen = []
    for turn in range(2):
        process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        head = lab.ask({'op': 'status'})['journal']['head']
        for line in process.stdout:
            seen.append(json.loads(line))
            if seen[-1]['seq'] > head:
                break
        process.send_signal(signal.SIGINT)
        seen += [json.loads(line) for line in process.stdout]
        assert process.wait(20) == 0, process.returncode
        process.stdout.close()
    stored = replay(lab)
    for topic in {entry['topic'] for entry in seen}:
        seqs = [entry['seq'] for entry in seen if entry['topic'] == topic]
        wanted = [entry['seq'] for entry in stored if entry['topic'] == topic and entry['seq'] <= seqs[-1]]
        assert seqs == wanted, 'acknowledged and given again, or left out'


def test_slow_reader(lab):
    """The cursor moves while there is backlog, so that a kill repeats a second of it, not all."""
    args = [paths['assayctl'], '--dir', str(lab.dir / 'run'), 'replay', '--json', '--simulated', '--follow', '--cursor', 'slow']
    head = lab.ask({'op': 'status'})['journal']['head']
    process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
    at = []
    for line in process.stdout:
        assert json.loads(line)['seq'] < head, 'the cursor stands still until the end of the backlog'
        done = lab.ctl('--json', 'cursor', 'show', 'slow', code=None)       # takes its time: this is the slow reader
        at = [mark['seq'] for mark in json.loads(done.stdout)['at'] if mark['seq'] > 0] if done.returncode == 0 else []
        if at:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    assert at, 'there is no position'
    lab.ctl('cursor', 'forget', 'slow')


def test_cursor(lab):
    assert 'excel' in lab.ctl('cursor', 'list').stdout
    marks = lab.ctl('cursor', 'show', 'excel').stdout
    assert 'a1/sim-data/' in marks, marks
    shown = json.loads(lab.ctl('--json', 'cursor', 'show', 'excel').stdout)
    assert shown['name'] == 'excel' and shown['at'], shown
    lab.ctl('cursor', 'forget', 'excel')
    assert 'excel' not in lab.ctl('cursor', 'list').stdout
    assert 'no cursor' in lab.ctl('cursor', 'show', 'excel', code=1).stderr


with Lab(paths) as lab:
    config = {'instruments': instruments(lab, start_sims(lab), xrf='repeat')}
    lab.start(config)
    for key in config['instruments']:
        lab.wait_frames(key, 5)
    wait_for('a second run', lambda: len(lab.entries('xrf-1', 'run-start')) > 2)
    test_everything(lab)
    test_where_to_begin(lab)
    test_follow(lab)
    test_slow_reader(lab)
    test_cursor(lab)
