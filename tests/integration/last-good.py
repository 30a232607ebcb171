# SPDX-License-Identifier: Apache-2.0
"""A wrong file at boot: the service measures with the last good configuration, and reports that."""

import json
import shutil
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from lab import Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
WRONG = 78  # EX_CONFIG: the unit does not start again after it
PROFILE = """driver: generator
settings: {frame_bytes: 256}
"""


def generator(**settings):
    return {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
            'profile': './shared/small.yaml', 'settings': {'frames': 2, **settings}}


def write(lab, gen_2):
    """A main file, a file of instruments.d, and a profile that both name."""
    lab.configure({'instruments': {'gen-1': generator()}})
    for folder in ('instruments.d', 'shared', 'instruments.d/shared'):
        (lab.dir / folder).mkdir(exist_ok=True)
    for folder in ('shared', 'instruments.d/shared'):
        (lab.dir / folder / 'small.yaml').write_text(PROFILE)
    (lab.dir / 'instruments.d' / 'gen-2.yaml').write_text(json.dumps({'instruments': {'gen-2': gen_2}}, indent=2))


def keys(lab):
    return sorted(i['key'] for i in lab.ask({'op': 'status'})['instruments'])


def exit_status(lab):
    lab.start(ready=False)
    return lab.daemon.wait(30)


def told(lab):
    """The errors as status, assayctl, log and audit have them; None: the files are in use."""
    errors = lab.ask({'op': 'status'}).get('config_errors')
    shown = 'THE CONFIGURATION IS WRONG' in lab.ctl('status', code=None).stdout
    assert shown == (errors is not None), errors
    return errors


def audited(lab):
    """The errors in the audit records of starts with the last good one."""
    lines = lab.ctl('--json', 'journal', 'cat', '--path', str(lab.dir / 'state'), '--topic', 'a1/audit/').stdout
    records = [json.loads(line)['record'] for line in lines.splitlines()]
    return [r['after'] for r in records if r['event'] == 'config-last-good']


def runs_of(lab, key):
    lab.wait_state(key, 'idle')
    return lab.ask({'op': 'run-start', 'instrument': key})['ok']


def spoil(lab):
    """Each file that belongs to the configuration, wrong in its own way."""
    main, part, profile = lab.config, lab.dir / 'instruments.d/gen-2.yaml', lab.dir / 'shared/small.yaml'
    yield lambda: main.write_text(main.read_text().replace('"driver"', '"drivr"', 1)), 'drivr'
    yield main.unlink, 'cannot be read'
    yield lambda: part.write_text('instruments: {gen-2: {driver: nothing}}'), 'nothing'
    yield lambda: profile.write_text('driver: generator\nsettings: {frame_bites: 1}\n'), 'frame_bites'
    yield lambda: shutil.rmtree(profile.parent), 'small.yaml'


with Lab(paths) as lab:
    write(lab, generator())
    kept = lab.dir / 'known' / 'last-good'
    lab.options = ['--last-good', str(kept)]
    (lab.dir / 'run').mkdir(exist_ok=True)
    good = lab.config.read_text()
    lab.config.write_text(good.replace('"driver"', '"drivr"', 1))
    kept.parent.mkdir()
    assert exit_status(lab) == WRONG and 'there is no last good configuration' in lab.log()
    write(lab, generator())
    lab.start()
    wait_for('the configuration is kept', kept.exists)
    first = kept.read_bytes()
    lab.stop()

    # Every kind of mistake, at boot.
    for do, word in spoil(lab):
        write(lab, generator())
        do()
        lab.start()
        assert keys(lab) == ['gen-1', 'gen-2'] and runs_of(lab, 'gen-2')
        errors = told(lab)
        assert word in errors and ':' in errors.split(' ')[0], errors
        assert audited(lab)[-1] == errors and errors.splitlines()[0] in lab.log()
        check = subprocess.run([paths['assayd'], '--config', str(lab.config), '--check', '--worker', paths['worker'],
                                '--drivers', paths['drivers'], *lab.options], capture_output=True, text=True)
        assert check.returncode == 1 and word in check.stderr, 'the real files are judged'
        refused = lab.ask({'op': 'reload'})
        assert refused['ok'] is False and word in refused['error']['text'], refused
        assert told(lab) == errors and kept.read_bytes() == first
        write(lab, generator())
        assert lab.ask({'op': 'reload'})['ok'] and told(lab) is None, 'the corrected files are in use'
        lab.stop()

    # A reload is kept, too; a start with the last good one keeps nothing.
    write(lab, generator(frames=3))
    lab.start()
    write(lab, generator(frames=4))
    assert lab.ask({'op': 'reload'})['ok']
    wait_for('the new configuration is kept', lambda: b'"frames": 4' in kept.read_bytes())
    lab.stop()
    next(spoil(lab))[0]()
    lab.start()
    setting = next(s for s in lab.ask({'op': 'describe', 'instrument': 'gen-2'})['instrument']['settings']
                   if s['name'] == 'frames')
    assert setting['value'] == 4, setting
    lab.stop()

    # Torn or changed: not used.
    whole = kept.read_bytes()
    for damaged in (whole[:-20], whole.replace(b'gen-2', b'gen-3'), b''):
        kept.write_bytes(damaged)
        assert exit_status(lab) == WRONG
    # By hand nothing is started in place of a wrong file.
    kept.write_bytes(whole)
    lab.options = []
    assert exit_status(lab) == WRONG
    write(lab, generator())
    lab.start()
