/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries that show the whole of the format, and entries that break it.  From these the golden
 * vectors, the unit tests, the benchmark and the seeds of the fuzz target are made.
 */
#ifndef ASSAY_TESTS_EXAMPLES_H
#define ASSAY_TESTS_EXAMPLES_H

#include <stddef.h>

#include "base/buffer.h"

/* One valid entry; build() appends its bytes. */
struct example {
	const char *name;
	void (*build)(struct buffer *entry);
};
extern const struct example examples[];
extern const size_t examples_count;

/* One that is refused with this error, "path: text". */
struct bad_example {
	const char *name;
	void (*build)(struct buffer *entry);
	const char *error;
};
extern const struct bad_example bad_examples[];
extern const size_t bad_examples_count;

/* A heartbeat, which is no entry. */
void example_head(struct buffer *head);

/* Wraps a record into an entry on this topic, as all examples are. */
void example_entry(struct buffer *entry, const char *topic, const struct buffer *record);

/*
 * A frame's part of about 16 KiB: 2048 channels of u32 counts on a linear energy axis, the times
 * of an XRF spectrum, and the raw block behind them.  Returns the number of pairs.
 */
size_t example_large_part(struct buffer *part);

/* The frame around a part. */
void example_frame(struct buffer *record, const struct buffer *part, size_t pairs);

#define EXAMPLE_DATA  "a1/data/xrf/ccl-tokyo/bench-3/xrf-1/"
#define EXAMPLE_STATE "a1/state/xrf/ccl-tokyo/bench-3/xrf-1/"

#endif
