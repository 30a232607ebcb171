# SPDX-License-Identifier: Apache-2.0
"""assayctl edit on a terminal, with a scripted editor: only a right text takes the file's place.

Usage: check-edit.py ASSAYCTL WORKER DRIVERS
"""

import os
import pathlib
import shutil
import stat
import sys
import tempfile

from fake import Daemon, Terminal

assayctl, worker, drivers = sys.argv[1:]
MAIN = 'laboratory: {site: my-lab, node: bench-1}\ninstruments: {}\n'
ONE = 'instruments:\n  xrf-1: {driver: amptek-dp5, link: {type: udp, host: 192.0.2.1}}\n'
WRONG = MAIN.replace('site:', 'siet:')
RIGHT = MAIN.replace('my-lab', 'our-lab')

# Each start takes the next line of `script`: Python with `file`, the copy.
EDITOR = """#!/usr/bin/python3
import os, pathlib, signal, subprocess, sys
assert sys.argv[1:-1] == ['--wait now'], sys.argv
file, script = pathlib.Path(sys.argv[-1]), pathlib.Path(__file__).with_name('script')
line, _, rest = script.read_text().partition('\\n')
script.write_text(rest)
exec(line)
"""


class Case:
    def __init__(self, name):
        self.folder = pathlib.Path(name) / 'a folder'
        (self.folder / 'etc/instruments.d').mkdir(parents=True)
        self.main, self.one = self.folder / 'etc/assayd.yaml', self.folder / 'etc/instruments.d/xrf-1.yaml'
        self.main.write_text(MAIN)
        self.one.write_text(ONE)
        self.main.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(self.main, 4321, 1234)
        self.owner = self.main.stat()
        editor = self.folder / 'editor'
        editor.write_text(EDITOR)
        editor.chmod(0o755)
        self.editor = f"'{editor}' \"--wait now\""
        self.command = [assayctl, '--dir', name, '--worker', worker, '--drivers', drivers, '--config', str(self.main), 'edit']

    def start(self, *script, file=None, editor=None):
        """The folder's name has a blank, and the editor an argument with one: both go through as they are."""
        (self.folder / 'script').write_text('\n'.join(script) + '\n')
        command = self.command + ([str(file)] if file else [])
        return Terminal(command, columns=200, env={'VISUAL': editor or self.editor, 'EDITOR': '/bin/false'})

    def check(self, text, one=ONE):
        """The files have these texts, owner and mode are as before, and no copy is left."""
        assert (self.main.read_text(), self.one.read_text()) == (text, one), (self.main.read_text(), self.one.read_text())
        now = self.main.stat()
        assert (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (self.owner.st_uid, self.owner.st_gid, 0o640), now
        assert sorted(p.name for p in self.main.parent.iterdir()) == ['assayd.yaml', 'instruments.d']

    def reloads(self):
        count = sum(request['op'] == 'reload' for request in daemon.asked)
        daemon.asked.clear()
        return count


def write(text):
    return f'file.write_text({text!r})'


def expect(terminal, code, *words):
    terminal.end(code)
    for text in words:
        assert text in terminal.text, (text, terminal.text)


def check_right(case):
    expect(case.start(write(RIGHT)), 0, 'is changed', 'reloaded')
    case.check(RIGHT)
    assert case.reloads() == 1
    replaced = f'os.rename(file, file.with_name("x")); {write(MAIN)}; os.chmod(file, 0o777)'  # as some editors save
    expect(case.start(replaced), 0, 'reloaded')
    case.check(MAIN)
    expect(case.start('pass'), 0, 'no change')
    assert case.reloads() == 1
    daemon.refusal = 'a run is open on xrf-1'
    expect(case.start(write(RIGHT)), 1, 'a run is open on xrf-1', 'in force after an accepted assayctl reload, or a restart')
    daemon.refusal = None
    expect(case.start(write(MAIN)), 0)
    case.check(MAIN)


def check_wrong(case):
    case.reloads()
    terminal = case.start(write(WRONG), write(RIGHT))
    terminal.wait_for('q: quit')
    assert f"{case.main}:1:14: unknown key 'siet'" in terminal.text and '.edit-' not in terminal.text, terminal.text
    case.main.stat()
    assert case.main.read_text() == MAIN
    terminal.type('e\n')
    expect(terminal, 0, 'reloaded')
    case.check(RIGHT)
    terminal = case.start(write(WRONG))
    terminal.wait_for('q: quit')
    terminal.type('q\n')
    expect(terminal, 1, 'nothing is changed')
    case.check(RIGHT)
    for editor in ('/nonexistent', '/bin/false', f'touch {case.folder.parent}/made; true', f'$(touch {case.folder.parent}/made)'):
        expect(case.start(editor=editor), 1, 'nothing is changed')
    expect(case.start(write(MAIN) + '; os.kill(os.getpid(), 9)'), 1, 'nothing is changed')
    assert not (case.folder.parent / 'made').exists(), 'a shell was run'
    case.check(RIGHT)
    assert case.reloads() == 1


def check_parts(case):
    """A file of a folder is checked as part of the whole."""
    other = ONE.replace('192.0.2.1', '192.0.2.7')
    expect(case.start(write(other), file=case.one), 0, 'reloaded')
    case.check(RIGHT, other)
    terminal = case.start(write(RIGHT.replace('{}', '{xrf-1: {driver: amptek-dp5, link: usb}}')))
    terminal.wait_for('q: quit')
    assert 'xrf-1' in terminal.text and 'instruments.d/xrf-1.yaml' in terminal.text, terminal.text
    terminal.type('q\n')
    expect(terminal, 1)
    check_new(case)
    elsewhere = case.folder / 'other.yaml'
    elsewhere.write_text('')
    expect(case.start(file=elsewhere), 1, 'is no part of the configuration')
    expect(case.start(write(ONE), file=case.one), 0)
    case.check(RIGHT)


def check_new(case):
    """A file that is not there yet: made only with a right text, with the owner of the main file, and over no other one."""
    new = case.one.with_name('xrf-2.yaml')
    text = ONE.replace('xrf-1', 'xrf-2')
    expect(case.start('pass', file=new), 0, 'no change')
    terminal = case.start(write(ONE), file=new)                         # xrf-1 is there twice
    terminal.wait_for('q: quit')
    terminal.type('q\n')
    expect(terminal, 1, 'nothing is changed')
    assert not new.exists()
    made = f'pathlib.Path({str(new)!r}).write_text("mine")'
    expect(case.start(f'{made}; {write(text)}', file=new), 1, 'another program changed it in the meantime')
    assert new.read_text() == 'mine'
    new.unlink()
    for left in case.main.parent.glob('.edit-*'):
        shutil.rmtree(left)
    expect(case.start(write(text), file=new), 0, 'is changed', 'reloaded')
    now = new.stat()
    assert (new.read_text(), now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode), now.st_nlink) == (
        text, case.owner.st_uid, case.owner.st_gid, 0o640, 1), now
    new.unlink()
    expect(case.start(file=case.one.with_name('none') / 'x.yaml'), 1, 'No such file or directory')


def check_others(case):
    """No change is lost, neither of a second assayctl edit, nor of another program."""
    inner = f'r = subprocess.run({case.command!r}, capture_output=True, text=True); print(r.returncode, r.stderr, flush=True)'
    expect(case.start(f'{inner}; {write(MAIN)}'), 0, '1 assayctl: ', 'is being edited by another assayctl edit', 'reloaded')
    case.check(MAIN)
    for change in (f'pathlib.Path({str(case.main)!r}).write_text({WRONG!r})',
                   f'p = pathlib.Path({str(case.main)!r}); q = p.with_name("q"); q.write_text({WRONG!r}); os.rename(q, p)'):
        case.reloads()
        terminal = case.start(f'{change}; {write(RIGHT)}')
        expect(terminal, 1, 'another program changed it in the meantime; nothing is changed, your text is ')
        kept = next(case.main.parent.glob('.edit-*/assayd.yaml'))
        assert case.main.read_text() == WRONG and kept.read_text() == RIGHT and case.reloads() == 0
        for path in sorted(kept.parent.glob('*')):
            path.unlink()
        kept.parent.rmdir()
        case.main.write_text(MAIN)
        case.main.chmod(0o640)
        os.chown(case.main, case.owner.st_uid, case.owner.st_gid)
    terminal = case.start(f'signal.signal(2, lambda *_: print("interrupted", flush=True)); print("open", flush=True); input(); {write(RIGHT)}')
    terminal.wait_for('open')
    terminal.type('\x03')
    terminal.wait_for('interrupted')
    terminal.type('\n')
    expect(terminal, 0, 'reloaded')
    case.check(RIGHT)


with tempfile.TemporaryDirectory() as name:
    daemon = Daemon(name)
    daemon.start()
    case = Case(name)
    check_right(case)
    check_wrong(case)
    check_parts(case)
    check_others(case)
