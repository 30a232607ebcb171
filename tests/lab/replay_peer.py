# SPDX-License-Identifier: Apache-2.0
"""Peers of the replay socket, for tests."""

import cbor2
import zmq

from lab import DEADLINE, Entry, Failure


class Replay:
    """A DEALER, or a REQ: one request, one reply."""

    def __init__(self, endpoint, kind=zmq.DEALER, hwm=1000):
        self.kind = kind
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        self.socket.set_hwm(hwm)
        self.socket.connect(endpoint)

    def close(self):
        self.socket.close()

    def send(self, **request):
        self.send_raw(cbor2.dumps(request))

    def send_raw(self, data):
        self.socket.send_multipart([b'', data] if self.kind == zmq.DEALER else [data])

    def receive(self, seconds=DEADLINE):
        """The map and the entries' bytes."""
        if not self.socket.poll(seconds * 1000):
            raise Failure(f'no reply within {seconds} s')
        parts = self.socket.recv_multipart()
        if self.kind == zmq.DEALER:
            assert parts.pop(0) == b'', 'the envelope comes back'
        reply = cbor2.loads(parts[0])
        assert reply.get('count', 0) == len(parts) - 1, (reply, len(parts))
        return reply, parts[1:]

    def ask(self, **request):
        self.send(**request)
        return self.receive()

    def get(self, **request):
        """The map of a reply that must not be an error."""
        reply, _ = self.ask(**request)
        assert reply['op'] != 'error', reply
        return reply

    def refused(self, **request):
        """Code and text of a reply that must be an error."""
        reply, entries = self.ask(**request)
        assert reply['op'] == 'error' and not entries, reply
        return reply['code'], reply['text']

    def pages(self, **request):
        """All replies to a request that is continued from `next`."""
        while True:
            reply, entries = self.ask(**request)
            assert reply['op'] == 'data', reply
            yield reply, entries
            if reply['next'] == 0:
                return
            assert reply['next'] > request.get('from', 0), 'each page gets further'
            request['from'] = reply['next']

    def fetch(self, **request):
        """All entries and gaps of a fetch, over as many pages as it takes."""
        request = {'op': 'fetch', 'from': 1, 'to': 2**63, **request}
        entries, gaps = [], []
        for reply, page in self.pages(**request):
            entries += [read(data) for data in page]
            gaps += [(gap['from'], gap['to'], gap['why']) for gap in reply['gaps']]
        return entries, gaps


def read(data):
    return Entry(cbor2.loads(data)[5], data)
