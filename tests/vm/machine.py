# SPDX-License-Identifier: Apache-2.0
"""A Debian 12 in qemu that a test boots, commands, and cuts from its power.

The processor is emulated: /dev/kvm may be present and never run, so it is not tried.  An agent in the machine runs
shell commands that arrive on a virtio port; files come and go by a shared folder, /share in the machine.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

AGENT = '''#!/usr/bin/python3
import json, subprocess, time
with open('/dev/virtio-ports/agent', 'r+b', buffering=0) as port:
    while True:
        line = port.readline()
        if not line: # no test is connected
            time.sleep(0.05)
            continue
        request = json.loads(line)
        if 'run' not in request:
            answer = {'hello': request['hello']}
        else:
            try:
                done = subprocess.run(['/bin/bash', '-c', request['run']], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=request['timeout'])
                answer = {'code': done.returncode, 'out': done.stdout.decode(errors='replace')}
            except subprocess.TimeoutExpired as late:
                answer = {'code': -1, 'out': 'no end in time: ' + (late.output or b'').decode(errors='replace')}
        rest = json.dumps(answer).encode() + b'\\n'
        while rest: # the port takes 32 KiB at a time
            rest = rest[port.write(rest):]
'''

AGENT_UNIT = '''[Unit]
Description=Runs the commands of a test
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/usr/local/sbin/test-agent
KillMode=process
Restart=always
RestartSec=0
[Install]
WantedBy=sysinit.target
'''

SHARE_UNIT = '''[Unit]
Description=Files of a test
[Mount]
What=share
Where=/share
Type=9p
Options=trans=virtio,version=9p2000.L
[Install]
WantedBy=multi-user.target
'''


def needs():
    """Why this machine cannot run one; None if it can."""
    if os.geteuid() != 0:
        return 'making the image of a machine needs root'
    missing = [name for name in ('qemu-system-x86_64', 'mmdebstrap', 'mke2fs') if shutil.which(name) is None]
    return f'not installed: {", ".join(missing)}; tools/prepare machines' if missing else None


def make_image(folder, packages):
    """Debian with these packages and all that they depend on, once per set of packages; returns the folder."""
    stamp, wanted = folder / 'made-of', '\n'.join(f'{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}' for p in packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    root = folder / 'root'
    (folder / 'agent').write_text(AGENT)
    (folder / 'agent.service').write_text(AGENT_UNIT)
    (folder / 'share.mount').write_text(SHARE_UNIT)
    (folder / 'fstab').write_text('/dev/vda / ext4 defaults 0 1\n')
    debs = ' '.join(f'/debs/{p.name}' for p in packages)
    hooks = [
        f'copy-in {" ".join(map(str, packages))} /debs' if packages else 'true',
        f'chroot "$1" apt-get install -y --no-install-recommends {debs}' if packages else 'true',
        f'upload {folder}/agent /usr/local/sbin/test-agent',
        'chmod 755 "$1/usr/local/sbin/test-agent"',
        f'upload {folder}/agent.service /etc/systemd/system/test-agent.service',
        f'upload {folder}/share.mount /etc/systemd/system/share.mount',
        f'upload {folder}/fstab /etc/fstab',
        'chroot "$1" systemctl enable test-agent share.mount',
        'echo lab-pc > "$1/etc/hostname"',
    ]
    subprocess.run(['mmdebstrap', '--quiet', '--variant=minbase', '--include=systemd,systemd-sysv,systemd-timesyncd,udev,'
                    'dbus,kmod,procps,iproute2,linux-image-amd64,initramfs-tools,python3,adduser',
                    '--customize-hook=mkdir -p "$1/debs"', *(f'--customize-hook={hook}' for hook in hooks), 'bookworm',
                    str(root)], check=True)
    for name in ('vmlinuz', 'initrd'):
        shutil.copy(next((root / 'boot').glob(f'{name}*')), folder / name)
    subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-d', root, folder / 'disk', '3G'], check=True)
    shutil.rmtree(root)
    stamp.write_text(wanted)
    return folder


class Machine:
    """One machine with a disk of its own, so that every test begins with a fresh one.

    Cut from its power, it loses its own memory; all that it has written is in the memory of the host, flushed or not: so
    the host need not wait for its disk.
    """

    def __init__(self, image, folder, arguments=()):
        self.image, self.folder, self.arguments, self.qemu = image, folder, list(arguments), None
        self.share = folder / 'share'
        self.share.mkdir(parents=True)
        subprocess.run(['cp', '--sparse=always', image / 'disk', folder / 'disk'], check=True)

    def boot(self, *arguments, timeout=600):
        """Starts it and returns when the agent answers: seconds that this took."""
        began = time.monotonic()
        for name in ('agent', 'qmp'):
            (self.folder / name).unlink(missing_ok=True)
        self.qemu = subprocess.Popen([
            'qemu-system-x86_64', '-machine', 'q35,accel=tcg', '-cpu', 'max', '-smp', '2', '-m', '1024', '-nographic',
            '-no-reboot', '-kernel', self.image / 'vmlinuz', '-initrd', self.image / 'initrd',
            '-append', 'root=/dev/vda rw console=ttyS0 quiet', '-monitor', 'none',
            '-serial', f'file:{self.folder}/console', '-drive', f'file={self.folder}/disk,if=virtio,format=raw,cache=unsafe',
            '-device', 'virtio-serial', '-chardev', f'socket,id=agent,path={self.folder}/agent,server=on,wait=off',
            '-device', 'virtserialport,chardev=agent,name=agent', '-qmp', f'unix:{self.folder}/qmp,server=on,wait=off',
            '-virtfs', f'local,path={self.share},mount_tag=share,security_model=none', '-device', 'qemu-xhci,id=usb',
            *self.arguments, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.folder / 'qemu.log', 'ab'))
        deadline = began + timeout
        while not self._say_hello(deadline):
            if self.qemu.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f'the machine does not boot: {(self.folder / "qemu.log").read_text()[-1000:]}')
        return time.monotonic() - began

    def _exchange(self, request, timeout):
        with socket.socket(socket.AF_UNIX) as port:
            port.settimeout(timeout)
            port.connect(str(self.folder / 'agent'))
            port.sendall(json.dumps(request).encode() + b'\n')
            with port.makefile('rb') as answers:
                return json.loads(answers.readline() or '{}')

    def _say_hello(self, deadline):
        """An answer that was left over from before is not taken for this one's."""
        word = time.monotonic_ns()
        try:
            return self._exchange({'hello': word}, 5).get('hello') == word
        except (OSError, ValueError):
            time.sleep(0.2)
            return False

    def run(self, command, timeout=120, check=True):
        """Runs a shell command as root; returns its output."""
        answer = self._exchange({'run': command, 'timeout': timeout}, timeout + 60)
        if check and answer['code'] != 0:
            raise RuntimeError(f'{command}: {answer["code"]}: {answer["out"][-4000:]}')
        return answer['out']

    def wait_for(self, command, timeout=120):
        """Repeats it until it succeeds."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self._exchange({'run': command, 'timeout': timeout}, timeout + 60)
            if answer['code'] == 0:
                return answer['out']
            if time.monotonic() > deadline:
                raise RuntimeError(f'{command}: still {answer["code"]} after {timeout} s: {answer["out"][-4000:]}')
            time.sleep(0.2)

    def ask_qemu(self, *commands):
        """QMP: commands, each a name or (name, arguments); returns the last answer."""
        with socket.socket(socket.AF_UNIX) as port:
            port.settimeout(30)
            port.connect(str(self.folder / 'qmp'))
            with port.makefile('rwb') as lines:
                lines.readline()
                for command in ('qmp_capabilities', *commands):
                    name, arguments = (command, {}) if isinstance(command, str) else command
                    lines.write(json.dumps({'execute': name, 'arguments': arguments}).encode() + b'\n')
                    lines.flush()
                    while not ({'return', 'error'} & (answer := json.loads(lines.readline())).keys()):
                        pass
                    if 'error' in answer:
                        raise RuntimeError(f'{name}: {answer["error"]}')
                return answer['return']

    def wait_for_status(self, wanted, timeout=120):
        """Of the virtual machine: running, suspended."""
        deadline = time.monotonic() + timeout
        while (status := self.ask_qemu('query-status')['status']) != wanted:
            if time.monotonic() > deadline:
                raise RuntimeError(f'the machine is {status}, not {wanted}, after {timeout} s')
            time.sleep(0.2)

    def cut_power(self):
        """The machine loses its memory."""
        if self.qemu is not None:
            self.qemu.send_signal(signal.SIGKILL)
            self.qemu.wait()
            self.qemu = None

    def power_off(self, timeout=300):
        with contextlib.suppress(OSError, ValueError):
            self._exchange({'run': 'systemctl poweroff --no-block', 'timeout': 10}, 30)
        try:
            self.qemu.wait(timeout)
            self.qemu = None
        except subprocess.TimeoutExpired:
            self.cut_power()
            raise
