/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of these tests: "topic\0", seq and tc in decimal, then anything. */
#ifndef ASSAY_TESTS_JOURNAL_ENTRY_H
#define ASSAY_TESTS_JOURNAL_ENTRY_H

#include "journal/journal.h"

/* A journal_entry_fn. */
int entry_describe(const uint8_t *entry, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc);

/* Makes an entry of `len` bytes (at least what its head needs); the bytes are owned. */
struct journal_item entry_make(const char *topic, uint64_t seq, uint64_t tc, size_t len);

/* The last seq on a topic, 0: none. */
uint64_t entry_last(const struct journal *journal, const char *topic);

void entry_free(struct journal_item *item);

/*
 * The topic of the entry `seq`, no other one's, that records a removal, in a static buffer; and the
 * removal_entry_fn of these.
 */
const char *entry_gone(
	const uint8_t id[JOURNAL_ID_SIZE], uint64_t first, uint64_t last, uint64_t seq);
int entry_removal(const uint8_t *entry, size_t len, uint8_t id[JOURNAL_ID_SIZE], uint64_t *first,
	uint64_t *last);

#endif
