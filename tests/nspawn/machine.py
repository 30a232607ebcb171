# SPDX-License-Identifier: Apache-2.0
"""A bare Debian 12 that boots its own systemd in systemd-nspawn, without a network.

    with Machine(cache, packages) as machine:
        machine.boot()
        machine.run('systemctl is-active assayd')

Its processes live in a cgroup of their own, and one write to cgroup.kill ends all of them. They also end
with the test's process; the folders of a test that was killed are removed by the next one. The root is
unpacked from a tarball that mmdebstrap made once.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIP = 77
NEEDS = ('mmdebstrap', 'systemd-nspawn', 'nsenter', 'unshare', 'dpkg-deb')
BARE = ('adduser', 'dbus', 'sudo', 'systemd', 'systemd-sysv')
LEAN = [f'--dpkgopt=path-exclude=/usr/share/{part}/*' for part in ('doc', 'locale', 'man')]
# The container has its own mounts: of the host's only the folder of its root, and no cgroup but its own.
INSIDE = r'''
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p /run/systemd/nspawn && mount -t tmpfs tmpfs /run/systemd
umount -l /sys/fs/cgroup/* 2>/dev/null; umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
exec systemd-nspawn -D "$1" --boot --keep-unit --register=no --private-network --machine=lab-pc \
	--console=read-only --link-journal=no --timezone=off --resolv-conf=off
'''


class Failure(AssertionError):
    pass


PROBE = ('unshare', '--cgroup', '--mount', '--pid', '--fork', 'sh', '-c',
         'mount --make-rprivate / && mount -t proc proc /proc && mount -t cgroup2 none /mnt')


def skip_unless_possible():
    missing = [name for name in NEEDS if shutil.which(name) is None]
    if os.geteuid() != 0:
        reason = 'containers need root'
    elif missing:
        reason = f'missing: {", ".join(missing)}; tools/prepare nspawn'
    elif cgroup2() is None:
        reason = 'no cgroup2 is mounted'
    elif subprocess.run(PROBE, capture_output=True).returncode != 0:
        reason = 'this machine allows no mounts in a namespace of its own'
    else:
        return
    print(f'skipped: {reason}')
    sys.exit(SKIP)


def cgroup2():
    for line in pathlib.Path('/proc/mounts').read_text(encoding='utf-8').splitlines():
        _, target, kind, *_ = line.split()
        if kind == 'cgroup2':
            return pathlib.Path(target)
    return None


def wait_for(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f'not within {seconds} s: {what}')
        time.sleep(0.05)


def dependencies(packages):
    """The names of the other packages that these depend on, without alternatives."""
    own = {package.name.split('_')[0] for package in packages}
    names = set()
    for package in packages:
        fields = subprocess.run(['dpkg-deb', '--field', package, 'Depends', 'Pre-Depends'], check=True,
                                capture_output=True, text=True).stdout
        for line in fields.splitlines():
            for item in line.split(': ')[1].split(', '):
                names.add(item.split(' ')[0].split(':')[0])
    return sorted(names - own)


def make_root(cache, packages):
    """The tarball of a machine on which these packages can be installed without a network."""
    include = ','.join(sorted({*BARE, *dependencies(packages)}))
    key = hashlib.sha256(' '.join([include, *LEAN]).encode()).hexdigest()[:16]
    tarball = cache / f'bookworm-{key}.tar'
    if not tarball.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = cache / f'bookworm-{key}-{os.getpid()}.tar'
        try:
            subprocess.run(['mmdebstrap', '--quiet', '--variant=important', f'--include={include}', *LEAN, 'bookworm',
                            partial], check=True, timeout=500)
            partial.rename(tarball)
        finally:
            partial.unlink(missing_ok=True)
    return tarball


def end_all(cgroup):
    """Kills the processes of a cgroup and removes it."""
    def is_gone():
        try:
            for path, _, _ in os.walk(cgroup, topdown=False):
                os.rmdir(path)
        except OSError:
            return False
        return True
    if cgroup.exists():
        (cgroup / 'cgroup.kill').write_text('1', encoding='utf-8')
        wait_for('the processes of the machine are gone', is_gone)


def own(folder):
    """Locks a machine's folder, until the file is closed; None: a test that runs has it."""
    lock = open(folder / 'lock', 'wb')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def remove_left(cache):
    """The machines of tests that were killed."""
    for folder in cache.glob('machine-*'):
        lock = own(folder)
        if lock is not None:
            end_all(cgroup2() / folder.name)
            shutil.rmtree(folder)
            lock.close()


class Machine:
    def __init__(self, cache, packages):
        self.tarball = make_root(cache, packages)
        remove_left(cache)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='machine-', dir=cache))
        self.lock = own(self.folder)
        self.root = self.folder / 'root'
        self.cgroup = cgroup2() / self.folder.name
        self.console = self.folder / 'console'
        self.process = self.init = None

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            self.root.mkdir()
            subprocess.run(['tar', '-x', '-f', self.tarball, '-C', self.root, '--numeric-owner'], check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder)
        self.lock.close()

    def boot(self):
        self.cgroup.mkdir()
        move = f'echo $$ >{self.cgroup}/cgroup.procs; exec "$@"'
        unshare = ('unshare', '--cgroup', '--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', INSIDE, 'machine', self.root)
        with open(self.console, 'ab') as console:
            self.process = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', 'bash', '-c', move, 'move', *unshare], stdin=subprocess.DEVNULL,
                stdout=console, stderr=console, env={**os.environ, 'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY': '1'})
        try:
            self.init = wait_for('the machine starts', self.find_init)
            wait_for('the machine has booted', self.is_up, 60)
        except Failure:
            print(self.console.read_text(encoding='utf-8', errors='replace')[-3000:])
            raise

    def find_init(self):
        """Process 1 of the container, as the host sees it."""
        if self.process.poll() is not None:
            raise Failure('systemd-nspawn ended')
        for file in self.cgroup.glob('**/init.scope/cgroup.procs'):
            for pid in file.read_text(encoding='utf-8').split():
                if pathlib.Path(f'/proc/{pid}/comm').read_text(encoding='utf-8') == 'systemd\n':
                    return pid
        return None

    def is_up(self):
        return self.run('systemctl is-system-running', check=False).stdout.strip() in ('running', 'degraded')

    def power_off(self):
        """An orderly end, as by the power button."""
        self.run('systemctl poweroff', check=False)
        self.process.wait(60)
        self.kill()

    def kill(self):
        end_all(self.cgroup)
        if self.process is not None:
            self.process.wait(20)
        self.process = self.init = None

    def run(self, command, user='root', check=True, seconds=90):
        """A command line as the user would type it after logging in; its output with the errors."""
        done = subprocess.run(
            ['nsenter', '-t', self.init, '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w', 'env', '-i',
             'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8',
             'DEBIAN_FRONTEND=noninteractive', 'su', '-w', 'DEBIAN_FRONTEND', '-l', user, '-c', command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
            check=False)
        if check and done.returncode != 0:
            raise Failure(f'{command}: exit status {done.returncode}\n{done.stdout}')
        return done

    def start(self, command, user):
        """A command that goes on in the background, as in another terminal."""
        return self.run(f'{command} >/dev/null 2>&1 & echo $!', user).stdout.strip()
