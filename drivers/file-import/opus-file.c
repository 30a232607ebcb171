/* SPDX-License-Identifier: Apache-2.0 */
#include "opus-file.h"

#include "bytes.h"
#include "text.h"

#define HEAD 8 /* of a parameter: three letters, NUL, its type, its size in 2-byte words */

enum { TYPE_INTEGER = 0, TYPE_FLOAT = 1, TYPE_TEXT_FIRST = 2, TYPE_TEXT_LAST = 4 };

/* The value of a parameter; of END its head.  NULL: the list ends before, by END or with the block. */
static const uint8_t *find(
	struct opus_parameters list, const char *name, unsigned *type, size_t *len)
{
	for (size_t at = 0; bytes_fit(at, HEAD, list.len);) {
		const uint8_t *head = list.bytes + at;
		bool is_end = memcmp(head, "END", 3) == 0;
		if (is_end)
			return strcmp(name, "END") == 0 ? head : NULL;
		*type = get_le16(head + 4);
		*len = (size_t)get_le16(head + 6) * 2;
		if (!bytes_fit(at + HEAD, *len, list.len))
			return NULL;
		if (memcmp(head, name, 3) == 0)
			return head + HEAD;
		at += HEAD + *len;
	}
	return NULL;
}

bool opus_is_ended(struct opus_parameters list)
{
	unsigned type;
	size_t len;
	return find(list, "END", &type, &len) != NULL;
}

bool opus_number(struct opus_parameters list, const char *name, double *to)
{
	unsigned type;
	size_t len;
	const uint8_t *value = find(list, name, &type, &len);
	if (value != NULL && type == TYPE_INTEGER && len == 4)
		*to = (int32_t)get_le32(value);
	else if (value != NULL && type == TYPE_FLOAT && len == 8)
		*to = get_le_f64(value);
	else
		return false;
	return *to - *to == 0;
}

bool opus_text(struct opus_parameters list, const char *name, char *to, size_t size)
{
	unsigned type;
	size_t len;
	const uint8_t *value = find(list, name, &type, &len);
	to[0] = '\0';
	if (value == NULL || type < TYPE_TEXT_FIRST || type > TYPE_TEXT_LAST)
		return false;
	text_convert(to, size, TEXT_CP1252, value, len);
	return true;
}
