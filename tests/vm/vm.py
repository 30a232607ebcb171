# SPDX-License-Identifier: Apache-2.0
"""The packages on a machine with a kernel, devices, clock and power of its own.

usage: vm.py SOURCE FOLDER ASSAY-SIM life|clock|package|power

The image with the packages of this source is made once, in FOLDER.  POWER_CUTS is the number of cuts (50).
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from machine import Machine, make_image, needs

SKIPPED = 77
PACKAGES = ('assayd_', 'libassay1_', 'python3-assay_', 'assayd-simulators_')
HERE = pathlib.Path(__file__).parent
ROOM = '''laboratory: {site: vm, node: bench-1}
instruments: {}
'''
GAS = '''instruments:
''' + ''.join(f'''  gas-{unit}:
    driver: modbus-map
    simulated: true
    profile: sick-mcs100ft
    link: {{type: modbus-tcp, host: 127.0.0.1, port: 5020, unit_id: {unit}}}
    acquire: {{mode: continuous, every: 200 ms, new_run: 1 min}}
''' for unit in (1, 2, 3, 4))
SIM_GAS = 'assay-sim modbus --tcp 127.0.0.1:5020 --units 1,2,3,4 --quiet'
XRF = '''instruments:
  xrf-1:
    driver: amptek-dp5
    simulated: true
    link: usb
    acquire: {mode: repeat}
    settings: {channels: 1024, preset_time: 2s}
'''
MS = '''instruments:
  ms-1:
    driver: srs-rga
    simulated: true
    link: {type: serial, port: %s}
    acquire: {mode: repeat}
    settings: {mass_first: 1, mass_last: 10, noise_floor: 7}
'''


def expect(condition, message):
    if not condition:
        raise RuntimeError(message)


def service(name, command):
    """A transient unit of the machine."""
    return f'systemctl reset-failed {name} 2>/dev/null; systemd-run --quiet --unit={name} {command}'


class Bench(Machine):
    """With the configuration of a test."""

    def configure(self, **files):
        (self.share / 'follow.py').write_bytes((HERE / 'follow.py').read_bytes())
        self.run(f"cat > /etc/assayd/assayd.yaml <<'EOF'\n{ROOM}EOF\nrm -f /etc/assayd/instruments.d/*.yaml")
        for name, text in files.items():
            self.run(f"cat > /etc/assayd/instruments.d/{name}.yaml <<'EOF'\n{text}EOF")
        self.run('assayctl check')

    def status(self):
        return json.loads(self.run('assayctl status --json; true'))

    def state_of(self, key):
        return next(i for i in self.status()['instruments'] if i['key'] == key)

    def runs(self, key):
        return json.loads(self.run(f'assayctl run list --instrument {key} --limit 1000 --json'))['runs']

    def wait_for_frames(self, key, count, timeout=180):
        """More frames than now."""
        before, deadline = self.state_of(key)['frames'], time.monotonic() + timeout
        while (now := self.state_of(key))['frames'] < before + count:
            expect(time.monotonic() < deadline, f'{key} has {now["frames"] - before} new frames after {timeout} s: {now}')
            time.sleep(0.5)

    def wait_for_state(self, key, states, timeout=180):
        deadline = time.monotonic() + timeout
        while (now := self.state_of(key))['state'] not in states:
            expect(time.monotonic() < deadline, f'{key} is not {states} after {timeout} s: {now}')
            time.sleep(0.3)
        return now

    def check_journal(self):
        self.run('assayctl journal check', timeout=300)

    def start_gas(self):
        self.run(service('sim-gas', SIM_GAS))

    def start_gas_at_boot(self):
        self.run(f"printf '[Unit]\\nBefore=assayd.service\\n[Service]\\nExecStart=/usr/bin/{SIM_GAS}\\n[Install]\\n"
                 "WantedBy=multi-user.target\\n' > /etc/systemd/system/sim-gas.service && systemctl enable sim-gas")


def life(bench, boot):
    """Real USB and serial devices: measured, unplugged, killed, suspended."""
    print(f'boot: {boot:.0f} s')
    bench.run('modprobe libcomposite && modprobe dummy_hcd is_high_speed=0 && (mountpoint -q /sys/kernel/config || '
              'mount -t configfs none /sys/kernel/config)')
    bench.run(service('sim-xrf', 'assay-sim amptek-dp5 --usb-gadget dummy_udc.0 --sample steel-304 --control /run/sim-xrf'))
    port = bench.wait_for('ls /dev/serial/by-id/*').strip()
    bench.configure(xrf=XRF, ms=MS % port, gas=GAS)
    bench.start_gas()
    bench.run('systemctl restart assayd', timeout=180)
    for key in ('xrf-1', 'ms-1', 'gas-1'):
        bench.wait_for_frames(key, 3)
    expect(bench.run('stat -c %U /proc/$(pidof assayd)').strip() == 'assayd', 'the core runs as another user')

    print('a USB device that is unplugged ends its run, and measures again after it is plugged in')
    bench.run('assay-sim fault --control /run/sim-xrf disconnect=8s')
    bench.wait_for_state('xrf-1', ('fault', 'connecting'))
    bench.wait_for_frames('gas-1', 3)
    bench.wait_for_frames('xrf-1', 2)
    expect('lost-device' in {r.get('status') for r in bench.runs('xrf-1')}, 'no run is lost-device')

    print('a serial adapter that is unplugged')
    bench.ask_qemu(('device_del', {'id': 'adapter'}))
    bench.wait_for_state('ms-1', ('fault', 'connecting'))
    bench.ask_qemu(('device_add', {'driver': 'usb-serial', 'chardev': 'line', 'id': 'adapter', 'bus': 'usb.0',
                                   'port': '1', 'always-plugged': True}))
    bench.wait_for_frames('ms-1', 2)

    print('killed workers and a killed daemon')
    bench.run('pkill -KILL -x assay-worker')
    bench.wait_for_frames('gas-2', 5)
    bench.wait_for_frames('xrf-1', 1)
    bench.run('kill -KILL $(pidof assayd)')
    bench.wait_for('assayctl status --json >/dev/null')
    bench.wait_for_frames('gas-3', 5)
    bench.wait_for_frames('xrf-1', 1)

    print('a suspended machine')
    worker = bench.state_of('gas-1')['pid']  # USB devices are gone for a moment at the resume, this one is not
    bench.run(service('suspend', "--on-active=1 sh -c 'echo mem > /sys/power/state'"))
    bench.wait_for_status('suspended')
    time.sleep(45)  # longer than every deadline of a worker
    bench.ask_qemu('system_wakeup')
    bench.wait_for_status('running')
    bench.wait_for_frames('gas-1', 5)
    bench.wait_for_frames('xrf-1', 1)
    expect(bench.state_of('gas-1')['pid'] == worker, 'the suspension ended a worker')

    bench.run('systemctl stop assayd', timeout=180)
    bench.check_journal()


def seen(path):
    """The whole lines; the last one may have been cut."""
    text = path.read_text() if path.exists() else ''
    return set(text[:text.rfind('\n') + 1].splitlines())


def power(bench, boot):
    """What the host saw of the machine's entries, the journal has after each cut."""
    bench.configure(gas=GAS)
    bench.start_gas_at_boot()
    bench.power_off()
    bench.boot()
    cuts, all_seen = int(os.environ.get('POWER_CUTS', '50')), set()
    for cut in range(1, cuts + 1):
        delivered = bench.share / f'seen-{cut}'
        bench.wait_for('assayctl status --json >/dev/null', timeout=300)
        bench.run(service('follow', f'/usr/bin/python3 /share/follow.py /share/{delivered.name}'))
        bench.wait_for(f'[ $(wc -l < /share/{delivered.name}) -ge {10 + cut % 7} ]', timeout=300)
        time.sleep(cut % 5 * 0.17)  # the cut meets other moments
        bench.cut_power()
        all_seen |= seen(delivered)
        bench.boot()
        bench.wait_for('assayctl status --json >/dev/null', timeout=300)
        bench.run('python3 /share/follow.py /share/whole whole', timeout=600)
        missing = sorted(all_seen - seen(bench.share / 'whole'))
        expect(not missing, f'cut {cut}: {len(missing)} entries that a consumer had are not in the journal: {missing[:3]}')
        bench.check_journal()
        print(f'cut {cut}: {len(all_seen)} entries seen so far, all there; journal check clean')


def clock(bench, boot):
    """A machine whose battery is empty starts in 1970; its clock is set while it measures."""
    bench.configure(gas=GAS)
    bench.power_off()
    bench.boot('-rtc', 'base=1970-01-02T00:00:00')
    bench.run('systemctl stop systemd-timesyncd 2>/dev/null; date -s @100000; true')
    bench.start_gas()
    bench.run('systemctl restart assayd', timeout=300)
    bench.wait_for_frames('gas-1', 5)
    frame = bench.run("assayctl journal cat --json | grep '\"frame\"' | tail -n 1")
    expect('clock-unsynced' in frame, f'the frame does not name the clock: {frame[:800]}')
    bench.run('date -s "2026-11-30 12:00:00 UTC"')
    bench.wait_for_frames('gas-1', 5)
    bench.run("assayctl journal cat --topic a1/audit/ --json | grep '\"clock-step\"'")
    numbers = [run['number'] for run in bench.runs('gas-1')]
    expect(len(numbers) == len(set(numbers)), f'a number was given twice: {numbers}')
    bench.run('systemctl stop assayd', timeout=180)
    bench.check_journal()


def package(bench, boot):
    """Installed again, removed, purged: the evidence stays."""
    bench.configure(gas=GAS)
    bench.start_gas()
    bench.run('systemctl restart assayd', timeout=180)
    bench.wait_for_frames('gas-1', 3)
    bench.run('dpkg -i /debs/*.deb', timeout=600)
    bench.wait_for_frames('gas-1', 3)
    expect('vm' in bench.run('cat /etc/assayd/assayd.yaml'), 'the upgrade changed the configuration')
    bench.check_journal()
    files = bench.run("cd /var/lib/assayd && find . -name '*.seg' | sort")
    bench.run('apt-get remove -y assayd', timeout=600)
    expect(bench.run('pidof assayd; true').strip() == '', 'the daemon runs after the removal')
    bench.run('apt-get purge -y assayd', timeout=600)
    after = bench.run("cd /var/lib/assayd && find . -name '*.seg' | sort")
    expect(set(files.split()) <= set(after.split()), 'the purge removed segments of the journal')


def build_packages(source, folder):
    subprocess.run([source / 'tools/package', '--into', folder], check=True, stdout=subprocess.DEVNULL)
    return sorted(p for p in folder.glob('*.deb') if p.name.startswith(PACKAGES))


def start_line(assay_sim):
    """A mass spectrometer at the other end of the machine's USB-serial adapter; (process, port)."""
    sim = subprocess.Popen([assay_sim, 'srs-rga', '--tcp', '127.0.0.1:0', '--quiet'], stdout=subprocess.PIPE, text=True)
    return sim, int(sim.stdout.readline().rsplit(':', 1)[1])


TESTS = {'life': life, 'clock': clock, 'package': package, 'power': power}


def main(source, folder, assay_sim, name):
    reason = needs()
    if reason is not None:
        print(f'skipped: {reason}')
        return SKIPPED
    folder = pathlib.Path(folder)
    image = make_image(folder / 'image', build_packages(pathlib.Path(source), folder / 'packages'))
    own = pathlib.Path(tempfile.mkdtemp(prefix='assay-vm-'))
    line, port = start_line(assay_sim)
    bench = Bench(image, own / 'machine', [
        '-chardev', f'socket,id=line,host=127.0.0.1,port={port},reconnect=1',
        '-device', 'usb-serial,chardev=line,id=adapter,bus=usb.0,port=1,always-plugged=on'])
    try:
        TESTS[name](bench, bench.boot())
        return 0
    finally:
        bench.cut_power()
        line.terminate()
        line.wait()
        shutil.rmtree(own, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
