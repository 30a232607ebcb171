# SPDX-License-Identifier: Apache-2.0
"""The disk fills up: new runs stop first, then acquisition; all goes on by itself when there is room.

    full-disk.py LAB NAME=PATH... [disk=LIBRARY]

With the preloaded library the room is played; without it the journal lies on a tmpfs of its own,
which takes root and is skipped without.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, check_links, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
MIB = 1 << 20
RESERVE, SEGMENT = 8 * MIB, MIB # so acquisition ends below 2 MiB


class PlayedDisk:
    def __init__(self, lab):
        self.dir = lab.dir / 'disk'
        self.dir.mkdir()
        lab.env = {'DISK': str(self.dir), 'LD_PRELOAD': paths['disk']}

    def set_free(self, size):
        (self.dir / 'free.new').write_text(str(size))
        (self.dir / 'free.new').rename(self.dir / 'free')
        if size == 0:
            (self.dir / 'full').touch()
        else:
            (self.dir / 'full').unlink(missing_ok=True)

    def remove(self):
        pass


class SmallDisk:
    """A tmpfs in which a ballast file takes the space that must not be free."""

    def __init__(self, lab):
        self.dir = lab.dir / 'state'
        self.dir.mkdir()
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=40m,mode=0700', 'none', str(self.dir)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            print(f'skipped: a small file system cannot be mounted: {done.stderr.strip()}')
            self.dir.rmdir()
            sys.exit(77)
        self.ballast = self.dir / 'ballast'

    def set_free(self, size):
        """Takes more, or gives back, but never more than that: the daemon would see the room."""
        self.ballast.touch()
        with open(self.ballast, 'r+b', buffering=0) as file:
            left = os.statvfs(self.dir)
            take = left.f_bavail * left.f_frsize - size
            held = file.seek(0, os.SEEK_END)
            if take < 0:
                file.truncate(max(held + take, 0))
            try:
                while take > 0:
                    take -= file.write(b'\0' * min(take, MIB))
                while size == 0:
                    file.write(b'\0' * 4096)
            except OSError:
                pass

    def remove(self):
        subprocess.run(['umount', '-l', str(self.dir)], check=True)


def gas(lab, **acquire):
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    return {'driver': 'modbus-map', 'simulated': True, 'profile': 'sick-mcs100ft',
            'link': {'type': 'modbus-tcp', 'host': '127.0.0.1', 'port': sim.port, 'unit_id': 1},
            'acquire': acquire}


def xrf(lab):
    return {'driver': 'amptek-dp5', 'simulated': True, 'acquire': {'mode': 'repeat'},
            'link': {'type': 'udp', 'host': '127.0.0.1', 'port': lab.sim('amptek-dp5', '--udp', '127.0.0.1:0').port},
            'settings': {'channels': 256, 'preset_time': '0.3s'}}


def disk_of(lab):
    return lab.ask({'op': 'status'})['journal']['disk']


def audits(lab, *events):
    return [e.record for e in lab.entries(type='audit') if e.record['event'] in events]


def wait_level(lab, level):
    wait_for(f'the disk is {level}', lambda: disk_of(lab) == level)
    wait_for(f'disk-{level} is recorded', lambda: audits(lab, f'disk-{level}'))


def run_of(lab, key):
    return lab.instrument(key).get('run', {}).get('number')


def start(lab):
    return lab.ask({'op': 'run-start', 'instrument': 'on-demand'})


def test_low(lab, disk):
    """No run starts; open runs continue, also past the time at which a new one is due."""
    number = start(lab)['number']
    disk.set_free(6 * MIB)
    wait_level(lab, 'low')
    refused = lab.ask({'op': 'run-start', 'instrument': 'idle'})
    text = refused['error']['text']
    if refused['error']['code'] != 'refused' or 'nearly full' not in text or 'make room' not in text:
        raise Failure(f'a run on a low disk: {refused}')
    if 'nearly full' not in lab.instrument('idle')['text']:
        raise Failure('an idle instrument says why no run begins')
    before, frames = run_of(lab, 'continuous'), len(lab.frames('continuous'))
    wait_for('what repeats ends its run', lambda: lab.instrument('repeat')['state'] == 'idle'
             and 'nearly full' in lab.instrument('repeat').get('text', ''))
    if lab.entries('repeat', 'run-end')[-1].record['status'] not in ('complete', 'stopped'):
        raise Failure('the last repetition was not left to end')
    later = time.time_ns() + 2_500_000_000
    wait_for('frames go on', lambda: lab.frames('continuous')[-1].record['t']['utc'] > later)
    if len(lab.frames('continuous')) <= frames or run_of(lab, 'continuous') != before:
        raise Failure('the open continuous run did not simply go on')
    low = next(e.seq for e in lab.entries(type='audit') if e.record['event'] == 'disk-low')
    if len([e for e in lab.entries('repeat', 'run-start') if e.seq > low]) > 1: # it may have been measuring already
        raise Failure('what repeats went on')
    wait_for('it is idle', lambda: lab.instrument('repeat')['state'] == 'idle'
             and lab.entries('repeat', 'run-end')[-1].seq > lab.entries('repeat', 'run-start')[-1].seq)
    if run_of(lab, 'on-demand') != number:
        raise Failure('an open run ended')
    if 'NEARLY FULL' not in lab.ctl('status', code=3).stdout:
        raise Failure('assayctl status says nothing of the disk')


def test_full(lab, disk):
    """Acquisition ends in order: the present frame is finished, the run has the reason."""
    disk.set_free(MIB)
    wait_level(lab, 'full')
    for key in 'continuous', 'on-demand':
        lab.wait_state(key, 'idle')
        end = wait_for(f'the end of {key}', lambda: lab.entries(key, 'run-end'))[-1].record
        if end['status'] != 'stopped' or end['why'] != 'the disk is full':
            raise Failure(f'{key}: {end}')
        if 'nearly full' not in lab.instrument(key)['text']:
            raise Failure(f'{key} does not say why it is idle')
    if lab.ask({'op': 'run-start', 'instrument': 'idle'})['ok']:
        raise Failure('a run on a full disk')


def test_no_room_at_all(lab, disk):
    """Entries that cannot be written wait and are published later, in order; nothing is lost."""
    disk.set_free(0)
    count = 0

    def error():
        nonlocal count
        lab.ask({'op': 'maintenance', 'instrument': 'idle', 'on': count % 2 == 0})
        count += 1
        return lab.ask({'op': 'status'})['journal'].get('error')

    said = wait_for('the journal cannot be written', error)
    if 'No space left' not in said:
        raise Failure(f'the error is {said}')
    published = len(lab.subscriber.raw())
    for _ in range(6):
        error()
    if 'CANNOT COMMIT' not in lab.ctl('status', code=3).stdout or len(lab.subscriber.raw()) != published:
        raise Failure('something was published that is nowhere kept')
    return count


def test_back(lab, disk, count):
    disk.set_free(16 * MIB)
    wait_level(lab, 'ok')
    wait_for('what waited is published', lambda: len(audits(lab, 'maintenance-on', 'maintenance-off')) == count)
    for key in 'continuous', 'repeat':
        lab.wait_state(key, 'busy')
        lab.wait_frames(key, len(lab.frames(key)) + 2)
    lab.ask({'op': 'maintenance', 'instrument': 'idle', 'on': False})
    lab.wait_state('idle', 'idle')
    if lab.instrument('idle').get('text'):
        raise Failure('the text stays though there is room')
    if not lab.ask({'op': 'run-start', 'instrument': 'idle'})['ok'] or not start(lab)['ok']:
        raise Failure('no run begins though there is room')


def check_records(lab):
    check_links(lab.subscriber.all())
    events = [a['event'] for a in audits(lab, 'disk-low', 'disk-full', 'disk-ok')]
    if events[:2] != ['disk-low', 'disk-full'] or events[-1] != 'disk-ok' or events.count('disk-ok') != 1:
        raise Failure(f'the audit says {events}')
    frames = {} # of the runs whose beginning was received
    for entry in lab.subscriber.all():
        run = entry.record.get('run')
        if entry.type == 'run-start':
            frames[run] = 0
        elif entry.type == 'frame' and run in frames:
            if entry.record['n'] != frames[run]:
                raise Failure(f'frame {entry.record["n"]} in the place of {frames[run]}')
            frames[run] += 1
        elif entry.type == 'run-end' and run in frames and entry.record['frames'] != frames[run]:
            raise Failure('a run-end counts frames that were not published')
    if len(frames) < 5:
        raise Failure(f'only {len(frames)} runs')
    if lab.log().count('acquisition stops') != 1:
        raise Failure('one line per change of the disk is enough')


with Lab(paths) as lab:
    disk = PlayedDisk(lab) if 'disk' in paths else SmallDisk(lab)
    try:
        disk.set_free(16 * MIB)
        lab.start({'journal': {'reserve': f'{RESERVE} B', 'segment': f'{SEGMENT} B'}, 'instruments': {
            'continuous': gas(lab, mode='continuous', every='50ms', new_run='1s'),
            'repeat': xrf(lab),
            'on-demand': gas(lab, mode='on-demand', every='50ms', frames=100000),
            'idle': gas(lab, mode='on-demand', every='50ms', frames=1)}})
        for key in 'continuous', 'repeat':
            lab.wait_frames(key, 2)
        lab.wait_state('on-demand', 'idle')
        lab.wait_state('idle', 'idle')
        test_low(lab, disk)
        test_full(lab, disk)
        count = test_no_room_at_all(lab, disk)
        test_back(lab, disk, count)
        lab.stop()
        check_records(lab)
        print(f'{len(lab.subscriber.all())} entries')
        lab.check_journal()
    finally:
        lab.close()
        disk.remove()
        lab.is_damaged = True  # nothing is left of it
