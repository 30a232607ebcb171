# SPDX-License-Identifier: Apache-2.0
"""Everything at once: bursts, receive queues of 10, kill -9 of consumers and of the core, consumers that
sleep, segments that are removed meanwhile, new journals. Each consumer gets every entry exactly once and
in order per topic, and each removed one it had not got in exactly one gap.

    consumers.py LAB NAME=PATH... seeds=1-10 entries=10000 python=COMMAND [c=COMMAND] [wrong=yes]
        [javascript=COMMAND modules=FOLDER]

wrong=yes: consumers that go on from one position for all topics; they lose entries, which must be found.
"""

import os
import random
import signal
import sys
import time

sys.path.insert(0, sys.argv[1])
from consumers import Consumer, Failure, Truth  # noqa: E402
from lab import Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
FIRST, LAST = (int(n) for n in paths.get('seeds', '1-1').split('-'))
ENTRIES = int(paths.get('entries', 10000))
ACTS = 40          # at least, of each seed
IS_WRONG = paths.get('wrong') == 'yes'
FRAMES = {'gen-1': 40, 'gen-2': 300, 'gen-3': 1500, 'gen-4': 6}
CONFIG = {
    'journal': {'segment': '128 KiB', 'reserve': '1 MiB'},
    'instruments': {key: {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
                          'settings': {'frame_bytes': 256, 'frames': frames}} for key, frames in FRAMES.items()}}
LANGUAGES = [name for name in ('c', 'python', 'javascript') if name in paths]
if 'javascript' in LANGUAGES and not os.path.isdir(os.path.join(paths['modules'], 'zeromq')):
    LANGUAGES.remove('javascript')
PER_SEED = {'core': 3, 'journal': 1}     # the events that take longest: at most so many


class Campaign:
    def __init__(self, seed):
        self.random, self.lab = random.Random(seed), Lab(paths)
        self.lab.is_damaged = True
        self.truth = Truth(self.lab.dir / 'state')
        self.left = dict(PER_SEED)
        self.kills, self.pruned = 0, 0
        self.consumers = []
        for language in LANGUAGES:
            self.add(language, 'all', ['a1/data/'])
            if language != 'javascript':
                self.add(language, 'one', ['a1/data/xrf/ccl-test/bench-1/gen-2/'])
                self.add(language, 'most', ['a1/audit/', 'a1/data/', 'a1/state/'])

    def add(self, language, name, topics):
        options = ['--hwm', '10', *(['--one-cursor'] if IS_WRONG else [])]
        env = {'NODE_PATH': paths['modules']} if language == 'javascript' else {}
        self.consumers.append(Consumer(self.lab, paths[language].split(':'), f'{language}-{name}', topics,
                                       options=options, env=env))

    def start_core(self):
        self.lab.start(CONFIG)
        for key in FRAMES:
            self.lab.wait_state(key, 'idle')

    # --- events

    def measure(self):
        """A run on every instrument that is free."""
        for key in self.random.sample(list(FRAMES), len(FRAMES)):
            self.lab.ask({'op': 'run-start', 'instrument': key})

    def kill_consumer(self):
        consumer = self.random.choice(self.consumers)
        if consumer.process.poll() is None:
            consumer.kill()
            self.kills += 1
        else:
            consumer.start()

    def let_sleep(self):
        consumer = self.random.choice(self.consumers)
        if consumer.process.poll() is None:
            consumer.process.send_signal(signal.SIGSTOP)
            self.pause(0.2)
            consumer.process.send_signal(signal.SIGCONT)

    def kill_core(self):
        if self.left['core'] > 0:
            self.left['core'] -= 1
            self.lab.kill()
            self.start_core()

    def new_journal(self):
        if self.left['journal'] > 0 and self.truth.count() > ENTRIES / 3:
            self.left['journal'] -= 1
            self.lab.stop()
            self.truth.update()
            (self.lab.dir / 'state/current').unlink()
            self.start_core()

    def prune(self):
        """Some files, of which a consumer that is away may not have read all."""
        self.truth.update()
        files = self.truth.closed()
        if len(files) < 4:
            return
        consumer = self.random.choice(self.consumers)
        if self.random.random() < 0.7 and consumer.process.poll() is None:
            consumer.kill()
            self.measure()
            self.pause(0.1)
            self.truth.update()
            files = self.truth.closed()
        at = self.random.randrange(len(files) - 1) if self.random.random() < 0.3 else max(0, len(files) - 4)
        for file in files[at:at + self.random.randint(1, 3)]:
            self.truth.prune(file)
            self.pruned += 1
        if consumer.process.poll() is not None:
            consumer.start()

    def pause(self, seconds):
        """Until so much time has gone; the core makes entries meanwhile."""
        end = time.monotonic() + seconds * self.random.random()
        wait_for('a moment', lambda: time.monotonic() >= end)

    # --- how it goes

    def run(self):
        self.start_core()
        for consumer in self.consumers:
            consumer.start()
        acts = [self.kill_consumer] * 6 + [self.let_sleep] * 3 + [self.prune] * 2 + [self.kill_core, self.new_journal]
        done = 0
        while done < ACTS or self.truth.update().count() < ENTRIES:
            if done % 3 == 0:
                self.measure()
            self.random.choice(acts)()
            done += 1
            for consumer in self.consumers:
                self.check_alive(consumer)
            self.pause(0.1)
        return self.finish()

    def check_alive(self, consumer):
        if consumer.process.poll() not in (None, -signal.SIGKILL):
            raise Failure(f'{consumer.output.name}: ended with {consumer.process.returncode}: {consumer.said()}')

    def finish(self):
        """All runs end, the core too: after this only the records of its end are added."""
        for key in FRAMES:
            self.lab.wait_state(key, 'idle', 60)
        self.lab.stop()
        self.lab.start()
        for key in FRAMES:
            self.lab.wait_state(key, 'idle')
        for consumer in self.consumers:
            if consumer.process.poll() is not None:
                consumer.start()
        for consumer in self.consumers:
            self.wait_all(consumer)
        for consumer in self.consumers:
            consumer.stop()
        entries, gaps = 0, 0
        for consumer in self.consumers:
            count, told = consumer.check(self.truth)
            entries, gaps = entries + count, gaps + len(told)
        return entries, gaps


    def wait_all(self, consumer):
        try:
            consumer.wait_all(self.truth, 5 if IS_WRONG else 60)
        except Failure:
            if not IS_WRONG or consumer.process.poll() is not None:
                raise          # otherwise the check must find the loss


def run(seed):
    began = time.monotonic()
    campaign = Campaign(seed)
    with campaign.lab:
        try:
            entries, gaps = campaign.run()
        finally:
            for consumer in campaign.consumers:
                consumer.close()
    total = campaign.truth.count()
    print(f'seed {seed}: {total} entries in {len(campaign.truth.journals)} journals, {entries} given to '
          f'{len(campaign.consumers)} consumers, {gaps} gaps told for {campaign.pruned} files; killed '
          f'{campaign.kills} consumers, {PER_SEED["core"] - campaign.left["core"]} cores; '
          f'{time.monotonic() - began:.1f} s', flush=True)
    return total, gaps


def main():
    total, gaps = 0, 0
    for seed in range(FIRST, LAST + 1):
        count, told = run(seed)
        total, gaps = total + count, gaps + told
    print(f'{total} entries: none missing, none twice, all in order; {gaps} gaps told')
    if gaps == 0:
        raise Failure('nothing that was removed was missed: pruning was not tried')


def main_wrong():
    """The check finds the entries that such consumers lose."""
    for seed in range(FIRST, LAST + 1):
        try:
            run(seed)
        except Failure as failure:
            if ' is missing' not in str(failure):
                raise
            print(f'seed {seed}: found: {failure}')
            return
    raise Failure('one position for all topics lost nothing that was found')


main_wrong() if IS_WRONG else main()
