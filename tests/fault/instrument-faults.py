# SPDX-License-Identifier: Apache-2.0
"""Every fault of one simulated instrument, while four others measure.

The core stays, the others miss nothing, the faulty one recovers without a command, the log has a line
per change of state, and no good frame has a value that the instrument did not measure.

    instrument-faults.py LAB NAME=PATH... target=xrf-1[,FAULT...]
"""

import sys
import time

sys.path.insert(0, sys.argv[1])
import faults  # noqa: E402
from lab import Failure, Lab, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
target, *chosen = paths['target'].split(',')

FAULTS = ['delay=150ms', 'busy=0.5', 'stale=0.5', 'corrupt=0.5', 'truncate=0.5', 'garbage=20', 'drop=0.5',
          'disconnect=2s']
# Neither Modbus TCP nor the binary words of the mass spectrometer have a checksum of their own.
UNREVEALED = {'gas-1': ['corrupt'], 'ms-1': ['corrupt', 'garbage', 'stale']}
SECONDS = 2


def name_of(fault):
    return fault.split('=')[0]


def suffer(lab, sim, fault, others):
    trouble = faults.Trouble(lab, target, others)
    faults.begin(lab, target, sim, fault)
    trouble.last(SECONDS)
    faults.end(lab, target, sim)
    took = trouble.wait_recovery()
    ended = time.time_ns()
    trouble.check_others()
    loud = trouble.check_log()
    told = [line for line in loud if 'could not be made safe' not in line]
    broken = sum(e.record['state'] == 'fault' for e in trouble.since(target, 'state'))
    if name_of(fault) == 'disconnect' and len(told) > broken:
        raise Failure(f'{broken} faults in {len(told)} lines:\n' + '\n'.join(told))
    faults.report(fault=fault, recovered=round(took, 2), lines=len(loud))
    return (trouble.began, ended)


def meet_a_stranger(lab, sim, others):
    """Behind the same port answers another unit: refused by name, and welcome again when it is right."""
    trouble = faults.Trouble(lab, target, others)
    sim.fault('wrong-identity', 'disconnect=3s')
    wait_for('the stranger is refused', lambda: faults.audits(lab, 'identity-refused', trouble.began), 60)
    audit = faults.audits(lab, 'identity-refused', trouble.began)[0]
    lab.wait_state(target, 'fault')
    said = lab.instrument(target)['text']
    right = faults.SERIALS[target]
    wrong = str(int(right) + 1)
    if right not in said or wrong not in said or right not in str(audit) or wrong not in str(audit):
        raise Failure(f'both serial numbers belong into the text: {said}, {audit}')
    trouble.last(trouble.age() + SECONDS)
    frames = [f for f in trouble.since(target, 'frame') if f.record['t']['utc'] > audit['t']['utc']]
    if frames or lab.instrument(target)['state'] != 'fault':
        raise Failure(f'{len(frames)} frames of an instrument that was refused')
    if len(faults.audits(lab, 'identity-refused', trouble.began)) != 1:
        raise Failure('one refusal, and several audit records')
    sim.fault('off')
    took = trouble.wait_recovery()
    trouble.check_others()
    trouble.check_log()
    faults.report(fault='wrong-identity', recovered=round(took, 2), text=said)


with Lab(paths) as lab:
    sims = faults.start_sims(lab)
    faults.start(lab, faults.instruments(lab, sims))
    others = [key for key in sims if key != target]
    exempt = []
    for fault in chosen or FAULTS:
        span = suffer(lab, sims[target], fault, others)
        if name_of(fault) in UNREVEALED.get(target, []):
            exempt.append(span)
    if target in faults.SERIALS:
        meet_a_stranger(lab, sims[target], others)
    else:  # Modbus has no identity but the unit id that each reply carries.
        suffer(lab, sims[target], 'wrong-identity', others)
    lab.stop()
    faults.check_journal(lab)
    for key, sim in sims.items():
        good, checked = faults.check_truth(lab, key, sim, exempt if key == target else ())
        faults.report(key=key, good=good, checked=checked)
