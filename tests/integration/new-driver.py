# SPDX-License-Identifier: Apache-2.0
"""A driver that tools/new-driver makes builds and passes as it comes out: in a copy of the source tree.

usage: new-driver.py SOURCE ASSAYCTL ASSAY-WORKER
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

NAME = 'acme-x100'
FOLDERS = ('.ci', 'config', 'daemon', 'debian', 'docs', 'drivers', 'include', 'tests', 'tools')


def run(*args, cwd, code=0):
    done = subprocess.run(args, cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, f'{args}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}'
    return done.stdout + done.stderr


def copy(source, top):
    """The files of the tree, without those that were built there."""
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, top)
    for folder in FOLDERS:
        if (source / folder).exists():
            shutil.copytree(source / folder, top / folder, symlinks=True,
                            ignore=shutil.ignore_patterns('node_modules', '__pycache__'))


def main(source, assayctl, worker):
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        assayctl, worker = (pathlib.Path(program).resolve() for program in (assayctl, worker))
        copy(pathlib.Path(source), top)
        before = (top / 'drivers/meson.build').read_bytes()

        assert 'no name of a driver' in run('tools/new-driver', 'Acme', cwd=top, code=2)
        assert 'word of the code' in run('tools/new-driver', 'settings', cwd=top, code=2)
        assert 'one line of ASCII' in run('tools/new-driver', NAME, '--summary', 'a "b"', cwd=top, code=2)
        assert 'exists already' in run('tools/new-driver', 'srs-rga', cwd=top, code=1)
        assert (top / 'drivers/meson.build').read_bytes() == before
        made = run('tools/new-driver', NAME, '--summary', 'Acme X100 meters', '--profile', cwd=top)
        assert 'exists already' in run('tools/new-driver', NAME, cwd=top, code=1)

        # No word of the start is left, and the tree is as its checks demand.
        for path in (top / line for line in made.split('\n\n')[0].splitlines() if NAME in line):
            assert 'skeleton' not in path.read_text(encoding='utf-8'), path
            if path.suffix == '.c' and shutil.which('clang-format'):
                run('clang-format', '--dry-run', '-Werror', path, cwd=top)
        run(sys.executable, 'tests/unit/tree/check-tree.py', '.', 'apart', 'arrows', 'budgets', 'drivers', 'files', 'instruments',
            cwd=top)

        run('meson', 'setup', 'built', f'-Ddrivers={NAME}', '-Dwerror=true', cwd=top)
        run('ninja', '-C', 'built', f'drivers/{NAME}.so', 'drivers/skeleton.so',
            f'tests/unit/drivers/test-driver-{NAME}-slots', 'tests/unit/drivers/test-driver-modules', cwd=top)
        run('meson', 'test', '-C', 'built', '--no-rebuild', f'driver-{NAME}-slots', 'driver-modules', cwd=top)

        drivers = ('--worker', worker, '--drivers', top / 'built/drivers')
        assert 'Acme X100 meters' in run(assayctl, *drivers, 'describe', NAME, cwd=top)
        run(assayctl, *drivers, 'check', f'config/profiles/{NAME}.yaml', cwd=top)

        if shutil.which('clang'):
            host = [f'tests/unit/drivers/{part}.c' for part in ('host', 'host-settings', 'host-frame')]
            for slots in ('decode', 'session'):
                target = f'tests/fuzz/{NAME}-{slots}'
                run('clang', '-D_GNU_SOURCE', '-fsanitize=fuzzer,address,undefined', '-Iinclude', '-Itests/unit/drivers',
                    f'{target}/fuzz-{NAME}-{slots}.c', f'drivers/{NAME}/driver.c', *host, '-lm', '-o', 'fuzz', cwd=top)
                run('./fuzz', '-runs=0', f'{target}/corpus', cwd=top)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
