# SPDX-License-Identifier: Apache-2.0
"""decode() gets exactly the raw bytes of the runs that a run refers to, live and from the journal."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])


def add_driver(lab):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    for module in pathlib.Path(paths['drivers']).glob('*.so'):
        (folder / module.name).symlink_to(module)
    (folder / 'ratio.so').symlink_to(paths['ratio'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def ask(lab, code=None, **request):
    """The reply; the error's text if one is expected."""
    reply = lab.ask(request)
    assert reply['ok'] is (code is None), (request, reply)
    assert code is None or reply['error']['code'] == code, reply
    return reply if code is None else reply['error']['text']


def measure(lab, key, **more):
    """The reply, and the values of the run's frames by name."""
    lab.wait_state(key, 'idle')
    reply = ask(lab, op='run-start', instrument=key, **more)
    return reply, values_of(lab, key, reply)


def values_of(lab, key, reply):
    wait_for('its end', lambda: [e for e in lab.entries(key, 'run-end') if e.record['run'] == reply['run']])
    return [{v['name']: v['data'] for v in e.record['vars']}
            for e in lab.frames(key) if e.record['run'] == reply['run']]


def refs(*pairs):
    return [{'rel': rel, 'run': reply['run']} for rel, reply in pairs]


def test_live(lab):
    background, frames = measure(lab, 'ratio-1')
    assert frames == [{'value': 1}, {'value': 2}], frames
    dark, frames = measure(lab, 'ratio-1')
    assert frames == [{'value': 3}, {'value': 4}], frames
    both, frames = measure(lab, 'ratio-1', refs=refs(('dark', dark), ('qc', dark), ('background', background)))
    assert frames == [{'value': 5, 'first': 4, 'second': 2}, {'value': 6, 'first': 4, 'second': 2}], frames
    _, frames = measure(lab, 'ratio-1', refs=refs(('blank', dark)))
    assert frames == [{'value': 7}, {'value': 8}], frames  # what the run before had is gone
    lab.wait_state('ratio-1', 'idle')
    again = ask(lab, op='run-repeat', run=both['number'])
    frames = values_of(lab, 'ratio-1', again)
    assert frames == [{'value': 9, 'first': 4, 'second': 2}, {'value': 10, 'first': 4, 'second': 2}], frames
    start = next(e.record for e in lab.entries('ratio-1', 'run-start') if e.record['run'] == again['run'])
    assert [r['rel'] for r in start['refs']] == ['repeats', 'dark', 'background'], start


def test_command(lab):
    lab.wait_state('ratio-1', 'idle')
    dark, background = [e.record for e in lab.entries('ratio-1', 'run-start')][:2]
    lab.ctl('run', 'start', 'ratio-1', '--background', background['number'], '--dark', dark['number'], '--wait')
    start = [e.record for e in lab.entries('ratio-1', 'run-start')][-1]
    assert [(r['rel'], r['run']) for r in start['refs']] == [('background', background['run']), ('dark', dark['run'])], start
    done = lab.ctl('run', 'start', 'ratio-1', '--dark', dark['number'][:-3] + '999', code=1)
    assert '-999' in done.stderr, done


def test_refused(lab):
    lab.wait_state('ratio-1', 'idle')
    lost = [{'rel': 'background', 'run': bytes(16)}]
    assert 'background' in ask(lab, 'not-found', op='run-start', instrument='ratio-1', refs=lost)
    hashed, _ = measure(lab, 'ratio-hash')
    text = ask(lab, 'refused', op='run-start', instrument='ratio-1', refs=refs(('dark', hashed)))
    assert hashed['number'] in text and 'without raw bytes' in text, text


def reparse(lab, code=0):
    done = subprocess.run([paths['assayctl'], '--worker', paths['worker'], '--drivers', lab.paths['drivers'], '--json',
                           'journal', 'reparse', '--path', str(lab.dir / 'state')],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    with Lab(paths) as lab:
        add_driver(lab)
        ratio = {'driver': 'ratio', 'simulated': True, 'link': {'type': 'none'}}
        lab.start({'instruments': {'ratio-1': ratio, 'ratio-hash': {**ratio, 'raw': 'hash'}}})
        test_live(lab)
        test_command(lab)
        test_refused(lab)
        lab.stop()
        lint(lab)
        rows = [row for row in reparse(lab) if 'ratio-1' in row['run']]
        assert [(row['same'], row['differ'], row['failed']) for row in rows] == [(2, 0, 0)] * 6, rows
    print('ok')


main()
