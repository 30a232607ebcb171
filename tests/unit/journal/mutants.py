# SPDX-License-Identifier: Apache-2.0
"""Writes a source of the journal with one mistake in it: mutants.py NAME JOURNAL_FOLDER OUT.

The crash campaign must find each of them.  A mistake that no longer fits the source is an error.
"""

import pathlib
import sys

MUTANTS = {
    # durability
    'forgets-the-sync': (
        'writer.c', 'int r = journal->io->fdatasync(journal->io->ctx, journal->segment.fd);', 'int r = 0;'),
    'forgets-the-sync-of-a-new-name': (
        'writer.c', 'r = journal->io->fsync_dir(journal->io->ctx, journal->dir);', 'r = 0;'),
    'forgets-the-sync-of-a-header': ('segment.c', 'r = io->fdatasync(io->ctx, fd);', 'r = 0;'),
    'forgets-the-sync-of-the-pointer': ('io.c', 'r = io->fdatasync(io->ctx, fd);', 'r = 0;'),
    'forgets-the-sync-of-the-pointers-name': (
        'io.c', 'return r < 0 ? r : io->fsync_dir(io->ctx, dir);', 'return r;'),
    'goes-on-with-a-file-whose-sync-failed': (
        'writer.c', 'return r < 0 ? rescue_after(journal, r) : 0;\n}\n\nint journal_idle',
        'return r < 0 ? commit(journal) : 0;\n}\n\nint journal_idle'),
    'names-a-file-before-it-is-durable': (
        'writer.c', '\tif (r == 0)\n\t\tr = io->fdatasync(io->ctx, journal->segment.fd);\n', ''),
    'trusts-what-a-dead-program-did-not-sync': (
        'recover.c', 'survey->head > survey->durable && !survey->is_clean &&', 'false &&'),
    # seqs
    'gives-a-seq-again': ('recover.c', 'return JOURNAL_NEW_UNCLEAN;', 'return JOURNAL_CONTINUED;'),
    # data that is trusted
    'believes-any-body': (
        'segment.c', 'return record->bcrc == crc32c(record->hcrc, body, record->len);', 'return true;'),
    'believes-any-header': (
        'segment.c', 'return record->hcrc == crc32c(salt, bytes, 24) && fields_fit(record);',
        'return fields_fit(record);'),
    'forgets-the-salt': (
        'writer.c', 'r = segment_create(&journal->segment,',
        'header.salt = 1, r = segment_create(&journal->segment,'),
    # torn or damaged
    'cuts-off-damage': ('survey.c', '\tif (durable < scan->next)\n', '\tif (true)\n'),
    'takes-every-torn-write-for-damage': (
        'survey.c', '\tuint64_t durable = max(survey->durable, survey->expected);\n',
        '\tif (ahead.seq != 0)\n\t\tsurvey->durable = max(survey->durable, ahead.seq - 1);\n'
        '\tuint64_t durable = max(survey->durable, survey->expected);\n'),
    'says-durable-too-early': (
        'writer.c', 'items, count, journal->durable, offsets);', 'items, count, items->seq - 1, offsets);'),
    'throws-torn-bytes-away': (
        'recover.c', 'return quarantine(tail, scan, first_seq, offset);', 'return 0;'),
    'notes-as-durable-what-is-not': (
        'writer.c', 'durable_write(journal->io, journal->base, journal->template.journal, journal->durable);',
        'durable_write(journal->io, journal->base, journal->template.journal, journal->head);'),
    # removing
    'forgets-the-sync-of-a-removal': (
        'retain.c', 'return r < 0 && r != -ENOENT ? r : io->fsync_dir(io->ctx, folder->dir);',
        'return r;'),
}

if sys.argv[1:] == ['--list']:
    print('\n'.join(MUTANTS))
    sys.exit()
name, folder, out = sys.argv[1:]
file, right, wrong = MUTANTS[name]
text = (pathlib.Path(folder) / file).read_text()
if text.count(right) != 1:
    sys.exit(f'{file} holds {text.count(right)} times what {name} changes')
pathlib.Path(out).write_text(text.replace(right, wrong))
