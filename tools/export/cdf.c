/* SPDX-License-Identifier: Apache-2.0 */
/* The layout is that of the NetCDF Classic Format Specification, Unidata. */
#include "cdf.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TAG_DIMENSION 10
#define TAG_VARIABLE  11
#define TAG_ATTRIBUTE 12

/* Everything is filled up to four bytes. */
static uint64_t padded(uint64_t bytes)
{
	return (bytes + 3) & ~UINT64_C(3);
}

static size_t size_of(enum cdf_type type)
{
	static const size_t sizes[] = {[CDF_BYTE] = 1,
		[CDF_CHAR] = 1,
		[CDF_SHORT] = 2,
		[CDF_INT] = 4,
		[CDF_FLOAT] = 4,
		[CDF_DOUBLE] = 8};
	return sizes[type];
}

static void put_32(struct buffer *to, uint64_t value)
{
	uint32_t be = htobe32((uint32_t)value);
	buffer_append(to, &be, sizeof be);
}

static void put_zeros(struct buffer *to, size_t count)
{
	uint8_t *at = buffer_reserve(to, count);
	if (at == NULL)
		return;
	memset(at, 0, count);
	to->len += count;
}

static void put_padded(struct buffer *to, const char *bytes, size_t len)
{
	put_32(to, len);
	buffer_append(to, bytes, len);
	put_zeros(to, (size_t)(padded(len) - len));
}

static void put_value(struct buffer *to, enum cdf_type type, double value)
{
	union {
		float f;
		uint32_t u;
	} f32 = {.f = (float)value};
	union {
		double f;
		uint64_t u;
	} f64 = {.f = value};
	uint64_t be64 = htobe64(f64.u);
	uint16_t be16;
	switch (type) {
	case CDF_BYTE:
	case CDF_CHAR: buffer_append(to, &(uint8_t){(uint8_t)(int)value}, 1); break;
	case CDF_SHORT:
		be16 = htobe16((uint16_t)(int)value);
		buffer_append(to, &be16, sizeof be16);
		break;
	case CDF_INT: put_32(to, (uint32_t)(int32_t)value); break;
	case CDF_FLOAT: put_32(to, f32.u); break;
	case CDF_DOUBLE: buffer_append(to, &be64, sizeof be64); break;
	}
}

void cdf_finish(struct cdf *cdf)
{
	for (size_t i = 0; i < cdf->vars_count; i++)
		buffer_finish(&cdf->vars[i].attributes.bytes);
	buffer_finish(&cdf->attributes.bytes);
	*cdf = (struct cdf){0};
}

/* --- declarations ----------------------------------------------------------------------------- */

size_t cdf_dim(struct cdf *cdf, const char *name, uint64_t length)
{
	if (cdf->dims_count == CDF_DIMS) {
		cdf->failed = true;
		return 0;
	}
	struct cdf_dim *dim = &cdf->dims[cdf->dims_count];
	snprintf(dim->name, sizeof dim->name, "%s", name);
	dim->length = length;
	return cdf->dims_count++;
}

size_t cdf_var(struct cdf *cdf, const char *name, enum cdf_type type, size_t dims_count,
	const size_t *dims)
{
	assert(dims_count <= CDF_VAR_DIMS);
	if (cdf->vars_count == CDF_VARS) {
		cdf->failed = true;
		return 0;
	}
	struct cdf_var *var = &cdf->vars[cdf->vars_count];
	*var = (struct cdf_var){.type = type, .dims_count = dims_count, .count = 1};
	snprintf(var->name, sizeof var->name, "%s", name);
	for (size_t i = 0; i < dims_count; i++) {
		uint64_t length = cdf->dims[dims[i]].length;
		assert(length > 0 || i == 0);
		var->dims[i] = dims[i];
		var->is_record |= length == 0;
		if (length > 0 && __builtin_mul_overflow(var->count, length, &var->count))
			cdf->failed = true;
	}
	if (var->count > UINT64_MAX / 16)
		cdf->failed = true;
	else
		var->bytes = padded(var->count * size_of(type));
	return cdf->vars_count++;
}

static struct buffer *add_attribute(
	struct cdf *cdf, size_t var, const char *name, enum cdf_type type)
{
	struct cdf_attributes *a = var == CDF_GLOBAL ? &cdf->attributes
						     : &cdf->vars[var].attributes;
	put_padded(&a->bytes, name, strlen(name));
	put_32(&a->bytes, type);
	a->count++;
	return &a->bytes;
}

void cdf_text(struct cdf *cdf, size_t var, const char *name, const char *text)
{
	put_padded(add_attribute(cdf, var, name, CDF_CHAR), text, strlen(text));
}

void cdf_number(struct cdf *cdf, size_t var, const char *name, enum cdf_type type, double number)
{
	struct buffer *to = add_attribute(cdf, var, name, type);
	put_32(to, 1);
	put_value(to, type, number);
	put_zeros(to, (size_t)(padded(size_of(type)) - size_of(type)));
}

/* --- the header ------------------------------------------------------------------------------- */

/* An empty list is two zeros. */
static void put_list(struct buffer *to, uint32_t tag, size_t count)
{
	put_32(to, count > 0 ? tag : 0);
	put_32(to, count);
}

static void put_attributes(struct buffer *to, const struct cdf_attributes *a, bool *failed)
{
	put_list(to, TAG_ATTRIBUTE, a->count);
	buffer_append(to, a->bytes.data, a->bytes.len);
	*failed |= a->bytes.failed;
}

/* A variable without its place in the file. */
static void put_var(struct cdf *cdf, struct buffer *to, const struct cdf_var *var)
{
	put_padded(to, var->name, strlen(var->name));
	put_32(to, var->dims_count);
	for (size_t i = 0; i < var->dims_count; i++)
		put_32(to, var->dims[i]);
	put_attributes(to, &var->attributes, &cdf->failed);
	put_32(to, var->type);
	put_32(to, padded(var->bytes));
}

/* The values of records come after all others. */
static void sort_vars(struct cdf *cdf)
{
	size_t count = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < cdf->vars_count; i++) {
			if (cdf->vars[i].is_record == pass)
				cdf->order[count++] = i;
		}
		cdf->fixed_count = pass == 0 ? count : cdf->fixed_count;
	}
	cdf->value = cdf->record = 0;
	cdf->at = cdf->fixed_count == 0 && cdf->records == 0 ? count : 0;
	/* A single variable of records of less than four bytes is not filled up. */
	if (count - cdf->fixed_count == 1) {
		struct cdf_var *single = &cdf->vars[cdf->order[count - 1]];
		single->bytes = single->count * size_of(single->type);
	}
}

/* The offsets of CDF-1 are signed.  `end` is that of the last variable's first record. */
static bool is_too_large(const struct cdf *cdf, uint64_t end, uint64_t record)
{
	uint64_t more = cdf->records > 0 ? cdf->records - 1 : 0, bytes;
	return cdf->records > INT32_MAX || __builtin_mul_overflow(more, record, &bytes) ||
	       __builtin_add_overflow(bytes, end, &bytes) ||
	       bytes > (cdf->is_64 ? INT64_MAX : INT32_MAX);
}

/* The header with the variables' places, if the first of them is at `begin`.  0 or -EFBIG. */
static int put_head(struct cdf *cdf, struct buffer *to, uint64_t begin)
{
	put_32(to, 0x43444600 | (cdf->is_64 ? 2 : 1));
	put_32(to, cdf->records);
	put_list(to, TAG_DIMENSION, cdf->dims_count);
	for (size_t i = 0; i < cdf->dims_count; i++) {
		put_padded(to, cdf->dims[i].name, strlen(cdf->dims[i].name));
		put_32(to, cdf->dims[i].length);
		if (cdf->dims[i].length > INT32_MAX)
			return -EFBIG;
	}
	put_attributes(to, &cdf->attributes, &cdf->failed);
	put_list(to, TAG_VARIABLE, cdf->vars_count);
	uint64_t place[CDF_VARS], at = begin, record = 0;
	for (size_t i = 0; i < cdf->vars_count; i++) {
		const struct cdf_var *var = &cdf->vars[cdf->order[i]];
		place[cdf->order[i]] = at;
		at += var->bytes;
		record += var->is_record ? var->bytes : 0;
		if (var->bytes > (cdf->is_64 ? UINT32_MAX - 3 : INT32_MAX))
			return -EFBIG;
	}
	for (size_t i = 0; i < cdf->vars_count; i++) {
		put_var(cdf, to, &cdf->vars[i]);
		if (cdf->is_64)
			put_32(to, place[i] >> 32);
		put_32(to, place[i]);
	}
	return is_too_large(cdf, at, record) ? -EFBIG : 0;
}

int cdf_head(struct cdf *cdf, struct buffer *to)
{
	struct buffer head = {0};
	if (cdf->failed)
		return -E2BIG;
	sort_vars(cdf);
	int r = put_head(cdf, &head, 0);
	uint64_t begin = head.len;
	buffer_reset(&head);
	if (r == 0)
		r = put_head(cdf, &head, begin);
	if (r == 0 && (head.failed || cdf->failed))
		r = -ENOMEM;
	if (r == 0)
		buffer_append(to, head.data, head.len);
	buffer_finish(&head);
	return r;
}

/* --- values ----------------------------------------------------------------------------------- */

static struct cdf_var *current(struct cdf *cdf)
{
	assert(!cdf_is_whole(cdf));
	return &cdf->vars[cdf->order[cdf->at]];
}

/* Goes to the next variable; after the last one of a record to the next record's first. */
static void finish_var(struct cdf *cdf, struct buffer *to, const struct cdf_var *var)
{
	put_zeros(to, (size_t)(var->bytes - var->count * size_of(var->type)));
	cdf->value = 0;
	cdf->at++;
	if (cdf->at == cdf->vars_count && var->is_record && ++cdf->record < cdf->records)
		cdf->at = cdf->fixed_count;
	/* There is no record. */
	if (cdf->at == cdf->fixed_count && cdf->records == 0)
		cdf->at = cdf->vars_count;
}

void cdf_put(struct cdf *cdf, struct buffer *to, double value)
{
	const struct cdf_var *var = current(cdf);
	put_value(to, var->type, value);
	if (++cdf->value == var->count)
		finish_var(cdf, to, var);
}

void cdf_put_text(struct cdf *cdf, struct buffer *to, const char *text, size_t size)
{
	for (size_t i = 0, len = strnlen(text, size); i < size; i++)
		cdf_put(cdf, to, i < len ? (uint8_t)text[i] : 0);
}

bool cdf_is_whole(const struct cdf *cdf)
{
	return cdf->at == cdf->vars_count;
}
