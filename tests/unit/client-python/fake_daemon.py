# SPDX-License-Identifier: Apache-2.0
"""A daemon of a few lines: it publishes, drops, removes and starts journals as its seed decides."""

import os
import random
import threading
import time

import cbor2
import zmq

TOPICS = [f'a1/data/xrf/site/node/x-{i}/' for i in range(4)] + ['a1/sim-data/xrf/site/node/y-1/']
HEAD_SECONDS = 0.03
PAGE = 7                     # entries of one answer


class FakeDaemon(threading.Thread):
    """Makes `total` entries; `drop`, `prune` and `renew` are how likely each of them meets that."""

    def __init__(self, folder, seed, total, drop=0.0, prune=0.0, renew=0.0):
        super().__init__(daemon=True)
        self.folder, self.random, self.total = folder, random.Random(seed), total
        self.drop, self.prune, self.renew = drop, prune, renew
        self.journals = {}      # id: [(topic, bytes or None)]
        self.cursors = {}
        self.marks = []         # (topic, seq) as they came
        self.ended = threading.Event()
        self.begin_journal()

    def begin_journal(self):
        self.id = os.urandom(16)
        self.journals[self.id] = []

    def count(self):
        return sum(map(len, self.journals.values()))

    def last(self):
        return {topic: seq for seq, (topic, _) in enumerate(self.journals[self.id], 1)}

    def commit(self, topic):
        entries = self.journals[self.id]
        record = cbor2.dumps({'type': 'state', 'v': 1, 't': {'utc': time.time_ns(), 'sync': 'none'}})
        entry = cbor2.dumps([1, self.id, len(entries) + 1, self.last().get(topic, 0), time.time_ns(), topic, record])
        entries.append((topic, entry))
        return [topic.encode(), entry]

    def make(self, live):
        if self.random.random() < self.renew:
            self.begin_journal()
        if self.random.random() < self.prune:
            entries = self.journals[self.id]
            for i in range(self.random.randrange(len(entries) + 1)):
                entries[i] = entries[i][0], None
        # The last one is on a topic that all want, so that they can tell the end.
        topic = TOPICS[0] if self.count() + 1 >= self.total else self.random.choice(TOPICS)
        message = self.commit(topic)
        if self.random.random() >= self.drop:
            live.send_multipart(message)

    def head(self):
        return {'v': 1, 'journal': self.id, 'head': len(self.journals[self.id]), 'tc': 0, 'last': self.last()}

    def answer(self, request):
        try:
            return getattr(self, 'on_' + request['op'])(request)
        except KeyError as key:
            return [{'op': 'error', 'code': 'not-found', 'text': str(key)}]

    def on_hello(self, request):
        journals = [{'journal': id, 'first': 1, 'last': len(entries)} for id, entries in self.journals.items()]
        return [{'op': 'welcome', 'proto': 1, 'journal': self.id, 'node': 'node', 'head': len(self.journals[self.id]),
                 'oldest': 1, 'journals': journals, 'topics': self.last(), 'limits': {}}]

    def on_fetch(self, request):
        entries, found, gaps, after = self.journals[request['journal']], [], [], 0
        for seq in range(request['from'], request['to'] + 1):
            topic, entry = entries[seq - 1]
            if entry is None and gaps and gaps[-1]['to'] == seq - 1:
                gaps[-1]['to'] = seq
            elif entry is None:
                gaps.append({'from': seq, 'to': seq, 'why': 'pruned'})
            elif topic == request.get('topic') or topic.startswith(request.get('prefix', '-')):
                found.append(entry)
            if len(found) == PAGE and seq < request['to']:
                after = seq + 1
                break
        return [{'op': 'data', 'count': len(found), 'next': after, 'head': len(entries), 'gaps': gaps}, *found]

    def on_cursor(self, request):
        if 'seq' in request:
            marks = self.cursors.setdefault(request['name'], {})
            marks[request['journal'], request['topic']] = request['seq']
            self.marks.append((request['topic'], request['seq']))
            return [{'op': 'ok'}]
        marks = self.cursors[request['name']]
        return [{'op': 'cursor', 'name': request['name'],
                 'at': [{'journal': journal, 'topic': topic, 'seq': seq} for (journal, topic), seq in marks.items()]}]

    def run(self):
        context = zmq.Context.instance()
        live, replay = context.socket(zmq.PUB), context.socket(zmq.ROUTER)
        live.bind(f'ipc://{self.folder}/live')
        replay.bind(f'ipc://{self.folder}/replay')
        beat = 0.0
        while not self.ended.is_set():
            if self.count() < self.total:
                self.make(live)
            if time.monotonic() > beat:
                beat = time.monotonic() + HEAD_SECONDS
                live.send_multipart([b'a1/head/-/site/node/-/', cbor2.dumps(self.head())])
            while replay.poll(1):
                *envelope, request = replay.recv_multipart()
                reply, *entries = self.answer(cbor2.loads(request))
                replay.send_multipart([*envelope, cbor2.dumps(reply), *entries])
        live.close(linger=0)
        replay.close(linger=0)

    def stop(self):
        self.ended.set()
        self.join()
