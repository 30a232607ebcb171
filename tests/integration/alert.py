# SPDX-License-Identifier: Apache-2.0
"""People are informed: a real daemon, a gas analyser that is lost, a sendmail that fails, a real web server.

Each alert arrives once on each channel, in spite of failing deliveries, kill -9 and absence.
"""

import atexit
import http.server
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import main_job  # noqa: E402
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])

SENDMAIL = '''#!/bin/sh
# Takes a mail as sendmail does: arguments and standard input, complete or not at all.
dir={dir}
[ -e $dir/mail-fails ] && {{ : >$dir/mail-failed; exit 75; }}
[ -e $dir/mail-hangs ] && {{ echo $$ >$dir/mail-hung; exec sleep 1000; }}
name=$dir/mails/$$
printf '%s\\n' "$*" >$name.part
cat >>$name.part
mv $name.part $name.mail
'''


class Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.status, self.bodies, self.refused = 204, [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def alerts(self):
        return [alert for body in self.bodies for alert in body['alerts']]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        assert self.headers['Content-Type'] == 'application/json', self.headers
        if self.server.status == 204:
            self.server.bodies.append(json.loads(body))
        else:
            self.server.refused += 1
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


class Alerter:
    def __init__(self, lab, server):
        self.lab, self.dir, self.server = lab, lab.dir, server
        sendmail = self.dir / 'sendmail'
        sendmail.write_text(SENDMAIL.format(dir=self.dir))
        sendmail.chmod(sendmail.stat().st_mode | stat.S_IXUSR)
        (self.dir / 'mails').mkdir()
        (self.dir / 'alert-state').mkdir()
        self.config = self.dir / 'alert.yaml'
        self.config.write_text(json.dumps({
            'sockets': str(self.dir / 'run'), 'state': str(self.dir / 'alert-state'), 'simulated': True,
            'mail': {'to': ['kim@lab.example', 'lee@lab.example'], 'from': 'assayd@bench-1.lab.example',
                     'sendmail': str(sendmail)},
            'webhook': {'url': f'http://127.0.0.1:{server.server_port}/hook?secret=s3cret'},
            'conditions': {'fault': '300 ms', 'silent': '1 s', 'clock': '30 d'},
            'every': '100 ms', 'settle': '300 ms', 'retry': '200 ms', 'deadline': '1 s', 'limit': 60}))
        self.log = open(self.dir / 'alert.log', 'a')

    def start(self):
        self.process = subprocess.Popen([paths['alert'], '--config', str(self.config)], stderr=self.log)
        atexit.register(self.process.kill)

    def run(self, *args):
        return subprocess.run([paths['alert'], '--config', str(self.config), *args], capture_output=True, text=True,
                              timeout=20)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert code == (0 if number == signal.SIGTERM else -number), code

    def mails(self):
        return [path.read_text() for path in sorted((self.dir / 'mails').glob('*.mail'), key=os.path.getmtime)]

    def heads(self):
        """Of every note in the mails: 'ALERT fault gas-1'."""
        return [line for mail in self.mails() for line in mail.split('\n\n', 1)[1].splitlines()
                if re.match(r'(ALERT|ENDED|LOST|TEST|STILL THERE) ', line)]

    def webhooks(self):
        words = {'alert': 'ALERT', 'end': 'ENDED', 'lost': 'LOST', 'test': 'TEST', 'reminder': 'STILL THERE'}
        return [f"{words[a['event']]} {a['about']} {a['subject']}".strip() for a in self.server.alerts()]

    def wait(self, expected):
        """Exactly these, in this order, on both channels; of a lost run any number in a row."""
        for what, got in (('mail', self.heads), ('webhook', self.webhooks)):
            wait_for(f'{expected} by {what}', lambda: squeeze(got()) == expected or unexpected(expected, got()))

    def count(self, text):
        return sum(line.count(text) for line in self.log_text().splitlines())

    def log_text(self):
        return (self.dir / 'alert.log').read_text()


def squeeze(heads):
    return [head for i, head in enumerate(heads) if i == 0 or head != heads[i - 1]]


def unexpected(expected, got):
    if squeeze(got) != expected[:len(squeeze(got))]:
        raise Failure(f'expected {expected}, got {got}')
    return False


def lost_runs(lab):
    ends = [e.record for e in lab.entries('gas-1', 'run-end')]
    return [e for e in ends if e['status'] in ('lost-device', 'interrupted', 'failed')]


with Lab(paths) as lab:
    server = Server()
    alerter = Alerter(lab, server)
    assert alerter.run('--check').returncode == 0
    example = pathlib.Path(paths['names']).parent / 'alert.yaml'
    subprocess.run([paths['alert'], '--check', '--config', example], check=True, timeout=20)
    test = alerter.run('--test')
    assert test.returncode == 0 and test.stdout == 'mail: delivered\nwebhook: delivered\n', test
    assert alerter.heads() == ['TEST message'] and alerter.webhooks() == ['TEST message'], alerter.mails()
    first = alerter.mails()[0].splitlines()
    assert first[0] == '-i -f assayd@bench-1.lab.example kim@lab.example lee@lab.example', first
    expected = ['TEST message']

    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    gas = main_job.instruments(lab, {'xrf-1': sim, 'gas-1': sim})['gas-1']
    lab.configure({'instruments': {'gas-1': gas}})

    # The daemon does not run yet, and then it does.
    alerter.start()
    expected += ['ALERT silent']
    alerter.wait(expected)
    lab.start()
    lab.wait_frames('gas-1', 2)
    expected += ['ENDED silent']
    alerter.wait(expected)

    # Both channels fail while the instrument is lost; the service is killed; nothing is lost, nothing comes twice.
    (lab.dir / 'mail-fails').touch()
    server.status = 500
    sim.fault('disconnect=1000s')
    lab.wait_state('gas-1', 'fault')
    wait_for('both failed', lambda: (lab.dir / 'mail-failed').exists() and server.refused > 1)
    wait_for('the fault is known', lambda: '"fault"' in (lab.dir / 'alert-state/state.json').read_text())
    alerter.end(signal.SIGKILL)
    alerter.start()
    (lab.dir / 'mail-fails').unlink()
    server.status = 204
    expected += ['LOST run gas-1', 'ALERT fault gas-1']
    alerter.wait(expected)
    run = lost_runs(lab)[0]
    number = lab.ask({'op': 'runs', 'limit': 1})['runs'][0]['number']
    text = next(a['text'] for a in server.alerts() if a['event'] == 'lost')
    assert text.startswith(f'run {number} ended lost-device: {run["why"]}'), text
    assert 's3cret' not in alerter.log_text(), 'the URL may contain a secret'

    # A sendmail that never ends costs the webhook nothing, and is killed.
    (lab.dir / 'mail-hangs').touch()
    sim.fault('off')
    wait_for('the end by webhook', lambda: alerter.webhooks()[-1] == 'ENDED fault gas-1')
    hung = int(wait_for('a sendmail hangs', lambda: (lab.dir / 'mail-hung').exists()
                        and (lab.dir / 'mail-hung').read_text()))
    wait_for('it is killed', lambda: not os.path.exists(f'/proc/{hung}'))
    (lab.dir / 'mail-hangs').unlink()
    expected += ['ENDED fault gas-1']
    alerter.wait(expected)

    # Runs that are lost while the service is away are reported afterwards.
    alerter.end()
    lab.wait_frames('gas-1', 1)
    lab.open_run('gas-1')
    lab.kill()
    lab.start()
    wait_for('the run is interrupted', lambda: any(
        r.get('status') == 'interrupted' for r in lab.ask({'op': 'runs'})['runs']))
    alerter.start()
    expected += ['LOST run gas-1']
    alerter.wait(expected)
    assert 'ended interrupted' in server.alerts()[-1]['text'], server.alerts()[-1]
    runs = [r for r in lab.ask({'op': 'runs'})['runs'] if r.get('status') in ('lost-device', 'interrupted', 'failed')]
    assert alerter.heads().count('LOST run gas-1') == alerter.webhooks().count('LOST run gas-1') == len(runs)

    # A calibration that ends soon, by a reload; only a test message fails when delivery does.
    day = time.strftime('%Y-%m-%d', time.gmtime(time.time() + 10 * 86400))
    gas['calibration'] = {'id': 'CAL-9', 'until': day}
    lab.configure({'instruments': {'gas-1': gas}})
    lab.ask({'op': 'reload', 'now': True})
    expected += ['ALERT calibration-ends gas-1']
    alerter.wait(expected)
    server.status = 500
    test = alerter.run('--test')
    assert test.returncode == 1 and 'webhook: NOT DELIVERED' in test.stdout, test
    alerter.end()
    ids = [a['id'] for a in server.alerts() if a['event'] != 'test']
    assert ids == list(range(1, len(ids) + 1)), ids
    server.shutdown()
