/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/record.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/encode.h"
#include "record/names.h"
#include "record/quality.h"
#include "record/read.h"
#include "worker/frame.h"
#include "worker/value.h"

#define LABEL_MAX      256
#define UNIT_MAX       32
#define KEEP_MAX       (1u << 20)
#define SETTINGS_DEPTH 12
#define SCRATCH_MAX    (64u << 20)
#define FREE_NAMES_MAX 4096
#define SPAN_MAX_S     1e9

static struct frame *of(struct assay_frame *handle)
{
	return (struct frame *)(void *)handle;
}

void frame_init(struct frame *frame, const struct assay_host *host)
{
	memset(frame, 0, sizeof *frame);
	frame->handle.host = host;
	frame->quality = ASSAY_GOOD;
	frame->vars.limit = frame->settings.limit = ASSAY_RECORD_MAX;
	frame->free_names.limit = FREE_NAMES_MAX;
}

static bool has_same_bytes(const struct buffer *a, const struct buffer *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_equal(const struct frame *a, const struct frame *b)
{
	return a->error == b->error && a->kind == b->kind && a->partial == b->partial &&
	       a->quality == b->quality && a->reasons == b->reasons &&
	       strcmp(a->device_time, b->device_time) == 0 && a->span == b->span &&
	       a->gap_count == b->gap_count &&
	       memcmp(a->gaps, b->gaps, a->gap_count * sizeof a->gaps[0]) == 0 &&
	       has_same_bytes(&a->vars, &b->vars) && has_same_bytes(&a->settings, &b->settings);
}

void frame_finish(struct frame *frame)
{
	buffer_finish(&frame->vars);
	buffer_finish(&frame->keys);
	buffer_finish(&frame->free_names);
	buffer_finish(&frame->settings);
	buffer_finish(&frame->head);
	buffer_finish(&frame->front);
	buffer_finish(&frame->middle);
	buffer_finish(&frame->tail);
	arena_finish(&frame->scratch);
}

bool frame_is_reproduced(const struct frame *frame, const struct assay_driver *driver,
	const struct assay_decoding *in)
{
	struct frame twin;
	frame_init(&twin, frame->handle.host);
	bool is_same = driver->decode(in, &twin.handle) == 0 && is_equal(frame, &twin);
	frame_finish(&twin);
	return is_same;
}

void frame_reset(struct frame *frame)
{
	arena_finish(&frame->scratch);
	buffer_reset(&frame->vars);
	buffer_reset(&frame->keys);
	buffer_reset(&frame->settings);
	buffer_reset(&frame->head);
	buffer_reset(&frame->front);
	buffer_reset(&frame->middle);
	buffer_reset(&frame->tail);
	if (frame->vars.size > KEEP_MAX)
		buffer_finish(&frame->vars);
	frame->error = 0;
	frame->why[0] = frame->device_time[0] = '\0';
	frame->kind = 0;
	frame->partial = false;
	frame->quality = ASSAY_GOOD;
	frame->reasons = 0;
	frame->span = 0;
	frame->gap_count = 0;
	frame->var_count = frame->setting_count = 0;
}

/* Keeps the first fault. */
static void __attribute__((format(printf, 3, 4)))
fail(struct frame *frame, int error, const char *format, ...)
{
	if (frame->error != 0)
		return;
	frame->error = error;
	va_list args;
	va_start(args, format);
	vsnprintf(frame->why, sizeof frame->why, format, args);
	va_end(args);
}

/* --- variables -------------------------------------------------------------------------------- */

static void put_key(struct buffer *keys, const char *text)
{
	buffer_append(keys, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

/*
 * Analytes may share the name of a quantity.  Appends the key of the variable, which stays in
 * `keys` if the variable is new.
 */
static bool is_known(struct frame *frame, const struct assay_variable *v)
{
	size_t at_end = frame->keys.len;
	put_key(&frame->keys, v->name);
	put_key(&frame->keys, v->analyte);
	put_key(&frame->keys, v->basis);
	put_key(&frame->keys, v->channel);
	size_t len = frame->keys.len - at_end;
	for (size_t i = 0, at = 0; i < frame->var_count; at = frame->key_ends[i++])
		if (frame->key_ends[i] - at == len &&
			memcmp(frame->keys.data + at, frame->keys.data + at_end, len) == 0)
			return true;
	return false;
}

static void note_free_name(struct frame *frame, const char *name)
{
	size_t len = strlen(name) + 1;
	const struct buffer *names = &frame->free_names;
	for (size_t at = 0; at < names->len; at += strlen((const char *)names->data + at) + 1)
		if (strcmp((const char *)names->data + at, name) == 0)
			return;
	buffer_append(&frame->free_names, name, len);
}

const char *frame_free_name(struct frame *frame)
{
	if (frame->judged == frame->free_names.len)
		return NULL;
	const char *name = (const char *)frame->free_names.data + frame->judged;
	frame->judged += strlen(name) + 1;
	return name;
}

/* The first fault of the variable, in words; NULL: none. */
static const char *complaint(const struct assay_variable *v)
{
	const char *const texts[] = {v->analyte, v->cas, v->basis, v->channel, v->label};
	bool is_scalar = v->type >= ASSAY_SCALAR_INT && v->type <= ASSAY_SCALAR_F32;
	bool has_of = v->role == ASSAY_UNCERTAINTY || v->role == ASSAY_FLAGS;
	if (v->role < ASSAY_DATA || v->role > ASSAY_FLAGS)
		return "no known role";
	if (has_of != (v->of != NULL))
		return "`of` is for uncertainty and flags, and is needed there";
	if (v->of != NULL && !name_is_valid(string_of(v->of)))
		return "`of` is not a name";
	if (v->unit == NULL || !value_is_text(v->unit, UNIT_MAX))
		return "no unit";
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (texts[i] != NULL && !value_is_text(texts[i], LABEL_MAX))
			return "a text that is not UTF-8, or too long";
	}
	for (size_t i = 0; i < ASSAY_DIMS_MAX && v->dims[i] != NULL; i++) {
		if (!name_is_valid(string_of(v->dims[i])))
			return "a dimension that is not a name";
	}
	if (is_scalar && v->dims[0] != NULL)
		return "dimensions, but only one value";
	if (!is_scalar && v->dims[0] == NULL)
		return "many values, but no dimension";
	if (v->type == ASSAY_LINEAR && v->role != ASSAY_AXIS)
		return "an even axis as its value, but another role";
	if (v->type == ASSAY_TEXTS && v->dims[1] != NULL)
		return "texts along more than one dimension";
	if (v->bit_count > 0 && (v->role != ASSAY_FLAGS || v->bits == NULL || v->bit_count > 64))
		return "meanings of bits, but no flags, or more than 64";
	for (size_t i = 0; i < v->bit_count; i++) {
		if (v->bits[i] != NULL && !value_is_text(v->bits[i], LABEL_MAX))
			return "a meaning of a bit that is not UTF-8, or too long";
	}
	if (v->type == ASSAY_SCALAR_BOOL)
		return "a truth value, which only settings have";
	return value_complaint(v);
}

static void put_terms(struct map *map, const struct assay_variable *v)
{
	const struct name *known = name_find(string_of(v->name));
	struct map inner;
	if (known != NULL && known->term != NULL) {
		map_key(map, "qty");
		map_open(&inner, map->to);
		map_text(&inner, "id", known->term);
		map_close(&inner);
	}
	if (v->analyte != NULL) {
		map_key(map, "analyte");
		map_open(&inner, map->to);
		map_text(&inner, "name", v->analyte);
		map_text(&inner, "cas", v->cas);
		map_close(&inner);
	}
}

static void put_uncertainty(struct map *map, const struct assay_variable *v)
{
	struct map inner;
	if (v->unc.kind == NULL)
		return;
	map_key(map, "unc");
	map_open(&inner, map->to);
	map_text(&inner, "kind", v->unc.kind);
	if (v->unc.k != 0)
		map_f64(&inner, "k", v->unc.k);
	if (v->unc.p != 0)
		map_f64(&inner, "p", v->unc.p);
	map_text(&inner, "src", v->unc.src != NULL ? v->unc.src : "driver");
	if (v->unc.value != 0)
		map_f64(&inner, "value", v->unc.value);
	map_close(&inner);
}

static void put_bits(struct map *map, const struct assay_variable *v)
{
	size_t known = 0;
	for (size_t i = 0; i < v->bit_count; i++)
		known += v->bits[i] != NULL;
	if (known == 0)
		return;
	map_key(map, "bits");
	encode_map(map->to, known);
	for (size_t i = 0; i < v->bit_count; i++) {
		if (v->bits[i] == NULL)
			continue;
		encode_uint(map->to, i);
		encode_text(map->to, v->bits[i]);
	}
}

static void put_variable(struct buffer *to, const struct assay_variable *v)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "name", v->name);
	map_text(&map, "role", assay_role_name((enum assay_var_role)v->role));
	map_text(&map, "of", v->of);
	size_t dims = 0;
	while (dims < ASSAY_DIMS_MAX && v->dims[dims] != NULL)
		dims++;
	map_key(&map, "dims");
	encode_array(to, dims);
	for (size_t i = 0; i < dims; i++)
		encode_text(to, v->dims[i]);
	map_text(&map, "unit", v->unit);
	put_terms(&map, v);
	map_text(&map, "basis", v->basis);
	map_text(&map, "channel", v->channel);
	map_text(&map, "label", v->label);
	put_bits(&map, v);
	put_uncertainty(&map, v);
	map_key(&map, "data");
	value_encode(to, v);
	map_close(&map);
}

static void add(struct assay_frame *handle, const struct assay_variable *given, size_t size)
{
	struct frame *frame = of(handle);
	const struct assay_variable own = value_adopt(given, size), *v = &own;
	if (frame->error != 0)
		return;
	if (!name_is_valid(string_of(v->name))) {
		fail(frame, -EINVAL, "variable %zu has no proper name", frame->var_count);
		return;
	}
	const char *what = complaint(v);
	if (what == NULL && frame->var_count == FRAME_VARS_MAX)
		what = "too many variables";
	if (what == NULL && is_known(frame, v))
		what = "another one has the same name, analyte, basis and channel";
	if (what != NULL) {
		fail(frame, -EINVAL, "variable '%s': %s", v->name, what);
		return;
	}
	frame->key_ends[frame->var_count++] = frame->keys.len;
	if (name_find(string_of(v->name)) == NULL)
		note_free_name(frame, v->name);
	put_variable(&frame->vars, v);
	if (frame->vars.failed || frame->keys.failed)
		fail(frame, -ENOMEM, "variable '%s': no memory, or past 16 MiB", v->name);
}

/* --- the rest of the services ----------------------------------------------------------------- */

static void set_kind(struct assay_frame *handle, enum assay_kind kind)
{
	if (assay_frame_kind_name((enum assay_frame_kind)kind) == NULL)
		fail(of(handle), -EINVAL, "no known kind of frame");
	else
		of(handle)->kind = kind;
}

static void set_partial(struct assay_frame *handle)
{
	of(handle)->partial = true;
}

static void add_setting(struct assay_frame *handle, const char *name,
	const struct assay_variable *given, size_t size)
{
	struct frame *frame = of(handle);
	const struct assay_variable own = value_adopt(given, size), *v = &own;
	const char *what = name_is_valid(string_of(name)) ? value_complaint(v) : "no proper name";
	if (what == NULL && v->type == ASSAY_LINEAR)
		what = "an axis is not a setting";
	if (what != NULL) {
		fail(frame, -EINVAL, "setting '%s': %s", name != NULL ? name : "", what);
		return;
	}
	encode_text(&frame->settings, name);
	value_encode_setting(&frame->settings, v);
	frame->setting_count++;
	if (frame->settings.failed)
		fail(frame, -ENOMEM, "setting '%s': no memory", name);
}

/* The bit of a reason; 0: unknown. */
static uint32_t reason_bit(const char *reason)
{
	const char *word, *meaning;
	for (unsigned i = 0; i < 32 && (word = quality_reason_at(i, &meaning)) != NULL; i++) {
		if (strcmp(word, reason) == 0)
			return UINT32_C(1) << i;
	}
	return 0;
}

void frame_lower(struct frame *frame, enum assay_quality flag, const char *reason)
{
	uint32_t bit = reason != NULL ? reason_bit(reason) : 0;
	assert(bit != 0 || (reason == NULL && flag == ASSAY_UNCHECKED));
	frame->reasons |= bit;
	if (flag > frame->quality)
		frame->quality = flag;
}

void frame_withdraw(struct frame *frame, const char *reason)
{
	frame->reasons &= ~reason_bit(reason);
}

static void lower_quality(struct assay_frame *handle, enum assay_quality flag, const char *reason)
{
	struct frame *frame = of(handle);
	bool is_flag = (flag >= ASSAY_GOOD && flag <= ASSAY_BAD) || flag == ASSAY_MISSING;
	if (!is_flag)
		fail(frame, -EINVAL, "%d is not a quality flag", (int)flag);
	else if (reason == NULL ? flag != ASSAY_UNCHECKED : reason_bit(reason) == 0)
		fail(frame, -EINVAL, "'%s' is not a reason of the list",
			reason != NULL ? reason : "NULL");
	else
		frame_lower(frame, flag, reason);
}

/* Times from instruments are often padded or broken: left out if they are not UTF-8. */
static void set_device_time(struct assay_frame *handle, const char *text)
{
	struct frame *frame = of(handle);
	if (text != NULL && value_is_text(text, FRAME_DEVICE_TIME))
		memcpy(frame->device_time, text, strlen(text) + 1);
}

static void set_span(struct assay_frame *handle, double seconds)
{
	if (!(seconds > 0 && seconds <= SPAN_MAX_S))
		fail(of(handle), -EINVAL, "its data took %g s: more than 0, at most %g", seconds,
			SPAN_MAX_S);
	else
		of(handle)->span = (uint64_t)(seconds * 1e9 + 0.5);
}

static void add_gap(struct assay_frame *handle, int64_t at, uint64_t count)
{
	struct frame *frame = of(handle);
	struct frame_gap *last = frame->gap_count > 0 ? &frame->gaps[frame->gap_count - 1] : NULL;
	if (at < -1 || (last != NULL && at <= last->at)) {
		fail(frame, -EINVAL, "a gap at element %" PRId64 ": not behind the one before", at);
		return;
	}
	if (count == 0)
		return;
	frame_lower(frame, ASSAY_SUSPECT, "driver-overrun");
	if (frame->gap_count < FRAME_GAPS_MAX)
		frame->gaps[frame->gap_count++] = (struct frame_gap){at, count};
	else
		last->count += count;
}

static void *scratch(struct assay_frame *handle, size_t size)
{
	struct frame *frame = of(handle);
	if (size <= SCRATCH_MAX)
		return arena_alloc(&frame->scratch, size);
	fail(frame, -ENOMEM, "%zu bytes of scratch memory were requested, there are %zu", size,
		(size_t)SCRATCH_MAX);
	return NULL;
}

void frame_services(struct assay_host *host)
{
	host->frame_kind = set_kind;
	host->frame_partial = set_partial;
	host->frame_add = add;
	host->frame_setting = add_setting;
	host->frame_quality = lower_quality;
	host->frame_device_time = set_device_time;
	host->frame_span = set_span;
	host->frame_gap = add_gap;
	host->frame_scratch = scratch;
}

/* --- the message ------------------------------------------------------------------------------ */

static void put_gaps(struct frame *frame, struct buffer *to)
{
	struct map map;
	encode_text(to, "gaps");
	encode_array(to, frame->gap_count);
	for (size_t i = 0; i < frame->gap_count; i++) {
		map_open(&map, to);
		if (frame->gaps[i].at >= 0)
			map_uint(&map, "at", (uint64_t)frame->gaps[i].at);
		map_uint(&map, "n", frame->gaps[i].count);
		map_close(&map);
	}
}

/* `kind` to `gaps` and the head of `vars`: how many pairs, that of `vars` included. */
static unsigned put_front(struct frame *frame, struct assay_span step)
{
	struct buffer *to = &frame->front;
	unsigned pairs = 2;
	encode_text(to, "kind");
	encode_text(to, assay_frame_kind_name((enum assay_frame_kind)frame->kind));
	if (step.len > 0) {
		encode_text(to, "step");
		encode_raw(to, step.data, step.len);
		pairs++;
	}
	if (frame->partial) {
		encode_text(to, "partial");
		encode_bool(to, true);
		pairs++;
	}
	if (frame->span > 0) {
		encode_text(to, "span");
		encode_uint(to, frame->span);
		pairs++;
	}
	if (frame->gap_count > 0) {
		put_gaps(frame, to);
		pairs++;
	}
	encode_text(to, "vars");
	encode_array(to, frame->var_count);
	return pairs;
}

/* True if decode() added this setting itself. */
static bool is_corrected(const struct frame *frame, struct assay_string name)
{
	struct reader r;
	struct assay_string key;
	read_init_pairs(&r, frame->settings.data, frame->settings.len, frame->setting_count);
	r.depth_max = SETTINGS_DEPTH;
	for (size_t i = 0; i < frame->setting_count && read_key(&r, &key) == 0; i++) {
		if (key.len == name.len && memcmp(key.data, name.data, key.len) == 0)
			return true;
		read_skip(&r);
	}
	return false;
}

/* The step's settings, except those that decode() corrects. */
static void put_step_settings(struct frame *frame, struct assay_span settings, struct map *map)
{
	struct reader r;
	size_t pairs = 0;
	read_init(&r, settings.data, settings.len);
	r.depth_max = SETTINGS_DEPTH;
	for (read_map(&r, &pairs); pairs > 0 && r.error == 0; pairs--) {
		struct assay_string name;
		struct assay_span value;
		if (read_key(&r, &name) < 0 || read_raw(&r, &value) < 0)
			break;
		if (is_corrected(frame, name))
			continue;
		encode_text_n(map->to, name.data, name.len);
		encode_raw(map->to, value.data, value.len);
		map->pairs++;
	}
}

/* `settings` and the head of `raw`. */
static unsigned put_middle(struct frame *frame, const struct frame_step *step, size_t raw_count)
{
	struct buffer *to = &frame->middle;
	unsigned pairs = 0;
	if (frame->setting_count > 0 || step->settings.len > 0) {
		struct map map;
		encode_text(to, "settings");
		map_open(&map, to);
		if (step->settings.len > 0)
			put_step_settings(frame, step->settings, &map);
		if (frame->setting_count > 0)
			map_pairs(&map, frame->settings.data, frame->settings.len,
				frame->setting_count);
		map_close(&map);
		pairs++;
	}
	if (raw_count > 0) {
		encode_text(to, "raw");
		encode_array(to, raw_count);
		pairs++;
	}
	return pairs;
}

static struct iovec piece(const void *data, size_t len)
{
	return (struct iovec){.iov_base = (void *)data, .iov_len = len};
}

static int put_head(struct frame *frame, unsigned unit, struct wire_frame *head,
	struct iovec pieces[FRAME_PIECES])
{
	size_t size = 0;
	for (int i = 1; i < FRAME_PIECES; i++)
		size += pieces[i].iov_len;
	if (size > ASSAY_RECORD_MAX) {
		fail(frame, -EMSGSIZE, "the frame is larger than a record may be");
		return frame->error;
	}
	head->quality = frame->quality;
	head->reasons = frame->reasons;
	head->dev = string_of(frame->device_time);
	head->part = (struct assay_span){NULL, size};
	wire_write_frame_head(&frame->head, unit, head);
	pieces[0] = piece(frame->head.data, frame->head.len);
	if (frame->head.failed || frame->front.failed || frame->middle.failed || frame->tail.failed)
		fail(frame, -ENOMEM, "no memory");
	return frame->error;
}

int frame_message(struct frame *frame, unsigned unit, const struct wire_frame *head,
	const struct frame_step *step, struct raw *raw, enum unit_raw keep,
	struct iovec pieces[FRAME_PIECES])
{
	size_t raw_count, raw_len;
	const uint8_t *raw_data;
	if (frame->kind == 0 || frame->var_count == 0)
		fail(frame, -EINVAL, "decode() set no kind or added no variable");
	if (frame->error != 0)
		return frame->error;
	int r = raw_encoded(raw, keep, &raw_count, &raw_data, &raw_len);
	if (r < 0) {
		fail(frame, r, "the raw blocks cannot be hashed");
		return r;
	}
	struct wire_frame whole = *head;
	whole.pairs = (uint16_t)(put_front(frame, step->step) + put_middle(frame, step, raw_count));
	if (step->sent.len > 0) {
		encode_text(&frame->tail, "x-sent");
		encode_raw(&frame->tail, step->sent.data, step->sent.len);
		whole.pairs++;
	}
	pieces[1] = piece(frame->front.data, frame->front.len);
	pieces[2] = piece(frame->vars.data, frame->vars.len);
	pieces[3] = piece(frame->middle.data, frame->middle.len);
	pieces[4] = piece(raw_data, raw_len);
	pieces[5] = piece(frame->tail.data, frame->tail.len);
	return put_head(frame, unit, &whole, pieces);
}
