# SPDX-License-Identifier: Apache-2.0
"""`assayctl comply`, the conformance suite, on a simulator of each driver and on each recording.

A driver is a row of UNITS.  Its suite makes a recording without private words, which is played to the driver afterwards: the same
suite, and the same frames.  Drivers that wait long on a silent line are `slow`: their test of it runs with part=long only.
Files that a laboratory sent go into tests/captures, both of them: they are played like these.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import cbor2
import zmq

sys.path.insert(0, sys.argv[1])
from lab import Entry, Failure, Lab, lint, paths_from, wait_for  # noqa: E402
from recordings import SOURCES, sheet_of, unsheeted  # noqa: E402
from units import amptek, balance, chromatograph, detector, gas, infrared, ions, near_infrared, partial_pressures, rga, tcp  # noqa: E402

paths = paths_from(sys.argv[2:])
SAMPLE, PERSON = 'LAB-4711', '<script>Kim</script> & "Secret"'
PRIVATE = [SAMPLE, 'Kim', 'ccl-test', 'bench-1', 'hall-7', '127.0.0.1']
TESTS = ['identity', 'complete', 'repeatability', 'reparse', 'start-stop', 'abort-arming', 'abort-measuring', 'abort-stopping',
         'settings', 'put-back', 'borrowed', 'silence', 'unplug', 'kept']
SHORT = {'abort-arming', 'abort-measuring', 'abort-stopping'}  # their state may be over before the request


UNITS = {
    'amptek-dp5': {'make': amptek, 'args': ['channels=512', '--borrow', 'OTHER'], 'slow': True},
    'bruker-web': {'make': infrared, 'slow': True},
    'hiden-rga': {'make': ions, 'slow': True},
    'labjack-u6': {'make': detector, 'slow': True},
    'micro-gc-fusion': {'make': chromatograph, 'slow': True},
    'modbus-map': {'make': gas},
    'nirscan-nano': {'make': near_infrared, 'slow': True},
    'prismapro': {'make': partial_pressures, 'slow': True},
    'srs-rga': {'make': rga, 'args': ['mass_last=20'], 'slow': True},
    'text-map': {'make': balance, 'slow': True},
}
if 'usb-bus' not in paths:
    del UNITS['labjack-u6']


# Each request has a number of its own: a recording is played once, holds no further runs, and fits only if nothing was
# requested between the start of the connection and that of the recording.
NUMBERED = {'nirscan-nano'}
FEW = ['complete', 'repeatability', 'reparse']


class Suite:
    """assayctl comply of one instrument, beside others."""

    def __init__(self, lab, name, *args, folder=None, key=None, control=None, replay=None, **more):
        self.lab, self.key = lab, key or f'hall-7-{name}'
        self.folder = lab.dir / (folder or f'report-{name}')
        self.process = subprocess.Popen(
            [paths['assayctl'], '--control', control or lab.control, '--replay', replay or lab.replay,
             '--worker', paths['worker'], '--drivers', paths['drivers'],
             'comply', self.key, '--to', str(self.folder), '--sample', SAMPLE, '--operator', PERSON, *args],
            **{'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'stdin': subprocess.DEVNULL, 'text': True, **more})

    def report(self, code=0):
        out, err = self.process.communicate(timeout=550 if is_long else 150)
        if self.process.returncode != code:
            raise Failure(f'{self.key}: {self.process.returncode}: {out}{err}')
        return json.loads((self.folder / 'report.json').read_text())


def verdicts(report):
    return {test['id']: test['verdict'] for test in report['tests']}


def check_report(suite, report, left_out):
    """Each test has a verdict; each run that it names is committed with that status."""
    found = verdicts(report)
    assert list(found) == TESTS, found
    for test in report['tests']:
        may_be_left = test['id'] in left_out or (test['id'] in SHORT and 'too short' in test['text'])
        assert test['verdict'] == 'passed' or (test['verdict'] == 'not run' and may_be_left and test['text']), test
        assert test['assures'] and test['failure'] and test['begin'] <= test['end']
    ends = {e.record['run']: e.record for e in suite.lab.wait_entries(suite.key, 'run-end')}
    starts = {e.record['number']: e.record for e in suite.lab.entries(suite.key, 'run-start')}
    for run in report['runs']:
        end = ends[starts[run['number']]['run']]
        assert (end['status'], end['frames']) == (run['status'], run['frames']), (run, end)
        assert starts[run['number']]['sample']['id'] == SAMPLE and starts[run['number']]['operator']['id'] == PERSON
    assert {r['number'] for r in report['runs']} == set(starts)
    unit = suite.lab.instrument(suite.key)
    for name in ('make', 'model', 'serial'):
        assert report['instrument'].get(name) == unit.get(name), (name, report['instrument'], unit)
    assert report['software']['configuration'] == suite.lab.ask({'op': 'status'})['config'].hex()
    assert report['operator'] == PERSON and report['software']['driver'] == {
        k: v.hex() if isinstance(v, bytes) else v for k, v in next(iter(starts.values()))['driver'].items()}


def check_page(folder):
    page = (folder / 'report.html').read_text()
    assert '&lt;script&gt;Kim&lt;/script&gt; &amp; &quot;Secret&quot;' in page
    for word in ('<script', '<b>', 'src=', 'href=', 'url(', '@import', 'http:', 'https:', 'onload', 'javascript:'):
        assert word not in page.replace('http-equiv', ''), word
    for id in TESTS:
        assert f'<td>{id}</td>' in page, id


def check_private(folder, serial=None):
    files = list(folder.iterdir())
    assert sorted(f.suffix for f in files) == ['.cap', '.json'], (folder, files)
    for file in files:
        for word in PRIVATE + [serial] * (serial is not None):
            assert word.encode() not in file.read_bytes(), (file, word)


def check_suite(suite, unit):
    left_out = {'unplug', *(['put-back'] * ('args' not in unit)), *(['borrowed'] * ('--borrow' not in str(unit))),
                *(['silence'] * ('slow' in unit and not is_long))}
    check_report(suite, suite.report(), left_out)
    check_page(suite.folder)
    check_private(suite.folder / 'send')


def on_simulators(lab):
    lab.start({'methods': {'OTHER': {'version': 1, 'driver': 'amptek-dp5', 'settings': {'channels': 1024, 'gain': 40}}},
               'instruments': {f'hall-7-{name}': {**unit['make'](lab), 'simulated': True} for name, unit in UNITS.items()}})
    suites, names = {}, list(UNITS)
    for some in (names[i:i + 6] for i in range(0, len(names), 6)):  # the daemon makes 8 recordings at once
        for name in some:
            lab.wait_state(f'hall-7-{name}', 'idle')
            listed = ','.join(t for t in TESTS if t != 'silence' or is_long or 'slow' not in UNITS[name])
            suites[name] = Suite(lab, name, '--unattended', '--frames', '3', '--tests', listed, *UNITS[name].get('args', []))
        for name in some:
            check_suite(suites[name], UNITS[name])
    assert verdicts(suites['amptek-dp5'].report())['abort-measuring'] == 'passed'
    lint(lab)
    return [suite.folder / 'send' for suite in suites.values()]


def playback(section, file):
    link = {**section.get('link', {}), 'type': 'playback', 'file': str(file), 'end': 'loop'}
    return {**section, 'simulated': True, 'link': link}


def on_recordings(lab, made):
    """A recording with a sheet needs nothing else, and gives the same frames; the older ones have a row of SOURCES."""
    stored = pathlib.Path(paths['captures'])
    files = [next(folder.glob('*.cap')) for folder in made] + list(stored.glob('*.cap'))
    files = [f for f in files if f.parent == stored or not f.name.startswith(tuple(NUMBERED))]
    sheets = {f: json.loads(sheet_of(f).read_text()) for f in files if sheet_of(f).exists()}
    sections = {f: playback(sheet['instrument'], f) for f, sheet in sheets.items()}
    sections |= {f: playback(SOURCES[f.name][1], f) for f in unsheeted(stored)}
    assert set(sections) == set(files)
    names = {f: f'play-{i}' for i, f in enumerate(files)}
    lab.start({'instruments': {f'hall-7-{names[f]}': section for f, section in sections.items()}})
    suites, left_out = {}, {}
    for f in files:
        lab.wait_state(f'hall-7-{names[f]}', 'idle')
        is_numbered = sections[f]['driver'] in NUMBERED
        frames = len(sheets[f]['frames']) if f in sheets else 1 if is_numbered else 2
        left_out[f] = {t for t in TESTS[1:] if t == 'silence' or (is_numbered and t not in FEW)}
        suites[f] = Suite(lab, names[f], '--unattended', '--frames', str(frames), '--tests',
                          ','.join(t for t in TESTS if t not in left_out[f]))
    for f, suite in suites.items():
        report = suite.report()
        few = {'repeatability'} if len(report['frames']) < 2 else set()
        check_report(suite, report, {'borrowed', 'unplug', 'put-back', *left_out[f], *few})
        if f in sheets:
            assert report['frames'] == sheets[f]['frames'], (f, report['frames'][:9], sheets[f]['frames'][:9])
            for key in ('make', 'model', 'serial'):
                assert report['instrument'].get(key, '') == sheets[f]['unit'][key]
    lint(lab)


def test_person(lab):
    """On a real unit a person is asked; here it is the simulator, ended and started again on its port."""
    sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', '127.0.0.1:0')
    lab.start({'instruments': {'hall-7-gas': {**gas(lab), 'link': tcp('modbus-tcp', sim, unit_id=1, reply_timeout='100ms')}}})
    lab.wait_state('hall-7-gas', 'idle')
    master, slave = os.openpty()
    suite = Suite(lab, 'gas', '--frames', '2', '--tests', 'silence,unplug', stdin=slave, stderr=slave)
    seen = b''
    for words in (b'Switch the instrument off', b'Switch it on again', b'Unplug the instrument', b'Plug it in again'):
        while words not in seen:
            seen += os.read(master, 1000)
        if words.startswith((b'Switch the', b'Unplug')):
            sim.stop()
        else:
            port = sim.port
            sim = lab.sim('modbus', '--profile', 'sick-mcs100ft', '--tcp', f'127.0.0.1:{port}')
        os.write(master, b'\n')
        seen = b''
    found = {test['id']: test for test in suite.report()['tests']}
    os.close(slave)
    os.close(master)
    for id in ('silence', 'unplug'):
        assert found[id]['verdict'] == 'passed' and 'lost-device' in found[id]['text'], found[id]
        assert {m['name'] for m in found[id]['measured']} == {'failure reported', 'idle again'}, found[id]
    assert found['complete']['text'] == 'left out on request'


class Forger(threading.Thread):
    """Stands between the suite and a socket of the daemon: forge(request, send) gives the parts of the reply."""

    def __init__(self, lab, name, endpoint):
        super().__init__(daemon=True)
        self.endpoint, self.forge = f'ipc://{lab.dir}/forger-{name}', None
        self.front, self.back = (zmq.Context.instance().socket(kind) for kind in (zmq.ROUTER, zmq.REQ))
        self.front.bind(self.endpoint)
        self.back.connect(endpoint)
        self.start()

    def send(self, request):
        self.back.send(request)
        head, *entries = self.back.recv_multipart()
        return cbor2.loads(head), entries

    def run(self):
        while True:
            peer, request = self.front.recv_multipart()
            head, entries = self.forge(request, self.send)
            self.front.send_multipart([peer, cbor2.dumps(head), *entries])


def each_entry(forge):
    """forge(entry, its bytes) gives the bytes, or None."""
    def reply(request, send):
        head, entries = send(request)
        forged = [forge(Entry(cbor2.loads(e)[5], e), e) for e in entries]
        forged = [e for e in forged if e is not None]
        return {**head, 'count': len(forged)} if 'count' in head else head, forged
    return reply


def without(type):
    return lambda entry, data: None if entry.type == type else data


def altered(type, old, new):
    def forge(entry, data):
        assert entry.type != type or old in data, (type, old)
        return data.replace(old, new) if entry.type == type else data
    return forge


def numbered(entry, data):
    return data.replace(b'\x61n\x00', b'\x61n\x01') if entry.type == 'frame' else data


FORGED = [
    (without('frame'), 'counts 1 frames, 0 were committed'),
    (without('run-end'), 'has no run-end'),
    (without('run-start'), 'has no run-start'),
    (altered('frame', b'counts', b'caunts'), 'the digest of its run-end is not that'),
    (altered('run-start', b'LAB-4711', b'LAB-4712'), 'belongs to another run-start'),
    (altered('frame', b'{count}', b'{cwunt}'), 'breaks the format'),
    (altered('run-end', b'complete', b'aborted!'), 'breaks the format'),
    (numbered, 'frame 1 follows where frame 0 was expected'),
]


def test_forged(lab):
    """A record that was lost, altered or replaced on its way is a failure of the test that reads it."""
    lab.start({'instruments': {'hall-7-xrf': {**amptek(lab), 'simulated': True}}})
    forger = Forger(lab, 'replay', lab.replay)
    for i, (forge, text) in enumerate(FORGED):
        lab.wait_state('hall-7-xrf', 'idle')
        forger.forge = each_entry(forge)
        report = Suite(lab, 'xrf', '--unattended', '--frames', '1', '--tests', 'complete', folder=f'forged-{i}',
                       replay=forger.endpoint).report(1)
        found = report['tests'][1]
        assert found['verdict'] == 'failed' and text in found['text'], (text, found)


def ignored(op, which):
    """The requests `op` of these numbers are answered, and have no effect."""
    seen = []

    def reply(request, send):
        if cbor2.loads(request)['op'] != op:
            return send(request)
        seen.append(request)
        return ({'ok': True}, []) if len(seen) in which else send(request)
    return reply


def replied(op, change, first=1):
    """The replies to `op`, from the first of this number on, are changed."""
    seen = []

    def reply(request, send):
        head, entries = send(request)
        seen.extend([op] if cbor2.loads(request)['op'] == op else [])
        if seen and cbor2.loads(request)['op'] == op and len(seen) >= first:
            change(head)
        return head, entries
    return reply


def other_serial(head):
    head['instruments'][0]['serial'] = '9990042'


def other_channels(head):
    row = next(row for row in head['instrument']['settings'] if row['name'] == 'channels')
    row['read_back'] = 4096


# (the test that finds it, a part of its text, the forgery)
UNFIT = [
    ('put-back', 'after channels=512 the run still has the value before', ignored('set', {1})),
    ('put-back', 'channels is not the value of the first run', ignored('set', {2})),
    ('settings', 'another channels than the instrument', replied('describe', other_channels)),
    ('kept', 'serial 9990042', replied('status', other_serial, 3)),
    ('silence', 'complete without the instrument', ignored('fault', {1})),
]


def test_unfit(lab):
    """An instrument that does not keep to a request fails the test for that."""
    lab.start({'instruments': {'hall-7-xrf': {**amptek(lab), 'simulated': True}}})
    forger = Forger(lab, 'control', lab.control)
    for i, (id, text, forger.forge) in enumerate(UNFIT):
        lab.ctl('reload')
        lab.wait_state('hall-7-xrf', 'idle')
        report = Suite(lab, 'xrf', '--unattended', '--tests', id, 'channels=512', folder=f'unfit-{i}', control=forger.endpoint).report(1)
        found = {test['id']: test for test in report['tests']}[id]
        assert found['verdict'] == 'failed' and text in found['text'], (text, found)


def test_failures(lab):
    """A verdict of failure is the exit code, and nothing is taken for passed."""
    long = {'channels': 256, 'preset_time': '60 s'}
    lab.start({'instruments': {
        'hall-7-xrf': {**amptek(lab), 'simulated': True}, 'srs-rga': {**rga(lab), 'simulated': True},
        'hall-7-long': {**amptek(lab), 'simulated': True, 'settings': long}}})
    lab.wait_state('srs-rga', 'idle')
    suite = Suite(lab, 'rga', '--unattended', '--frames', '1', '--tests', 'complete', '--anonymous', '--hide', 'histogram',
                  folder='named', key='srs-rga')
    suite.report()
    check_private(suite.folder / 'send', '9990100')
    sheet = json.loads((suite.folder / 'send/srs-rga-serial.json').read_text())
    assert sheet['instrument']['driver'] == 'srs-rga' and sheet['unit']['serial'] == '9999999', sheet
    assert sheet['instrument']['settings']['mode'] == 'xxxxxxxxx', sheet
    lab.wait_state('hall-7-xrf', 'idle')
    report = Suite(lab, 'xrf', '--unattended', '--frames', '3', '--spread', '0.0001', '--tests', 'complete,repeatability',
                   folder='spread').report(1)
    found = verdicts(report)
    assert report['verdict'] == 'failed' and found['complete'] == 'passed' and found['repeatability'] == 'failed', found
    spread = {row['name']: row for test in report['tests'] for row in test.get('spread', ())}
    assert spread['counts: sum']['n'] == 3 and spread['counts: sum']['unit'] == '{count}' and spread['counts: sum']['rsd'] > 0
    lab.wait_state('hall-7-long', 'idle')
    suite = Suite(lab, 'long', '--unattended', '--tests', 'complete')
    lab.open_run('hall-7-long')
    suite.process.send_signal(signal.SIGINT)
    report = suite.report(1)
    assert 'interrupted' in report['tests'][1]['text'] and report['verdict'] == 'passed in part', report['tests']
    last = lab.wait_entries('hall-7-long', 'run-start')[-1].record['number']
    assert wait_for('no run is open', lambda: lab.ask({'op': 'run-show', 'number': last})['run'].get('status')) == 'aborted'
    lab.ctl('maintenance', 'hall-7-xrf', 'on')
    report = Suite(lab, 'xrf', '--unattended', folder='absent').report(1)
    assert report['tests'][0]['verdict'] == 'failed' and 'maintenance' in report['tests'][0]['text'], report['tests'][0]
    assert {test['verdict'] for test in report['tests'][1:]} == {'not run'}


def check_list():
    """Exactly the drivers that are tried here are listed so."""
    page = pathlib.Path(paths['captures']).parents[1] / 'docs/qualification.md'
    listed = re.findall(r'^\| driver `([\w-]+)` .*suite and playback', page.read_text(), re.M)
    assert sorted(listed) == sorted({*UNITS, 'labjack-u6'}), (listed, sorted(UNITS))


def test_suite():
    check_list()
    with Lab(paths) as first, Lab(paths) as second:
        on_recordings(second, on_simulators(first))


def test_faults():
    for test in (test_person, test_failures, test_forged, test_unfit):
        with Lab(paths) as lab:
            test(lab)


is_long = paths['part'] == 'long'
{'suite': test_suite, 'long': test_suite, 'faults': test_faults}[paths['part']]()
print('ok')
