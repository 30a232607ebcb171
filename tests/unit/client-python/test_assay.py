# SPDX-License-Identifier: Apache-2.0
"""assay.py against the golden vectors and a daemon that loses things.    test_assay.py SOURCE"""

import asyncio
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(SOURCE / 'tools/client/python'))
if '--without-numpy' in sys.argv:
    sys.modules['numpy'] = None
    sys.argv.remove('--without-numpy')
import assay  # noqa: E402
from fake_daemon import TOPICS, FakeDaemon  # noqa: E402

HAS_NUMPY = assay.numpy is not None


def vector(name):
    return assay.Entry((SOURCE / f'tests/vectors/{name}.cbor').read_bytes())


def as_list(data):
    return data.tolist() if hasattr(data, 'tolist') else data


def is_same(mine, theirs):
    """As in JSON, where integers beyond 2^53 are text and floats have as many digits as their type."""
    if isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(is_same, mine, theirs))
    if isinstance(mine, float):
        return mine == theirs or struct.pack('<f', mine) == struct.pack('<f', theirs)
    return mine == (int(theirs) if isinstance(mine, int) else theirs)


class Values(unittest.TestCase):
    def test_arrays_are_views_with_axis_and_unit(self):
        entry = vector('frame-spectrum-typed')
        absorbance = entry['absorbance']
        self.assertEqual(absorbance.unit, '{absorbance}')
        self.assertEqual(len(absorbance.data), len(absorbance.axis.data))
        self.assertEqual(absorbance.axis.unit, 'cm-1')
        if HAS_NUMPY:
            self.assertFalse(absorbance.data.flags.owndata or absorbance.data.flags.writeable)
            self.assertTrue(absorbance.data.flags.aligned)

    def test_values_are_those_of_the_json_vectors(self):
        tried = 0
        for file in sorted((SOURCE / 'tests/vectors').glob('frame-*.json')):
            told = json.loads(file.read_text())['record']['vars']
            for mine, theirs in zip(vector(file.stem).variables, told, strict=True):
                self.assertEqual((mine.name, mine.unit), (theirs['name'], theirs['unit']))
                if isinstance(theirs['data'], list) and None not in theirs['data']:
                    self.assertTrue(is_same(as_list(mine.data), theirs['data']), f'{file.stem}: {mine}')
                    tried += 1
        self.assertGreater(tried, 5)

    def test_even_axis_is_made_out(self):
        axis = next(v for v in vector('frame-spectrum-linear').variables if isinstance(v.raw['data'], dict))
        raw = axis.raw['data']
        self.assertEqual(len(axis.data), raw['n'])
        self.assertEqual(axis.data[2], raw['start'] + raw['step'] * 2)

    def test_several_of_one_name_are_not_guessed(self):
        entry = vector('frame-spectrum-typed')
        with self.assertRaises(KeyError):
            entry['no-such']
        entry.record['vars'].append(dict(entry['absorbance'].raw, analyte={'name': 'CO'}))
        with self.assertRaises(KeyError):
            entry['absorbance']
        self.assertEqual(len(entry.find('absorbance', analyte='CO')), 1)

    def test_a_variable_is_found_or_ambiguous(self):
        entry = vector('frame-scalar')
        several = [v for v in entry.variables if len(entry.find(v.name)) > 1]
        self.assertTrue(several)
        for variable in entry.variables:
            found = entry.variable(variable.name, variable.analyte, variable.basis)
            self.assertEqual((found.name, found.analyte, found.unit), (variable.name, variable.analyte, variable.unit))
        for name, *more in ((several[0].name,), ('nothing',), (several[0].name, 'nothing')):
            with self.assertRaises(KeyError):
                entry[(name, *more)]
        self.assertEqual(entry['concentration', 'HCl', 'wet'].basis, 'wet')
        self.assertTrue(vector('frame-spectrum-linear').partial)
        self.assertFalse(entry.partial)

    def test_a_hook_of_any_version(self):
        tag = assay.cbor2.CBORTag(69, b'\1\0\2\0')
        for args, options in (((None, tag), {}), ((tag, False), {}), ((tag,), {'immutable': True}), ((None, tag, 3), {})):
            self.assertEqual(as_list(assay._tag_hook(*args, **options)), [1, 2])

    def test_a_cursor_that_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'at.json'
            for text in ('', '{', '[1]', '{"a": 1}', '{"a": {"b": "c"}}', '"x"'):
                path.write_text(text)
                with self.assertRaisesRegex(ValueError, 'at.json: not a cursor'):
                    assay.FileCursor(path).load()
        with self.assertRaisesRegex(TypeError, 'cursor is a name'):
            assay.entries('/nowhere', cursor=5)

    def test_the_queue_is_bounded_in_bytes(self):
        wire = assay._Wire('a', 'b', [], 10000)
        class Socket:
            rcvhwm = 0
        wire.live = Socket()
        for size in (10, 1 << 20, 100, 16 << 20, 128 << 20):
            wire.note_size([bytes(1), memoryview(bytes(size))])
            self.assertLessEqual(wire.limit() * min(size, assay.QUEUE_BYTES), assay.QUEUE_BYTES)
        self.assertEqual(wire.live.rcvhwm, 1)

    def test_a_run_has_its_own_corrections_only(self):
        """And the frames that nothing replaces; an amend of another run in between is an item of its own."""
        feed = assay.runs('/nowhere', cursor={})
        entries = [vector(name) for name in ('run-start', 'frame-spectrum-linear', 'frame-scalar', 'run-end-complete')]
        other, mine = vector('amend'), vector('amend')
        other.record['run'] = bytes(16)
        mine.record['set'] = {'sample.id': 'B-2', 'valid': False}
        for seq, entry in enumerate([*entries[:2], other, mine, *entries[2:]], 1):
            entry.seq = seq
            entry.record.setdefault('run', entries[0].record['run'])
        items = [step[1] for entry in sorted([*entries, other, mine], key=lambda e: e.seq)
                 for step in feed._deliver(entry) if step[0] == 'item']
        self.assertEqual(items[0], other)
        run, = items[1:]
        self.assertEqual(run.amends, [mine])
        self.assertEqual((run.sample, run.corrected['sample'], run.valid), ('CCL-2026-00451', 'B-2', False))
        self.assertEqual((len(run.frames), len(run.final_frames)), (2, 1))

    def test_times_keep_all_digits(self):
        self.assertEqual(assay.iso_time(1795335330125456789), '2026-11-22T08:15:30.125456789Z')
        self.assertEqual(assay.utc_time(1795335330125456789).microsecond, 125456)
        self.assertEqual(vector('run-start').type, 'run-start')

    @unittest.skipUnless(HAS_NUMPY, 'this is it')
    def test_the_same_without_numpy(self):
        done = subprocess.run([sys.executable, __file__, str(SOURCE), '--without-numpy', 'Values'],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


class Losses(unittest.TestCase):
    """Every entry exactly once and in order per topic, while messages are dropped, removed and journals started again."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='assay-')
        self.daemon = None

    def tearDown(self):
        self.daemon.stop()
        self.folder.cleanup()

    def start(self, *args, **more):
        self.daemon = FakeDaemon(self.folder.name, *args, **more)
        self.daemon.start()

    def is_over(self, feed):
        """Everything was made, and it is at the end of all its topics."""
        at = feed.cursors.get(self.daemon.id.hex(), {})
        return self.daemon.count() == self.daemon.total and all(
            max(at.get(topic, 0), at.get('a1/data/', 0)) >= seq
            for topic, seq in self.daemon.last().items() if topic in TOPICS[:4])

    def follow(self, mine, take, limit):
        with assay.entries(self.folder.name, cursor=mine, hwm=10) as feed:
            for item in feed:
                take(item)
                item.ack()
                limit -= 1
                if limit == 0 or self.is_over(feed):
                    return self.is_over(feed)

    async def follow_async(self, mine, take, limit):
        async with assay.entries(self.folder.name, cursor=mine, hwm=10) as feed:
            async for item in feed:
                take(item)
                item.ack()
                limit -= 1
                if limit == 0 or self.is_over(feed):
                    return self.is_over(feed)

    def check(self, items):
        given, gaps = {}, [i for i in items if isinstance(i, assay.Gap)]
        for item in items:
            if isinstance(item, assay.Entry):
                given.setdefault((item.journal, item.topic), []).append(item.seq)
        for journal, entries in self.daemon.journals.items():
            for topic in TOPICS[:4]:
                seqs = given.get((journal, topic), [])
                self.assertEqual(seqs, sorted(set(seqs)))
                for seq, (on, entry) in enumerate(entries, 1):
                    told = [g for g in gaps if g.journal == journal and topic.startswith(g.topic)
                            and g.first <= seq <= g.last]
                    if on == topic and seq not in seqs:
                        self.assertTrue(entry is None and told, f'{seq} on {topic}: told {told}')
        self.assertFalse([key for key in given if key[1] == TOPICS[4]], 'nobody asked for simulated data')

    def try_seed(self, seed, is_async):
        self.start(seed, 600, drop=0.2, prune=0.005, renew=0.004)
        mine, items, rng, is_over = {}, [], random.Random(seed), False
        while not is_over:
            limit = rng.randrange(1, 200)
            if is_async:
                is_over = asyncio.run(self.follow_async(mine, items.append, limit))
            else:
                is_over = self.follow(mine, items.append, limit)
        self.check(items)

    def test_plain(self):
        self.try_seed(1, False)

    def test_asyncio(self):
        self.try_seed(2, True)


class Trouble(Exception):
    pass


class Store:
    """Keeps a cursor, and fails now and then."""

    def __init__(self, rng, likely):
        self.rng, self.likely, self.at = rng, likely, {}

    def load(self):
        return self.at

    def save(self, positions):
        if self.rng.random() < self.likely:
            raise Trouble('the disk is full')
        self.at = {journal: dict(topics) for journal, topics in positions.items()}


class Exceptions(Losses):
    """The same feed goes on after any exception, and an item whose loop was left by one comes again."""

    test_plain = test_asyncio = None

    def run_into_trouble(self, seed, make):
        self.start(seed, 300, drop=0.2, prune=0.003, renew=0.003)
        rng, items, failed = random.Random(seed), [], []

        def take(item):
            key = item.journal, item.topic, item.cursor[2]
            if failed:
                self.assertEqual(failed.pop(), key, 'it was not processed')
            if rng.random() < 0.1:
                failed.append(key)
                raise Trouble('the database is away')
            items.append(item)
            if rng.random() < 0.5 or self.daemon.count() == self.daemon.total:    # else when the next one is requested
                item.ack()
            return self.is_over(feed)

        with make(rng) as feed:
            while failed or not self.is_over(feed):
                try:
                    for item in feed:
                        if take(item):
                            break
                except Trouble:
                    pass
            feed._store = None
        self.check(items)

    def test_a_store_that_fails(self):
        for seed in (11, 12):
            self.run_into_trouble(seed, lambda rng: assay.entries(self.folder.name, cursor=Store(rng, 0.2), hwm=10))
            self.daemon.stop()

    def test_a_program_that_fails(self):
        for seed in (13, 14):
            self.run_into_trouble(seed, lambda rng: assay.entries(self.folder.name, cursor={}, hwm=10))
            self.daemon.stop()

    def test_a_cursor_of_the_daemon_that_is_refused(self):
        """Each use raises again, and says why; it does not look like the end."""
        self.start(15, 50)
        self.daemon.on_cursor = lambda request: [{'op': 'error', 'code': 'bad-request', 'text': 'another program uses it'}]
        feed = assay.entries(self.folder.name, cursor='lims')
        for _ in range(3):
            with self.assertRaisesRegex(assay.Refused, 'another program'):
                next(feed)
        with self.assertRaises(assay.Refused):
            for _ in feed:
                self.fail('an item')
        feed.close()
        self.assertEqual(list(feed), [], 'closed')


class Cursors(Losses):
    test_plain = test_asyncio = None

    def seqs(self, count, **options):
        """So many items, the last of which is left by `break`."""
        seqs = []
        with assay.entries(self.folder.name, topics=TOPICS[:1], **options) as feed:
            for item in feed:
                seqs.append(item.seq)
                if len(seqs) == count:
                    break
        return seqs

    def test_what_was_left_by_break_comes_again(self):
        self.start(1, 200)
        mine = {}
        first = self.seqs(10, cursor=mine)
        self.assertEqual(self.seqs(1, cursor=mine)[0], first[-1])

    def test_a_name_is_kept_by_the_daemon(self):
        self.start(2, 200)
        first = self.seqs(10, cursor='lims')
        second = self.seqs(2, cursor='lims')
        self.assertEqual(second[0], first[-1])
        self.assertIn(self.daemon.cursors['lims'][self.daemon.id, TOPICS[0]], range(*second))

    def test_a_new_name_says_what_it_wants(self):
        self.start(3, 200)
        self.seqs(1, cursor='archive')
        self.assertEqual(self.daemon.marks[0], (TOPICS[0], 0))

    def test_a_file_is_replaced_as_a_whole(self):
        self.start(4, 200)
        path = pathlib.Path(self.folder.name) / 'cursor.json'
        first = self.seqs(10, cursor=assay.FileCursor(path))
        self.assertIn(json.loads(path.read_text())[self.daemon.id.hex()][TOPICS[0]], range(first[-2], first[-1]))
        self.assertEqual(self.seqs(1, cursor=assay.FileCursor(path))[0], first[-1])
        self.assertEqual([p.name for p in path.parent.glob('cursor*')], ['cursor.json'])

    def test_without_following_it_ends_with_what_there_is(self):
        self.start(6, 150)
        while self.daemon.count() < 150:
            time.sleep(0.001)
        mine = {}
        with assay.entries(self.folder.name, cursor=mine, follow=False) as feed:
            items = list(feed)
        self.check(items)
        self.assertEqual(list(assay.entries(self.folder.name, cursor=mine, follow=False)), [])

    def test_waiting_can_be_given_up_and_taken_up_again(self):
        self.start(7, 300, drop=0.3)
        items = []

        async def listen():
            async with assay.entries(self.folder.name, cursor={}) as feed:
                while not self.is_over(feed):
                    try:
                        items.append(await asyncio.wait_for(anext(feed), random.uniform(0, 0.003)))
                        items[-1].ack()
                    except asyncio.TimeoutError:
                        pass
        asyncio.run(listen())
        self.check(items)

    def test_a_second_thread_is_refused(self):
        """While one waits in the feed; that one misses nothing."""
        self.daemon = FakeDaemon(self.folder.name, 3, 60)
        feed, items = assay.entries(self.folder.name, cursor={}), []

        def consume():
            for item in feed:
                items.append(item)
                item.ack()
                if self.is_over(feed):
                    return
        first = threading.Thread(target=consume, daemon=True)
        first.start()
        while feed._wire is None:                           # it waits for a daemon
            time.sleep(0.001)
        for call in (lambda: next(feed), feed.close):
            with self.assertRaisesRegex(RuntimeError, 'one thread at a time'):
                call()
        self.daemon.start()
        first.join()
        self.check(items)
        feed.close()

    def test_a_topic_without_its_slash_has_a_simulated_twin(self):
        self.start(5, 1)
        for topic in 'a1/data', 'a1/data/', 'a1/state':
            with assay.entries(self.folder.name, topics=[topic], simulated=True) as feed:
                self.assertTrue(feed._wants(topic.replace('a1/', 'a1/sim-').rstrip('/') + '/xrf/s/n/x-1/'))

    def test_a_socket_path_that_is_too_long_is_named_with_its_limit(self):
        self.start(5, 1)

        def open_at(length):
            folder = '/' + 'd' * (length - len('//replay'))
            assay.entries(folder).close()

        open_at(107)
        for length in 108, 109, 110, 300:
            with self.assertRaisesRegex(ValueError, f'^/d+/[a-z]+: the path of a socket has at most 107 bytes, this one ({length}|{length - 2})$'):
                open_at(length)
        with self.assertRaisesRegex(ValueError, 'this one 110'):
            assay.entries(live='ipc://' + 55 * 'é')

    def test_simulated_topics_are_refused_without_asking(self):
        self.start(5, 1)
        with self.assertRaises(ValueError):
            assay.entries(self.folder.name, topics=TOPICS[4:])


unittest.main()
