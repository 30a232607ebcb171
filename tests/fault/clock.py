# SPDX-License-Identifier: Apache-2.0
"""The clock is set while the daemon runs: recorded in the audit, bridged, or too far for this journal."""

import sys
import time

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, check_links, paths_from, wait_for  # noqa: E402
from replay_peer import Replay  # noqa: E402

paths = paths_from(sys.argv[2:])
NEW_RUN = 15


class Clock:
    def __init__(self, lab):
        self.file = lab.dir / 'clock'
        self.seconds = 0
        self.file.write_text('0')
        lab.env = {'CLOCK_SHIFT': str(self.file), 'LD_PRELOAD': paths['clock']}

    def set(self, seconds):
        self.seconds = seconds
        new = self.file.with_suffix('.new')
        new.write_text(str(seconds))
        new.rename(self.file)


def steps(lab):
    return [e for e in lab.entries(type='audit') if e.record['event'] == 'clock-step']


def wait_step(lab, count):
    wait_for(f'{count} steps in the audit', lambda: len(steps(lab)) >= count)
    step = steps(lab)[count - 1].record
    return (step['after']['utc'] - step['before']['utc']) / 1e9, step


def test_forward(lab, clock):
    # Not over the end of the run, which is at a whole multiple of NEW_RUN.
    wait_for('the middle of a run', lambda: 1 < time.time() % NEW_RUN < NEW_RUN - 5)
    clock.set(3)
    by, step = wait_step(lab, 1)
    assert 2.9 < by < 3.1, by
    assert step['before']['boot'] == step['after']['boot'] and step['reason'] == '3.000 s forward', step


def test_frames_say_so(lab):
    """Those of the open run, and none of the next one."""
    def reasons():
        return [('clock-stepped' in e.record['q'].get('why', []), e.record['run']) for e in lab.frames('gas-1')]
    wait_for('frames that say so', lambda: any(doubtful for doubtful, _ in reasons()))
    run = next(run for doubtful, run in reasons() if doubtful)
    wait_for('another run', lambda: reasons()[-1][1] != run)
    lab.wait_frames('gas-1', len(lab.frames('gas-1')) + 5)
    later = [doubtful for doubtful, other in reasons() if other != run][-5:]
    assert not any(later), later


def test_back(lab, clock):
    """Commit times stand still; the journal goes on."""
    clock.set(clock.seconds - 300)
    by, step = wait_step(lab, 2)
    assert -300.1 < by < -299.9 and 'stand still' in step['reason'], step
    before = len(lab.subscriber.raw())
    wait_for('entries', lambda: len(lab.subscriber.raw()) > before + 10)
    entries = lab.subscriber.all()
    assert len({e.journal for e in entries}) == 1
    times = [e.tc for e in entries]
    assert times == sorted(times) and times[-1] == times[-5], 'commit times do not stand still'


def kept(lab, old):
    """All entries of both journals; only this has the entries published before a subscriber is back."""
    peer = Replay(lab.replay)
    new = peer.get(op='hello', proto=1)['journal']
    journals = [(journal, *peer.fetch(journal=journal, prefix='')) for journal in (old, new)]
    peer.close()
    for journal, entries, gaps in journals:
        assert not gaps and entries[0].seq == 1, (journal, gaps)
        check_links(entries)
    return journals[0][1], journals[1][1]


def test_hours_back(lab, clock):
    """The run ends, a new journal starts, and the instrument continues in it."""
    old = lab.subscriber.all()[-1].journal
    clock.set(clock.seconds - 7200)
    by, step = wait_step(lab, 3)
    assert -7200.1 < by < -7199.9, by
    wait_for('a new journal', lambda: lab.subscriber.all()[-1].journal != old)
    wait_for('frames in it', lambda: [e for e in lab.frames('gas-1') if e.journal != old])
    before, after = kept(lab, old)
    first = after[0].record
    assert first['type'] == 'audit' and first['event'] == 'journal-recovered', first
    assert 'clock' in first['after']['why'] and first['after']['old_journal'] == old, first
    end = [e for e in before if e.type == 'run-end'][-1].record
    assert end['status'] == 'stopped' and 'clock' in end['why'], end
    if lab.daemon.poll() is not None:
        raise Failure('the daemon ended')


def test_retention():
    """A start with a clock that is years ahead removes nothing."""
    with Lab(paths) as lab:
        clock = Clock(lab)
        sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
        state = lab.dir / 'state' / 'journal'
        lab.start({'journal': {'segment': '64 KiB', 'keep': {'age': '10 y'}}, 'instruments': {'gas-1': {
            'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
            'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
            'acquire': {'mode': 'continuous', 'every': '10ms'}}}})
        wait_for('closed files', lambda: len(list(state.glob('*/*.idx'))) >= 3)
        lab.stop()
        lab.start()
        lab.ctl('archive', '--until', '2099-12-31', '--to', str(lab.dir / 'archive'))
        files = set(state.glob('*/*.seg'))
        lab.stop()
        clock.set(12 * 366 * 86400)
        lab.start()
        wait_for('a look', lambda: lab.ask({'op': 'status'})['journal']['retention'].get('looked'))
        assert 'ahead of the time that is certain' in lab.log(), lab.log()
        lab.stop()
        removed = [e for e in lab.entries(type='audit') if e.record['event'] == 'segment-removed']
        assert not removed and files <= set(state.glob('*/*.seg')), removed


with Lab(paths) as lab:
    clock = Clock(lab)
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    lab.start({'instruments': {'gas-1': {
        'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
        'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
        'acquire': {'mode': 'continuous', 'every': '50ms', 'new_run': f'{NEW_RUN}s'}}}})
    lab.wait_frames('gas-1', 5)
    test_forward(lab, clock)
    test_frames_say_so(lab)
    test_back(lab, clock)
    test_hours_back(lab, clock)
    lab.stop()
    check_links(lab.subscriber.all())
    lab.ctl('journal', 'check', '--path', str(lab.dir / 'state'))

test_retention()
