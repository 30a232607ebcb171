# SPDX-License-Identifier: Apache-2.0
"""The replay socket of the real daemon: every operation, older journals, holes, hostile peers."""

import hashlib
import os
import random
import sys

import cbor2
import zmq

sys.path.insert(0, sys.argv[1])
from lab import Lab, Subscriber, check_links, paths_from, wait_for  # noqa: E402
from replay_peer import Replay, read  # noqa: E402
from segments import remove_on_purpose  # noqa: E402

paths = paths_from(sys.argv[2:])


def generator(frames, **more):
    return {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
            'settings': {'frame_bytes': 1024, 'frames': frames}, **more}


def config():
    many = {**generator(24000), 'settings': {'frame_bytes': 64, 'frames': 24000}}
    live = generator(0, simulated=True, acquire={'mode': 'continuous', 'every': '2ms'})
    return {'journal': {'segment': '64 KiB', 'reserve': '1 MiB'},
            'instruments': {'gen-1': generator(100), 'gen-2': generator(3), 'many-1': many, 'live-1': live}}


def begin(lab):
    lab.start(config())
    for key in ('gen-1', 'gen-2', 'many-1'):
        lab.wait_state(key, 'idle')


def run(lab, key, sample='S-1'):
    """A whole run; it has been published when this returns."""
    lab.wait_state(key, 'idle')
    number = lab.ask({'op': 'run-start', 'instrument': key, 'sample': sample})['number']

    def row():
        found = lab.ask({'op': 'run-show', 'number': number})['run']
        return found if 'last' in found else None

    row = wait_for(f'{number} has ended', row)
    wait_for('it is published', lambda: any(e.seq >= row['last'] for e in lab.entries(key)[-1:]))
    return row


def topic(key, kind='data'):
    return f'a1/{kind}/xrf/ccl-test/bench-1/{key}/'


# --- the operations ------------------------------------------------------------------------------

def test_hello(lab, peer):
    welcome = peer.get(op='hello', proto=1)
    assert welcome['op'] == 'welcome' and welcome['proto'] == 1 and welcome['node'] == 'bench-1', welcome
    assert welcome['journal'] == lab.ask({'op': 'status'})['journal']['id']
    assert welcome['journals'] == [{'journal': welcome['journal'], 'first': 1, 'last': welcome['head']}]
    assert max(welcome['topics'].values()) == welcome['head'], welcome
    assert welcome['limits']['max_bytes'] >= 1 << 20
    assert peer.refused(op='hello', proto=2)[0] == 'unsupported'


def test_fetch(lab, peer):
    """Fetched entries are the published ones, byte for byte, and link without a hole."""
    welcome = peer.get(op='hello', proto=1)
    journal, head = welcome['journal'], welcome['head']
    everything, gaps = peer.fetch(journal=journal, prefix='', to=head)
    assert [entry.seq for entry in everything] == list(range(1, head + 1)) and not gaps
    check_links(everything)
    stored = {entry.seq: entry.bytes for entry in everything}
    for entry in lab.entries():
        assert entry.seq > head or stored[entry.seq] == entry.bytes, entry.seq
    for name in welcome['topics']:
        entries, gaps = peer.fetch(journal=journal, topic=name, to=head, max_bytes=20000)
        assert [entry.seq for entry in entries] == [e.seq for e in everything if e.topic == name], name
        assert entries[-1].seq == welcome['topics'][name]
    real, _ = peer.fetch(journal=journal, prefix='a1/data/', to=head)
    assert real and all(entry.topic.startswith('a1/data/') for entry in real), 'training never passes for real'
    reply = peer.get(op='fetch', journal=journal, prefix='', to=2**63, **{'from': head + 10**6})
    assert reply['count'] == 0 and reply['next'] == 0, 'nothing past the head is ever served'
    code, text = peer.refused(op='fetch', journal=bytes(16), prefix='', to=1, **{'from': 1})
    assert code == 'wrong-journal', text
    reply, _ = peer.ask(op='fetch', journal=bytes(16), prefix='', to=1, **{'from': 1})
    assert reply['journal'] == journal, 'it says which one is right'


def test_pages(lab, peer):
    """A reply keeps the limit of its request; the pages join."""
    journal, seq = peer.get(op='hello', proto=1)['journal'], 0
    pages = 0
    for reply, page in peer.pages(op='fetch', journal=journal, prefix='', to=400, max_bytes=30000, **{'from': 1}):
        assert sum(len(data) for data in page) <= 30000
        for data in page:
            seq += 1
            assert read(data).seq == seq
        pages += 1
    assert seq == 400 and pages > 5, (seq, pages)


def test_runs(lab, peer, row):
    for name in (row['number'], row['run']):
        entries = [read(data) for _, page in peer.pages(op='run', run=name) for data in page]
        assert [e.type for e in entries] == ['run-start'] + ['frame'] * row['frames'] + ['run-end']
        assert all(e.record['run'] == row['run'] for e in entries)
        assert entries[0].seq == row['first'] and entries[-1].seq == row['last']
    leaf = hashlib.sha256(b'\0' + entries[0].bytes).digest()
    assert entries[1].record['ctx'] == leaf
    reply, found = peer.ask(op='ctx', ctx=leaf)
    assert found == [entries[0].bytes] and reply['journal'] == entries[0].journal
    digest = hashlib.sha256()
    for entry in entries[1:-1]:
        digest.update(hashlib.sha256(b'\0' + entry.bytes).digest())
    assert digest.digest() == entries[-1].record['digest'], 'count and digest are of what is fetched'
    assert peer.refused(op='run', run='bench-1/gen-1/20200101-001')[0] == 'not-found'
    assert peer.refused(op='ctx', ctx=bytes(32))[0] == 'not-found'


def test_find(lab, peer, row):
    rows = peer.get(op='find', instrument='gen-2', sample='S-2')['runs']
    assert [found['number'] for found in rows] == [row['number']]
    assert rows[0]['status'] == 'complete' and rows[0]['last'] == row['last'] and rows[0]['topic'] == topic('gen-2')
    assert peer.get(op='find', since=row['start'] + 1, instrument='gen-2')['runs'] == []
    assert len(peer.get(op='find', until=row['start'], since=row['start'])['runs']) == 1
    assert len(peer.get(op='find', limit=2)['runs']) == 2
    open_ones = [found for found in peer.get(op='find', instrument='live-1')['runs'] if 'last' not in found]
    assert len(open_ones) == 1 and 'status' not in open_ones[0], 'an open run has no end'


def test_last(lab, peer, row):
    reply, found = peer.ask(op='last', topic=topic('gen-2'))
    assert read(found[0]).seq == row['last'] and reply['next'] == 0
    assert peer.refused(op='last', topic='a1/data/xrf/ccl-test/bench-1/gen-9/')[0] == 'not-found'
    assert peer.refused(op='proof', seq=1)[0] == 'unsupported'
    code, text = peer.refused(op='fetsch')
    assert code == 'bad-request' and 'fetch' in text


def operations():
    with Lab(paths) as lab:
        begin(lab)
        run(lab, 'gen-1')
        row = run(lab, 'gen-2', 'S-2')
        wait_for('400 entries', lambda: lab.ask({'op': 'status'})['journal']['head'] > 400)
        for kind in (zmq.DEALER, zmq.REQ):
            peer = Replay(lab.replay, kind)
            test_hello(lab, peer)
            test_fetch(lab, peer)
            test_pages(lab, peer)
            test_runs(lab, peer, row)
            test_find(lab, peer, row)
            test_last(lab, peer, row)
            peer.close()


# --- missing nothing -----------------------------------------------------------------------------

class Follower:
    """A consumer by the book: the cut, one cursor per topic, holes and tails fetched."""

    def __init__(self, lab, prefix):
        self.lab, self.prefix = lab, prefix
        self.at, self.got, self.holes = {}, {}, 0
        self.journal = None

    def open(self):
        self.peer = Replay(self.lab.replay)
        self.sub = zmq.Context.instance().socket(zmq.SUB)
        self.sub.set_hwm(10)
        self.sub.setsockopt(zmq.RCVBUF, 4096)
        for prefix in (self.prefix, 'a1/head/'):
            self.sub.subscribe(prefix)
        self.sub.connect(self.lab.live)
        self.has_cut = False

    def close(self):
        self.peer.close()
        self.sub.close(linger=0)

    def take(self, entry):
        if entry.seq <= self.at.get(entry.topic, 0):
            return
        assert entry.prev == self.at.get(entry.topic, 0), (entry.topic, entry.seq, entry.prev, self.at)
        self.at[entry.topic] = entry.seq
        self.got.setdefault(entry.topic, []).append(entry.seq)

    def fetch(self, name, to):
        begin = self.at.get(name, 0) + 1
        entries, gaps = self.peer.fetch(journal=self.journal, topic=name, to=to, **{'from': begin})
        assert not gaps
        for entry in entries:
            self.take(entry)
        assert self.at[name] == to, 'what was announced is there'

    def step(self):
        if not self.sub.poll(5000):
            raise AssertionError('no heartbeat')
        name, data = self.sub.recv_multipart()
        if name.startswith(b'a1/head/'):
            head = cbor2.loads(data)
            self.journal = head['journal']
            for name, last in head['last'].items():
                if name.startswith(self.prefix) and last > self.at.get(name, 0):
                    self.holes += self.has_cut              # the end was dropped
                    self.fetch(name, last)
            self.has_cut = True
        elif self.has_cut:
            entry = read(data)
            if entry.seq > self.at.get(entry.topic, 0) != entry.prev:
                self.holes += 1
                self.fetch(entry.topic, entry.prev)
            self.take(entry)


def one_cursor_per_topic_misses_nothing():
    """Queues of ten messages, pauses and new connections: nothing is missed, nothing comes twice."""
    dice = random.Random(4)
    with Lab(paths) as lab:
        begin(lab)
        follower = Follower(lab, 'a1/')
        for burst in (False, True, False):
            follower.open()
            while not follower.has_cut:
                follower.step()
            keys = ('gen-1', 'gen-2', 'many-1') if burst else ('gen-1', 'gen-2')
            for number in [lab.ask({'op': 'run-start', 'instrument': key})['number'] for key in keys]:
                wait_for(number, lambda: 'last' in lab.ask({'op': 'run-show', 'number': number})['run'])
            for _ in range(24000 if burst else dice.randrange(500)):
                follower.step()
                if follower.holes > 0:                      # more than the daemon's queue holds
                    break
            follower.close()                                # the messages in its queues are lost
        follower.open()
        head = lab.ask({'op': 'status'})['journal']['head']
        while max(follower.at.values(), default=0) < head:
            follower.step()
        stored, _ = follower.peer.fetch(journal=follower.journal, prefix='', to=max(follower.at.values()))
        for name, seqs in follower.got.items():
            whole = [entry.seq for entry in stored if entry.topic == name and entry.seq <= follower.at[name]]
            assert seqs == whole, name
        assert len(follower.got) >= 6, follower.got.keys()
        assert follower.holes > 0, 'nothing was dropped: this tried nothing'
        follower.close()


# --- journals that are older, or have holes ------------------------------------------------------

def files(lab, journal, suffix='.seg'):
    name = f'{journal.hex()[:8]}-{journal.hex()[8:12]}-{journal.hex()[12:16]}-{journal.hex()[16:20]}-{journal.hex()[20:]}'
    return sorted((lab.dir / 'state/journal' / name).glob('*' + suffix))


def older_journals_stay_readable():
    with Lab(paths) as lab:
        begin(lab)
        rows, journals = [], []
        for _ in range(3):
            rows.append(run(lab, 'gen-2'))
            journals.append(lab.ask({'op': 'status'})['journal']['id'])
            lab.stop()
            (lab.dir / 'state/current').unlink()            # as after a restore
            lab.start()
            lab.wait_state('gen-2', 'idle')
        peer = Replay(lab.replay)
        welcome = peer.get(op='hello', proto=1)
        assert [row['journal'] for row in welcome['journals']] == journals + [welcome['journal']], 'oldest first'
        for known in welcome['journals']:
            entries, gaps = peer.fetch(journal=known['journal'], prefix='', to=known['last'])
            assert [entry.seq for entry in entries] == list(range(1, known['last'] + 1)) and not gaps
            check_links(entries)
        found = peer.get(op='find', instrument='gen-2')['runs']
        assert [row['number'] for row in found] == [row['number'] for row in reversed(rows)]
        assert [row['journal'] for row in found] == journals[::-1]
        for row in rows:
            entries = [read(data) for _, page in peer.pages(op='run', run=row['number']) for data in page]
            assert len(entries) == row['frames'] + 2
        peer.close()


def holes_are_said():
    """A file that retention took and one that is damaged; all else is still given."""
    with Lab(paths) as lab:
        begin(lab)
        for _ in range(8):
            run(lab, 'gen-1')
        lab.stop()
        journal = lab.entries()[0].journal
        segments = files(lab, journal)
        assert len(segments) >= 6, segments
        first = [int(path.stem) for path in segments]
        remove_on_purpose(segments[0])
        lab.is_damaged = True
        with open(segments[2], 'r+b') as file:
            file.seek(os.path.getsize(segments[2]) // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0x40]))
        lab.start()
        peer = Replay(lab.replay)
        welcome = peer.get(op='hello', proto=1)
        assert welcome['journal'] == journal and welcome['oldest'] == first[1], (welcome, first)
        entries, gaps = peer.fetch(journal=journal, prefix='', to=welcome['head'])
        assert gaps[0] == (1, first[1] - 1, 'pruned'), gaps
        assert len(gaps) == 2 and gaps[1][0] == gaps[1][1] and gaps[1][2] == 'damaged', gaps
        assert first[2] <= gaps[1][0] < first[3]
        missing = set(range(1, first[1])) | {gaps[1][0]}
        assert [e.seq for e in entries] == [seq for seq in range(1, welcome['head'] + 1) if seq not in missing]
        peer.close()


# --- cursors -------------------------------------------------------------------------------------

def cursors_outlive_a_kill():
    with Lab(paths) as lab:
        begin(lab)
        row = run(lab, 'gen-2')
        peer = Replay(lab.replay)
        journal = peer.get(op='hello', proto=1)['journal']
        mark = {'op': 'cursor', 'name': 'lims', 'journal': journal, 'topic': topic('gen-2')}
        assert peer.refused(op='cursor', name='lims')[0] == 'not-found'
        assert peer.get(**mark, seq=row['first']) == {'op': 'ok'}
        assert peer.get(**mark, seq=row['last']) == {'op': 'ok'}
        lab.kill()                                          # at once: an answered cursor is on the disk
        peer.close()
        lab.start()
        peer = Replay(lab.replay)
        at = [{'journal': journal, 'topic': topic('gen-2'), 'seq': row['last']}]
        assert peer.get(op='cursor', name='lims') == {'op': 'cursor', 'name': 'lims', 'at': at}
        assert peer.get(**mark, seq=row['last']) == {'op': 'ok'}
        assert 'never goes back' in peer.refused(**mark, seq=row['last'] - 1)[1]
        assert peer.refused(**mark, seq=2**40)[0] == 'bad-request'
        assert peer.refused(**{**mark, 'name': '../lims'}, seq=1)[0] == 'bad-request'
        assert peer.refused(**{**mark, 'journal': bytes(16)}, seq=1)[0] == 'wrong-journal'
        assert [row['name'] for row in peer.get(op='cursors')['cursors']] == ['lims']
        assert lab.ask({'op': 'cursor-forget', 'name': 'lims'})['ok'] is True
        assert lab.ask({'op': 'cursor-forget', 'name': 'lims'})['error']['code'] == 'not-found'
        assert peer.get(op='cursors')['cursors'] == []
        audits = lambda: [e.record for e in lab.entries(type='audit') if e.record['event'] == 'cursor-forgotten']
        audit = wait_for('the audit record', audits)[0]
        assert audit['before']['at'] == at and audit['actor']['auth'] == 'os', audit
        peer.close()


def a_journal_cut_behind_a_cursor_is_not_gone_on_with():
    with Lab(paths) as lab:
        lab.is_damaged = True
        begin(lab)
        run(lab, 'gen-1')
        lab.stop()
        state, copy = lab.dir / 'state', lab.dir / 'copy'
        os.system(f'cp -a {state} {copy}')
        lab.start()
        row = run(lab, 'gen-1')
        peer = Replay(lab.replay)
        journal = peer.get(op='hello', proto=1)['journal']
        peer.get(op='cursor', name='lims', journal=journal, topic='a1/data/', seq=row['last'])
        peer.close()
        lab.stop()
        os.system(f'rm -r {state}/journal && cp -a {copy}/journal {state}/journal')
        lab.start()
        peer = Replay(lab.replay)
        welcome = peer.get(op='hello', proto=1)
        assert welcome['journal'] != journal, 'no seq is given twice'
        assert [row['journal'] for row in welcome['journals']] == [journal, welcome['journal']]
        peer.close()


# --- hostile peers -------------------------------------------------------------------------------

def goes_on(lab, what, entries=100):
    """Measuring, committing and publishing go on."""
    before = len(lab.subscriber.raw())
    wait_for(f'entries during {what}', lambda: len(lab.subscriber.raw()) > before + entries)


def memory(lab):
    with open(f'/proc/{lab.daemon.pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))


def peers_that_do_not_read(lab, journal):
    """They ask a thousand times for everything and read nothing."""
    peers = [Replay(lab.replay, hwm=100000) for _ in range(4)]
    for peer in peers:
        for _ in range(1000):
            peer.send(op='fetch', journal=journal, prefix='', to=2**63, **{'from': 1})
    goes_on(lab, 'requests whose replies nobody reads')
    good = Replay(lab.replay, zmq.REQ)
    assert good.get(op='hello', proto=1)['journal'] == journal, 'others are served'
    entries, _ = good.fetch(journal=journal, prefix='a1/audit/')
    assert entries
    good.close()
    return peers


def a_slow_reader_gets_all_or_is_told(lab, journal, peer):
    """One reply per request: pages, or `busy` for those above the limit."""
    kinds = {'data': 0, 'busy': 0}
    for _ in range(1000):
        reply, _ = peer.receive()
        kinds[reply.get('code', reply['op'])] += 1
    assert kinds['data'] >= 1 and kinds['busy'] >= 1, kinds
    entries, gaps = peer.fetch(journal=journal, prefix='', to=300)
    assert len(entries) == 300 and not gaps, 'and goes on'


def garbage(lab):
    """Bytes that are no request get one reply each; envelopes that are none get nothing."""
    sock = zmq.Context.instance().socket(zmq.DEALER)
    sock.connect(lab.replay)
    random.seed(5)
    pieces = [b'', b'\xff' * 100, b'\x9b\0\0\0\0\x10\0\0\0', b'\x81' * 60000, random.randbytes(2000),
              cbor2.dumps({'op': 'hello', 'proto': 1, 'extra': 1}), cbor2.dumps({'op': 'x' * 60000})]
    for piece in pieces:
        sock.send_multipart([b'', b'more', piece])
        assert sock.poll(10000), f'no answer to {piece[:8]!r}'
        parts = sock.recv_multipart()
        assert parts[:2] == [b'', b'more'], 'the envelope is echoed'
        assert cbor2.loads(parts[2])['op'] == 'error', piece[:8]
    sock.send_multipart([b'deep'] * 100 + [cbor2.dumps({'op': 'hello', 'proto': 1})])
    sock.send_multipart([b'', cbor2.dumps({'op': 'hello', 'proto': 1})])
    assert sock.poll(10000)
    assert len(sock.recv_multipart()) == 2, 'the deep one was dropped, the next one is served'
    sock.close(linger=0)
    big = zmq.Context.instance().socket(zmq.DEALER)
    big.connect(lab.replay)
    big.send_multipart([b'', bytes(8 << 20)])               # past the limit: the connection ends
    goes_on(lab, 'a request of 8 MiB')
    big.close(linger=0)


def hostile_peers_delay_nobody():
    with Lab(paths) as lab:
        begin(lab)
        for _ in range(3):
            run(lab, 'gen-1')
        journal = lab.ask({'op': 'status'})['journal']['id']
        garbage(lab)
        peers = peers_that_do_not_read(lab, journal)
        assert memory(lab) < 400 << 10, 'what nobody reads does not fill the memory'
        run(lab, 'gen-2')
        a_slow_reader_gets_all_or_is_told(lab, journal, peers[0])
        for peer in peers:
            peer.close()
        goes_on(lab, 'their leaving')
        run(lab, 'gen-2')
        check_links([e for e in lab.entries() if e.journal == journal])


if __name__ == '__main__':
    for test in (operations, one_cursor_per_topic_misses_nothing, older_journals_stay_readable, holes_are_said,
                 cursors_outlive_a_kill, a_journal_cut_behind_a_cursor_is_not_gone_on_with,
                 hostile_peers_delay_nobody):
        test()
        print(test.__name__, 'ok', flush=True)
