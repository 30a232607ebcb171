# SPDX-License-Identifier: Apache-2.0
"""A driver that an instrument has taken over attacks the core, the system and the network.

On every kind of link each deed fails with the errno of the table, the core and its other instruments go
on, the victims receive nothing, and the log names the refused calls with the driver.
"""

import errno
import os
import pty
import re
import socket
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
GAP_SECONDS = 2  # frames come every 20 ms; a loaded machine may stretch that

# All others: EPERM.
OTHER = {
    'loading': {'tgkill_other': 0,  # itself, then
                'read_file': errno.EACCES, 'look_for_file': 0, 'take_data': errno.ENOMEM,
                'take_addresses': errno.ENOMEM, 'code_memory': 0, 'data_becomes_code': 0},
    'running': {'take_data': errno.ENOMEM, 'take_addresses': errno.ENOMEM},
}


def skip(why):
    print(why)
    sys.exit(77)


def add_drivers(lab, *names):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    for name in names:
        (folder / f'{name}.so').symlink_to(paths[name])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def on(link, **settings):
    return {'driver': 'hostile', 'simulated': True, 'link': link, 'acquire': {'mode': 'continuous'},
            'settings': {'victim': 2 ** 22, **settings}}  # no process has this number


GOOD = {'driver': 'misbehave', 'simulated': True, 'link': {'type': 'none'}, 'acquire': {'mode': 'continuous'},
        'settings': {'period': '20ms'}}


class Victims:
    """Sockets that nothing but an escaped worker would reach."""

    def __init__(self, lab):
        self.udp, self.tcp, port = wait_for('one port, twice', self.open_port)
        self.local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place = str(lab.dir / 'victim')
        self.local.bind(place)
        for s in (self.udp, self.tcp, self.local):
            s.setblocking(False)
        self.process = subprocess.Popen(['sleep', '1000'])
        self.settings = {'port': port, 'socket': place, 'victim': self.process.pid}

    @staticmethod
    def open_port():
        udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        udp.bind(('127.0.0.1', 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            return None  # in use
        tcp.listen()
        return udp, tcp, udp.getsockname()[1]

    def check(self):
        for name, receive in (('UDP', lambda: self.udp.recv(9)), ('TCP', self.tcp.accept),
                              ('local', lambda: self.local.recv(9))):
            try:
                raise Failure(f'{name}: {receive()} has left a worker')
            except BlockingIOError:
                pass
        if self.process.poll() is not None:
            raise Failure('a worker has killed a process')

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()


def links(lab):
    """One of every kind, with an instrument that is silent."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(('127.0.0.1', 0))
    tcp = socket.socket()
    tcp.bind(('127.0.0.1', 0))
    tcp.listen()
    line, tty = pty.openpty()
    usb = {'usb': {'type': 'usb', 'vid': 0x10c4, 'pid': 0x842a, 'in': 0x81, 'out': 0x02}} if 'usb-bus' in paths else {}
    return {**usb, 'none': {'type': 'none'},
            'serial': {'type': 'serial', 'port': os.ttyname(tty), 'baud': 9600},
            'udp': {'type': 'udp', 'host': '127.0.0.1', 'port': udp.getsockname()[1]},
            'tcp': {'type': 'tcp', 'host': '127.0.0.1', 'port': tcp.getsockname()[1]}}, (udp, tcp, line, tty)


def check_deeds(key, frame):
    seen = set()
    for line in frame.record['raw'][0]['data'].decode().splitlines():
        step, deed, code = line.split()
        seen.add((step, deed))
        wanted = OTHER[step].get(deed, errno.EPERM)
        if int(code) != wanted:
            raise Failure(f'{key}: {deed} while {step}: {os.strerror(int(code))}, not {os.strerror(wanted)}')
    if len(seen) < 100:
        raise Failure(f'{key}: only {len(seen)} deeds')


def longest_gap(lab, key):
    times = [f.record['t']['mono'] / 1e9 for f in lab.frames(key)]
    return max(b - a for a, b in zip(times, times[1:]))


def test_deeds(lab, victims):
    if 'usb-bus' in paths:
        lab.bus = ['umockdev-wrapper', paths['usb-bus']]  # with a silent device
    kinds, held = links(lab)
    attackers = {f'on-{kind}': on(link, **victims.settings) for kind, link in kinds.items()}
    lab.start({'instruments': {'good': {**GOOD, 'raw': 'hash'}, **attackers}})
    pid = lab.daemon.pid
    lab.wait_frames('good')
    if lab.instrument('good').get('lacking'):
        print('this kernel lacks landlock: modules may read any file while they are loaded')
        OTHER['loading']['read_file'] = 0
    for key in attackers:
        check_deeds(key, lab.wait_frames(key, 3)[0])
    frames = len(lab.frames('good'))
    lab.wait_frames('good', frames + 20)
    if lab.daemon.poll() is not None or lab.daemon.pid != pid or longest_gap(lab, 'good') > GAP_SECONDS:
        raise Failure('the attack reached the core')
    victims.check()
    for key in attackers:
        if lab.instrument(key)['worker_starts'] != 1:
            raise Failure(f'{key}: its worker was ended')
        named = re.findall(rf'^<4>worker: {key}: driver hostile, in (.*): the system call (\w+) \(\d+\) was refused',
                           lab.log(), re.M)
        if ('a constructor', 'kill') not in named or len(named) != 20 or len(set(n for _, n in named)) != 20:
            raise Failure(f'{key}: refused calls in the log: {named}')
    if re.search('worker: good: .*was refused', lab.log()):
        raise Failure('a call of a driver that behaves was refused')
    address = lab.instrument('on-udp')['address']
    if address != f'127.0.0.1 port {kinds["udp"]["port"]}':
        raise Failure(f'the address of a confined worker: {address}')
    lab.stop()
    for s in held[:2]:
        s.close()


def test_ends(lab, victims):
    """Deeds that end the worker; one that is named; a flood of its standard error stalls no other and is limited."""
    lab.start({'instruments': {'good': GOOD, 'flood': on({'type': 'none'}, way='flood'),
                               'thread': on({'type': 'none'}, way='thread'),
                               'foreign': on({'type': 'none'}, way='foreign'),
                               'opens': {**GOOD, 'settings': {'deed': 'open', 'after': 2}}}})
    for key in ('thread', 'foreign'):
        end = lab.wait_entries(key, 'run-end')[0].record
        if end['status'] != 'lost-device' or 'system call that is refused' not in end['why']:
            raise Failure(f'{key}: {end}')
    wait_for('its line', lambda: re.search(r'^<4>worker: opens: driver misbehave, in acquire: the system call access '
                                           r'\(\d+\) was refused', lab.log(), re.M))
    lab.wait_frames('flood', 5)
    frames = len(lab.frames('good'))
    lab.wait_frames('good', frames + 50)
    if longest_gap(lab, 'good') > GAP_SECONDS or lab.instrument('good')['worker_starts'] != 1:
        raise Failure(f'a flood of standard error: {longest_gap(lab, "good")} s without a frame')
    log = lab.log()
    lines = log.count('a forged line')
    if not 0 < lines <= 200 or '\x1b' in log or '\x9b' in log or re.search(r'^ ?H? gas-9', log, re.M):
        raise Failure(f'{lines} lines of a flood are in the log')
    lab.stop()


def test_lacks(lab, victims):
    """A kernel without the parts: told once at start, and in the status."""
    for lacks in ('', 'landlock', 'seccomp', 'landlock, seccomp'):
        lab.env = {'ASSAY_TEST_WORKER': paths['worker'], 'ASSAY_TEST_LACKS': lacks}
        lab.paths = {**lab.paths, 'worker': paths['lacking']}
        before = len(lab.log()) if (lab.dir / 'assayd.log').exists() else 0
        lab.start({'instruments': {'good': GOOD, 'crashes': {**GOOD, 'settings': {'deed': 'crash', 'after': 2}}}})
        wait_for('the next worker', lambda: lab.instrument('crashes')['worker_starts'] >= 3)
        lab.wait_state('good', 'busy')
        found = lab.instrument('good').get('lacking', '')
        if lacks == '' and found != '':
            skip(f'this kernel lacks {found}')
        if found != lacks:
            raise Failure(f'a worker that lacks {lacks}: {found}')
        line = f'not fully confined: this kernel lacks {lacks}'
        status = lab.ctl('status', code=None).stdout  # one instrument is in trouble
        if (line in status) != (lacks != ''):
            raise Failure(status)
        for key in ('good', 'crashes'):
            said = re.findall(rf'{key}: the worker runs without: {lacks}(?: \[.*)?$', lab.log()[before:], re.M)
            if len(said) != (lacks != ''):
                raise Failure(f'{lacks}:\n{lab.log()[before:]}')
        lab.stop()


TESTS = {'deeds': test_deeds, 'ends': test_ends, 'lacks': test_lacks}

with open('/proc/self/status') as status:
    if 'Seccomp:' not in status.read():  # the deeds of the constructor would be done
        skip('this kernel lacks seccomp')

with Lab(paths) as lab, Victims(lab) as victims:
    # The constructor of the hostile one would do its deeds where the kernel lacks the parts.
    add_drivers(lab, 'misbehave', *['hostile'] * (paths['test'] != 'lacks'))
    TESTS[paths['test']](lab, victims)
