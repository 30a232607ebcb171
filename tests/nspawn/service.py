# SPDX-License-Identifier: Apache-2.0
"""The real unit under its own systemd: what the fence lets through, and what ends or does not end the service.

usage: service.py SOURCE

Uses the packages of tools/package on a bare Debian 12, with simulated instruments on the loopback network.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from machine import Failure, Machine, skip_unless_possible, wait_for

INSTRUMENTS = '''instruments:
  gas-1:
    driver: modbus-map
    simulated: true
    profile: sick-mcs100ft
    link: {type: modbus-tcp, host: localhost, port: 5020, unit_id: 1}
    acquire: {mode: continuous, every: 1s}
  xrf-1:
    driver: amptek-dp5
    simulated: true
    link: {type: udp, host: 127.0.0.1, port: 10001}
    acquire: {mode: repeat}
    settings: {preset_time: 1s}
'''


def expect(condition, message):
    if not condition:
        raise Failure(message)


ALERT = '''mail: {to: kim@lab.example, from: assayd@bench-1.lab.example, sendmail: /usr/local/bin/take-mail}
webhook: {url: 'http://localhost:8099/hook'}
conditions: {silent: 2 s}
every: 1 s
settle: 1 s
'''
# Where the unit may write.
TAKE_MAIL = '#!/bin/sh\ncat >>/var/lib/assayd-alert/mails\n'
TAKE_POST = '''import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open('/root/posts', 'ab') as file:
            file.write(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', 8099), Handler).serve_forever()
'''


class Service:
    def __init__(self, machine):
        self.machine, self.run = machine, machine.run
        folder = re.search(r'--config /(\S+)/assayd.yaml', self.run('systemctl cat assayd').stdout)[1]
        self.file = machine.root / folder / 'instruments.d' / 'instruments.yaml'

    def property(self, name):
        return self.run(f'systemctl show -P {name} assayd').stdout.strip()

    def status(self):
        done = self.run('assayctl --json status', check=False)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.startswith('{') else None

    def frames(self):
        status = self.status()
        return {i['key']: i['frames'] for i in status['instruments']} if status else {}

    def log(self):
        return self.run('journalctl -u assayd -o cat --no-pager').stdout

    def measures(self):
        """Both instruments, from now on."""
        before = wait_for('two instruments', lambda: len(self.frames()) == 2 and self.frames())
        wait_for('both instruments measure', lambda: all(
            count > before[key] for key, count in self.frames().items()), 60)

    def wait_state(self, state, seconds=30):
        wait_for(f'the service is {state}', lambda: self.property('ActiveState') == state, seconds)

    # --- the steps

    def instruments(self):
        """Network, name look-up, reload by systemctl; limits as the unit has them."""
        self.run('systemctl start assayd')
        self.machine.start('assay-sim modbus --tcp 127.0.0.1:5020 --quiet', 'root')
        self.machine.start('assay-sim amptek-dp5 --udp 127.0.0.1:10001 --quiet', 'root')
        self.file.write_text(INSTRUMENTS, encoding='utf-8')
        self.run('systemctl reload assayd')
        self.measures()
        expect(self.property('MemoryMax') == str(3 << 30) and self.property('TasksMax') == '512', 'limits of the unit')
        expect('0.0.0.0/0' in self.property('IPAddressDeny'), 'the networks that are denied')
        expect(self.property('StatusText') == '2 instruments', self.property('StatusText'))

    def wrong_file(self):
        """A reload of it fails; a boot with it measures as before; the corrected file is taken."""
        self.file.write_text(INSTRUMENTS.replace('udp', 'upd'), encoding='utf-8')
        expect(self.run('systemctl reload assayd', check=False).returncode != 0, 'a wrong file was taken')
        expect("'upd'" in self.log(), 'the log does not name the error')
        self.run('systemctl restart assayd')
        self.measures()
        expect("'upd'" in self.status().get('config_errors', ''), 'status does not have the errors')
        self.file.write_text(INSTRUMENTS, encoding='utf-8')
        self.run('systemctl reload assayd')
        expect('config_errors' not in self.status(), 'the corrected file is not in use')

    def no_last_good(self):
        """Nothing to start: the service fails once, and is not started again and again."""
        self.run('systemctl stop assayd; rm /var/lib/assayd-known/last-good')
        self.file.write_text(INSTRUMENTS.replace('udp', 'upd'), encoding='utf-8')
        expect(self.run('systemctl start assayd', check=False).returncode != 0, 'it started with a wrong file')
        self.wait_state('failed')
        expect(self.property('ExecMainStatus') == '78' and self.property('NRestarts') == '0', 'it was started again')
        self.file.write_text(INSTRUMENTS, encoding='utf-8')
        self.run('systemctl start assayd')
        self.measures()

    def clock(self):
        """The daemon knows how the clock is kept while assay-clock runs; one that hangs or is stopped is no such state."""
        def wait_unread(is_unread, seconds=15):
            wait_for(f'unread: {is_unread}', lambda: self.status()['clock'].get('unread', False) == is_unread, seconds)
        main = self.property('MainPID')
        wait_unread(False)
        kernel = self.run('timedatectl show -p NTPSynchronized --value').stdout.strip()
        expect((self.status()['clock']['sync'] == 'ntp') == (kernel == 'yes'), f'{kernel}: {self.status()["clock"]}')
        for stop, start in (('systemctl stop assayd-clock', 'systemctl restart assayd-clock'),
                            ('systemctl kill --signal=STOP assayd-clock', None)):  # the watchdog needs 30 s
            self.run(stop)
            wait_unread(True)
            expect(self.status()['clock']['sync'] == 'rtc', self.status()['clock'])
            for command in ('status', 'doctor'):
                expect('systemctl restart assayd-clock' in self.run(f'assayctl {command}', check=False).stdout, command)
            if start:
                self.run(start)
            wait_unread(False, 60)
        expect(self.property('MainPID') == main, 'the service was started again')
        self.run('systemctl stop assayd')
        expect(self.run('systemctl is-active assayd-clock', check=False).stdout == 'inactive\n', 'it does not end with assayd')
        self.run('systemctl start assayd')
        self.measures()

    def crash(self):
        """A daemon that is killed, or that stops to move, is started again, and ends its runs as interrupted."""
        for signal, seconds in (('KILL', 30), ('STOP', 90)):  # the watchdog needs 30 s
            before = self.property('MainPID')
            self.run(f'systemctl kill --kill-whom=main --signal={signal} assayd')
            wait_for('another process', lambda: self.property('MainPID') not in ('0', before), seconds)
            self.wait_state('active')
            self.measures()
        runs = json.loads(self.run('assayctl --json run list').stdout)['runs']
        expect(sum(run.get('status') == 'interrupted' for run in runs) >= 2, f'runs: {runs}')

    def memory(self):
        """A worker that is ended for its memory is started again, and the service does not end."""
        before = self.property('MainPID')
        worker = self.status()['instruments'][0]['pid']
        self.run(f'kill -KILL {worker}')  # as the kernel does it
        wait_for('another worker', lambda: self.status()['instruments'][0]['pid'] not in (0, worker))
        self.measures()
        expect(self.property('MainPID') == before and self.property('OOMPolicy') == 'continue', 'the service ended')

    def beside(self, name):
        """A unit that runs in its sandbox, as its own user, and was not started again."""
        state = self.run(f'systemctl show -P ActiveState -P NRestarts -P Result {name}').stdout.split()
        expect(sorted(state) == ['0', 'active', 'success'], f'{name}: {state}')
        owner = self.run(f'ps -o user:32= -p $(systemctl show -P MainPID {name})').stdout.strip()
        is_dynamic = owner.isdigit() and 61184 <= int(owner) <= 65519  # without nss-systemd it has no name
        expect(owner == name or is_dynamic, f'{name} runs as {owner}')

    def metrics(self):
        """Served on this machine, by a user that exists while it runs."""
        def page():
            done = self.run("python3 -c 'import urllib.request as r; print(r.urlopen(\"http://127.0.0.1:9844/metrics\").read().decode())'",
                            check=False)
            return done.stdout if done.returncode == 0 else ''
        self.run('systemctl enable --now assayd-metrics')
        self.beside('assayd-metrics')
        wait_for('frames in the metrics', lambda: re.search(r'^assay_frames_total\{.*xrf-1.*\} [1-9]', page(), re.M))
        self.run('systemctl stop assayd')
        wait_for('a daemon that does not answer', lambda: re.search(r'^assay_up 0', page(), re.M))
        self.run('systemctl start assayd')
        wait_for('the daemon again', lambda: re.search(r'^assay_up 1', page(), re.M))
        self.beside('assayd-metrics')

    def alert(self):
        """Mail and webhook leave the sandbox: a test message, a daemon that does not answer, its end."""
        mails, posts = self.machine.root / 'var/lib/assayd-alert/mails', self.machine.root / 'root/posts'
        for path, text, mode in (('usr/local/bin/take-mail', TAKE_MAIL, 0o755), ('root/take-post.py', TAKE_POST, 0o644),
                                 ('etc/assayd/alert.yaml', ALERT, 0o644)):
            (self.machine.root / path).write_text(text, encoding='utf-8')
            (self.machine.root / path).chmod(mode)
        self.machine.start('python3 /root/take-post.py', 'root')
        self.run('systemctl enable --now assayd-alert')
        self.beside('assayd-alert')

        def wait_alert(event, words):
            wait_for(f'{event} by mail', lambda: mails.exists() and words in mails.read_text(encoding='utf-8'))
            wait_for(f'{event} by webhook', lambda: posts.exists() and f'"event":"{event}"' in posts.read_text(encoding='utf-8').replace(': ', ':'))
        self.run('systemctl stop assayd')
        wait_alert('alert', 'ALERT silent')
        self.run('systemctl start assayd')
        wait_alert('end', 'ENDED silent')
        self.beside('assayd-alert')
        self.measures()

    def end(self):
        self.run('systemctl stop assayd')
        expect(self.property('Result') == 'success', self.property('Result'))
        self.run('assayctl journal check --path /var/lib/assayd')


def check(machine, steps=('instruments', 'wrong_file', 'no_last_good', 'clock', 'crash', 'memory', 'metrics', 'alert', 'end')):
    service = Service(machine)
    for step in steps:
        print(f'== {step}', flush=True)
        try:
            getattr(service, step)()
        except Failure:
            print(machine.run('journalctl -u assayd -o short-precise --no-pager | tail -n 40', check=False).stdout)
            raise


def main():
    source = pathlib.Path(sys.argv[1])
    skip_unless_possible()
    cache = source / 'build-nspawn'
    subprocess.run([source / 'tools/package', '--into', cache / 'packages'], check=True, timeout=550,
                   stdout=subprocess.DEVNULL)
    packages = sorted(p for p in (cache / 'packages').glob('*.deb') if '-dbgsym_' not in p.name)
    with Machine(cache, packages) as machine:
        machine.boot()
        folder = machine.root / 'root/packages'
        folder.mkdir()
        for package in packages:
            (folder / package.name).write_bytes(package.read_bytes())
        machine.run('apt-get -q -y install ./packages/*.deb')
        check(machine)
    print('passed')


if __name__ == '__main__':
    os.environ.setdefault('LC_ALL', 'C.UTF-8')
    main()
