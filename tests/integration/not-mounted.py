# SPDX-License-Identifier: Apache-2.0
"""The journal's disk is not mounted, comes back, is a copy: reported, and no run number is given twice."""

import datetime
import shutil
import sys
import zoneinfo

sys.path.insert(0, sys.argv[1])
from lab import Failure, Lab, paths_from  # noqa: E402

paths = paths_from(sys.argv[2:])
GENERATOR = {'driver': 'generator', 'link': {'type': 'none'}, 'acquire': {'mode': 'on-demand'},
             'settings': {'frame_bytes': 256, 'frames': 2}}
numbers = []


ZONES = ('UTC', 'Pacific/Kiritimati', 'Etc/GMT+12')     # at each hour the day of one of them is another one


def today(zone):
    return datetime.datetime.now(zoneinfo.ZoneInfo(zone)).strftime('%Y%m%d')


def live(lab, *texts):
    """One life with two runs; the log of its start has these texts, its status the first of them."""
    log = lab.dir / 'assayd.log'
    log.unlink(missing_ok=True)
    zone = ZONES[len(numbers) // 2 % len(ZONES)]
    lab.configure({'laboratory': {'timezone': zone}, 'instruments': {'gen-1': GENERATOR}})
    lab.start()
    for _ in range(2):
        lab.wait_state('gen-1', 'idle')
        days = [today(zone)]
        number = lab.ask({'op': 'run-start', 'instrument': 'gen-1'})['number']
        days.append(today(zone))
        assert number[-12:-4] in days, (number, zone, days)
        if number in numbers:
            raise Failure(f'{number} is given twice: {numbers}')
        numbers.append(number)
    lab.wait_state('gen-1', 'idle')
    why = lab.ask({'op': 'status'})['journal'].get('why', '')
    shown = lab.ctl('status', code=0 if why in ('', 'there was none') else 3).stdout
    lab.stop()
    for text in texts:
        assert text in lab.log(), lab.log()
    if texts and 'last start' not in texts[0]:
        assert why == texts[0] and f'new journal: {why}' in shown, (why, shown)


with Lab(paths) as lab:
    state, disk = lab.dir / 'state', lab.dir / 'disk'
    lab.configure({'instruments': {'gen-1': GENERATOR}})
    live(lab, 'there was none')
    live(lab)
    state.rename(disk)                                      # the disk is not mounted
    live(lab, 'there was one, and its folder is empty: is its disk mounted?')
    live(lab)
    state.rename(lab.dir / 'below')
    disk.rename(state)                                      # and is again
    live(lab, 'the last start used another journal')
    live(lab)
    shutil.copytree(state, lab.dir / 'copy')
    shutil.rmtree(state)
    (lab.dir / 'copy').rename(state)
    live(lab, 'the folder is a copy from another machine, disk or place')
    live(lab)
