# SPDX-License-Identifier: Apache-2.0
"""The unit's fence: its exposure, each of its lines, and the instruments behind it.

The real unit runs only where systemd is the first process; here its system calls, socket families and
limits are set by tests/integration/fence.c.
"""

import json
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, sys.argv[1])
from lab import Lab, paths_from, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

SKIP = 77
# Each finding that may be open, with its reason.
ACCEPTED = {
    'PrivateNetwork=': 'instruments on a network',
    'RestrictAddressFamilies=~AF_(INET|INET6)': 'instruments on a network',
    'RestrictAddressFamilies=~AF_UNIX': 'the sockets of other programs',
    'RestrictAddressFamilies=~AF_NETLINK': 'libusb and name look-ups',
    'IPAddressDeny=': 'private networks',
    'PrivateDevices=': 'serial ports and USB',
    'DeviceAllow=': 'serial ports and USB',
    'PrivateUsers=': 'the kernel would name every client "nobody", in the audit too',
    'ProcSubset=': 'the boot id, which the journal needs',
    'RootDirectory=/RootImage=': 'libraries and configuration of the system',
}
CLOCK = 'the state of the clock is read by a call that also sets it, which needs a capability'
CLOCK_ACCEPTED = {
    'RestrictAddressFamilies=~AF_UNIX': 'the socket of the service manager',
    'RootDirectory=/RootImage=': 'libraries of the system',
    'ProtectClock=': CLOCK,
    'SystemCallFilter=~@clock': CLOCK,
    'SystemCallFilter=~@privileged': CLOCK,
}

# System calls that are there for a reason, which a test here cannot show on every kernel.
CALLS = {
    'seccomp': 'workers confine themselves, all threads at once',
    'landlock_create_ruleset': 'workers confine themselves',
    'landlock_add_rule': 'workers confine themselves',
    'landlock_restrict_self': 'workers confine themselves',
}
CLOCK_CALLS = {
    'adjtimex': 'the state of the clock',
    'clock_adjtime': 'the same: as the C library calls it',
}

# Lines that the exposure does not see. Without a line, the unit is not as the pages describe it.
NEEDED = {
    'Type=notify': 'systemd knows when the sockets are there, and the watchdog works',
    'WatchdogSec=30': 'a daemon that hangs is started again',
    'Restart=on-failure': 'it measures again after a crash',
    'RestartSec=2': 'soon, and without a busy loop',
    'RestartPreventExitStatus=2 78': 'a wrong configuration is not started again and again',
    'KillMode=mixed': 'the core stops its workers in order: filaments are switched off',
    'TimeoutStopSec=60': 'longer than the 20 s for open frames, and the stop path of workers',
    'Group=assayd': 'members of the group may use the sockets',
    'StateDirectory=assayd assayd-known': 'the journal, and the second folder that notes its use',
    'StateDirectoryMode=0750': 'others read no evidence',
    'RuntimeDirectory=assayd': 'the folder of the sockets',
    'RuntimeDirectoryMode=0750': 'others reach no socket',
    'RuntimeDirectoryPreserve=restart': 'mounts of the folder in other units stay good',
    'MemoryMax=3G': 'the machine goes on if this service takes all it can',
    'OOMPolicy=continue': 'one worker ended for its memory does not end the service',
    'TasksMax=512': 'the same for processes and threads',
    'LimitNOFILE=65536': 'the default of 1024 is used up by clients',
    'LimitCORE=0': 'a core file would hold evidence',
    'SystemCallErrorNumber=EPERM': 'libraries handle a refused call; a signal would end the daemon',
    'DeviceAllow=char-4 rw': 'ttyS',
    'DeviceAllow=char-166 rw': 'ttyACM',
    'DeviceAllow=char-188 rw': 'ttyUSB',
    'DeviceAllow=char-189 rw': 'USB devices',
}

CLOCK_NEEDED = {
    'Type=notify': 'the daemon starts when the file is there',
    'WatchdogSec=30': 'one that hangs is started again',
    'Restart=always': 'the state is known again soon',
    'RestartSec=2': 'without a busy loop',
    'TimeoutStopSec=5': 'assayd does not wait for it',
    'RuntimeDirectory=assayd-clock': 'the folder of the file',
    'RuntimeDirectoryMode=0755': 'the daemon, another user, reads it',
    'MemoryMax=32M': 'the machine goes on if it takes all it can',
    'TasksMax=4': 'the same for processes',
    'LimitCORE=0': 'as for the daemon',
    'SystemCallErrorNumber=EPERM': 'libraries handle a refused call',
}
# Per unit: the exposure in tenths, as systemd-analyze has it, what may be open, lines that it does not see.
UNITS = {
    'assayd': (14, ACCEPTED, NEEDED),
    'assayd-clock': (5, CLOCK_ACCEPTED, CLOCK_NEEDED),
}

# Lines that open the fence: the daemon would not run without them, or the exposure is of what is left.
OPENS = ('IPAddressAllow=', 'SystemCallFilter=', 'Exec')


def findings(unit):
    """The rows of systemd-analyze: exposure and description by name."""
    rows = json.loads(subprocess.run(
        ['systemd-analyze', 'security', '--offline=true', '--json=short', str(unit)],
        check=True, capture_output=True, text=True, timeout=60).stdout)
    return {row['name']: (row['exposure'], row['description']) for row in rows}


def service_lines(text):
    service = text.split('[Service]\n')[1].split('\n[')[0]
    return [line for line in service.splitlines() if re.match(r'[A-Z]\w+=', line)]


def test_exposure(unit, limit, accepted):
    done = subprocess.run(['systemd-analyze', 'security', '--offline=true', f'--threshold={limit}', str(unit)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    open_ones = {name for name, (exposure, _) in findings(unit).items() if exposure}
    assert open_ones == accepted.keys(), f'{unit.name}: open and not expected to be, or the other way round: {open_ones ^ accepted.keys()}'


def test_lines(unit, needed, folder):
    """Each line of the unit counts: without it there is a finding more, or the table has its reason."""
    text = unit.read_text()
    whole = findings(unit)
    lines = service_lines(text)
    idle = []
    for line in lines:
        if line.startswith(OPENS) or line in needed:
            continue
        without = folder / unit.name
        without.write_text(text.replace(f'\n{line}\n', '\n', 1))
        if findings(without) == whole:
            idle.append(line)
    assert not idle, f'nothing depends on these, and no table has a reason for them: {idle}'
    missing = needed.keys() - set(lines)
    assert not missing, f'the unit lacks {missing}'


# --- instruments behind it -----------------------------------------------------------------------


def expand(name):
    """The system calls of a set, such as @file-system."""
    if not name.startswith('@'):
        return {name}
    lines = subprocess.run(['systemd-analyze', 'syscall-filter', name], check=True, capture_output=True,
                           text=True, timeout=60).stdout.splitlines()[1:]
    names = [line.strip() for line in lines if line.strip() and not line.strip().startswith('#')]
    return set().union(*map(expand, names))


def allowed_calls(lines):
    """As systemd reads SystemCallFilter=: the first line allows, and the others add, or with ~ take away."""
    allowed = expand('@default')
    for line in (line.split('=', 1)[1] for line in lines if line.startswith('SystemCallFilter=')):
        for name in line.lstrip('~').split():
            allowed = allowed - expand(name) if line.startswith('~') else allowed | expand(name)
    return allowed


def value(lines, key):
    return next(line.split('=', 1)[1] for line in lines if line.startswith(f'{key}='))


def fenced(lab, name, lines, needed=CALLS):
    """A program that starts another as the unit does."""
    calls, allowed = lab.dir / f'{name}.calls', allowed_calls(lines)
    assert needed.keys() <= allowed, needed.keys() - allowed
    calls.write_text('\n'.join(sorted(allowed)))
    families = ' '.join(str(int(getattr(socket, name))) for name in value(lines, 'RestrictAddressFamilies').split())
    program = lab.dir / name
    fence = shlex.join([lab.paths['fence'], str(calls), families, lab.paths[name]])
    program.write_text(f'#!/bin/sh\nulimit -c 0\nexec {fence} "$@"\n')
    program.chmod(0o755)
    return str(program)


def start_clock(lab, lines, is_synchronised):
    """assay-clock as its unit starts it, on a kernel that is synchronised or not."""
    return subprocess.Popen([fenced(lab, 'assay-clock', lines, CLOCK_CALLS), str(lab.dir / 'clock')],
                            env={'LD_PRELOAD': lab.paths['fake-system'], 'FAKE_SYNC': str(int(is_synchronised))})


def test_clock(lab, lines, clock):
    """Records follow assay-clock within seconds; without it the state is unknown, and never synchronised."""
    def wait_clock(sync, is_unread):
        wait_for(f'{sync}, {is_unread}', lambda: (now := lab.ask({'op': 'status'})['clock'])['sync'] == sync and
                 now.get('unread', False) == is_unread, 8)
        before = len(lab.entries('xrf-1'))
        assert wait_for('a frame', lambda: lab.entries('xrf-1')[before:])[-1].record['t']['sync'] == sync
    wait_clock('ntp', False)
    for is_synchronised, sync in ((False, 'rtc'), (True, 'ntp')):
        clock.kill()
        clock.wait()
        clock = start_clock(lab, lines, is_synchronised)
        wait_clock(sync, False)
    clock.kill()
    clock.wait()
    (lab.dir / 'clock').unlink()  # systemd removes the folder
    wait_clock('rtc', True)
    wait_for('the log', lambda: 'assay-clock does not run' in lab.log())


def test_instruments(paths, lines, clock_lines):
    """UDP, TCP by name, pseudo-terminals for a driver of its own and for libmodbus; run, reload, stop."""
    with Lab(dict(paths)) as lab:
        for name in ('assayd', 'assayctl'):  # which ExecReload= runs
            lab.paths[name] = fenced(lab, name, lines)
        lab.options = ['--clock', str(lab.dir / 'clock')]
        clock = start_clock(lab, clock_lines, True)
        wait_for('the state of the clock', (lab.dir / 'clock').exists)
        sims = start_sims(lab)
        config = instruments(lab, sims)
        config['gas-1']['link']['host'] = 'localhost'
        sims['gas-2'] = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--pty', str(lab.dir / 'gas.tty'))
        config['gas-2'] = {**config['gas-1'], 'link': {
            'type': 'modbus-rtu', 'port': str(lab.dir / 'gas.tty'), 'baud': 19200, 'parity': 'even', 'unit_id': 1}}
        lab.start({'instruments': config})
        for key in sims:
            lab.wait_frames(key, 2)
        mode = (lab.dir / 'run' / 'live').stat().st_mode & 0o777
        assert mode == 0o770, f'members of the group cannot use the sockets: {mode:o}'
        lacks = [line for line in lab.log().splitlines() if 'runs without' in line]
        assert not any('seccomp' in line for line in lacks), lacks
        config['xrf-1']['settings']['channels'] = 512
        lab.configure({'instruments': config})
        lab.ctl('reload')
        wait_for('a run with the new setting', lambda: lab.entries(
            'xrf-1', 'run-start')[-1].record['settings']['channels'] == 512)
        test_clock(lab, clock_lines, clock)
        lab.stop()


if shutil.which('systemd-analyze') is None:
    print('systemd-analyze is not installed')
    sys.exit(SKIP)
paths = paths_from(sys.argv[2:])
units = {name: pathlib.Path(paths['units']) / f'{name}.service' for name in UNITS}
with tempfile.TemporaryDirectory() as folder:
    for name, (limit, accepted, needed) in UNITS.items():
        test_exposure(units[name], limit, accepted)
        test_lines(units[name], needed, pathlib.Path(folder))
test_instruments(paths, *(service_lines(unit.read_text()) for unit in units.values()))
