# SPDX-License-Identifier: Apache-2.0
"""Consumers for tests: programs that write the items of the client library, and a check of their
output against the journal's own files.

The contract of the programs (consume.py, consume.js, consume.c):

    consume --dir RUNDIR [--topic PREFIX]... [--simulated] [--from-output FILE | --cursor NAME]
            [--hwm N] [--runs] [--count N]

One line of JSON per item, in one write, appended to FILE or written to stdout:

    entry      {"journal": hex32, "topic": t, "seq": n, "prev": p, "sha256": hex of the entry}
    hole       {"gap": {"journal": hex32, "topic": t, "from": a, "to": b, "why": "pruned"}}
               of an older journal t may be the prefix of the request: entries on any topic below
               it may be lost
    whole run  {"run": number, "status": s, "frames": n, "journal": hex32, "topic": t, "seqs": [...],
               "sha256": hex over the SHA-256 of the entries, joined}
               an amend that is made after its run was given is an entry

Without a position a consumer starts at the oldest entry. With --from-output it continues where the lines
of its output end (result and position are one write: exactly once, even after kill -9); a last line that
is torn is cut off. With --cursor it acknowledges to the daemon after each write. SIGTERM ends it with 0.
By TCP the environment has ASSAY_LIVE, ASSAY_REPLAY, ASSAY_KEY and ASSAY_SERVER_KEY: endpoints, and files of keys.
"""

import hashlib
import json
import os
import pathlib
import signal
import struct
import subprocess

import cbor2

from lab import Failure, wait_for
from segments import remove_on_purpose, segment_entries

SIMULATED = 'a1/sim-'


def begin_of(folder):
    """The start of a journal, from its first file."""
    first = min(folder.glob('*.seg'))
    return struct.unpack_from('<Q', first.read_bytes(), 40)[0]


class Truth:
    """The content of the journal's files, and the entries removed from them on purpose."""

    def __init__(self, state):
        self.state = pathlib.Path(state)
        self.journals = {}     # id: {seq: (topic, prev, sha256)}, oldest journal first
        self.lost = {}         # id: seqs that were removed or damaged
        self.read = set()      # closed files, which need not be read again

    def update(self):
        for folder in sorted((self.state / 'journal').iterdir(), key=begin_of):
            files = sorted(folder.glob('*.seg'))
            for path in files:
                self.read_file(path, path != files[-1])
        return self

    def read_file(self, path, is_closed):
        if path in self.read:
            return
        for _, data in segment_entries(path):
            _, journal, seq, prev, tc, topic, body = cbor2.loads(data)
            entries = self.journals.setdefault(journal.hex(), {})
            if seq not in entries:
                entries[seq] = topic, prev, hashlib.sha256(data).hexdigest()
        if is_closed:
            self.read.add(path)

    def closed(self, journal=None):
        """Segments that are not written any more, the oldest first."""
        id = journal or (self.state / 'current').read_text().strip()
        files = sorted((self.state / 'journal' / id).glob('*.seg'))[:-1]
        return [file for file in files if file.with_suffix('.idx').exists()]

    def prune(self, path):
        """Removes a closed segment as retention does."""
        self.update()
        self.lose(path, [seq for _, seq in self.seqs(path)])
        remove_on_purpose(path)

    def damage(self, path, count=3):
        """Alters the bytes of some entries in a row of a closed segment."""
        self.update()
        seqs = self.seqs(path)
        middle = seqs[len(seqs) // 2:][:count]
        with open(path, 'r+b') as file:
            for at, _ in middle:
                file.seek(at + 20)
                old = file.read(1)
                file.seek(at + 20)
                file.write(bytes([old[0] ^ 0xff]))
        self.lose(path, [seq for _, seq in middle])

    def seqs(self, path):
        return [(at, cbor2.loads(data)[2]) for at, data in segment_entries(path)]

    def lose(self, path, seqs):
        self.lost.setdefault(path.parent.name.replace('-', ''), set()).update(seqs)

    def wanted(self, prefixes, simulated):
        """(journal, topic): seqs, of the topics of a consumer."""
        twins = [p.replace('a1/', SIMULATED, 1) for p in prefixes]
        found = {}
        for journal, entries in self.journals.items():
            for seq, (topic, _, _) in entries.items():
                is_simulated = topic.startswith(SIMULATED)
                if topic.startswith(tuple(twins if is_simulated else prefixes)) and (simulated or not is_simulated):
                    found.setdefault((journal, topic), []).append(seq)
        return {key: sorted(seqs) for key, seqs in found.items()}

    def count(self):
        return sum(map(len, self.journals.values()))


class Consumer:
    """One consumer with its output file; it may be killed and started again at any time."""

    def __init__(self, lab, command, name, topics=('a1/data/',), simulated=False, options=(), cursor=None, env=None):
        self.lab, self.command, self.topics, self.simulated = lab, list(command), list(topics), simulated
        self.output = lab.dir / f'{name}.lines'
        self.options, self.cursor, self.process = list(options), cursor, None
        self.env = {**os.environ, **(env or {})}
        self.errors = lab.dir / f'{name}.errors'
        self.read, self.positions, self.items = 0, {}, 0

    def start(self, *more):
        args = [*self.command, '--dir', str(self.lab.dir / 'run'), *self.options, *more]
        for topic in self.topics:
            args += ['--topic', topic]
        if self.simulated:
            args.append('--simulated')
        args += ['--cursor', self.cursor] if self.cursor else ['--from-output', str(self.output)]
        with open(self.errors, 'a') as errors, open(self.output, 'a') as output:
            self.process = subprocess.Popen(args, stderr=errors, stdout=output if self.cursor else errors,
                                            stdin=subprocess.DEVNULL, env=self.env)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        """Sends SIGTERM, on which it ends cleanly, once it catches that signal."""
        wait_for('the consumer catches SIGTERM', lambda: self.is_alive() and catches(self.process.pid, signal.SIGTERM))
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(10) != 0:
            raise Failure(f'the consumer ended with {self.process.returncode}: {self.said()}')

    def wait_end(self, seconds=30):
        if self.process.wait(seconds) != 0:
            raise Failure(f'the consumer ended with {self.process.returncode}: {self.said()}')

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def said(self):
        return self.errors.read_text()[-2000:]

    def lines(self):
        """All whole lines of the output."""
        if not self.output.exists():
            return []
        text = self.output.read_bytes()
        return [json.loads(line) for line in text[:text.rfind(b'\n') + 1].splitlines()]

    def take_in(self):
        """How far the output has come, read on from where it was read last."""
        if not self.output.exists() or self.output.stat().st_size < self.read:
            return self.positions
        with open(self.output, 'rb') as file:
            file.seek(self.read)
            new = file.read()
        new = new[:new.rfind(b'\n') + 1]
        self.read += len(new)
        for line in new.splitlines():
            journal, topic, seq = place(json.loads(line))
            self.positions[journal, topic] = max(seq, self.positions.get((journal, topic), 0))
            self.items += 1
        return self.positions

    def has_all(self, truth):
        """Whether it stands at the end of all its topics."""
        at = self.take_in()
        return all(max(seq for (j, t), seq in [*at.items(), ((journal, topic), 0)]
                       if j == journal and topic.startswith(t)) >= seqs[-1]
                   for (journal, topic), seqs in truth.wanted(self.topics, self.simulated).items())

    def wait_all(self, truth, seconds=30):
        truth.update()
        try:
            wait_for('the consumer has everything', lambda: self.is_alive() and self.has_all(truth), seconds)
        except Failure as failure:
            ends = {key: seqs[-1] for key, seqs in truth.wanted(self.topics, self.simulated).items()}
            raise Failure(f'{failure}: {self.command[-1]} is at {self.positions}, the journal at {ends}; '
                          f'{self.said()}') from failure

    def is_alive(self):
        if self.process.poll() is not None:
            raise Failure(f'the consumer ended with {self.process.returncode}: {self.said()}')
        return True

    def check(self, truth):
        try:
            return check_entries(self.lines(), truth.update(), truth.wanted(self.topics, self.simulated))
        except Failure as failure:
            raise Failure(f'{self.output.stem}: {failure}') from failure


def catches(pid, number):
    """Whether a process has a handler for a signal: one that has just been started has none yet."""
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    caught = next(line for line in status.splitlines() if line.startswith('SigCgt:'))
    return int(caught.split()[1], 16) >> number - 1 & 1


def place(line):
    at = line.get('gap', line)
    return at['journal'], at['topic'], at['to'] if 'to' in at else at['seq'] if 'seq' in at else at['seqs'][-1]


def check_order(lines, truth):
    """Per topic: seqs ascend, and no older journal comes after a newer one."""
    age = {journal: i for i, journal in enumerate(truth.journals)}
    last = {}
    for number, line in enumerate(lines, 1):
        at = line.get('gap', line)
        now = age[at['journal']], at.get('from') or at.get('seq') or at['seqs'][0]
        if now <= last.get(at['topic'], (-1, 0)):
            raise Failure(f'line {number}: {line} comes after {last[at["topic"]]}')
        last[at['topic']] = now[0], place(line)[2]


def check_entries(lines, truth, wanted):
    """Every wanted entry once, or, where it is lost, in one gap; returns (entries, gaps)."""
    check_order(lines, truth)
    given, gaps = {}, []
    for line in lines:
        if 'gap' in line:
            gaps.append(line['gap'])
            continue
        journal, topic, seq = place(line)
        known = truth.journals[journal].get(seq)
        if known != (topic, line['prev'], line['sha256']):
            raise Failure(f'{line} is not what the journal has: {known}')
        if (journal, topic) not in wanted:
            raise Failure(f'{topic} was not asked for')
        if seq in given.setdefault((journal, topic), set()):
            raise Failure(f'{line} was given twice')
        given[journal, topic].add(seq)
    for (journal, topic), seqs in wanted.items():
        check_topic(journal, topic, seqs, given.get((journal, topic), set()), truth, gaps)
    check_gaps(gaps, given, truth, wanted)
    return sum(map(len, given.values())), gaps


def check_topic(journal, topic, seqs, given, truth, gaps):
    mine = [g for g in gaps if g['journal'] == journal and topic.startswith(g['topic'])]
    lost = truth.lost.get(journal, set())
    for seq in seqs:
        if seq in given:
            continue
        told = [g for g in mine if g['from'] <= seq <= g['to']]
        if seq not in lost:
            raise Failure(f'entry {seq} on {topic} of {journal} is missing; said of it: {told}')
        # Once the journal is an older one, a gap of the prefix comes in addition to those of its topics.
        if not told or len({g['topic'] for g in told}) != len(told):
            raise Failure(f'entry {seq} on {topic} of {journal} is lost and was told {len(told)} times: {told}')


def check_gaps(gaps, given, truth, wanted):
    """A gap of a topic holds something that is lost on it, and nothing that was given."""
    for gap in gaps:
        key = gap['journal'], gap['topic']
        if gap['why'] not in ('pruned', 'damaged'):
            raise Failure(f'{gap}: why?')
        inside = range(gap['from'], gap['to'] + 1)
        if not truth.lost.get(gap['journal'], set()).intersection(inside):
            raise Failure(f'{gap}: nothing is lost there')
        is_older = gap['journal'] != list(truth.journals)[-1]      # there it may be a prefix's
        if key in wanted and not is_older and not is_needed(gap, wanted[key], given.get(key, set())):
            raise Failure(f'{gap}: nothing of this topic is lost there')
        if any(seq in inside for seq in given.get(key, ())):
            raise Failure(f'{gap} spans entries that were given')


def is_needed(gap, seqs, given):
    """Something is lost in it, or after it and before the next entry: the place cannot be determined."""
    after = min((seq for seq in given if seq > gap['to']), default=float('inf'))
    return any(gap['from'] <= seq < after and seq not in given for seq in seqs)
