/* SPDX-License-Identifier: Apache-2.0 */
#include "tpl.h"

#include <errno.h>
#include <string.h>

#include "packet.h"

#define HEAD_BYTES 8
#define FORMAT_MAX 64

static const char letters[] = "cjviuf";
static const uint8_t sizes[] = {1, 2, 2, 4, 4, 8};

/* Of a value; 0: no such letter. */
static size_t size_of(char letter)
{
	const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
	return found != NULL ? sizes[found - letters] : 0;
}

/*
 * The bytes of all values.  An array of structures is the only value of its format: no other one is
 * in use.
 */
static int size_values(const struct tpl *t, uint64_t *out)
{
	size_t array = 0, depth = 0;
	uint64_t total = 0;
	for (const char *at = t->format; *at != '\0'; at++) {
		if (*at == 'S' || *at == '$' || *at == '(') {
			depth += *at == '(';
			continue;
		}
		size_t size = size_of(*at);
		if (size == 0 && (*at != ')' || depth-- == 0))
			return -EBADMSG;
		bool is_array = at[1] == '#';
		uint64_t count = is_array ? t->lengths[array++] : 1;
		if (size > 0)
			total += count * size;
		else if (is_array && at[2] != '\0')
			return -EBADMSG;
		else
			total *= count;
		if (total > UINT32_MAX)
			return -EBADMSG;
		at += is_array;
	}
	*out = total;
	return depth == 0 ? 0 : -EBADMSG;
}

ssize_t tpl_open(const uint8_t *bytes, size_t len, struct tpl *out, const char **why)
{
	*why = "is cut off, or has another format than \"tpl\"";
	if (len < HEAD_BYTES || memcmp(bytes, "tpl", 3) != 0)
		return -EBADMSG;
	size_t total = packet_u32(bytes + 4);
	if (total > len || total <= HEAD_BYTES)
		return -EBADMSG;
	*why = "is not little-endian";
	if ((bytes[3] & 1) != 0)
		return -EBADMSG;
	*why = "contradicts its own description";
	size_t rest = total - HEAD_BYTES, most = rest < FORMAT_MAX ? rest : FORMAT_MAX;
	*out = (struct tpl){.format = (const char *)bytes + HEAD_BYTES};
	const char *end = memchr(out->format, '\0', most);
	if (end == NULL)
		return -EBADMSG;
	const uint8_t *at = (const uint8_t *)end + 1, *limit = bytes + total;
	size_t arrays = 0;
	for (const char *c = out->format; *c != '\0'; c++) {
		if (*c != '#')
			continue;
		if (arrays == TPL_ARRAYS_MAX || limit - at < 4)
			return -EBADMSG;
		out->lengths[arrays++] = packet_u32(at);
		at += 4;
	}
	uint64_t size;
	if (size_values(out, &size) < 0 || size != (uint64_t)(limit - at))
		return -EBADMSG;
	out->values = at;
	out->at = out->format;
	return (ssize_t)total;
}

bool tpl_is(const struct tpl *t, const char *format)
{
	return strcmp(t->format, format) == 0;
}

const uint8_t *tpl_take(struct tpl *t, size_t *count)
{
	while (size_of(*t->at) == 0)
		t->at++;
	size_t size = size_of(*t->at++);
	const uint8_t *values = t->values;
	*count = *t->at == '#' ? t->lengths[t->array++] : 1;
	t->at += *t->at == '#';
	t->values += *count * size;
	return values;
}

int64_t tpl_integer(struct tpl *t)
{
	size_t count;
	const uint8_t *at = tpl_take(t, &count);
	switch (t->at[-1]) {
	case 'c': return *at;
	case 'v': return packet_u16(at);
	case 'j': return (int16_t)packet_u16(at);
	case 'u': return packet_u32(at);
	default: return (int32_t)packet_u32(at);
	}
}

bool tpl_doubles(struct tpl *t, double *out, size_t max)
{
	size_t count;
	const uint8_t *at = tpl_take(t, &count);
	if (count != max)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t bits = packet_u32(at + 8 * i) | (uint64_t)packet_u32(at + 8 * i + 4) << 32;
		memcpy(&out[i], &bits, sizeof(bits));
	}
	return true;
}

void tpl_text(struct tpl *t, char *out, size_t size)
{
	size_t count;
	const char *at = (const char *)tpl_take(t, &count);
	size_t len = strnlen(at, count < size - 1 ? count : size - 1);
	for (size_t i = 0; i < len; i++)
		out[i] = at[i] >= ' ' && at[i] <= '~' ? at[i] : '?';
	out[len] = '\0';
}
