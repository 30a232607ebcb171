# SPDX-License-Identifier: Apache-2.0
"""Five instruments over five links, one of them with faults, and the rules that must hold then."""

import hashlib
import json
import re
import time

import numpy

from lab import Failure, check_links, values, wait_for

GOOD = (1, 2)  # 2: nothing can check it, such as the words of an RGA
# Intervals of 100 ms between frames of a gas analyser; a loaded machine may stretch them so far.
LONGEST_INTERVAL = 2.5

SERIALS = {'xrf-1': '9990001', 'xrf-2': '9990002', 'ms-1': '9990100'}


def start_sims(lab):
    """Every simulated instrument, each on another kind of link, with its own chances."""
    def pty(key):
        return ['--pty', str(lab.dir / f'{key}.tty')]
    gas = ['--profile', 'sick-mcs100ft', '--interval', '0.2']
    return {
        'xrf-1': lab.sim('amptek-dp5', '--udp', '127.0.0.1:0', '--serial', SERIALS['xrf-1'], '--seed', '1'),
        'xrf-2': lab.sim('amptek-dp5', *pty('xrf-2'), '--serial', SERIALS['xrf-2'], '--seed', '2'),
        'ms-1': lab.sim('srs-rga', *pty('ms-1'), '--serial', SERIALS['ms-1'], '--speed', '30', '--seed', '3'),
        'gas-1': lab.sim('modbus', *gas, '--tcp', '127.0.0.1:0', '--seed', '4'),
        'gas-2': lab.sim('modbus', *gas, *pty('gas-2'), '--seed', '5'),
    }


OF_THE_LINK = ('delay', 'drop', 'corrupt', 'truncate', 'rate')


def begin(lab, key, sim, *faults):
    """The daemon plays the faults of the link, the simulator those of its instrument."""
    for fault in faults:
        if fault.split('=')[0] in OF_THE_LINK:
            lab.ctl('fault', key, fault)
        else:
            sim.fault(fault)


def end(lab, key, sim):
    lab.ctl('fault', key, 'off')
    sim.fault('off')


def instruments(lab, sims):
    def tty(key):
        return str(lab.dir / f'{key}.tty')
    xrf = {'driver': 'amptek-dp5', 'simulated': True, 'acquire': {'mode': 'repeat'},
           'settings': {'channels': 1024, 'preset_time': '0.3s'}}
    gas = {'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
           'acquire': {'mode': 'continuous', 'every': '100ms'}}
    found = {
        'xrf-1': {**xrf, 'link': {'type': 'udp', 'host': '127.0.0.1', 'port': sims['xrf-1'].port}},
        'xrf-2': {**xrf, 'link': {'type': 'serial', 'port': tty('xrf-2')}},
        'ms-1': {'driver': 'srs-rga', 'simulated': True, 'acquire': {'mode': 'continuous'},
                 'link': {'type': 'serial', 'port': tty('ms-1')},
                 'settings': {'mode': 'histogram', 'mass_first': 1, 'mass_last': 50, 'noise_floor': 7,
                              'scans': 0, 'emission_current': '1 mA'}},
        'gas-1': {**gas, 'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sims['gas-1'].port,
                                  'unit_id': 1}},
        'gas-2': {**gas, 'link': {'type': 'modbus-rtu', 'port': tty('gas-2'), 'baud': 115200,
                                  'parity': 'none', 'unit_id': 1}},
    }
    for key, serial in SERIALS.items():
        found[key]['identity'] = {'serial': serial, 'otherwise': 'refuse'}
    return found


def start(lab, config):
    """The daemon with these instruments, heard from its first record on."""
    lab.start({'instruments': {}})
    wait_for('a heartbeat', lambda: lab.subscriber.heads)
    lab.configure({'instruments': config})
    if not lab.ask({'op': 'reload'})['ok']:
        raise Failure('the configuration was refused')
    for key in config:
        lab.wait_frames(key, 2)


class Trouble:
    """A time in which one instrument has a fault; everything else has to go on."""

    def __init__(self, lab, key, others):
        self.lab, self.key, self.others = lab, key, others
        self.pid = lab.daemon.pid
        self.began = time.time_ns()
        self.entries = len(lab.subscriber.raw())
        self.lines = len(lab.log().splitlines())
        self.runs = {other: self.run(other) for other in others}

    def run(self, key):
        return self.lab.instrument(key).get('run', {}).get('id')

    def last(self, seconds):
        """Continues for some time, and requests the status of the core repeatedly."""
        wait_for('the core lives', lambda: self.core_lives() and self.age() >= seconds, seconds + 30)

    def age(self):
        return (time.time_ns() - self.began) / 1e9

    def core_lives(self):
        if self.lab.daemon.poll() is not None or self.lab.daemon.pid != self.pid:
            raise Failure(f'the core ended with {self.lab.daemon.returncode}')
        return self.lab.ask({'op': 'status'}, seconds=5)['ok']

    def since(self, key, type, after=0):
        """Cheap enough to be polled: only entries since the start of the fault, and only of this instrument."""
        from lab import Entry
        found = []
        for topic, data in self.lab.subscriber.raw()[self.entries:]:
            if topic.endswith(f'/{key}/'):
                e = Entry(topic, data)
                if e.type == type and e.record['t']['utc'] > after:
                    found.append(e)
        return found

    def wait_recovery(self, count=2, seconds=60):
        """Good frames measured from now on, without any command."""
        now = time.time_ns()
        try:
            wait_for(f'{self.key} recovers', lambda: sum(
                f.record['q']['flag'] in GOOD for f in self.since(self.key, 'frame', now)) >= count, seconds)
        except Failure as failure:
            lines = '\n'.join(self.my_lines()[-30:])
            raise Failure(f'{failure}; {self.lab.instrument(self.key)}\n{lines}') from failure
        self.core_lives()
        return (time.time_ns() - now) / 1e9

    def check_others(self):
        """No other instrument ended a run, lost its worker or made a pause."""
        for other in self.others:
            self.check_other(other)

    def check_other(self, other):
        states = [e.record.get('text', '') for e in self.since(other, 'state') if e.record['state'] == 'fault']
        if states:
            raise Failure(f'{other} has a fault while {self.key} is troubled: {states}')
        ends = [e.record['status'] for e in self.since(other, 'run-end')]
        if set(ends) - {'complete'}:
            raise Failure(f'{other}: runs ended as {ends} while {self.key} was troubled')
        wait_for(f'{other} measures while {self.key} is troubled', lambda: self.since(other, 'frame'))
        frames = self.since(other, 'frame')
        if other.startswith('gas'):
            self.check_intervals(other, frames)

    def check_intervals(self, other, frames):
        if self.run(other) != self.runs[other]:
            raise Failure(f'{other} began another run while {self.key} was troubled')
        at = [f.record['t']['mono'] / 1e9 for f in frames]
        longest = max((b - a for a, b in zip(at, at[1:])), default=0)
        if longest > LONGEST_INTERVAL:
            raise Failure(f'{other}: {longest:.2f} s between two frames while {self.key} was troubled')

    def my_lines(self):
        return [line for line in self.lab.log().splitlines()[self.lines:]
                if re.match(rf'<\d>{self.key}: ', line)]

    def check_log(self):
        """One line per change of state: none repeated by retries, and few altogether."""
        mine = self.my_lines()
        for a, b in zip(mine, mine[1:]):
            if a == b:
                raise Failure(f'a line is repeated: {b}')
        states = self.since(self.key, 'state')
        for a, b in zip(states, states[1:]):
            is_same = a.record['state'] == b.record['state'] and a.record.get('x-faults') == b.record.get('x-faults')
            if is_same and b.record['state'] == 'fault' and b.record.get('code') != 'identity':
                raise Failure(f'a fault is told twice: {a.record}, {b.record}')
        loud = [line for line in mine if line[1] in '34']
        if len(loud) > 4 + 3 * self.age():
            raise Failure(f'{len(loud)} lines in {self.age():.1f} s:\n' + '\n'.join(loud[:40]))
        return loud


# --- the true values of the instruments ---------------------------------------------------------

def data(record, *names):
    return [values(v) for name in names for v in record['vars'] if v['name'] == name]


def true_spectra(sim):
    return {(tuple(t['counts']), t['fast'], t['slow']) for t in sim.truths() if t['event'] == 'spectrum'}


def spectrum(record):
    counts, fast, slow = data(record, 'counts', 'fast_count', 'slow_count')
    return tuple(int(c) for c in counts), fast, slow


def true_gases(sim):
    return {gas_key(t['values']) for t in sim.truths() if t['event'] == 'poll' and 'values' in t}


def gas_key(found):
    return tuple(sorted((name, float(numpy.float32(value))) for name, value in found.items()))


def gases(record):
    return gas_key({v['analyte']['name']: values(v) for v in record['vars'] if 'analyte' in v})


def true_scans(sim):
    """Ion currents in units of 1e-16 A; the last word is the total pressure."""
    return {tuple(t['counts'][:-1]) for t in sim.truths() if t['event'] == 'measured'}


def scan(record):
    return tuple(int(round(x / 1e-16)) for x in data(record, 'ion_current')[0])


KINDS = {'xrf': (true_spectra, spectrum), 'gas': (true_gases, gases), 'ms': (true_scans, scan)}


def check_truth(lab, key, sim, exempt=()):
    """Each good frame has the true values of the instrument.  `exempt` are times (from, to)
    in which the protocol could not have revealed damage."""
    truth, what = KINDS[key.split('-')[0]]
    true, good, checked, wrong = truth(sim), 0, 0, []
    for frame in lab.frames(key):
        if frame.record['q']['flag'] not in GOOD:
            continue
        good += 1
        if any(a <= frame.record['t']['utc'] <= b for a, b in exempt):
            continue
        checked += 1
        if what(frame.record) not in true:
            wrong.append(f'{frame.record["number"] if "number" in frame.record else ""}n {frame.record["n"]}, '
                         f'utc {frame.record["t"]["utc"]}: {str(what(frame.record))[:300]}')
    if wrong:
        raise Failure(f'{key}: {len(wrong)} good frames hold what was never measured:\n' + '\n'.join(wrong[:5]))
    if checked == 0:
        raise Failure(f'{key}: no good frame to compare')
    return good, checked


def check_runs(entries):
    """n = 0 ... N-1 in every run; run-end counts and digests them."""
    frames = {}
    for e in entries:
        if e.type == 'frame':
            seen = frames.setdefault(e.record['run'], [])
            if e.record['n'] != len(seen):
                raise Failure(f'{e.key}: n {e.record["n"]} after {len(seen)} frames')
            seen.append(hashlib.sha256(b'\0' + e.bytes).digest())
        elif e.type == 'run-end':
            leaves = frames.pop(e.record['run'], [])
            if e.record['frames'] != len(leaves) or \
                    e.record['digest'] != hashlib.sha256(b''.join(leaves)).digest():
                raise Failure(f'{e.key}: the run-end does not fit its {len(leaves)} frames')


def check_journal(lab):
    entries = lab.subscriber.all()
    check_links(entries)
    check_runs(entries)
    return entries


def audits(lab, event, after=0):
    return [e.record for e in lab.entries(type='audit')
            if e.record['event'] == event and e.record['t']['utc'] > after]


def report(**what):
    print(json.dumps(what), flush=True)
