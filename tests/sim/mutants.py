# SPDX-License-Identifier: Apache-2.0
"""The simulation finds mistakes: each of MUTANTS, made in the daemon's own source.

    mutants.py BUILD SOURCE SEEDS HOURS [some | NAME...]
    mutants.py --fit SOURCE

Builds each mutant beside the simulation with the commands of BUILD and simulates laboratories of
HOURS until one finds it, SEEDS at most.  A mistake that no longer fits the source is an error, which --fit finds
before the next commit.
"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

# name: file below daemon/, the text there, the text instead.  SOME are tried with every test run.
SOME = ['publishes-without-a-sync', 'answers-a-start-before-its-commit', 'gives-a-number-again',
        'does-not-restart-a-worker', 'lists-a-queued-run', 'loses-the-end-of-a-stopped-run']
MUTANTS = {
    # commits
    'publishes-without-a-sync': (
        'core/commit/commit.c', 'r = sync_until_done(c, r);\n\t\tif (r < 0)\n\t\t\treturn r;',
        'r = r < 0 ? sync_until_done(c, r) : 0;\n\t\tif (r < 0)\n\t\t\treturn r;'),
    'starts-a-run-without-a-sync': ('core/runs/run.c', '.synced = true,', '.synced = false,'),
    'forgets-the-sync-of-a-folder': (
        'journal/writer.c', 'r = journal->io->fsync_dir(journal->io->ctx, journal->dir);', 'r = 0;'),
    'notes-nothing-as-durable': (
        'journal/writer.c', 'durable_write(journal->io, journal->base, journal->template.journal, journal->durable);',
        ''),
    'lets-commit-times-go-back': ('core/commit/ledger.c', '.tc = now > l->tc ? now : l->tc,', '.tc = now,'),
    'forgets-the-sync-of-hazards': ('core/instrument/hazard.c', 'r = dir < 0 ? dir : io->fsync_dir(io->ctx, dir);',
                                    'r = dir < 0 ? dir : 0;'),
    'serves-a-queued-entry': ('core/commit/published.c', 'if (i == p->count - 1)\n\t\tjournal->last = p->head;', 'if (i == p->count - 1)\n\t\tjournal->last = UINT64_MAX;'),
    'moves-a-cursor-before-it-is-durable': (
        'core/replay/ops-cursor.c', 'replay->answer->has_cursor = true;', ''),
    # answers
    'answers-a-start-before-its-commit': (
        'core/runs/run.c', 'list_append(&run->store->waiting, &waiting->link);',
        'waiting->answer(waiting->arg, 0, NULL, &waiting->run);\n\t\tfree(waiting);'),
    'answers-an-amend-before-its-commit': (
        'core/control/ops-past.c', 'change, call->actor, on_amended, c);',
        'change, call->actor, NULL, NULL);\n\tif (r == 0)\n\t\ton_amended(c, NULL);'),
    'lists-a-queued-run': ('core/runs/rows.c', 'if (kept->first > head)\n\t\treturn false;', ''),
    'counts-a-queued-frame': (
        'core/runs/run.c', 'run->frames++;\n\trun->bytes',
        'runs_count_frame(run->store->rows, run->label.id);\n\trun->frames++;\n\trun->bytes'),
    'gives-a-number-again': ('core/runs/rows.c', 'if (n > last && n < UINT_MAX)',
                             'if (n > last && n < UINT_MAX && i > 1)'),
    'forgets-numbers-of-former-journals': ('core/runs/rows.c', 'last = older > last ? older : last;', '(void)older;'),
    # methods
    'ends-a-method-early': ('core/runs/run.c', 'run->step + 1 < run->request.steps.count', 'run->step + 2 < run->request.steps.count'),
    'starts-a-step-again': ('core/runs/run.c', 'run->step++;', 'run->step += run->frames % 2;'),
    'does-not-start-a-step': ('core/instrument/machine.c', 'case MACHINE_RETRY:\n\tcase MACHINE_ENDED_STEP: return', 'case MACHINE_RETRY: return'),
    # the clock
    'forgets-a-step-of-the-clock': ('core/commit/timekeeper.c', 'report(keeper, utc - (uint64_t)step, utc, boot);', ''),
    'shows-no-step-in-frames': ('core/commit/timekeeper.c', 'keeper->stepped_at = boot;', ''),
    'names-no-former-journal': ('core/startup.c', '"old_journal"', '"old"'),
    # progress
    'waits-for-the-disk': (
        'core/commit/commit.c', 'if (r == 0)\n\t\tr = journal_sync(c->journal);',
        'pthread_mutex_lock(&c->lock);\n\tif (r == 0)\n\t\tr = journal_sync(c->journal);\n'
        '\tpthread_mutex_unlock(&c->lock);'),
    'loses-a-wake-up': ('core/commit/commit.c', 'if (was_empty)\n\t\tpthread_cond_signal(&c->more);', '(void)was_empty;'),
    'loses-a-wake-up-of-the-publisher': ('core/commit/publish.c', 'wake = p->first == NULL;', 'wake = false;'),
    'loses-the-end-of-a-stopped-run': (
        'core/runs/run.c', 'if (write_end(run, status, why) < 0)',
        'if (status != RUN_STATUS_STOPPED && write_end(run, status, why) < 0)'),
    'does-not-end-interrupted-runs': ('core/runs/interrupted.c', 'else if (end_one(store, &row, head) == 0)',
                                      'else if (false)'),
    'does-not-restart-a-worker': (
        'core/port/supervise.c', 'int r = s->stopping || s->is_over ? 0', 'int r = s->stopping || s->starts > 0 ? 0'),
    'never-backs-off-less': ('core/port/supervise.c', 's->backoff = (struct backoff){0};\n\tset_timer(s, backoff',
                             ';\n\tset_timer(s, backoff'),
    'does-not-end-a-hung-worker': ('core/port/supervise.c', '(silent || stuck || overdue)', 'overdue'),
    'waits-for-a-worker-after-quit': ('core/port/supervise.c', '(silent || stuck || overdue)', '(silent || stuck)'),
    'gives-no-credit-back': ('core/port/allowance.c', 'a->credit += bytes;', '(void)bytes;'),
    'gives-credit-twice': ('core/port/allowance.c', 'a->credit += bytes;', 's->credit += 2 * bytes;'),
    'forgets-make-safe': ('core/instrument/instrument.c', '.safe = instrument->hazard,', '.safe = false,'),
    'does-not-go-on': ('core/instrument/machine.c', 'step.actions |= MACHINE_GO_ON;', 'step.actions |= 0;'),
    'does-not-retry-a-start': ('core/instrument/instrument.c', 'instrument_apply(instrument, MACHINE_RETRY, NULL);', ''),
    'sends-no-stop': ('core/instrument/machine.c', 'case MACHINE_STOP: return waits ? 0 : MACHINE_SEND_STOP;',
                      'case MACHINE_STOP: return 0;'),
    # the end
    'does-not-free-settings': ('core/instrument/instrument.c', 'buffer_finish(&instrument->settings);', ''),
}


def command_of(build, target):
    lines = subprocess.run(['ninja', '-C', build, '-t', 'commands', target], check=True, capture_output=True, text=True)
    return shlex.split(lines.stdout.splitlines()[-1])


def run(build, command, changes):
    words = [changes.get(word, word) for word in command]
    done = subprocess.run(words, cwd=build, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'{shlex.join(words)}\n{done.stdout}{done.stderr}')


def mutated(source, name):
    file, right, wrong = MUTANTS[name]
    text = (source / 'daemon' / file).read_text()
    if text.count(right) != 1:
        sys.exit(f'daemon/{file} has {text.count(right)} times the text that mutant {name} of {__file__} replaces')
    return text.replace(right, wrong)


def make(build, source, name, folder):
    file = 'daemon/' + MUTANTS[name][0]
    (folder / 'mutant.c').write_text(mutated(source, name))
    units = json.loads((build / 'compile_commands.json').read_text())
    unit = next(u for u in units if u['file'].endswith(file) and u['output'].startswith('daemon/'))
    compiled, isolated, program = (str(folder / n) for n in ('mutant.o', 'daemon.o', 'simulate'))
    run(build, [*shlex.split(unit['command']), '-w'], {
        unit['file']: str(folder / 'mutant.c'), unit['output']: compiled, unit['output'] + '.d': compiled + '.d'})
    isolate = command_of(build, 'tests/sim/daemon.o')
    first = next(i for i, word in enumerate(isolate) if word.endswith('.a'))
    isolate.insert(first, compiled)  # an object before the archives replaces theirs
    run(build, isolate, {'tests/sim/daemon.o': isolated})
    run(build, command_of(build, 'tests/sim/simulate'),
        {'tests/sim/daemon.o': isolated, 'tests/sim/simulate': program})
    return program


def find(program, seeds, hours):
    for seed in range(1, seeds + 1):
        found = subprocess.run([program, '--seed', str(seed), '--hours', hours], capture_output=True, text=True, check=False)
        if found.returncode != 0:
            lines = [line for line in (found.stdout + found.stderr).splitlines() if line]
            return seed, lines[-2] if len(lines) > 1 else f'ends with {found.returncode}'
    return None, None


def main(build, source, seeds, hours, *names):
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names or MUTANTS:
            seed, finding = find(make(build, source, name, pathlib.Path(folder)), seeds, hours)
            print(f'{name}: {finding or "NOT FOUND"}', flush=True)
            missed += seed is None
    return missed


if __name__ == '__main__':
    if sys.argv[1] == '--fit':
        for each in MUTANTS:
            mutated(pathlib.Path(sys.argv[2]), each)
        sys.exit()
    chosen = SOME if sys.argv[5:] == ['some'] else sys.argv[5:]
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], *chosen))
