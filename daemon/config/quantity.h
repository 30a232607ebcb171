/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers with units as people write them ("60s", "5 min", "0.01 keV", "200 GiB"), converted to a
 * given unit.  Units are UCUM codes; the usual other spellings (°C, ppm, Torr, µA) are accepted.
 * Numbers have a '.' in every locale and are finite.
 */
#ifndef ASSAY_CONFIG_QUANTITY_H
#define ASSAY_CONFIG_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Size of messages. */
#define QUANTITY_TEXT 160

/* The whole text is one decimal number: 0, or -EINVAL. */
int quantity_parse_number(const char *text, double *out);

/* The whole text is one integer, decimal or 0x hexadecimal: 0, -EINVAL, or -ERANGE. */
int quantity_parse_integer(const char *text, int64_t *out);

/*
 * Splits "60 s" into its number and its unit as written (borrowed from `text`, "" if absent).
 * 0, or -EINVAL if it does not start with a number.
 */
int quantity_split(const char *text, double *value, const char **unit);

/* The UCUM code of a unit as written, or NULL if it is unknown.  "" is "1". */
const char *quantity_unit(const char *written);

/*
 * Reads `text` as a quantity in `unit` (a UCUM code; NULL is "1").  A unit must be given unless
 * `unit` is a plain number or an annotation such as {count}.  0, or -EINVAL with the message in
 * `why` ("expected an energy such as 10 eV").
 */
int quantity_read(const char *text, const char *unit, double *out, char why[QUANTITY_TEXT]);

/* Whether a number in `unit` may be written without a unit. */
bool quantity_is_plain(const char *unit);

/*
 * The units that are accepted for `unit`, one by one: i = 0, 1 ... until NULL.  For an unknown unit
 * only the unit itself.
 */
const char *quantity_spelling(const char *unit, size_t i);

#endif
