# SPDX-License-Identifier: Apache-2.0
"""The replay socket of the real daemon: every operation, REQ and DEALER."""

import hashlib
import sys

import zmq

sys.path.insert(0, sys.argv[1])
from lab import Lab, check_links, paths_from, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402
from replay_peer import Replay, read  # noqa: E402

paths = paths_from(sys.argv[2:])


def run(lab, sample):
    started = lab.ask({'op': 'run-start', 'instrument': 'xrf-1', 'sample': sample, 'operator': 'kim'}, 60)
    assert started['ok'], started
    before = len(lab.entries('xrf-1', 'run-end'))
    lab.ask({'op': 'run-stop', 'instrument': 'xrf-1'})
    lab.wait_entries('xrf-1', 'run-end', before + 1)
    return started


def test_hello(lab, peer):
    welcome = peer.get(op='hello', proto=1)
    assert welcome['op'] == 'welcome' and welcome['proto'] == 1, welcome
    assert welcome['journal'] == lab.ask({'op': 'status'})['journal']['id']
    assert welcome['journals'] == [{'journal': welcome['journal'], 'first': 1, 'last': welcome['head']}]
    assert max(welcome['topics'].values()) == welcome['head'], welcome
    assert welcome['limits']['max_bytes'] >= 1 << 20
    assert peer.refused(op='hello', proto=2)[0] == 'unsupported'


def test_fetch(lab, peer):
    """What is fetched is what was published, byte for byte."""
    welcome = peer.get(op='hello', proto=1)
    journal = welcome['journal']
    everything, gaps = peer.fetch(journal=journal, prefix='', to=welcome['head'])
    assert [entry.seq for entry in everything] == list(range(1, welcome['head'] + 1)) and not gaps
    check_links(everything)
    stored = {entry.seq: entry.bytes for entry in everything}
    for entry in lab.entries():
        assert entry.seq > welcome['head'] or stored[entry.seq] == entry.bytes, entry.seq
    for topic in welcome['topics']:
        entries, gaps = peer.fetch(journal=journal, topic=topic, to=welcome['head'])
        assert [entry.seq for entry in entries] == [e.seq for e in everything if e.topic == topic]
        assert entries[-1].seq == welcome['topics'][topic]
    sims, _ = peer.fetch(journal=journal, prefix='a1/sim-data/', to=welcome['head'])
    assert sims and all(entry.topic.startswith('a1/sim-data/') for entry in sims)
    reply = peer.get(op='fetch', journal=journal, prefix='', to=2**63, **{'from': welcome['head'] + 10**6})
    assert reply['count'] == 0 and reply['next'] == 0, 'nothing past the head is ever served'


if __name__ == '__main__':
    with Lab(paths) as lab:
        lab.start({'instruments': instruments(lab, start_sims(lab), 'on-demand')})
        for key in ('xrf-1',):
            lab.wait_state(key, 'idle')
        run(lab, 'CCL-2026-00451')
        for kind in (zmq.DEALER, zmq.REQ):
            peer = Replay(lab.replay, kind)
            test_hello(lab, peer)
            test_fetch(lab, peer)
            peer.close()
    print('ok')
