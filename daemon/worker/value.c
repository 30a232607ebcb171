/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/record.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "record/encode.h"
#include "record/names.h"
#include "record/read.h"
#include "worker/value.h"

#define TEXT_MAX  65536
#define LIST_MAX  4096 /* of a setting */
#define TEXTS_MAX 65536

static bool is_array(enum assay_value type)
{
	return type >= ASSAY_U8 && type <= ASSAY_F64;
}

/* Both enums list the types in the same order. */
static enum assay_element element_of(enum assay_value type)
{
	return (enum assay_element)type;
}

_Static_assert((int)ASSAY_U8 == (int)ASSAY_ELEMENT_U8 && (int)ASSAY_I8 == (int)ASSAY_ELEMENT_I8 &&
		       (int)ASSAY_F64 == (int)ASSAY_ELEMENT_F64,
	"enum assay_value and enum assay_element agree");

static size_t count_dims(const struct assay_variable *v)
{
	size_t n = 0;
	while (n < ASSAY_DIMS_MAX && v->dims[n] != NULL)
		n++;
	return n;
}

static const char *array_complaint(const struct assay_variable *v)
{
	size_t product = 1, dims = count_dims(v);
	if (v->count == 0 || v->data == NULL)
		return "an array without elements";
	if (v->count > ASSAY_RECORD_MAX)
		return "an array larger than a record";
	for (size_t i = 0; dims >= 2 && i < dims; i++) {
		if (__builtin_mul_overflow(product, v->shape[i], &product))
			return "a shape that is too large";
	}
	if (dims >= 2 && product != v->count)
		return "a shape that does not fit its number of elements";
	return NULL;
}

static const char *texts_complaint(const struct assay_variable *v)
{
	if (v->count == 0 || v->count > TEXTS_MAX || v->texts == NULL)
		return "texts without elements, or more than 65536";
	for (size_t i = 0; i < v->count; i++) {
		if (v->texts[i] == NULL || !value_is_text(v->texts[i], TEXT_MAX))
			return "a text that is not UTF-8";
	}
	return NULL;
}

struct assay_variable value_adopt(const struct assay_variable *v, size_t size)
{
	struct assay_variable own = {0};
	memcpy(&own, v, size < sizeof own ? size : sizeof own);
	return own;
}

const char *value_complaint(const struct assay_variable *v)
{
	if (is_array(v->type))
		return array_complaint(v);
	switch (v->type) {
	case ASSAY_LINEAR:
		return isfinite(v->start) && isfinite(v->step) && v->step != 0 && v->count > 0
			       ? NULL
			       : "an even axis without elements or without step";
	case ASSAY_SCALAR_F32:
		return isfinite((float)v->real) ? NULL
						: "a number that is not a finite 32-bit float";
	case ASSAY_SCALAR_FLOAT: return isfinite(v->real) ? NULL : "a number that is not finite";
	case ASSAY_SCALAR_TEXT:
		return v->text != NULL && value_is_text(v->text, TEXT_MAX)
			       ? NULL
			       : "a text that is not UTF-8";
	case ASSAY_TEXTS: return texts_complaint(v);
	case ASSAY_SCALAR_INT:
	case ASSAY_SCALAR_BOOL: return NULL;
	default: return "no known type";
	}
}

static void encode_elements(struct buffer *to, const struct assay_variable *v)
{
	size_t dims = count_dims(v);
	if (dims >= 2)
		encode_nd(to, v->shape, dims, element_of(v->type), v->data, v->count);
	else
		encode_typed(to, element_of(v->type), v->data, v->count);
}

static void encode_scalar(struct buffer *to, const struct assay_variable *v)
{
	switch (v->type) {
	case ASSAY_SCALAR_INT: encode_int(to, v->integer); break;
	case ASSAY_SCALAR_FLOAT: encode_f64(to, v->real); break;
	case ASSAY_SCALAR_F32: encode_f32(to, (float)v->real); break;
	case ASSAY_SCALAR_TEXT: encode_text(to, v->text); break;
	case ASSAY_SCALAR_BOOL: encode_bool(to, v->integer != 0); break;
	case ASSAY_TEXTS:
		encode_array(to, v->count);
		for (size_t i = 0; i < v->count; i++)
			encode_text(to, v->texts[i]);
		break;
	default: break;
	}
}

void value_encode(struct buffer *to, const struct assay_variable *v)
{
	if (is_array(v->type))
		encode_elements(to, v);
	else if (v->type == ASSAY_LINEAR)
		encode_linear(to, v->start, v->step, v->count);
	else
		encode_scalar(to, v);
}

#define LOAD(ctype)                                                           \
	(__extension__({                                                      \
		ctype element_;                                               \
		memcpy(&element_, at + i * sizeof element_, sizeof element_); \
		element_;                                                     \
	}))

static void encode_element(struct buffer *to, const struct assay_variable *v, size_t i)
{
	const char *at = v->data;
	switch (v->type) {
	case ASSAY_U8: encode_uint(to, LOAD(uint8_t)); break;
	case ASSAY_U16: encode_uint(to, LOAD(uint16_t)); break;
	case ASSAY_U32: encode_uint(to, LOAD(uint32_t)); break;
	case ASSAY_U64: encode_uint(to, LOAD(uint64_t)); break;
	case ASSAY_I8: encode_int(to, LOAD(int8_t)); break;
	case ASSAY_I16: encode_int(to, LOAD(int16_t)); break;
	case ASSAY_I32: encode_int(to, LOAD(int32_t)); break;
	case ASSAY_I64: encode_int(to, LOAD(int64_t)); break;
	case ASSAY_F32: encode_f32(to, LOAD(float)); break;
	default: encode_f64(to, LOAD(double)); break;
	}
}

static bool is_number(enum assay_value type)
{
	return type == ASSAY_SCALAR_INT || type == ASSAY_SCALAR_FLOAT || type == ASSAY_SCALAR_F32;
}

void value_encode_setting(struct buffer *to, const struct assay_variable *v)
{
	if (is_array(v->type)) {
		size_t count = v->count < LIST_MAX ? v->count : LIST_MAX;
		encode_array(to, count);
		for (size_t i = 0; i < count; i++)
			encode_element(to, v, i);
	} else if (v->unit != NULL && is_number(v->type)) {
		encode_map(to, 2);
		encode_text(to, "v");
		encode_scalar(to, v);
		encode_text(to, "u");
		encode_text(to, v->unit);
	} else {
		encode_scalar(to, v);
	}
}

bool value_is_text(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);
	return len <= max && text_is_utf8(text, len);
}
