/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/log-id.h"

/*
 * A message is known by its format, so that a call needs nothing but its text.  A test finds each of
 * these in a call of its priority: a text that changes in one place alone loses no id.
 */
static const struct {
	const char *id, *format;
} messages[] = {
#include "messages.inc"
};

const char *log_id(const char *format)
{
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		if (strcmp(messages[i].format, format) == 0)
			return messages[i].id;
	}
	return NULL;
}
