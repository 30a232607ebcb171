# SPDX-License-Identifier: Apache-2.0
"""The duties of every client library: the same scenarios for each language.

    behaviour.py LAB NAME=PATH... language=NAME command=PROGRAM[:ARGUMENT] [features=runs,...] [only=SCENARIO,...] [remote=yes]

The programs are the small consumers that tests/lab/consumers.py describes. Their output is compared with
the journal's own files.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time

import zmq

sys.path.insert(0, sys.argv[1])
from consumers import Consumer, Failure, Truth, check_order  # noqa: E402
from keys import Keys  # noqa: E402
from lab import Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
COMMAND = paths['command'].split(':')
FEATURES = [*paths.get('features', '').split(','), *(['remote'] if 'remote' in paths else [])]
ENV = {'NODE_PATH': paths['modules']} if 'modules' in paths else {}


def generator(frames, **more):
    return {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
            'settings': {'frame_bytes': 256, 'frames': frames}, **more}


INSTRUMENTS = {'gen-1': generator(300), 'gen-2': generator(200), 'many-1': generator(20000), 'slow-1': generator(0, acquire={'mode': 'on-demand', 'every': '1ms'}),
               'large-1': generator(40, settings={'frame_bytes': 4 << 20, 'frames': 40}),
               'train-1': generator(50, simulated=True)}
CONFIG = {'journal': {'segment': '64 KiB', 'reserve': '1 MiB'}, 'instruments': INSTRUMENTS}


def start(lab):
    lab.start(CONFIG)
    for key in INSTRUMENTS:
        lab.wait_state(key, 'idle')


def begin(lab, key):
    reply = lab.ask({'op': 'run-start', 'instrument': key})
    if not reply['ok']:
        raise Failure(f'{key}: {reply}')
    return reply['number']


def measure(lab, *keys):
    """A whole run of each of these instruments, at the same time."""
    numbers = [begin(lab, key) for key in keys]
    for number in numbers:
        wait_for(f'{number} is published', lambda: is_published(lab, number))
    return numbers


def is_published(lab, number):
    run = lab.ask({'op': 'run-show', 'number': number})['run']
    heads, journal = lab.subscriber.heads, lab.ask({'op': 'status'})['journal']['id']
    return 'last' in run and heads and heads[-1]['journal'] == journal and heads[-1]['head'] >= run['last']


def wait_frames(lab, count):
    """Until so many more entries were published."""
    seen = len(lab.subscriber.raw())
    wait_for(f'{count} frames', lambda: len(lab.subscriber.raw()) >= seen + count)


class Trial:
    """One scenario: a laboratory of its own, its journal and its consumers."""

    def __init__(self):
        self.lab, self.consumers = Lab(paths), []
        self.truth = Truth(self.lab.dir / 'state')
        self.env = ENV
        if 'remote' in paths:
            self.keys = Keys(self.lab)
            self.keys.make('consumer', 'read', 'replay')
            self.lab.sockets, self.env = self.keys.sockets, {**ENV, **self.keys.environment('consumer')}

    def __enter__(self):
        self.lab.__enter__()
        return self

    def __exit__(self, *exc):
        for consumer in self.consumers:
            consumer.close()
        self.lab.__exit__(*exc)

    def consumer(self, name='consumer', **more):
        self.consumers.append(Consumer(self.lab, COMMAND, name, env=self.env, **more))
        return self.consumers[-1]

    def check_all(self, consumer, seconds=60):
        consumer.wait_all(self.truth, seconds)
        return consumer.check(self.truth)


def test_live_and_catching_up(trial):
    """From nothing, then live; a consumer that comes later gets the same."""
    lab = trial.lab
    start(lab)
    early = trial.consumer('early').start()
    measure(lab, 'gen-1', 'gen-2')
    trial.check_all(early)
    late = trial.consumer('late').start()
    trial.check_all(late)
    measure(lab, 'gen-1', 'gen-2')
    count, gaps = trial.check_all(early)
    assert trial.check_all(late) == (count, gaps) and count == 1008 and not gaps, (count, gaps)
    early.stop()
    late.stop()


def test_before_the_daemon(trial):
    """A consumer that runs before the daemon does is served once it comes."""
    lab = trial.lab
    lab.configure(CONFIG)
    consumer = trial.consumer().start()
    start(lab)
    measure(lab, 'gen-1')
    assert trial.check_all(consumer) == (302, [])


def test_restart_from_the_output(trial):
    """Ended, killed at any time, with a torn last line: nothing twice, nothing missing."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer()
    for i in range(4):
        consumer.take_in()
        before = consumer.items
        consumer.start('--hwm', '10')
        measure(lab, 'gen-2')
        wait_for('some of it', lambda: consumer.take_in() and consumer.items > before + 20)
        consumer.stop() if i % 2 else consumer.kill()
        with open(consumer.output, 'ab') as file:
            file.write(b'{"journal": "torn')
        measure(lab, 'gen-1')
    consumer.start()
    count, gaps = trial.check_all(consumer)
    assert count == 4 * 504 and not gaps, (count, gaps)


def test_cursor_of_the_daemon(trial):
    """It goes on where it had acknowledged, also in a new life of the daemon."""
    lab = trial.lab
    start(lab)
    measure(lab, 'gen-1', 'gen-2')
    consumer = trial.consumer(cursor='lims').start('--count', '123')
    consumer.wait_end()
    assert len(consumer.lines()) == 123
    lab.stop()
    start(lab)
    consumer.start()
    consumer.wait_all(trial.truth)
    consumer.stop()
    measure(lab, 'gen-2')
    consumer.start()
    assert trial.check_all(consumer) == (706, [])
    consumer.stop()


def test_one_consumer_per_cursor(trial):
    """A second one is refused and told who has the cursor; after a kill the next one goes on at once."""
    lab = trial.lab
    start(lab)
    measure(lab, 'gen-1')
    first = trial.consumer(cursor='lims').start()
    first.wait_all(trial.truth)
    second = trial.consumer('second', cursor='lims').start()
    assert second.process.wait(20) != 0
    assert 'in use by another program' in second.said() and f'process {first.process.pid}, since' in second.said(), second.said()
    first.stop()
    measure(lab, 'gen-2')
    first.start()
    first.wait_all(trial.truth)
    measure(lab, 'gen-2')
    trial.check_all(first)
    first.kill()
    began = time.monotonic()
    first.start()
    measure(lab, 'gen-1')
    first.wait_all(trial.truth)
    assert time.monotonic() - began < 30, 'it waited for the silence of a dead program'
    first.stop()
    assert second.lines() == []


def test_exceptions_in_feeds(trial):
    """A loop that is left by an exception did not process its item: the next loop over the same feed has it again."""
    lab = trial.lab
    start(lab)
    measure(lab, 'gen-1')
    consumer = trial.consumer().start('--fail', '13')
    measure(lab, 'gen-2')
    assert trial.check_all(consumer) == (504, [])
    consumer.stop()
    named = trial.consumer('named', cursor='lims').start('--fail', '7')
    named.wait_all(trial.truth)
    assert trial.check_all(named) == (504, [])
    named.stop()


def test_long_paths_in_feeds(trial):
    """A path that the system would cut is rejected with the limit."""
    for length in 108, 109:
        folder = '/' + 'd' * (length - len('//replay'))
        done = subprocess.run([*COMMAND, '--dir', folder], env={**os.environ, **ENV}, capture_output=True, text=True, timeout=60)
        reason = f'{folder}/replay: the path of a socket has at most 107 bytes, this one {length}'
        assert done.returncode == 1 and reason in done.stderr, done


def test_dropped_on_the_way(trial):
    """A receive queue of 10 and a burst longer than the daemon's queue, while the consumer sleeps."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer().start('--hwm', '10')
    bare = zmq.Context.instance().socket(zmq.SUB)
    bare.rcvhwm = 10
    bare.subscribe('a1/data/')
    bare.connect(lab.live)
    measure(lab, 'gen-2')
    trial.check_all(consumer)
    consumer.process.send_signal(signal.SIGSTOP)
    measure(lab, 'many-1')
    consumer.process.send_signal(signal.SIGCONT)
    assert trial.check_all(consumer) == (20204, [])
    received = 0
    while bare.poll(200):
        bare.recv_multipart()
        received += 1
    bare.close(linger=0)
    assert 0 < received < 20202, f'{received} messages: nothing was dropped, so nothing was tried'


def test_beside_stopped_subscribers(trial):
    """Subscribers that do not read hold a bounded part of the daemon's memory; the consumer gets everything."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer().start()
    measure(lab, 'gen-2')
    trial.check_all(consumer)
    stopped = [zmq.Context.instance().socket(zmq.SUB) for _ in range(5)]
    before = memory(lab)
    for i in range(2):
        for bare in stopped:
            bare.rcvhwm = 1
            bare.subscribe('a1/')
            bare.connect(lab.live)
        measure(lab, 'large-1')
        trial.check_all(consumer)
    queue, after = lab.ask({'op': 'status'})['live_queue'], memory(lab)
    assert queue['full'] and queue['skipped'] > 10 and queue['bytes'] <= 64 << 20, queue
    assert after < before + (128 << 10), f'{before} to {after} KiB'
    for bare in stopped:
        bare.close(linger=0)
    wait_for('what waited is gone', lambda: lab.ask({'op': 'status'})['live_queue']['bytes'] < 1 << 20)
    measure(lab, 'gen-2')
    assert trial.check_all(consumer) == (2 * 202 + 2 * 42, [])
    assert lab.ask({'op': 'status'})['live_queue'] | {'bytes': 0} == queue | {'bytes': 0, 'full': False}
    log = (lab.dir / 'assayd.log').read_text()
    assert log.count('read too slowly') == 1 and log.count('published on the live socket again') == 1, log


def memory(lab):
    """Of the daemon, in KiB."""
    with open(f'/proc/{lab.daemon.pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))


def test_kill_of_the_core(trial):
    """kill -9 in the middle of a run; the consumer goes on with the next daemon."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer().start('--hwm', '10')
    for i in range(3):
        begin(lab, 'slow-1')
        wait_frames(lab, 300 * (i + 1))
        lab.kill()
        start(lab)
        measure(lab, 'gen-2')
    trial.check_all(consumer)


def test_damage(trial):
    """Unreadable entries are reported as one gap per topic, once, also after a restart."""
    lab = trial.lab
    start(lab)
    measure(lab, 'gen-1')
    measure(lab, 'gen-2')
    measure(lab, 'gen-1')
    lab.stop()
    trial.truth.damage(trial.truth.closed()[1], 4)
    lab.is_damaged = True
    start(lab)
    consumer = trial.consumer().start()
    count, gaps = trial.check_all(consumer)
    assert len(gaps) == 1 and gaps[0]['why'] == 'damaged' and count == 800 + 6 - 4, (count, gaps)
    consumer.kill()
    consumer.start()
    measure(lab, 'gen-2')
    assert trial.check_all(consumer) == (count + 202, gaps)


def test_pruning(trial):
    """A file that was removed while the consumer was away is one gap on each topic that was in it."""
    lab = trial.lab
    start(lab)
    measure(lab, 'gen-1')
    consumer = trial.consumer().start()
    trial.check_all(consumer)
    consumer.stop()
    measure(lab, 'gen-2', 'gen-1')
    known = consumer.take_in().values()
    file = next(f for f in trial.truth.update().closed() if min(s for _, s in trial.truth.seqs(f)) > max(known))
    trial.truth.prune(file)
    lab.is_damaged = True
    consumer.start()
    count, gaps = trial.check_all(consumer)
    assert gaps and all(g['why'] == 'pruned' for g in gaps) and len({g['topic'] for g in gaps}) == len(gaps), gaps
    consumer.kill()
    consumer.start()
    measure(lab, 'gen-2')
    assert trial.check_all(consumer) == (count + 202, gaps)


def test_new_journal(trial):
    """The old journal first, to its end, then the new one; also when both changed while it was away."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer().start()
    measure(lab, 'gen-1')
    wait_for('half of it', lambda: consumer.take_in() and consumer.items > 100)
    for is_away in (False, True):
        if is_away:
            consumer.kill()
            measure(lab, 'gen-2')
        lab.stop()
        trial.truth.update()
        (lab.dir / 'state/current').unlink()      # as after a restore of an incomplete copy
        start(lab)
        measure(lab, 'gen-1')
        if is_away:
            consumer.start()
        trial.check_all(consumer)
    late = trial.consumer('late').start()
    assert trial.check_all(late) == trial.check_all(consumer) == (3 * 302 + 202, [])
    assert len(trial.truth.journals) == 3


def test_journal_that_is_gone(trial):
    """The consumer's position no longer exists: it reports that once, and starts with the entries that are there."""
    lab = trial.lab
    start(lab)
    measure(lab, 'gen-1')
    consumer = trial.consumer().start()
    trial.check_all(consumer)
    consumer.stop()
    lab.stop()
    for name in ('journal', 'current'):
        path = lab.dir / 'state' / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    trial.truth = Truth(lab.dir / 'state')
    start(lab)
    measure(lab, 'gen-2')
    consumer.start()
    consumer.wait_all(trial.truth)
    consumer.kill()
    consumer.start()
    measure(lab, 'gen-2')
    consumer.wait_all(trial.truth)
    after = consumer.lines()[302:]
    assert len(after) == 1 + 2 * 202 and after[0]['gap']['to'] >= 2**53 - 1, after[:3]
    check_order(after[1:], trial.truth)


def test_simulated(trial):
    """Simulated data comes only on request, also if a prefix covers it."""
    lab = trial.lab
    start(lab)
    real, all_kinds = trial.consumer('real', topics=['a1/']).start(), trial.consumer('all', simulated=True).start()
    measure(lab, 'gen-2', 'train-1')
    trial.check_all(real)
    trial.check_all(all_kinds)
    topics = {line['topic'] for line in all_kinds.lines()}
    assert any(t.startswith('a1/sim-data/') for t in topics), topics
    assert not any(line['topic'].startswith('a1/sim-') for line in real.lines())
    refused = trial.consumer('refused', topics=['a1/sim-data/']).start()
    assert refused.process.wait(10) != 0, 'simulated topics without --simulated are an error'


def run_lines(consumer):
    lines = consumer.lines()
    return lines, {line['run']: line for line in lines if 'run' in line}


def check_runs(trial, consumer, numbers):
    """Each run is there once, with all its entries, as the journal has them."""
    trial.truth.update()
    lines, runs = run_lines(consumer)
    check_order(lines, trial.truth)
    assert sorted(runs) == sorted(numbers) and len(lines) == len(runs), (sorted(runs), sorted(numbers), len(lines))
    wanted = trial.truth.wanted(consumer.topics, consumer.simulated)
    for number, run in runs.items():
        entries = trial.truth.journals[run['journal']]
        first, last = run['seqs'][0], run['seqs'][-1]
        assert run['seqs'] == [s for s in wanted[run['journal'], run['topic']] if first <= s <= last], number
        joined = b''.join(bytes.fromhex(entries[seq][2]) for seq in run['seqs'])
        assert run['sha256'] == hashlib.sha256(joined).hexdigest(), number
        assert run['frames'] == len(run['seqs']) - 2, run
    return runs


def test_whole_runs(trial):
    """Runs that are acknowledged as one; the one that was open at a restart comes whole."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer(options=['--runs'])
    numbers = measure(lab, 'gen-1', 'gen-2')
    consumer.start('--hwm', '10')
    numbers.append(begin(lab, 'slow-1'))
    wait_frames(lab, 300)
    numbers += measure(lab, 'gen-2')
    wait_for('three runs', lambda: len(run_lines(consumer)[1]) == 3)
    consumer.kill()
    lab.ask({'op': 'run-stop', 'instrument': 'slow-1'})
    numbers += measure(lab, 'gen-1')
    consumer.start()
    wait_for('all of them', lambda: len(run_lines(consumer)[1]) == len(numbers))
    runs = check_runs(trial, consumer, numbers)
    assert {run['status'] for run in runs.values()} == {'complete', 'stopped'}, runs
    # killed with a run open: it ends as interrupted, and is given then
    numbers.append(begin(lab, 'slow-1'))
    wait_frames(lab, 300)
    lab.kill()
    start(lab)
    wait_for('the interrupted one', lambda: len(run_lines(consumer)[1]) == len(numbers))
    assert check_runs(trial, consumer, numbers)[numbers[-1]]['status'] == 'interrupted'


def test_amended_runs(trial):
    """A correction made later comes as an item of its own, once; one made before comes behind its run."""
    lab = trial.lab
    start(lab)
    numbers = measure(lab, 'gen-1', 'gen-2')
    consumer = trial.consumer(options=['--runs']).start()
    wait_for('both runs', lambda: consumer.is_alive() and len(run_lines(consumer)[1]) == 2)
    assert lab.ask({'op': 'amend', 'run': numbers[0], 'set': {'sample': 'CCL-2'}, 'reason': 'wrong label'})['ok']
    wait_for('the amend', lambda: len(consumer.lines()) == 3)
    consumer.kill()
    consumer.start()
    assert lab.ask({'op': 'amend', 'run': numbers[0], 'set': {'sample': 'CCL-3'}, 'reason': 'again'})['ok']
    wait_for('the second one', lambda: len(consumer.lines()) >= 4)
    late = trial.consumer('late', options=['--runs']).start()
    wait_for('all for who comes later', lambda: len(late.lines()) >= 4)
    check_order(consumer.lines(), trial.truth.update())
    for whose in (consumer, late):
        seqs = [line['seq'] for line in whose.lines() if 'seq' in line]
        assert len(seqs) == 2 and seqs == trial.truth.wanted(['a1/data/xrf/ccl-test/bench-1/gen-1/'], False)[
            consumer.lines()[0]['journal'], 'a1/data/xrf/ccl-test/bench-1/gen-1/'][-2:], seqs
        assert len(whose.lines()) == 4


def test_amends_in_open_runs(trial):
    """Of another run: an item of its own. Of the open run: in its corrected values. Also after a restart in between."""
    lab = trial.lab
    start(lab)
    consumer = trial.consumer(options=['--runs']).start()
    first, second = begin(lab, 'slow-1'), None
    wait_frames(lab, 20)
    lab.ask({'op': 'run-stop', 'instrument': 'slow-1'})
    wait_for('the first', lambda: len(consumer.lines()) == 1)
    lab.wait_state('slow-1', 'idle')
    second = begin(lab, 'slow-1')
    wait_frames(lab, 300)
    assert lab.ask({'op': 'amend', 'run': first, 'set': {'sample': 'CCL-1'}, 'reason': 'of the first'})['ok']
    wait_for('the amend', lambda: len(consumer.lines()) == 2)
    consumer.kill()
    assert lab.ask({'op': 'amend', 'run': second, 'set': {'sample': 'CCL-2', 'valid': False}, 'reason': 'of the second'})['ok']
    consumer.start()
    assert lab.ask({'op': 'amend', 'run': first, 'set': {'note': 'seen'}, 'reason': 'of the first'})['ok']
    wait_for('the other amend', lambda: len(consumer.lines()) == 3)
    lab.ask({'op': 'run-stop', 'instrument': 'slow-1'})
    wait_for('the second', lambda: len(consumer.lines()) == 4)
    late = trial.consumer('late', options=['--runs']).start()
    wait_for('all of it', lambda: len(late.lines()) == 4)
    trial.truth.update()
    for lines in (consumer.lines(), late.lines()):
        one, amend, other, two = lines
        assert one['run'] == first and one['valid'] and one['sample'] != 'CCL-1', one
        assert two['run'] == second and not two['valid'] and two['sample'] == 'CCL-2', two
        assert two['final'] == two['frames'] == len(two['seqs']) - 3, two
        seqs = trial.truth.wanted([two['topic']], False)[two['journal'], two['topic']]
        assert two['seqs'] == [s for s in seqs if s >= two['seqs'][0] and s not in (amend['seq'], other['seq'])], two
        entries = trial.truth.journals[two['journal']]
        joined = b''.join(bytes.fromhex(entries[seq][2]) for seq in two['seqs'])
        assert two['sha256'] == hashlib.sha256(joined).hexdigest()


def test_wrong_keys_remote(trial):
    """A key that the daemon or the file system refuses ends the consumer with a reason, within seconds."""
    keys, lab = trial.keys, trial.lab
    keys.make('unlisted')
    keys.make('half', 'replay')
    keys.make('other')
    start(lab)
    cases = [('unlisted', {}, 'refuses this key'), ('half', {}, 'refuses this key'),
             ('consumer', {'ASSAY_SERVER_KEY': str(keys.folder / 'other.public')}, 'exchange of keys fails'),
             ('open', {}, 'chmod 600')]
    keys.make('open', 'read', 'replay')
    keys.secret('open').chmod(0o644)
    for name, more, reason in cases:
        trial.env = {**ENV, **keys.environment(name), **more}
        consumer = trial.consumer(f'{name}-{len(more)}').start()
        code = consumer.process.wait(15)
        assert code != 0 and reason in consumer.errors.read_text(), (name, code, consumer.errors.read_text())


SCENARIOS = {name[5:]: value for name, value in list(globals().items()) if name.startswith('test_')}


def main():
    only = paths.get('only')
    for name, scenario in SCENARIOS.items():
        needs = name.rsplit('_', 1)[-1]
        if (only and name not in only.split(',')) or (needs in ('runs', 'feeds', 'subscribers', 'remote') and needs not in FEATURES):
            continue
        began = time.monotonic()
        with Trial() as trial:
            scenario(trial)
        print(f'{paths["language"]}: {name}: {time.monotonic() - began:.1f} s', flush=True)


if shutil.which(COMMAND[0]) is None:
    print(f'{COMMAND[0]} is not installed')
    sys.exit(77)
if 'modules' in paths and not os.path.isdir(os.path.join(paths['modules'], 'zeromq')):
    print('zeromq for Node.js is not installed')
    sys.exit(77)
main()
