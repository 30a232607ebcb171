# SPDX-License-Identifier: Apache-2.0
"""Every entry of an assayd journal, exactly once and in order per topic, or a report of its loss.

    import assay

    for run in assay.runs(cursor="lims"):                 # whole runs of real instruments
        print(run.number, run.sample, run.status, run.frames[0]["counts"].data)

    with assay.entries(topics=["a1/data/xrf/"], cursor=mine) as feed:
        for entry in feed:                                # or: async for entry in feed
            if isinstance(entry, assay.Gap):
                print("lost:", entry)

Entries that are missed live are fetched from the journal.  The position after a restart is a
cursor: of the daemon (a name), a file (FileCursor), or a dict that the program keeps itself, in the
same transaction as its results, for results exactly once.  An item is acknowledged when the next
one is requested, or by ack().  docs/consumers.md has the guarantees.

Needs pyzmq and cbor2; with numpy arrays are numpy arrays, without it memoryviews.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import functools
import hashlib
import inspect
import itertools
import json
import os
import sys
import tempfile
import threading
import time
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cbor2
import zmq

try:
    import numpy
except ImportError:
    numpy = None

__all__ = ["entries", "runs", "Feed", "Entry", "Gap", "Run", "Variable", "FileCursor", "Refused", "iso_time", "utc_time"]

RUN_DIR = "/run/assayd"
HEAD = b"a1/head/"
KEEP_SECONDS = 20.0             # the daemon gives a cursor to another program after 60 s without a request
SOCKET_PATH = 107               # bytes of the path of a socket
HEAD_SECONDS = 5.0              # without a heartbeat: reconnect
ANSWER_SECONDS = (2.0, 30.0)    # time limit of the first request; largest one
PAGE_BYTES = 4 << 20            # of entries in one reply
QUEUE_BYTES = 64 << 20          # of messages that wait in the live socket, as large as the largest so far
QUEUE_ENTRY = 64 << 10         # the size of one that is assumed at least
RUN_MEMORY = 16 << 20           # of one run; more goes to a temporary file
LOST = 2**63 - 1                # `last` of a gap without known end
QUALITY = {1: "good", 2: "unchecked", 3: "suspect", 4: "bad", 9: "missing"}


class Refused(Exception):
    """The daemon rejected a request; `code` is for programs."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


# --- times ---------------------------------------------------------------------------------------

def utc_time(ns: int) -> datetime.datetime:
    """Nanoseconds since 1970 as a datetime in UTC, which has only microseconds."""
    whole, rest = divmod(ns, 1_000_000_000)
    return datetime.datetime.fromtimestamp(whole, datetime.timezone.utc).replace(microsecond=rest // 1000)


def iso_time(ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 text, with all nine digits."""
    whole, rest = divmod(ns, 1_000_000_000)
    return f"{utc_time(whole * 1_000_000_000):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


# --- arrays and variables ------------------------------------------------------------------------

TYPED = {64: ("u1", "B"), 69: ("<u2", "H"), 70: ("<u4", "I"), 71: ("<u8", "Q"), 72: ("i1", "b"),
         77: ("<i2", "h"), 78: ("<i4", "i"), 79: ("<i8", "q"), 85: ("<f4", "f"), 86: ("<f8", "d")}


def _typed(tag: int, value: bytes):
    """A view of the decoded bytes, which are aligned; elements are not copied."""
    if numpy is not None:
        return numpy.frombuffer(value, TYPED[tag][0])
    if sys.byteorder == "little":
        return memoryview(value).cast(TYPED[tag][1])
    swapped = array(TYPED[tag][1], value)
    swapped.byteswap()
    return memoryview(swapped)


def _tag_hook(*args, **options):
    """cbor2 calls it with (decoder, tag) up to version 5, with (tag, immutable) from version 6 on."""
    tag = next(arg for arg in args if isinstance(arg, cbor2.CBORTag))
    if tag.tag in TYPED:
        return _typed(tag.tag, tag.value)
    if tag.tag == 40:
        shape, flat = tag.value
        if numpy is not None:
            return flat.reshape(shape)
        return memoryview(flat.cast("B")).cast(flat.format, shape)
    return tag


class Variable:
    """One variable of a frame; `raw` is its map in the record."""

    __slots__ = ("raw", "_frame")

    def __init__(self, raw: dict, frame: Entry):
        self.raw, self._frame = raw, frame

    name = property(lambda self: self.raw["name"])
    role = property(lambda self: self.raw["role"])
    unit = property(lambda self: self.raw["unit"])
    dims = property(lambda self: self.raw["dims"])
    label = property(lambda self: self.raw.get("label"))
    analyte = property(lambda self: self.raw.get("analyte", {}).get("name"))
    basis = property(lambda self: self.raw.get("basis"))
    channel = property(lambda self: self.raw.get("channel"))
    bits = property(lambda self: self.raw.get("bits", {}), doc="Of flags: {bit number: meaning}.")
    unc = property(lambda self: self.raw.get("unc"))

    @property
    def data(self):
        """An array in the instrument's own number type (a read-only view), a number, a text, or texts."""
        data = self.raw["data"]
        if not isinstance(data, dict):
            return data
        start, step, n = data["start"], data["step"], data["n"]
        if numpy is not None:
            return start + step * numpy.arange(n)
        return array("d", (start + step * i for i in range(n)))

    @property
    def axes(self) -> list[Variable]:
        """One per dimension, the slowest first."""
        return [self._frame[name] for name in self.dims]

    @property
    def axis(self) -> Variable | None:
        """The only axis, or the fastest one; None: a single value."""
        return self._frame[self.dims[-1]] if self.dims else None

    def __repr__(self):
        return f"<{self.name} [{self.unit}] {self.data!r}>"


# --- items of a feed -----------------------------------------------------------------------------

class Entry:
    """A record with its place in the journal.  `bytes` is the entry as it was committed and hashed."""

    __slots__ = ("bytes", "journal", "seq", "prev", "committed", "topic", "_body", "_record", "_feed")

    def __init__(self, data: bytes, feed: Feed | None = None):
        version, self.journal, self.seq, self.prev, self.committed, self.topic, self._body = cbor2.loads(data)
        if version != 1:
            raise ValueError(f"entry of version {version}")
        self.bytes, self._record, self._feed = data, None, feed

    @property
    def record(self) -> dict:
        if self._record is None:
            self._record = cbor2.loads(self._body, tag_hook=_tag_hook)
        return self._record

    type = property(lambda self: self.record["type"])
    instrument = property(lambda self: self.record.get("inst", {}).get("key"))
    simulated = property(lambda self: self.record.get("sim", False))
    time_ns = property(lambda self: self.record["t"]["utc"])
    time = property(lambda self: utc_time(self.time_ns))
    quality = property(lambda self: QUALITY.get(self.record["q"]["flag"], "unknown") if "q" in self.record else None)
    partial = property(lambda self: self.record.get("partial", False),
                       doc="A frame that the next one replaces: never add them up.")
    cursor = property(lambda self: (self.journal.hex(), self.topic, self.seq),
                      doc="To store with the result: journal, topic, seq.")
    leaf = property(lambda self: hashlib.sha256(b"\0" + self.bytes).digest(),
                    doc="The hash from which `ctx` and `digest` are computed.")

    @property
    def variables(self) -> list[Variable]:
        return [Variable(v, self) for v in self.record.get("vars", ())]

    def find(self, name: str, analyte: str | None = None, basis: str | None = None,
             channel: str | None = None) -> list[Variable]:
        return [v for v in self.variables if v.name == name and analyte in (None, v.analyte)
                and basis in (None, v.basis) and channel in (None, v.channel)]

    def variable(self, name: str, analyte: str | None = None, basis: str | None = None,
                 channel: str | None = None) -> Variable:
        """The only variable of this name, analyte, basis and channel (None: any); KeyError if there is none, or several."""
        found = self.find(name, analyte, basis, channel)
        if len(found) > 1:
            several = ", ".join(" ".join(filter(None, (v.analyte, v.basis, v.channel))) or v.name for v in found)
            raise KeyError(f"{len(found)} variables are named {name}, of {several}: give analyte, basis or channel")
        if not found:
            raise KeyError(" ".join(filter(None, (name, analyte, basis, channel))))
        return found[0]

    def __getitem__(self, name: str | tuple[str, ...]) -> Variable:
        """frame["counts"], frame["concentration", "HCl"], frame["concentration", "HCl", "dry"]: as variable()."""
        return self.variable(*((name,) if isinstance(name, str) else name))

    def ack(self) -> None:
        """Acknowledges it before the next one is requested."""
        self._feed.ack(self)

    def __repr__(self):
        return f"<entry {self.seq} {self.type} on {self.topic}>"


class Gap:
    """Entries first … last of the journal are lost; some of them were on this topic."""

    __slots__ = ("journal", "topic", "first", "last", "why", "_feed")

    def __init__(self, journal: bytes, topic: str, first: int, last: int, why: str, feed: Feed | None = None):
        self.journal, self.topic, self.first, self.last, self.why = journal, topic, first, last, why
        self._feed = feed

    cursor = property(lambda self: (self.journal.hex(), self.topic, self.last))

    def ack(self) -> None:
        self._feed.ack(self)

    def __repr__(self):
        return f"<gap {self.first} to {self.last} on {self.topic}: {self.why}>"


class _Spool:
    """Entries of a run in order, on disk if there are many."""

    def __init__(self):
        self.file, self.places, self.end = tempfile.SpooledTemporaryFile(RUN_MEMORY), [], 0
        weakref.finalize(self, self.file.close)

    def append(self, data: bytes) -> None:
        self.file.seek(self.end)
        self.file.write(data)
        self.places.append(self.end)
        self.end += len(data)

    def read(self, at: int) -> bytes:
        end = self.places[at + 1] if at + 1 < len(self.places) else self.end
        self.file.seek(self.places[at])
        return self.file.read(end - self.places[at])


class _Frames(Sequence):
    """The frames of a run; each is read on access."""

    def __init__(self, spool: _Spool):
        self._spool = spool

    def __len__(self):
        return len(self._spool.places)

    def __getitem__(self, at):
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return Entry(self._spool.read(range(len(self))[at]))


class Run:
    """A run with all its records.

    A run whose `start` or `end` was lost is an item, too: `whole` is true only if it is complete,
    as the daemon counted and hashed it.  `gaps` are the lost entries inside.  `amends` are those of
    this run made while it was open; later ones, and those of other runs, are entries of their own.
    `frames` has partial frames, too, which later ones replace: results are in `final_frames`.
    """

    def __init__(self, entry: Entry, feed: Feed | None = None):
        self.id: bytes = entry.record["run"]
        self.journal, self.topic = entry.journal, entry.topic
        self.start: Entry | None = None
        self.end: Entry | None = None
        self.amends: list[Entry] = []
        self.gaps: list[Gap] = []
        self.seqs: list[int] = []
        self.digests: list[bytes] = []
        self._spool, self._leaves, self._feed = _Spool(), hashlib.sha256(), feed
        self.frames: Sequence[Entry] = _Frames(self._spool)

    def _add(self, entry: Entry) -> None:
        kind = entry.type
        if kind == "run-start":
            self.start = entry
        elif kind == "run-end":
            self.end = entry
        elif kind == "amend":
            self.amends.append(entry)
        else:
            self._spool.append(entry.bytes)
            self._leaves.update(entry.leaf)
        self.seqs.append(entry.seq)
        self.digests.append(hashlib.sha256(entry.bytes).digest())

    def _said(self, key: str, part: str | None = None):
        value = self.start.record.get(key) if self.start else None
        return value.get(part) if part and value else value

    @property
    def final_frames(self) -> list[Entry]:
        """The frames that no later one replaces."""
        return [frame for frame in self.frames if not frame.partial]

    @property
    def corrected(self) -> dict[str, Any]:
        """Sample, operator, note and valid as they are after `amends`; `sample` and so on are those of the start."""
        now = {"sample": self.sample, "operator": self.operator, "note": self._said("x-note"), "valid": True}
        names = {"sample.id": "sample", "operator.id": "operator", "x-note": "note", "valid": "valid"}
        for amend in self.amends:
            now.update((names[key], value) for key, value in amend.record["set"].items() if key in names)
        return now

    valid = property(lambda self: self.corrected["valid"], doc="False: an amend in `amends` says that it must not be used.")
    number = property(lambda self: self._said("number"))
    sample = property(lambda self: self._said("sample", "id"))
    operator = property(lambda self: self._said("operator", "id"))
    instrument = property(lambda self: (self.start or self.end or self.frames[0]).instrument)
    simulated = property(lambda self: (self.start or self.frames[0]).simulated)
    status = property(lambda self: self.end.record["status"] if self.end else None)
    cursor = property(lambda self: (self.journal.hex(), self.topic, self.seqs[-1]))

    @property
    def whole(self) -> bool:
        return bool(self.start and self.end and not self.gaps and self.end.record["frames"] == len(self.frames)
                    and self.end.record["digest"] == self._leaves.digest())

    def ack(self) -> None:
        self._feed.ack(self)

    def __repr__(self):
        return f"<run {self.number or self.id.hex()} {self.status}, {len(self.frames)} frames>"


# --- cursors -------------------------------------------------------------------------------------

class FileCursor:
    """A cursor in a file, which is replaced as a whole and is on the disk when save() returns."""

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)

    def load(self) -> dict[str, dict[str, int]]:
        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ValueError(f"{self.path}: not a cursor, restore it from a copy: {error}") from None
        seqs = [seq for topics in found.values() if isinstance(topics, dict) for seq in topics.values()] \
            if isinstance(found, dict) and all(isinstance(topics, dict) for topics in found.values()) else [None]
        if not all(isinstance(seq, int) for seq in seqs):
            raise ValueError(f"{self.path}: not a cursor: expected {{journal: {{topic: seq}}}}")
        return found

    def save(self, positions: dict[str, dict[str, int]]) -> None:
        folder = os.path.dirname(self.path) or "."
        fd, name = tempfile.mkstemp(dir=folder, prefix=os.path.basename(self.path))
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(positions, file)
            file.flush()
            os.fsync(fd)
        os.replace(name, self.path)
        fd = os.open(folder, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


class _DictCursor:
    def __init__(self, mine: dict[str, dict[str, int]]):
        self.mine = mine

    def load(self):
        return {journal: dict(topics) for journal, topics in self.mine.items()}

    def save(self, positions):
        for journal, topics in positions.items():
            self.mine.setdefault(journal, {}).update(topics)


# --- sockets -------------------------------------------------------------------------------------

def _load_keys(key, server_key) -> tuple[bytes, bytes, bytes] | None:
    """The daemon's public key, the own one, the own secret one, from files as `assayctl keygen` makes them."""
    if key is None and server_key is None:
        return None
    if key is None or server_key is None:
        raise ValueError("key and server_key belong together: the own key file and that of the daemon's public key")
    from zmq.auth import load_certificate
    if os.stat(key).st_mode & 0o077:
        raise PermissionError(f"{key}: its group or others have rights on this secret key: chmod 600")
    (public, secret), (server, _) = load_certificate(key), load_certificate(server_key)
    if secret is None:
        raise ValueError(f"{key}: the file has no secret-key")
    return server, public, secret


class _Watch:
    """Notices that the daemon refuses the key of a socket: libzmq reports it only so, and then does not try again."""

    numbers = itertools.count()
    EVENTS = (zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
              | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH)

    def __init__(self, socket):
        address = f"inproc://assay-watch-{next(self.numbers)}"
        socket.monitor(address, self.EVENTS)
        self.monitor, self.failures = zmq.Context.instance().socket(zmq.PAIR), 0
        self.monitor.connect(address)

    def check(self) -> None:
        while self.monitor.poll(0):
            event = int.from_bytes(self.monitor.recv_multipart()[0][:2], sys.byteorder)
            if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                raise Refused("not-authorised", "the daemon refuses this key: it is not in its list of authorised keys, "
                                                "or has not the role of this socket")
            self.failures = 0 if event == zmq.EVENT_HANDSHAKE_SUCCEEDED else self.failures + 1
        if self.failures >= 3:      # one may be the end of the daemon
            raise Refused("not-authorised", "the exchange of keys fails: is the given public key that of this daemon?")

    def close(self) -> None:
        self.monitor.close(linger=0)


class _Wire:
    """The two sockets of a consumer; blocking."""

    def __init__(self, live: str, replay: str, prefixes: Iterable[str], hwm: int,
                 keys: tuple[bytes, bytes, bytes] | None = None):
        self.endpoints, self.prefixes, self.hwm, self.keys = (live, replay), list(prefixes), hwm, keys
        self.watches: dict[int, _Watch] = {}                # by kind of socket
        self.live = self.replay = None
        self.largest = QUEUE_ENTRY

    def context(self):
        return zmq.Context.instance()

    def socket(self, kind: int, endpoint: str):
        socket = self.context().socket(kind)
        socket.linger = 0
        socket.reconnect_ivl, socket.reconnect_ivl_max = 50, 1000
        if kind == zmq.SUB:
            socket.rcvhwm = self.limit()
            for prefix in [*self.prefixes, HEAD.decode()]:
                socket.subscribe(prefix)
        if self.keys is not None:
            socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = self.keys
            self.watches[kind] = _Watch(socket)
        socket.connect(endpoint)
        return socket

    def end(self, kind: int, socket) -> None:
        if socket is not None:
            socket.close(linger=0)
        if kind in self.watches:
            self.watches.pop(kind).close()

    def check(self, kind: int) -> None:
        """Raises Refused if the daemon does not let this key in."""
        if kind in self.watches:
            self.watches[kind].check()

    def limit(self) -> int:
        """Messages that may wait: `hwm`, and together not more than QUEUE_BYTES."""
        return max(1, min(self.hwm, QUEUE_BYTES // self.largest))

    def note_size(self, parts: list[bytes]) -> list[bytes]:
        """libzmq counts messages only, so their number follows the size of the largest."""
        size = sum(map(len, parts))
        if size > self.largest:
            self.largest = size
            self.live.rcvhwm = self.limit()
        return parts

    def close(self) -> None:
        self.end(zmq.SUB, self.live)
        self.end(zmq.DEALER, self.replay)
        self.live = self.replay = None

    def open(self) -> None:
        self.close()
        self.live = self.socket(zmq.SUB, self.endpoints[0])
        self.replay = self.socket(zmq.DEALER, self.endpoints[1])

    def renew(self) -> None:
        """Reconnects, so that a late reply is not taken for the reply to the next request."""
        self.end(zmq.DEALER, self.replay)
        self.replay = self.socket(zmq.DEALER, self.endpoints[1])

    def exchange(self, request: dict, seconds: float):
        parts = None
        try:
            self.replay.send(cbor2.dumps(request))
            if self.replay.poll(int(seconds * 1000)):
                parts = self.replay.recv_multipart()
            else:
                self.check(zmq.DEALER)
            return parts
        finally:
            if parts is None:       # timeout, or an exception of a signal
                self.renew()

    def listen(self, seconds: float):
        try:
            return self.note_size(self.live.recv_multipart(zmq.NOBLOCK))
        except zmq.Again:
            if self.live.poll(int(seconds * 1000)):
                return self.note_size(self.live.recv_multipart())
            self.check(zmq.SUB)
            return None

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class _AsyncWire(_Wire):
    """The same for asyncio."""

    def context(self):
        import zmq.asyncio
        return zmq.asyncio.Context.shadow(zmq.Context.instance().underlying)

    async def exchange(self, request, seconds):
        parts = None
        try:
            await self.replay.send(cbor2.dumps(request))
            if await self.replay.poll(int(seconds * 1000)):
                parts = await self.replay.recv_multipart()
            else:
                self.check(zmq.DEALER)
            return parts
        finally:
            if parts is None:       # timeout, or cancelled
                self.renew()

    async def listen(self, seconds):
        if await self.live.poll(int(seconds * 1000)):
            return self.note_size(await self.live.recv_multipart())
        self.check(zmq.SUB)
        return None

    async def pause(self, seconds):
        import asyncio
        await asyncio.sleep(seconds)


# --- the feed ------------------------------------------------------------------------------------

class _Renewed(Exception):
    """The daemon has a new journal: request the list again."""


class Feed:
    """Iterate over it, with `for` or `async for`; `with` closes it.  Made by entries() and runs().

    The algorithm is written once, as generators.  They yield ("item", …), or the name of a method
    of the wire with its arguments, and get its result back.
    """

    def __init__(self, dir=RUN_DIR, topics: Iterable[str] = ("a1/data/",), cursor=None, simulated: bool = False,
                 start: str | None = None, follow: bool = True, whole_runs: bool = False, hwm: int = 10000, ack_every: float = 1.0,
                 live: str | None = None, replay: str | None = None, key: str | os.PathLike | None = None,
                 server_key: str | os.PathLike | None = None):
        self._prefixes, self._simulated = _prefixes([topics] if isinstance(topics, str) else topics, simulated), simulated
        self._endpoints = live or f"ipc://{os.fspath(dir)}/live", replay or f"ipc://{os.fspath(dir)}/replay"
        for endpoint in self._endpoints:
            path = os.fsencode(endpoint.removeprefix("ipc://"))
            if endpoint.startswith("ipc://") and len(path) > SOCKET_PATH:
                raise ValueError(f"{endpoint[6:]}: the path of a socket has at most {SOCKET_PATH} bytes, this one {len(path)}")
        self._keys = _load_keys(key, server_key)
        self._hwm, self._ack_every, self._whole_runs, self._follows = hwm, ack_every, whole_runs, follow
        if not (cursor is None or isinstance(cursor, (str, dict)) or (hasattr(cursor, "load") and hasattr(cursor, "save"))):
            raise TypeError(f"cursor is a name, a dict, or an object with load() and save(), not {cursor!r}")
        self._name = cursor if isinstance(cursor, str) else None
        self._store = _DictCursor(cursor) if isinstance(cursor, dict) else cursor if self._name is None else None
        self._start = start or ("now" if cursor is None else "oldest")
        if self._start not in ("now", "oldest"):
            raise ValueError(f'start is "now" or "oldest", not {start!r}')
        self._at: dict[tuple[bytes, str], int] = {}         # positions that were read
        self._acked: dict[tuple[bytes, str], int] = {}      # positions that were processed
        self._unsaved: dict[tuple[bytes, str], int] = {}
        self._settled: dict[bytes, int] = {}                # all wanted entries up to here were read
        self._saved_at = self._taken_at = 0.0
        self._open: dict[tuple[bytes, str], Run] = {}
        self._journals: list[bytes] = []                    # oldest first; the last one is followed
        self._present = b""                                 # the one that the daemon writes
        self._current: Any = None                           # the item that the program is processing
        self._again = False                                 # it is given again
        self._is_loaded = self._is_closed = False
        self._wire: _Wire | None = None
        self._steps = self._everything()
        self._user = threading.RLock()                      # of the thread that waits in it

    # --- for the program ---

    @property
    def cursors(self) -> dict[str, dict[str, int]]:
        """{journal: {topic: seq}} of what was acknowledged."""
        return _nested(self._acked)

    def ack(self, item) -> None:
        """Acknowledges `item` and all before it on its topic.  Stored at once, except in the daemon's cursor."""
        journal, topic, seq = item.cursor
        key = bytes.fromhex(journal), topic
        if item is self._current:
            self._current = None
        if seq > self._acked.get(key, -1):
            self._acked[key] = self._unsaved[key] = seq
        if self._unsaved:
            self._store_mine()

    def _begin_loop(self):
        """A loop that was left by break or an exception did not process its last item: it comes again."""
        self._again = self._current is not None
        return self

    def _given_again(self):
        self._again = False
        return self._current

    def _renew_steps(self, error: BaseException) -> None:
        """After an exception the feed begins again after the acknowledged items: it loses none and does not seem to end.

        A signal or a cancellation while it waits leaves the steps as they are.
        """
        is_suspended = inspect.isgenerator(self._steps) and inspect.getgeneratorstate(self._steps) == inspect.GEN_SUSPENDED
        if not self._is_closed and (isinstance(error, Exception) or not is_suspended):
            self._steps = self._everything()

    @contextlib.contextmanager
    def _alone(self):
        """The sockets of a feed, and its place, belong to one thread at a time."""
        if not self._user.acquire(blocking=False):
            raise RuntimeError("another thread is using this feed: a feed belongs to one thread at a time, "
                               "give each thread its own, with a cursor of its own")
        try:
            yield
        finally:
            self._user.release()

    def __iter__(self) -> Iterator:
        return self._begin_loop()

    def __next__(self):
        with self._alone():
            return self._next()

    def _next(self):
        if self._again:
            return self._given_again()
        try:
            return self._drive(self._steps)
        except StopIteration:
            raise
        except BaseException as error:
            self._renew_steps(error)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self) -> None:
        """Stores the acknowledged positions.  The last item is not acknowledged, unless by ack()."""
        with self._alone():
            self._close()

    def _close(self) -> None:
        if self._wire is not None and self._wire.replay is not None:
            try:
                self._wire.renew()  # the loop may have been left while it waited for a reply
                self._drive(self._save(attempts=1))
            finally:
                self._end()
        self._end()

    def __aiter__(self):
        return self._begin_loop()

    async def __anext__(self):
        with self._alone():
            if self._again:
                return self._given_again()
            try:
                return await self._drive_async(self._steps, StopAsyncIteration)
            except StopAsyncIteration:
                raise
            except BaseException as error:
                self._renew_steps(error)
                raise

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        await self.aclose()

    async def aclose(self) -> None:
        if self._wire is not None and self._wire.replay is not None:
            try:
                self._wire.renew()
                await self._drive_async(self._save(attempts=1))
            finally:
                self._end()
        self._end()

    def _end(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = None
        self._steps, self._is_closed, self._current, self._again = iter(()), True, None, False

    # --- driving the steps ---

    def _drive(self, steps):
        self._wire = self._wire or _Wire(*self._endpoints, self._prefixes, self._hwm, self._keys)
        outcome = None
        while True:
            try:
                step = steps.send(outcome) if inspect.isgenerator(steps) else next(steps)
            except StopIteration:
                if steps is self._steps:
                    raise
                return None
            if step[0] == "item":
                return step[1]
            outcome = getattr(self._wire, step[0])(*step[1:])

    async def _drive_async(self, steps, ended=None):
        self._wire = self._wire or _AsyncWire(*self._endpoints, self._prefixes, self._hwm, self._keys)
        outcome = None
        while True:
            try:
                step = steps.send(outcome) if inspect.isgenerator(steps) else next(steps)
            except StopIteration:
                if ended is not None:
                    raise ended from None
                return None
            if step[0] == "item":
                return step[1]
            outcome = getattr(self._wire, step[0])(*step[1:])
            if inspect.isawaitable(outcome):
                outcome = await outcome

    def _item(self, item):
        """Yields an item; after that the program has processed it."""
        self._current = item
        yield "item", item
        if self._current is item:
            self.ack(item)
        yield from self._save_when_due()

    # --- requests ---

    def _request(self, request: dict, attempts: int = 0):
        """The reply to a request; waits while the daemon is away.  None after `attempts`, if any."""
        seconds, tried = ANSWER_SECONDS[0], 0
        while True:
            parts = yield "exchange", request, seconds
            tried += 1
            if parts is None:
                seconds = min(seconds * 2, ANSWER_SECONDS[1])
            else:
                reply = cbor2.loads(parts[0])
                if reply["op"] != "error":
                    return reply, parts[1:]
                if reply["code"] != "busy":
                    raise Refused(reply["code"], reply["text"])
                yield "pause", 0.2
            if tried == attempts:
                return None

    def _hello(self):
        return (yield from self._request({"op": "hello", "proto": 1}))[0]

    # --- cursors ---

    def _load(self):
        """Reads the positions once; later they are those that this feed has acknowledged."""
        if not self._is_loaded:
            yield from self._load_stored()
        self._is_loaded = True
        self._at, self._open, self._journals, self._settled = dict(self._acked), {}, [], {}
        self._current = None
        if self._unsaved:
            self._store_mine()

    def _load_stored(self):
        if self._name is not None:
            try:
                reply, _ = yield from self._request({"op": "cursor", "name": self._name, "take": True})
                found = {(at["journal"], at["topic"]): at["seq"] for at in reply["at"]}
            except Refused as refused:
                if refused.code != "not-found":
                    raise
                found = {}
        else:
            stored = self._store.load() if self._store is not None else {}
            found = {(bytes.fromhex(j), topic): seq for j, topics in stored.items() for topic, seq in topics.items()}
        self._acked, self._taken_at = found, time.monotonic()

    def _keep(self):
        """The daemon gives a cursor to another program after 60 s of silence."""
        if self._name is None or time.monotonic() < self._taken_at + KEEP_SECONDS:
            return
        self._taken_at = time.monotonic()
        try:
            yield from self._request({"op": "cursor", "name": self._name, "take": True})
        except Refused as refused:
            if refused.code != "not-found":
                raise

    def _save_when_due(self):
        yield from self._keep()
        if self._unsaved and time.monotonic() >= self._saved_at + self._ack_every:
            yield from self._save()

    def _store_mine(self) -> None:
        if self._name is None:
            if self._store is not None:
                self._store.save(_nested(self._acked))
            self._unsaved.clear()

    def _save(self, attempts: int = 0):
        self._store_mine()
        while self._unsaved:
            (journal, topic), seq = next(iter(self._unsaved.items()))
            request = {"op": "cursor", "name": self._name, "journal": journal, "topic": topic, "seq": seq}
            try:
                if (yield from self._request(request, attempts)) is None:
                    return
            except Refused as refused:
                if refused.code != "wrong-journal":         # it is gone: no position is needed
                    raise
            del self._unsaved[journal, topic]
        self._saved_at = time.monotonic()

    # --- the algorithm ---

    def _wants(self, topic: str) -> bool:
        return (self._simulated or not topic.startswith("a1/sim-")) and topic.startswith(self._prefixes)

    def _everything(self):
        yield "open",
        yield from self._load()
        while True:
            try:
                welcome = yield from self._hello()
                yield from self._enter(welcome)
                if not self._follows:
                    break
                yield from self._follow()
                yield "open",
            except _Renewed:
                pass
        yield from self._save()
        yield "close",

    def _enter(self, welcome: dict):
        """Reads all journals up to the current one, and that one up to its head."""
        journals = [row["journal"] for row in welcome["journals"]]
        if welcome["journal"] not in journals:
            journals.append(welcome["journal"])
        known = {journal for journal, _ in self._at}
        begin = max((i for i, journal in enumerate(journals) if journal in known), default=0)
        if not known and self._start == "now":
            begin = len(journals) - 1
            self._settle(journals[-1], welcome["head"])
        elif not known and self._name is not None:          # keeps these entries from being removed
            for prefix in self._prefixes:
                self._mark(journals[0], prefix, 0)
            yield from self._save()
        elif known and known.isdisjoint(journals):
            yield from self._lose_journals()
        if self._journals:
            begin = max(begin, journals.index(self._journals[-1]) if self._journals[-1] in journals else 0)
        self._start, self._present = "oldest", journals[-1]
        for row in welcome["journals"][begin:len(journals) - 1]:
            for prefix in self._prefixes:
                yield from self._scan(row["journal"], prefix, row["last"])
            yield from self._end_of(row["journal"])
            self._settle(row["journal"], row["last"])
        self._journals = journals
        yield from self._catch_up(journals[-1], welcome["topics"], welcome["head"])

    def _lose_journals(self):
        """All journals of our positions are gone: the entries after the positions are lost."""
        for (journal, topic), seq in sorted(self._at.items()):
            covers = [name for name in _names(topic, self._prefixes) if name != topic and (journal, name) in self._at]
            if seq < LOST and not covers and (self._wants(topic) or topic in self._prefixes):
                yield from self._lose(Gap(journal, topic, seq + 1, LOST, "damaged", self))

    def _catch_up(self, journal: bytes, last: dict[str, int], head: int):
        for topic in sorted(last):
            if self._wants(topic):
                yield from self._fetch(journal, topic, last[topic])
        self._settle(journal, head)
        yield from self._save_when_due()

    def _settle(self, journal: bytes, head: int) -> None:
        """All wanted entries up to `head` were read and, except for open runs, processed."""
        self._settled[journal] = max(head, self._settled.get(journal, 0))
        if not any(key[0] == journal for key in self._open):
            for prefix in self._prefixes:
                self._mark(journal, prefix, head)

    def _mark(self, journal: bytes, prefix: str, seq: int) -> None:
        key = journal, prefix
        if prefix.endswith("/") and seq > self._acked.get(key, -1):
            self._at[key] = max(seq, self._at.get(key, 0))
            self._acked[key] = self._unsaved[key] = seq
            self._store_mine()

    def _follow(self):
        """Processes live messages until there are none."""
        heard = time.monotonic()
        while True:
            wait = HEAD_SECONDS
            if self._unsaved:
                wait = min(wait, max(0.0, self._saved_at + self._ack_every - time.monotonic()))
            parts = yield "listen", wait
            if parts is None and wait == HEAD_SECONDS:
                return
            if parts is not None and parts[0].startswith(HEAD):
                head = cbor2.loads(parts[1])
                if self._is_present(head["journal"]):
                    yield from self._catch_up(head["journal"], head["last"], head["head"])
                    heard = time.monotonic()
            elif parts is not None:
                yield from self._take_live(Entry(parts[1], self))
            if time.monotonic() > heard + HEAD_SECONDS:      # heartbeats are dropped: request one
                raise _Renewed
            yield from self._save_when_due()

    def _is_present(self, journal: bytes) -> bool:
        if journal not in self._journals:
            raise _Renewed
        return journal == self._journals[-1]

    def _take_live(self, entry: Entry):
        if not self._wants(entry.topic) or not self._is_present(entry.journal):
            return
        at = self._at.get((entry.journal, entry.topic), 0)
        if entry.seq <= at:
            return
        if entry.prev > at:
            yield from self._fetch(entry.journal, entry.topic, entry.prev)
        yield from self._deliver(entry)

    def _position(self, journal: bytes, topic: str) -> int:
        """The entries of the topic up to here were read, or are known to be lost."""
        return max(self._at.get((journal, name), 0) for name in _names(topic, self._prefixes))

    def _page(self, journal: bytes, what: str, name: str, begin: int, to: int):
        """One reply: entries, gaps, and the start of the next one."""
        request = {"op": "fetch", "journal": journal, what: name, "from": begin, "to": to, "max_bytes": PAGE_BYTES}
        try:
            reply, parts = yield from self._request(request)
        except Refused as refused:
            if refused.code not in ("wrong-journal", "not-found"):
                raise
            reply = None
        is_short = reply is not None and not reply["next"] and reply["head"] < to and journal == self._present
        if reply is None or is_short:                       # announced entries are missing: retry
            yield "pause", 0.2
            raise _Renewed
        return [Entry(part, self) for part in parts], collections.deque(reply["gaps"]), reply["next"] or to + 1

    def _fetch(self, journal: bytes, topic: str, to: int):
        """Delivers the entries of a topic up to seq `to`, which is on it, and reports lost ones."""
        begin, gaps = self._position(journal, topic) + 1, []
        while begin <= to:
            entries, found, begin = yield from self._page(journal, "topic", topic, begin, to)
            for entry in entries:
                while found and found[0]["from"] < entry.seq:
                    gaps.append(found.popleft())
                if entry.prev > self._position(journal, topic):
                    yield from self._missing(journal, topic, gaps, entry.prev)
                gaps.clear()
                if entry.seq > self._position(journal, topic):
                    yield from self._deliver(entry)
            gaps.extend(found)
        if to > self._position(journal, topic):
            yield from self._missing(journal, topic, gaps, to)

    def _missing(self, journal: bytes, topic: str, gaps: list[dict], to: int):
        """`to` is on the topic and was not received.  Gaps after it have no entries of this topic."""
        at, holes = self._position(journal, topic), []
        for gap in gaps:
            first = max(gap["from"], at + 1)
            if first > to or gap["to"] < first:
                continue
            if holes and holes[-1].why == gap["why"]:
                holes[-1].last = gap["to"]
            else:
                holes.append(Gap(journal, topic, first, gap["to"], gap["why"], self))
        if not holes or holes[-1].last < to:                # never lost without a report
            holes.append(Gap(journal, topic, holes[-1].last + 1 if holes else at + 1, to, "damaged", self))
        for hole in holes:
            yield from self._lose(hole)
        self._at[journal, topic] = max(to, self._position(journal, topic))

    def _scan(self, journal: bytes, prefix: str, to: int):
        """Delivers an older journal.  Its topics are unknown, so a hole is a gap of the prefix."""
        key = journal, prefix
        begin = max(self._at.get(key, 0), self._settled.get(journal, 0)) + 1
        while begin <= to:
            entries, gaps, begin = yield from self._page(journal, "prefix", prefix, begin, to)
            for entry in [*entries, None]:
                while gaps and (entry is None or gaps[0]["from"] < entry.seq):
                    gap = gaps.popleft()
                    yield from self._lose(Gap(journal, prefix, gap["from"], gap["to"], gap["why"], self))
                if entry is None or not self._wants(entry.topic):
                    continue
                at = self._position(journal, entry.topic)
                if entry.prev > max(at, self._settled.get(journal, 0)):
                    yield from self._missing(journal, entry.topic, [], entry.prev)
                if entry.seq > at:
                    yield from self._deliver(entry)
        self._at[key] = to

    def _lose(self, gap: Gap):
        """A hole inside a run is part of the run; the cursor of its topic stays before it."""
        self._at[gap.journal, gap.topic] = gap.last
        cut = [run for (journal, topic), run in self._open.items()
               if journal == gap.journal and topic.startswith(gap.topic)]
        for run in cut:
            run.gaps.append(gap)
        if not cut:
            yield from self._item(gap)

    # --- items ---

    def _deliver(self, entry: Entry):
        self._at[entry.journal, entry.topic] = entry.seq
        if self._whole_runs and "run" in entry.record:
            yield from self._take_part(entry)
        else:
            yield from self._item(entry)

    def _take_part(self, entry: Entry):
        """Runs are items when they have ended; only then the cursor of their topic moves."""
        key, id = (entry.journal, entry.topic), entry.record["run"]
        run = self._open.get(key)
        if entry.type == "amend":
            if run is None or run.id != id:                 # of another run; _read_run() finds the start of this one
                yield from self._item(entry)
            else:
                run._add(entry)
            return
        if run is not None and run.id != id:
            yield from self._item(self._open.pop(key))
            run = None
        if run is None:
            run = self._open[key] = Run(entry, self)
            if entry.type != "run-start":
                yield from self._read_run(run, entry)
        run._add(entry)
        if entry.type == "run-end":
            yield from self._item(self._open.pop(key))

    def _read_run(self, run: Run, upto: Entry):
        """The entries of a run before `upto`: it started before the subscription."""
        begin = 1
        while begin:
            try:
                reply, parts = yield from self._request({"op": "run", "run": run.id, "from": begin})
            except Refused as refused:
                if refused.code != "not-found":
                    raise
                return
            for part in parts:
                entry = Entry(part, self)
                if entry.journal == upto.journal and entry.seq < upto.seq:
                    run._add(entry)
            begin = reply["next"] if reply["next"] < upto.seq else 0

    def _end_of(self, journal: bytes):
        """The journal has ended: runs that are open in it have no end."""
        for key in [key for key in self._open if key[0] == journal]:
            yield from self._item(self._open.pop(key))


@functools.lru_cache(4096)
def _names(topic: str, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of positions that cover the topic."""
    parts = topic.split("/")
    whole = {"/".join(parts[:i]) + "/" for i in range(1, len(parts))}
    return topic, *(whole - {topic}), *(prefix for prefix in prefixes if topic.startswith(prefix))


def _nested(positions: dict[tuple[bytes, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (journal, topic), seq in positions.items():
        nested.setdefault(journal.hex(), {})[topic] = seq
    return nested


def _prefixes(topics: Iterable[str], simulated: bool) -> tuple[str, ...]:
    """The prefixes to subscribe to; with `simulated`, also the simulated twin of each."""
    wanted = list(topics)
    for topic in list(wanted):
        if topic.startswith("a1/sim-") and not simulated:
            raise ValueError(f"{topic} is simulated: request it by simulated=True")
        for kind in ("data", "state"):
            if simulated and f"{topic}/".startswith(f"a1/{kind}/"):
                wanted.append(topic.replace("a1/", "a1/sim-", 1))
    return tuple(wanted)


def entries(dir=RUN_DIR, topics: Iterable[str] = ("a1/data/",), cursor=None, *, simulated: bool = False, **options) -> Feed:
    """Entries, and a Gap in the place of lost ones.

    `topics` are prefixes.  `cursor` is a name (the daemon keeps it), a dict {journal: {topic: seq}}
    (the program keeps it), or an object with load() and save(), such as FileCursor.  Without a cursor
    the feed starts with new entries, with an empty one at the oldest entry; `start`, "now" or "oldest",
    overrides that.  With follow=False it ends after the entries that the journal had at the start.
    `hwm` messages wait in the socket; dropped ones are fetched.  A cursor of the daemon is stored every
    `ack_every` seconds.  From another machine: `live` and `replay` are tcp:// endpoints, `key` and
    `server_key` the files of the own key pair and of the daemon's public key; Refused if it does not
    let that key in.
    """
    return Feed(dir, topics, cursor, simulated, **options)


def runs(dir=RUN_DIR, topics: Iterable[str] = ("a1/data/",), cursor=None, *, simulated: bool = False, **options) -> Feed:
    """Whole runs, each when it has ended, acknowledged as one.

    Also an Entry for each amend of an earlier run, and a Gap in the place of lost runs.
    """
    return Feed(dir, topics, cursor, simulated, **{"ack_every": 0.0, **options}, whole_runs=True)
