/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of requests: exception replies, and their words.
 */
#ifndef ASSAY_MODBUS_MAP_EXCEPTION_H
#define ASSAY_MODBUS_MAP_EXCEPTION_H

#include <stdbool.h>
#include <stddef.h>

#define EXCEPTION_TEXT 80

bool exception_is(int r);

/* Worth another request soon: still working, busy, and those of a gateway. */
bool exception_is_temporary(int r);

/* The request itself is refused: function, address, or number of values. */
bool exception_is_refusal(int r);

/* The result of a failed request, as the raw block of the frame has it.  Returns `text`. */
const char *exception_describe(int r, char *text, size_t size);

/* The same for people. */
const char *exception_explain(int r, char *text, size_t size);

#endif
