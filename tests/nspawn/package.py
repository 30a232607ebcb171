# SPDX-License-Identifier: Apache-2.0
"""The Debian packages on a bare machine, from the first installation to the purge.

usage: package.py SOURCE

Builds the packages (tools/package), boots a bare Debian 12, and types the guide's own commands. Then an
upgrade during an open run, a reboot, a refused downgrade, removal, purge.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

from machine import Failure, Machine, skip_unless_possible, wait_for

STATE, ETC = 'var/lib/assayd', 'etc/assayd'
MINE = '''instruments:
  trainer-2:
    driver: amptek-dp5
    simulated: true
    link: {type: udp, host: 127.0.0.1, port: 10002}
    acquire: {mode: continuous, every: 1s}
    settings: {channels: 256, slice: 1 s}
'''


def expect(condition, message):
    if not condition:
        raise Failure(message)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def guide_commands(source, name):
    """A block of the guide: its commands without remarks."""
    text = (source / 'docs/technician.md').read_text(encoding='utf-8')
    block = re.search(rf'<!-- machine: {name} -->\n\n?```sh\n(.*?)^```', text, re.M | re.S)[1]
    return [re.sub(r'\s+#.*', '', line) for line in block.splitlines()]


def guide_config(source, word):
    """The first configuration of the guide with this line."""
    text = (source / 'docs/technician.md').read_text(encoding='utf-8')
    return next(block for block in re.findall(r'<!-- config -->\n```yaml\n(.*?)^```', text, re.M | re.S)
                if re.search(word, block, re.M))


def with_version(package, version, into):
    """A copy of a package that differs by its version only."""
    target = into / package.name.replace(package.name.split('_')[1], version)
    folder = into / 'repack'
    subprocess.run(['dpkg-deb', '--raw-extract', package, folder], check=True)
    control = folder / 'DEBIAN/control'
    text = control.read_text(encoding='utf-8')
    control.write_text(re.sub(r'^Version: .*$', f'Version: {version}', text, flags=re.M), encoding='utf-8')
    subprocess.run(['dpkg-deb', '--root-owner-group', '-Znone', '--build', folder, target], check=True,
                   stdout=subprocess.DEVNULL)
    return target


class Test:
    def __init__(self, source, machine, packages):
        self.source, self.machine, self.packages = source, machine, packages
        self.run, self.root = machine.run, machine.root
        self.home = self.root / 'home/kim'

    # --- reading the machine

    def file(self, path):
        return (self.root / path).read_bytes()

    def property(self, name):
        return self.run(f'systemctl show -P {name} assayd').stdout.strip()

    def log(self):
        return self.run('journalctl -u assayd -o cat --no-pager').stdout

    def version(self):
        return self.run("dpkg-query -W -f '${Version}' assayd").stdout

    def instrument(self, name):
        status = json.loads(self.run('assayctl --json status', 'kim').stdout)
        return next(i for i in status['instruments'] if i['key'] == name)

    def entries(self):
        """Each entry of the journal in use as a line of text."""
        return self.run('assayctl --json journal cat').stdout.splitlines()

    def evidence(self):
        """The journal's files with their content."""
        files = sorted((self.root / STATE / 'journal').glob('*/*.seg'))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def check_journal(self):
        self.run(f'assayctl journal check --path /{STATE}')

    def install(self, package, check=True):
        shutil.copy(package, self.root / 'root')
        return self.run(f'apt-get -q -y --allow-downgrades install ./{package.name}', check=check)

    # --- the steps

    def prepare(self):
        self.run('adduser --disabled-password --gecos Kim kim && adduser kim sudo')
        (self.root / 'etc/sudoers.d/kim').write_text('kim ALL=(ALL) NOPASSWD: ALL\n', encoding='utf-8')
        for package in self.packages:
            shutil.copy(package, self.home)

    def first_run(self):
        commands = guide_commands(self.source, 'first-run')
        expect(len(commands) <= 6, f'the guide needs {len(commands)} commands')
        for command in commands:
            if command.endswith(' &'):
                self.machine.start(command[:-2], 'kim')
            else:
                print(f'kim$ {command}')
                self.run(command.replace('sudo apt install', 'sudo apt-get -q -y install'), 'kim')
        run = json.loads(self.run('assayctl --json run list', 'kim').stdout)['runs'][0]
        expect(run['status'] == 'complete' and run['sim'], f'the guide\'s run: {run}')

    def edit(self, text, *file):
        """`sudo assayctl edit`, with an editor that puts `text` in the place of the file."""
        (self.home / 'new').write_text(text, encoding='utf-8')
        (self.home / 'type').write_text('#!/bin/sh\ncat ~kim/new >"$1"\n', encoding='utf-8')
        (self.home / 'type').chmod(0o755)
        return self.run(' '.join(['sudo EDITOR=/home/kim/type assayctl edit', *file]), 'kim', check=False).stdout

    def own_configuration(self):
        """The guide's sections on a laboratory, a simulated and a real instrument: no other command is needed."""
        main = self.root / ETC / 'assayd.yaml'
        before = main.read_text(encoding='utf-8')
        self.run('pkill -f 127.0.0.1:10001; while pgrep -f 127.0.0.1:10001; do sleep 0.1; done', 'kim', check=False)
        edited = self.edit(guide_config(self.source, '^laboratory:') + guide_config(self.source, 'trainer-1:'))
        command, = guide_commands(self.source, 'laboratory')
        expect(f'which needs a restart: {command}' in edited, f'the remedy of a new laboratory: {edited}')
        self.run(command, 'kim')
        simulator, = guide_commands(self.source, 'simulator')
        self.machine.start(simulator, 'kim')
        for command in guide_commands(self.source, 'simulated'):
            print(f'kim$ {command}')
            self.run(command, 'kim')
        run = json.loads(self.run('assayctl --json run list', 'kim').stdout)['runs'][0]
        expect(run['status'] == 'complete' and run['sample'] == 'LAB-2027-00001', f'the guide\'s run: {run}')
        edited = self.edit(guide_config(self.source, '^  xrf-1:'), f'/{ETC}/instruments.d/xrf-1.yaml')
        expect('reloaded' in edited, edited)
        out = {command: self.run(command, 'kim', check=False) for command in guide_commands(self.source, 'real')}
        check, doctor, status = out.values()
        expect(check.returncode == 0 and '2 instruments, no errors' in check.stdout, check.stdout)
        expect('configuration: it can be read' in doctor.stdout, doctor.stdout)
        expect(re.search(r'^! xrf-1: .*USB device.*\n    do: plug it in', status.stdout, re.M), status.stdout)
        (self.root / ETC / 'instruments.d/xrf-1.yaml').unlink()
        main.write_text(before, encoding='utf-8')
        self.run('systemctl restart assayd')

    def check_rights(self):
        expect(self.property('ActiveState') == 'active', 'the service does not run')
        expect(self.run('id -Gn assayd').stdout.split() == ['assayd', 'dialout'], 'groups of the user')
        for path, wanted in ((f'/{STATE}', 'assayd assayd 750'), ('/run/assayd', 'assayd assayd 750'),
                             (f'/{ETC}/assayd.yaml', 'root root 644'), (f'/{ETC}/instruments.d', 'root root 755')):
            found = self.run(f'stat -c "%U %G %a" {path}').stdout.strip()
            expect(found == wanted, f'{path}: {found}, expected {wanted}')
        on = self.run("systemctl list-unit-files --state=enabled --no-legend 'assay*'").stdout.split()
        expect(on[0] == 'assayd.service' and len(on) == 3, f'enabled without a decision: {on}')
        listening = [line.split()[1] for line in self.run('cat /proc/net/tcp /proc/net/tcp6').stdout.splitlines()
                     if line.split()[3] == '0A']
        expect(not listening, f'something listens on TCP: {listening}')
        owners = self.run('ps -o user= -p $(cat /sys/fs/cgroup$(systemctl show -P ControlGroup assayd)/cgroup.procs'
                          ' | paste -sd,)').stdout.split()
        expect(len(owners) > 1 and set(owners) == {'assayd'}, f'processes of the service run as {owners}')
        expect(self.run('assayctl complete -- run start tr', 'kim').stdout.startswith('trainer-1\t'), 'completion')
        self.run('adduser --disabled-password --gecos Other other')
        refused = self.run('assayctl status', 'other', check=False)
        expect(refused.returncode == 1 and 'you are not in group assayd' in refused.stdout, refused.stdout)

    def consumers(self):
        """The libraries are where the linker and Python look for them."""
        self.run('apt-get -q -y install /home/kim/*.deb')
        expect('libassay.so.1 ' in self.run('/sbin/ldconfig -p').stdout, 'the linker does not know libassay')
        self.run('python3 -c "import assay"')
        expect(not list(self.root.glob('usr/lib64/*assay*')), 'files in /usr/lib64')

    def wrong_file(self):
        wrong = self.root / ETC / 'instruments.d/wrong.yaml'
        wrong.write_text('instruments:\n  xrf-9: {driver: amptek-dp5, link: usb, setings: {}}\n', encoding='utf-8')
        expect(self.run('sudo systemctl reload assayd', 'kim', check=False).returncode != 0, 'a wrong file was loaded')
        reason = f"/{ETC}/instruments.d/wrong.yaml:2:42: unknown key 'setings'"
        expect(reason in self.log(), f'the log does not have: {reason}\n{self.log()}')
        expect(self.property('ActiveState') == 'active', 'a wrong file ended the service')
        wrong.unlink()
        self.run('sudo systemctl reload assayd', 'kim')

    def upgrade(self):
        """With an edited configuration, while an instrument measures."""
        main, own = self.root / ETC / 'assayd.yaml', self.root / ETC / 'instruments.d/trainer-2.yaml'
        main.write_text(main.read_text(encoding='utf-8') + '# my remark\n', encoding='utf-8')
        own.write_text(MINE, encoding='utf-8')
        edited = main.read_bytes(), own.read_bytes()
        self.machine.start('assay-sim amptek-dp5 --udp 127.0.0.1:10002 --serial 9990002', 'kim')
        self.run('sudo systemctl reload assayd', 'kim')
        wait_for('frames of the open run', lambda: self.instrument('trainer-2').get('run', {}).get('frames', 0) >= 3)
        run = self.instrument('trainer-2')['run']
        before = self.entries()
        pid = self.property('MainPID')
        self.install(with_version(self.packages[0], '9.0-1', self.machine.folder))
        expect((main.read_bytes(), own.read_bytes()) == edited, 'the upgrade changed the configuration')
        expect(self.property('MainPID') != pid, 'the upgrade did not restart the service')
        wait_for('a new run after the upgrade', lambda: self.instrument('trainer-2').get('run', {}).get('frames', 0) > 0)
        expect(self.entries()[:len(before)] == before, 'entries of before the upgrade are lost or changed')
        after = next(r for r in json.loads(self.run('assayctl --json run list', 'kim').stdout)['runs']
                     if r['number'] == run['number'])
        expect(after['frames'] >= run['frames'] and after['status'] in ('stopped', 'complete'), f'the open run: {after}')
        self.check_journal()

    def reboot(self):
        before = self.entries()
        self.machine.power_off()
        self.machine.boot()
        wait_for('the service is active after the boot', lambda: self.property('ActiveState') == 'active')
        expect(self.entries()[:len(before)] == before, 'entries of before the boot are lost or changed')
        self.check_journal()

    def downgrade(self):
        """The journal has a later format: the version that cannot read it is not installed, and does not start."""
        self.machine.start('assay-sim amptek-dp5 --udp 127.0.0.1:10002 --serial 9990002', 'kim')
        wait_for('a run after the boot', lambda: self.instrument('trainer-2').get('run'))
        run, pid = self.instrument('trainer-2')['run']['number'], self.property('MainPID')
        with open(max((self.root / STATE / 'journal').glob('*/*.seg')), 'r+b') as segment:
            right = segment.read(80)
            later = right[:8] + struct.pack('<I', 2) + right[12:76]
            segment.seek(0)
            segment.write(later + struct.pack('<I', crc32c(later)))
            segment.flush()
            words = f'the journal in /{STATE} has format 2; this version reads and writes 1'
            refused = self.install(self.packages[0], check=False)
            expect(refused.returncode != 0 and words in refused.stdout, f'the downgrade: {refused.stdout}')
            expect(self.version() == '9.0-1', f'version {self.version()} is installed')
            expect(self.property('MainPID') == pid and self.instrument('trainer-2')['run']['number'] == run,
                   'the refused downgrade ended a run')
            self.run('systemctl stop assayd')
            evidence = self.evidence()
            expect(self.run('systemctl start assayd', check=False).returncode != 0, 'it started on a later format')
            found = self.property('ActiveState'), self.property('NRestarts')
            expect(found == ('failed', '0'), f'after the refused start: state and restarts {found}')
            expect('was written by a later version of assayd' in self.log(), self.log())
            expect(self.evidence() == evidence, 'the refused start changed the journal')
            segment.seek(0)
            segment.write(right)
        self.run('systemctl reset-failed assayd; systemctl start assayd')
        self.install(self.packages[0])
        expect(self.property('ActiveState') == 'active', 'the downgrade within one format')
        self.check_journal()

    def remove(self):
        own = self.root / ETC / 'instruments.d/trainer-2.yaml'
        self.run('apt-get -q -y remove assayd')
        evidence = self.evidence()
        expect(own.exists() and (self.root / ETC / 'assayd.yaml').exists(), 'removing removed the configuration')
        expect(not (self.root / 'run/assayd').exists(), 'the sockets stayed')
        out = self.run('apt-get -q -y purge assayd').stdout
        expect(f'the journal stays in /{STATE}' in out, out)
        expect(self.evidence() == evidence and len(evidence) > 0, 'the purge touched the evidence')
        expect(own.exists() and not (self.root / ETC / 'assayd.yaml').exists(), 'the configuration after the purge')
        own.unlink()
        self.install(self.packages[0])
        self.check_journal()
        runs = json.loads(self.run('assayctl --json run list', 'kim').stdout)['runs']
        expect(len(runs) > 2, f'the new installation knows {len(runs)} of the old runs')
        self.run('ASSAYD_PURGE_JOURNAL=yes apt-get -q -y purge assayd')
        left = [path for path in (STATE, STATE + '-known', ETC) if (self.root / path).exists()]
        expect(left == [], f'the purge with the journal left {left}')


def main():
    source = pathlib.Path(sys.argv[1])
    skip_unless_possible()
    cache = source / 'build-nspawn'
    subprocess.run([source / 'tools/package', '--into', cache / 'packages'], check=True, timeout=550,
                   stdout=subprocess.DEVNULL)
    packages = sorted(p for p in (cache / 'packages').glob('*.deb') if '-dbgsym_' not in p.name)
    packages.sort(key=lambda p: not p.name.startswith('assayd_'))
    with Machine(cache, packages) as machine:
        machine.boot()
        test = Test(source, machine, packages)
        steps = ('prepare', 'first_run', 'own_configuration', 'check_rights', 'consumers', 'wrong_file', 'upgrade', 'reboot', 'downgrade', 'remove')
        for step in steps:
            print(f'== {step}', flush=True)
            try:
                getattr(test, step)()
            except Failure:
                print(machine.run('journalctl -u assayd -o short-precise --no-pager | tail -n 40', check=False).stdout)
                raise
    print('passed')


if __name__ == '__main__':
    os.environ.setdefault('LC_ALL', 'C.UTF-8')
    main()
