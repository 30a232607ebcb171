# SPDX-License-Identifier: Apache-2.0
"""assayctl export: whole runs in three formats, corrections marked, continued after an interruption."""

import csv
import hashlib
import json
import signal
import struct
import subprocess
import sys

import cbor2

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from, values, wait_for  # noqa: E402
from main_job import instruments, start_sims  # noqa: E402

paths = paths_from(sys.argv[2:])


def run_of(lab, key):
    """A run that has ended, with at least three frames if it can: its number."""
    ended = [row for row in lab.ask({'op': 'runs', 'instrument': key})['runs'] if row.get('frames', 0) > 0]
    return max(ended, key=lambda row: row['frames'])['number'] if ended else None


def export(lab, format, number, name=None, code=0):
    to = lab.dir / (name or f'{number.replace("/", "-")}.{format}')
    return to, lab.ctl('export', '--format', format, '--run', number, '--to', str(to), code=code)


def entries_of(data):
    import io
    stream, entries = io.BytesIO(data), []
    while stream.tell() < len(data):
        entries.append(cbor2.load(stream))
    return entries


def records(data):
    return [cbor2.loads(entry[6]) for entry in entries_of(data)]


def table(text):
    """The rows of a CSV as a data frame would read it, its comments apart."""
    lines = text.splitlines()
    comments = [line for line in lines if line.startswith('#')]
    return comments, list(csv.DictReader(line for line in lines if line and not line.startswith('#')))


def test_cbor_and_json(lab, number):
    file, _ = export(lab, 'cbor', number)
    all_of_it = records(file.read_bytes())
    kinds = [record['type'] for record in all_of_it]
    assert kinds[0] == 'run-start' and 'run-end' in kinds, kinds
    assert all_of_it[0]['number'] == number
    assert kinds.count('frame') == next(r for r in all_of_it if r['type'] == 'run-end')['frames']
    lab.ctl('lint', str(file))
    projection, _ = export(lab, 'json', number)
    lines = [json.loads(line) for line in projection.read_text().splitlines()]
    assert [line['record']['type'] for line in lines] == kinds
    return all_of_it


def is_same(written, value):
    """A 32-bit float has fewer digits than the double that a decoder makes of it."""
    return written == value or struct.pack('<f', written) == struct.pack('<f', value)


def test_scalar_csv(lab, number, all_of_it):
    """One line per frame, the numbers as they are in the frame."""
    file, _ = export(lab, 'csv', number)
    comments, rows = table(file.read_text())
    frames = [record for record in all_of_it if record['type'] == 'frame']
    assert len(rows) == len(frames), (len(rows), len(frames))
    assert any('SIMULATED' in c for c in comments) and f'# run: {number}' in comments, comments
    for row, frame in zip(rows, frames):
        assert row['run'] == number and int(row['frame']) == frame['n']
        for variable in frame['vars']:
            analyte = f' {variable["analyte"]["name"]}' if 'analyte' in variable else ''
            basis = f' ({variable["basis"]})' if 'basis' in variable else ''
            cell = row[f'{variable["name"]}{analyte}{basis} [{variable["unit"]}]']
            wanted = variable['data']
            assert cell == wanted if isinstance(wanted, str) else is_same(float(cell), wanted), (cell, wanted)


def test_spectrum_csv(lab, number):
    """One line per point of the axis; a correction stands above."""
    lab.ctl('run', 'amend', number, '--sample', 'CCL-7', '--reason', 'wrong, "label"')
    file, _ = export(lab, 'csv', number)
    data, _ = export(lab, 'cbor', number)
    comments, rows = table(file.read_text())
    kinds = [record['type'] for record in records(data.read_bytes())]
    assert kinds[-1] == 'amend', kinds
    told = [c for c in comments if c.startswith('# AMENDED')]
    assert len(told) == 1 and 'CCL-7' in told[0] and 'label' in told[0], comments
    projection, _ = export(lab, 'json', number)
    assert 'CCL-7' in projection.read_text().splitlines()[-1], 'in every export'
    frame = next(record for record in records(data.read_bytes()) if record['type'] == 'frame')
    by_name = {variable['name']: values(variable) for variable in frame['vars']}
    counts = [int(row['counts [{count}]']) for row in rows if row['frame'] == '0']
    energy = [float(row['energy [keV]']) for row in rows if row['frame'] == '0']
    assert counts == list(by_name['counts']), 'nothing is lost in text'
    assert all(abs(a - b) <= 1e-14 for a, b in zip(energy, by_name['energy'], strict=True)), energy


def test_resume(lab, number):
    """A file that was cut anywhere is continued after its last sound part, to the same bytes."""
    for format in ('cbor', 'csv', 'json'):
        whole, _ = export(lab, format, number, f'whole.{format}')
        good = whole.read_bytes()
        if format == 'cbor':
            stream = entries_of(good)
            ends = [len(b''.join(cbor2.dumps(e) for e in stream[:i + 1])) for i in range(len(stream))]
        else:
            lines = good.splitlines(keepends=True)
            first = 0 if format == 'json' else next(i for i, line in enumerate(lines) if not line.startswith(b'#'))
            head = b''.join(lines[:first + (format == 'csv')])
            body = lines[first + (format == 'csv'):]
            ends = [len(head) + len(b''.join(body[:i])) for i in range(1, len(body))]
        at = ends[len(ends) // 2]
        entries = len(ends) // 2 + 1 + (format == 'csv')    # the first piece of a table is empty: the run-start
        header = hashlib.sha256(lines[first]).digest()[:8] if format == 'csv' else bytes(8)
        part = lab.dir / f'again.{format}.part'
        part.write_bytes(b'?' + good[1:at] + b'torn')       # shows that the beginning was not made again
        (lab.dir / f'again.{format}.part.at').write_text(f'2 {entries} 0 {number} {format} {number} - - - - - 00\n'
                                                         f'{at} 0 {header.hex()}\nend\n')
        again, _ = export(lab, format, number, f'again.{format}')
        assert again.read_bytes() == b'?' + good[1:], f'{format}: continued to something else'
        assert not part.exists() and not (lab.dir / f'again.{format}.part.at').exists()


def test_interrupt(lab, number):
    """While the daemon does not answer there is no file; the same command makes it later."""
    to = lab.dir / 'interrupted.json'
    args = [paths['assayctl'], '--dir', str(lab.dir / 'run'), 'export', '--format', 'json', '--run', number, '--to', str(to)]
    process = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGSTOP)
    lab.daemon.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    lab.daemon.send_signal(signal.SIGCONT)
    assert process.returncode != 0 and not to.exists(), said
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and to.exists(), done.stderr
    assert subprocess.run(args, capture_output=True, timeout=60).returncode == 1, 'nothing is overwritten'


def test_range(lab):
    """All runs of an instrument that started in a time, oldest first."""
    to = lab.dir / 'range.json'
    lab.ctl('export', '--format', 'json', '--from', '1h', '--instrument', 'gas-1', '--simulated', '--to', str(to))
    lines = [json.loads(line) for line in to.read_text().splitlines()]
    starts = [line['record']['number'] for line in lines if line['record']['type'] == 'run-start']
    assert len(starts) >= 2 and starts == sorted(starts), starts
    real = lab.dir / 'real.json'
    said = lab.ctl('export', '--format', 'json', '--from', '1h', '--to', str(real), code=1).stderr
    assert not real.exists() and 'left out: simulated; add --simulated' in said, 'simulated runs only when asked for'
    assert 'no run' in lab.ctl('export', '--format', 'csv', '--from', '2099-01-01', '--to', str(lab.dir / 'x'), code=1).stderr
    lab.ctl('export', '--format', 'xls', '--run', 'x', '--to', 'y', code=2)
    lab.ctl('export', '--format', 'csv', '--run', 'bench-1/none/20260101-001', '--to', str(lab.dir / 'y'), code=1)


def test_folders(lab, number):
    """Each run that ended gets a folder once, for a timer; a corrected run a further file; an open one none."""
    into = lab.dir / 'into'
    into.mkdir()
    args = ['export', '--format', 'json', '--from', '1h', '--simulated', '--into', str(into)]
    lab.ctl(*args)
    name = number.replace('/', '-')
    whole, _ = export(lab, 'json', number, 'beside.json')
    assert (into / name / f'{name}.jsonl').read_bytes() == whole.read_bytes()
    folders = {path.name for path in into.iterdir()}
    assert len(folders) > 2 and not any('ms-1' in folder for folder in folders), f'an open run: {folders}'
    (into / name / f'{name}.jsonl').write_text('kept')
    lab.ctl('run', 'amend', number, '--sample', 'CCL-9', '--reason', 'label')
    lab.ctl(*args)
    assert (into / name / f'{name}.jsonl').read_text() == 'kept', 'nothing is written again'
    assert 'CCL-9' in (into / name / f'{name}-amended-1.jsonl').read_text()
    assert sorted(path.name for path in (into / name).iterdir()) == [f'{name}-amended-1.jsonl', f'{name}.jsonl']
    lab.ctl('export', '--format', 'msp', '--run', number, '--into', str(into))      # nothing fits, and that is no failure
    assert not list((into / name).glob('*.msp*'))
    lab.ctl('export', '--format', 'csv', '--from', '2099-01-01', '--into', str(into))
    lab.ctl('export', '--format', 'csv', '--run', number, code=2)
    lab.ctl('export', '--format', 'csv', '--run', number, '--to', 'x', '--into', str(into), code=2)
    lab.ctl('export', '--format', 'csv', '--run', number, '--into', str(into / 'none'), code=1)


with Lab(paths) as lab:
    config = {'instruments': instruments(lab, start_sims(lab), xrf='repeat')}
    config['instruments']['gas-1']['acquire']['new_run'] = '2s'
    lab.start(config)
    gas = wait_for('runs of the gas analyser', lambda: len(lab.entries('gas-1', 'run-end')) > 1 and run_of(lab, 'gas-1'))
    xrf = wait_for('a run of the XRF', lambda: run_of(lab, 'xrf-1'))
    stored = test_cbor_and_json(lab, gas)
    test_scalar_csv(lab, gas, stored)
    test_spectrum_csv(lab, xrf)
    test_resume(lab, gas)
    test_interrupt(lab, gas)
    test_range(lab)
    test_folders(lab, gas)
