# SPDX-License-Identifier: Apache-2.0
"""assayctl doctor: each finding appears with its cause and its remedy, and none on a computer that is right.

Usage: check-doctor.py ASSAYCTL WORKER DRIVERS FAKE-SYSTEM FILES-DRIVER. The computer is a folder; clock, disk and user come from the
library FAKE-SYSTEM.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from fake import Daemon, good

assayctl, worker, drivers, fake, files_driver = sys.argv[1:]

CONFIG = """
laboratory: {site: my-lab, node: bench-1}
journal: {path: /var/lib/assayd}
instruments:
  ms-1:
    driver: srs-rga
    link: {type: serial, port: /dev/serial/by-id/usb-a, baud: 28800}
  xrf-1:
    driver: amptek-dp5
    link: usb
"""
UNIT = 'etc/systemd/system/assayd.service.d/disk.conf'


class Computer:
    """One where nothing is wrong; each case changes something of it."""

    def __init__(self, folder):
        self.root, self.environment, self.daemon_version, self.daemon_clock = folder / 'root', {}, version, {}
        for name in ('etc/systemd/system/multi-user.target.wants', 'etc/systemd/system/assayd.service.d', 'dev/serial/by-id',
                     'proc/7/fd', 'proc/8/fd', 'proc/sys/kernel/seccomp', 'sys/kernel/security', 'run/systemd/system',
                     'usr/lib/udev/rules.d', 'var/lib/assayd'):
            (self.root / name).mkdir(parents=True)
        self.config = folder / 'assayd.yaml'
        self.config.write_text(CONFIG)
        self.write('etc/passwd', f'root:x:0:0::/:/bin/sh\nassayd:x:{os.getuid()}:900::/:/bin/sh\nkim:x:1000:1000::/:/bin/sh\n')
        self.write('etc/group', f'root:x:0:\nassayd:x:900:\ndialout:x:{DIALOUT}:assayd\n')
        self.write('etc/fstab', '/dev/sda1 / ext4 defaults 0 1\n')
        self.write('proc/mounts', '/dev/sda1 / ext4 rw 0 0\n')
        self.write('proc/7/comm', 'systemd\n')
        self.write('proc/8/comm', 'assay-worker\n')
        self.write('proc/sys/kernel/seccomp/actions_avail', 'kill_process errno allow\n')
        self.write('sys/kernel/security/lsm', 'lockdown,landlock,yama\n')
        self.write('usr/lib/udev/rules.d/60-assayd.rules', '')
        self.write('etc/systemd/system/multi-user.target.wants/assayd.service', '')
        self.write('dev/ttyUSB0', '')
        (self.root / 'dev/serial/by-id/usb-a').symlink_to('../../ttyUSB0')
        self.hold(8)

    def write(self, name, text):
        (self.root / name).write_text(text)

    def replace(self, name, old, new):
        text = (self.root / name).read_text()
        assert old in text, (name, old)
        self.write(name, text.replace(old, new))

    def hold(self, pid):
        (self.root / f'proc/{pid}/fd/3').symlink_to('/dev/ttyUSB0')

    def remove(self, name):
        path = self.root / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


DIALOUT = os.getgid()


def configure(old, new):
    return lambda c: c.config.write_text(CONFIG.replace(old, new))


def environment(**values):
    return lambda c: c.environment.update(values)


def all_of(*changes):
    return lambda c: [change(c) for change in changes]


def old_daemon(c):
    c.daemon_version = '0.0.1'


def unread_clock(c):
    c.daemon_clock = {'utc': 1, 'sync': 'rtc', 'unread': True}


def of_another_user(c):
    c.replace('etc/passwd', f'assayd:x:{os.getuid()}:', 'assayd:x:4321:')
    c.replace('etc/group', f'{DIALOUT}:assayd', '9:assayd')
    (c.root / 'dev/ttyUSB0').chmod(0o660)


def share(c):
    (c.root / 'srv/gcms/data').mkdir(parents=True)
    c.config.write_text(CONFIG + '  gc-1:\n    driver: files\n    link: {type: folder, path: /srv/gcms/data}\n')



CIFS = lambda c: c.write('etc/fstab', '/dev/sda1 / ext4\n//pc/data /srv/gcms cifs ro 0 0\n')
DISK = lambda c: c.write('etc/fstab', '/dev/sda1 / ext4\n/dev/sdb1 /var/lib ext4\n')
MOUNTED = lambda c: c.write('proc/mounts', '/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /var/lib ext4 rw 0 0\n')
REQUIRED = lambda c: c.write(UNIT, '[Unit]\nRequiresMountsFor=/srv /var/lib/assayd\n')
BERLIN = lambda c: (c.root / 'etc/localtime').symlink_to('/usr/share/zoneinfo/Europe/Berlin')
OF_KIM = environment(FAKE_UID='1000', FAKE_GID='1000')
# (change, start of the finding or None, words of its remedy)
CASES = [
    (lambda c: None, None, None),
    (configure('site: my-lab', 'site: My Lab'), '! configuration: ', 'assayctl check'),
    (lambda c: c.remove('etc/systemd/system/multi-user.target.wants/assayd.service'), '- daemon: it is not started at boot', 'enable assayd'),
    (lambda c: c.remove('run/systemd/system'), None, None),
    (old_daemon, '! daemon: version 0.0.1 runs', 'systemctl restart assayd'),
    (lambda c: c.replace('etc/passwd', 'assayd', 'other'), '! users: there is no user', 'systemd-sysusers'),
    (lambda c: c.replace('etc/group', f'{DIALOUT}:assayd', f'{DIALOUT}:'), '! users: user assayd is not in group dialout', 'adduser assayd dialout'),
    (OF_KIM, '! users: you are not in group assayd', 'adduser kim assayd'),
    (environment(FAKE_UID='1000', FAKE_GID='900'), None, None),
    (all_of(OF_KIM, lambda c: c.replace('etc/group', '900:', '900:kim')), '! users: you are in group assayd from the next', 'log out'),
    (lambda c: c.remove('dev/serial/by-id/usb-a'), '! ports: ms-1: /dev/serial/by-id/usb-a is not there', 'plug it in'),
    (configure('/dev/serial/by-id/usb-a', '/dev/ttyUSB0'), '- ports: ms-1: /dev/ttyUSB0 may be another adapter', 'port: /dev/serial/by-id/usb-a'),
    (lambda c: c.write('proc/8/comm', 'minicom\n'), '! ports: ms-1: /dev/serial/by-id/usb-a is held by the program minicom', 'end minicom'),
    (lambda c: c.remove('usr/lib/udev/rules.d/60-assayd.rules'), '! ports: the USB rules', 'udevadm'),
    (all_of(lambda c: c.remove('usr/lib/udev/rules.d/60-assayd.rules'), configure('link: usb', 'link: {type: udp, host: 192.0.2.1}')), None, None),
    (lambda c: c.write('proc/7/comm', 'ModemManager\n'), '! programs: ModemManager runs', 'mask --now ModemManager'),
    (lambda c: c.write('proc/7/comm', 'brltty\n'), '! programs: brltty runs', 'apt remove brltty'),
    (environment(FAKE_SYNC='0'), '- clock: nothing synchronises it', 'timesyncd'),
    (unread_clock, '! clock: the daemon does not know', 'restart assayd-clock'),
    (BERLIN, '- clock: run numbers have the days of UTC', 'timezone: Europe/Berlin'),
    (all_of(BERLIN, configure('node: bench-1', 'node: bench-1, timezone: Asia/Tokyo')), None, None),
    (lambda c: (c.root / 'etc/localtime').symlink_to('/usr/share/zoneinfo/Etc/UTC'), None, None),
    (lambda c: c.remove('var/lib/assayd'), '! disk: /var/lib/assayd: No such file', 'install -d'),
    (environment(FAKE_MIB='1'), '! disk: 0.0 GiB are free', 'never delete files of the journal'),
    (environment(FAKE_FILES='10'), '! disk: 10 more files', 'df -i'),
    (environment(FAKE_READONLY='1'), '! disk: /var/lib/assayd is on a disk that is mounted read-only', 'dmesg'),
    (all_of(DISK, MOUNTED, REQUIRED), None, None),
    (all_of(DISK, MOUNTED), '! mounts: the service does not wait for /var/lib', 'RequiresMountsFor=/var/lib/assayd'),
    (all_of(DISK, MOUNTED, lambda c: c.write(UNIT, 'RequiresMountsFor=/var\n')), '! mounts: the service does not wait', 'RequiresMountsFor'),
    (all_of(DISK, REQUIRED), '! mounts: /var/lib, the disk of /var/lib/assayd, is not mounted', 'sudo mount /var/lib'),
    (lambda c: c.write('proc/mounts', 'tmpfs /var/lib tmpfs rw 0 0\n'), '- mounts: /var/lib/assayd is in memory (tmpfs)', 'on a disk'),
    (lambda c: c.write('proc/mounts', 'nas:/a /var/lib nfs4 rw 0 0\n'), '- mounts: /var/lib/assayd is on nfs4', 'of this computer'),
    (share, None, None),
    (all_of(share, lambda c: c.remove('srv/gcms')), '! folders: gc-1: /srv/gcms/data: No such file', 'mount its share'),
    (all_of(share, lambda c: (c.root / 'srv/gcms/data').chmod(0o055)), '! folders: gc-1: user assayd may not read /srv/gcms/data', 'uid=assayd'),
    (all_of(share, lambda c: c.remove('srv/gcms/data'), lambda c: c.write('srv/gcms/data', '')), '! folders: gc-1: /srv/gcms/data is not a folder', 'path of the link'),
    (all_of(share, CIFS), '! folders: gc-1: /srv/gcms, which has /srv/gcms/data, is not mounted', 'sudo mount /srv/gcms'),
    (all_of(share, CIFS, lambda c: c.write('proc/mounts', '/dev/sda1 / ext4 rw 0 0\n//pc/data /srv/gcms cifs ro 0 0\n')), None, None),
    (lambda c: c.write('sys/kernel/security/lsm', 'yama'), '- kernel: it has no Landlock', 'Debian 12'),
    (lambda c: c.remove('proc/sys/kernel/seccomp/actions_avail'), '! kernel: it has no filter', 'Debian 12'),
]


def doctor(computer, *args, code):
    done = subprocess.run([assayctl, '--dir', str(sockets), '--worker', worker, '--drivers', drivers, '--config', str(computer.config),
                           'doctor', '--root', str(computer.root), *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ, 'LD_PRELOAD': fake, **computer.environment})
    assert done.returncode == code, done
    return done.stdout


version = subprocess.run([assayctl, '--version'], capture_output=True, text=True).stdout.split()[1]
with tempfile.TemporaryDirectory() as name:
    sockets = pathlib.Path(name)
    modules = sockets / 'drivers'
    modules.mkdir()
    for module in [*pathlib.Path(drivers).glob('*.so'), pathlib.Path(files_driver)]:
        (modules / module.name).symlink_to(module)
    drivers = str(modules)
    daemon = Daemon(sockets)
    daemon.start()
    for number, (change, words, remedy) in enumerate(CASES):
        (sockets / str(number)).mkdir()
        computer = Computer(sockets / str(number))
        change(computer)
        daemon.reply = {**good([]), 'version': computer.daemon_version, 'clock': computer.daemon_clock}
        lines = doctor(computer, code=3 if words and words[0] == '!' else 0).splitlines()
        found = [line for line in lines if line[0] in '!-']
        assert len(found) == (words is not None), (number, words, lines)
        assert ('no problem found' in lines) is (not words or words[0] == '-'), (words, lines)
        if words is not None:
            after = lines[lines.index(found[0]) + 1]
            assert found[0].startswith(words) and after.startswith('    do: ') and remedy in after, (words, lines)
    (sockets / 'x').mkdir()
    computer = Computer(sockets / 'x')
    of_another_user(computer)
    lines = doctor(computer, code=3)
    assert '! ports: ms-1: user assayd may not open /dev/serial/by-id/usb-a' in lines, lines
    assert '! disk: /var/lib/assayd does not belong to assayd' in lines and 'chown -R assayd: /var/lib/assayd' in lines, lines
    (sockets / 'control').unlink()
    findings = json.loads(doctor(computer, '--json', code=3))['findings']
    assert any(f['text'].startswith('daemon: it does not answer') and 'systemctl start' in f['remedy'] and f['problem']
               for f in findings), findings
    print(f'{len(CASES)} cases')
