/* SPDX-License-Identifier: Apache-2.0 */
/* The values of <assay/driver.h> in the record format.  Nothing is kept; any thread. */
#ifndef ASSAY_WORKER_VALUE_H
#define ASSAY_WORKER_VALUE_H

#include <assay/driver.h>
#include <stdbool.h>

#include "base/buffer.h"

/* A driver's variable, `size` bytes of it: what an older header lacks is zero. */
struct assay_variable value_adopt(const struct assay_variable *v, size_t size);

/* The fault of the value of a variable or setting, in words; NULL: none. */
const char *value_complaint(const struct assay_variable *v);

/* Appends the `data` of a variable whose value has no complaint. */
void value_encode(struct buffer *to, const struct assay_variable *v);

/*
 * Appends a `setting`: a number with a unit as {v, u}, one without as it is, a text, a truth value,
 * an array as a list.  The value must have no complaint and must not be a linear axis.
 */
void value_encode_setting(struct buffer *to, const struct assay_variable *v);

/* True for UTF-8 of at most `max` bytes. */
bool value_is_text(const char *text, size_t max);

#endif
