/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in an instrument's text replies, in any locale.  Any thread. */
#ifndef ASSAY_WORKER_NUMBER_H
#define ASSAY_WORKER_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The whole of text[0 ... len) must be one decimal number, with blanks around it allowed and '.' as
 * the decimal point; rejects nan, inf, hexadecimal, and numbers that do not fit.  0, or -EBADMSG
 * with *out unchanged.
 */
int number_parse(const char *text, size_t len, double *out);
int number_parse_integer(const char *text, size_t len, int64_t *out);

#endif
