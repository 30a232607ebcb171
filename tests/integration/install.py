# SPDX-License-Identifier: Apache-2.0
"""meson install: pages, format and names are there, each program and driver has a page of the manual, and
the technician's file is not overwritten.

usage: install.py SOURCE BUILD PREFIX SYSCONFDIR DATADIR
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

source, build = map(pathlib.Path, sys.argv[1:3])
sysconfdir, datadir = (pathlib.Path(sys.argv[3]) / part for part in sys.argv[4:6])


def without_manual(root):
    """Programs and drivers that no page of the manual is named after."""
    files = [path for path in root.rglob('*') if path.is_file()]
    pages = {path.stem for path in files if path.parent.name.startswith('man')}
    programs = {path.name for path in files if path.parent.name in ('bin', 'sbin', 'assayd') and os.access(path, os.X_OK)}
    drivers = {f'assayd-{path.stem}' for path in files if path.parent.name == 'drivers'}
    assert len(programs) >= 4 and len(drivers) >= 1, (programs, drivers)
    return (programs | (drivers if shutil.which('lowdown') else set())) - pages


def install(root):
    subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet'], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, 'DESTDIR': str(root)}, timeout=60)


with tempfile.TemporaryDirectory(prefix='assay-install-') as name:
    root = pathlib.Path(name)
    etc, share = (root / str(part).lstrip('/') for part in (sysconfdir, datadir))
    install(root)
    for file in (*source.glob('docs/*.md'), source / 'docs/assay1.cddl'):
        if file.name != 'architecture.md':      # of the source
            assert (share / 'doc/assayd' / file.name).read_bytes() == file.read_bytes(), file
    assert (share / 'assayd/names.csv').read_bytes() == (source / 'config/names.csv').read_bytes()
    assert without_manual(root) == set()
    for folder in ('instruments.d', 'methods.d'):
        assert (etc / 'assayd' / folder).is_dir(), folder
    mine = etc / 'assayd/assayd.yaml'
    assert mine.read_bytes() == (share / 'assayd/assayd.yaml').read_bytes()
    mine.write_text('laboratory: {site: customs-koeln, node: bench-7}\n', encoding='utf-8')
    install(root)
    assert 'bench-7' in mine.read_text(encoding='utf-8'), 'installing again overwrote the configuration'
