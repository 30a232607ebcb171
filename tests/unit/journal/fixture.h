/* SPDX-License-Identifier: Apache-2.0 */
/* The set-up of a test: an open journal on a simulated disk. */
#ifndef ASSAY_TESTS_JOURNAL_FIXTURE_H
#define ASSAY_TESTS_JOURNAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core.h"

#define ENTRY       200 /* bytes of an entry */
#define PER_SEGMENT 4

extern struct core core;

/* A core with an open journal, and its end. */
int set_up(void **state);
int tear_down(void **state);

/* Closed segments of PER_SEGMENT entries; the open one takes the entries that follow. */
void fill(size_t segments);

#endif
