# SPDX-License-Identifier: Apache-2.0
"""A small consumer on assay.py, as behaviour.py describes it."""

import argparse
import hashlib
import json
import os
import signal
import sys


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('--dir', required=True)
    parser.add_argument('--topic', action='append')
    parser.add_argument('--simulated', action='store_true')
    parser.add_argument('--from-output')
    parser.add_argument('--cursor')
    parser.add_argument('--hwm', type=int, default=10000)
    parser.add_argument('--runs', action='store_true')
    parser.add_argument('--count', type=int, default=0)
    parser.add_argument('--fail', type=int, default=0, help='every N-th time an item is not processed: an exception')
    parser.add_argument('--one-cursor', action='store_true',
                        help='wrong on purpose: what was read on any topic counts for all of them')
    return parser.parse_args()


def line_of(item):
    if isinstance(item, assay.Gap):
        return {'gap': {'journal': item.journal.hex(), 'topic': item.topic, 'from': item.first, 'to': item.last,
                        'why': item.why}}
    if isinstance(item, assay.Run):
        line = {'run': item.number or item.id.hex(), 'status': item.status, 'frames': len(item.frames),
                'final': len(item.final_frames), **item.corrected,
                'journal': item.journal.hex(), 'topic': item.topic, 'seqs': item.seqs,
                'sha256': hashlib.sha256(b''.join(item.digests)).hexdigest()}
        if item.gaps:
            line['gaps'] = [{'from': g.first, 'to': g.last, 'why': g.why} for g in item.gaps]
        return line
    return {'journal': item.journal.hex(), 'topic': item.topic, 'seq': item.seq, 'prev': item.prev,
            'sha256': hashlib.sha256(item.bytes).hexdigest()}


def positions_of(path):
    """Where the lines of the output end, per journal and topic; a torn last line is cut off."""
    positions, good = {}, 0
    if not os.path.exists(path):
        return positions
    with open(path, 'rb') as file:
        for raw in file:
            if not raw.endswith(b'\n'):
                break
            good += len(raw)
            line = json.loads(raw)
            at = line.get('gap', line)
            seq = at.get('to') or at.get('seq') or at['seqs'][-1]
            mine = positions.setdefault(at['journal'], {})
            mine[at['topic']] = max(seq, mine.get(at['topic'], 0))
    os.truncate(path, good)
    return positions


def with_one_cursor(positions):
    return {journal: {'a1/': max(topics.values())} for journal, topics in positions.items()}


def main(args):
    cursor, output = args.cursor, 1
    if args.from_output:
        cursor = positions_of(args.from_output)
        output = os.open(args.from_output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if args.one_cursor:
        cursor = with_one_cursor(cursor)
    make = assay.runs if args.runs else assay.entries
    with make(args.dir, args.topic or ['a1/data/'], cursor, simulated=args.simulated, start='oldest',
              hwm=args.hwm, live=os.environ.get('ASSAY_LIVE'), replay=os.environ.get('ASSAY_REPLAY'),
              key=os.environ.get('ASSAY_KEY'), server_key=os.environ.get('ASSAY_SERVER_KEY')) as feed:
        while True:
            try:
                return consume(feed, output, args)
            except Failure:
                pass


class Failure(Exception):
    pass


def consume(feed, output, args):
    for item in feed:
        end.may_interrupt = False
        consume.tried += 1
        if args.fail and consume.tried % args.fail == 0:
            raise Failure
        os.write(output, json.dumps(line_of(item)).encode() + b'\n')
        item.ack()
        consume.given += 1
        if consume.given == args.count or end.is_wanted:
            return
        end.may_interrupt = True
    end.may_interrupt = False


consume.tried = consume.given = 0


def end(number, frame):
    """Written items are acknowledged before the end."""
    end.is_wanted = True
    if end.may_interrupt:
        end.may_interrupt = False
        raise SystemExit(0)


end.is_wanted, end.may_interrupt = False, True
signal.signal(signal.SIGTERM, end)
sys.path.insert(0, os.environ.get('ASSAY_PYTHON', os.path.join(os.path.dirname(__file__), '../../../tools/client/python')))
import assay  # noqa: E402

main(arguments())
