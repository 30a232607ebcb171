/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#define VARIABLES_MAX (sizeof(((struct host_frame *)NULL)->vars) / sizeof(struct host_variable))

static const char *const reasons[] = {"saturated", "checksum-retry", "timeout", "truncated",
	"out-of-range", "no-background", "cal-expired", "cal-settings", "clock-unsynced",
	"clock-stepped", "interlock", "device-warning", "resumed", "driver-overrun",
	"no-calibration", "device-error", "maintenance", "below-detection", "not-ready",
	"malformed", "not-processed", "sample-mismatch", "not-decoded", "file-damaged",
	"scale-unverified"};

static struct host_frame *from(struct assay_frame *f)
{
	return (struct host_frame *)(void *)f;
}

static size_t element_size(enum assay_value type)
{
	switch (type) {
	case ASSAY_U8:
	case ASSAY_I8: return 1;
	case ASSAY_U16:
	case ASSAY_I16: return 2;
	case ASSAY_U32:
	case ASSAY_I32:
	case ASSAY_F32: return 4;
	case ASSAY_U64:
	case ASSAY_I64:
	case ASSAY_F64: return 8;
	default: return 0;
	}
}

static const char *const *copy_texts(struct host *h, const char *const *texts, size_t count)
{
	const char **copy = host_memory(h, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = host_text(h, texts[i]);
	return copy;
}

void host_variable_copy(
	struct host *h, struct host_variable *to, const struct assay_variable *v, const char *said)
{
	to->said = host_text(h, said);
	to->v = *v;
	to->v.name = host_text(h, v->name);
	to->v.of = host_text(h, v->of);
	to->v.unit = host_text(h, v->unit);
	to->v.analyte = host_text(h, v->analyte);
	to->v.cas = host_text(h, v->cas);
	to->v.basis = host_text(h, v->basis);
	to->v.channel = host_text(h, v->channel);
	to->v.label = host_text(h, v->label);
	to->v.text = host_text(h, v->text);
	for (int i = 0; i < ASSAY_DIMS_MAX; i++)
		to->v.dims[i] = host_text(h, v->dims[i]);
	if (element_size(v->type) > 0)
		to->v.data = host_copy(h, v->data, v->count * element_size(v->type));
	to->v.texts = copy_texts(h, v->texts, v->type == ASSAY_TEXTS ? v->count : 0);
	to->v.bits = copy_texts(h, v->bits, v->bit_count);
}

/* --- the rules of the format that a test can see at once --- */

static void refuse(struct host_frame *f, const char *name, const char *why)
{
	if (f->host->quiet)
		host_bug("variable '%s': %s", name != NULL ? name : "", why);
	host_fail(f->host, "variable '%s': %s", name != NULL ? name : "", why);
	f->failed = true;
}

static bool is_name(const char *s)
{
	size_t n = s != NULL ? strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
	return n > 0 && n <= 32 && s[n] == '\0' && s[0] >= 'a' && s[0] <= 'z';
}

static const struct assay_variable *find(const struct host_frame *f, const char *name)
{
	for (size_t i = 0; i < f->var_count; i++)
		if (strcmp(f->vars[i].v.name, name) == 0)
			return &f->vars[i].v;
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_twin(
	const struct assay_variable *a, const char *name, const struct assay_variable *b)
{
	return strcmp(a->name, name) == 0 && same(a->analyte, b->analyte) &&
	       same(a->basis, b->basis) && same(a->channel, b->channel);
}

/* The variable `name` with the analyte, basis and channel of `v`. */
static const struct assay_variable *find_twin(
	const struct host_frame *f, const char *name, const struct assay_variable *v)
{
	for (size_t i = 0; i < f->var_count; i++)
		if (is_twin(&f->vars[i].v, name, v))
			return &f->vars[i].v;
	return NULL;
}

static bool is_finite(const struct assay_variable *v)
{
	if (v->type == ASSAY_LINEAR)
		return v->start - v->start == 0 && v->step - v->step == 0;
	bool is_float = v->type == ASSAY_SCALAR_FLOAT || v->type == ASSAY_SCALAR_F32;
	return !is_float || v->real - v->real == 0;
}

/* Axes come before their variables; one dim has the axis' length, more have their product. */
static const char *check_shape(const struct host_frame *f, const struct assay_variable *v)
{
	size_t dims = 0, product = 1;
	bool array = element_size(v->type) > 0 || v->type == ASSAY_LINEAR || v->type == ASSAY_TEXTS;
	while (dims < ASSAY_DIMS_MAX && v->dims[dims] != NULL)
		dims++;
	if (array != (dims > 0))
		return array ? "an array without a dim" : "a scalar with a dim";
	if (v->role == ASSAY_AXIS && dims == 1 && strcmp(v->dims[0], v->name) == 0)
		return v->count > 0 ? NULL : "an empty axis";
	for (size_t i = 0; i < dims; i++) {
		const struct assay_variable *axis = find(f, v->dims[i]);
		if (axis == NULL)
			return "a dim without its axis";
		if (dims > 1 && v->shape[i] != axis->count)
			return "a shape that is not its axes'";
		product *= axis->count;
	}
	return array && product != v->count ? "another length than its axis" : NULL;
}

static const char *check(const struct host_frame *f, const struct assay_variable *v)
{
	if (!is_name(v->name))
		return "not a name";
	if (find_twin(f, v->name, v) != NULL)
		return "given twice";
	if (v->role < ASSAY_DATA || v->role > ASSAY_FLAGS)
		return "no role";
	if (v->unit == NULL || v->unit[0] == '\0')
		return "no unit";
	if (v->type < ASSAY_U8 || v->type > ASSAY_TEXTS || v->type == ASSAY_SCALAR_BOOL)
		return "no type";
	if (!is_finite(v))
		return "not finite";
	if (v->type == ASSAY_SCALAR_TEXT && v->text == NULL)
		return "no text";
	if (v->bit_count > (v->role == ASSAY_FLAGS ? 64 : 0))
		return "meanings of bits, but no flags";
	if ((v->role == ASSAY_UNCERTAINTY || v->role == ASSAY_FLAGS) != (v->of != NULL))
		return "needs an `of`, or must not have one";
	if (v->of != NULL && find_twin(f, v->of, v) == NULL)
		return "of a variable that is not there before it";
	return check_shape(f, v);
}

/* --- services --- */

static void frame_kind(struct assay_frame *frame, enum assay_kind kind)
{
	from(frame)->kind = kind;
}

static void frame_partial(struct assay_frame *frame)
{
	from(frame)->partial = true;
}

static void frame_add(struct assay_frame *frame, const struct assay_variable *v, size_t size)
{
	host_expect_size(size);
	struct host_frame *f = from(frame);
	const char *why = f->var_count < VARIABLES_MAX ? check(f, v) : "one too many";
	if (why != NULL)
		refuse(f, v->name, why);
	else
		host_variable_copy(f->host, &f->vars[f->var_count++], v, v->name);
}

static void frame_setting(
	struct assay_frame *frame, const char *name, const struct assay_variable *v, size_t size)
{
	host_expect_size(size);
	struct host_frame *f = from(frame);
	if (!is_name(name) || f->setting_count == VARIABLES_MAX || !is_finite(v))
		refuse(f, name, "not a setting");
	else
		host_variable_copy(f->host, &f->settings[f->setting_count++], v, name);
}

static void frame_quality(struct assay_frame *frame, enum assay_quality flag, const char *reason)
{
	struct host_frame *f = from(frame);
	size_t known = 0;
	if (reason == NULL && flag == ASSAY_UNCHECKED) {
		f->flag = flag > f->flag ? flag : f->flag;
		return;
	}
	while (known < sizeof(reasons) / sizeof(*reasons) && strcmp(reasons[known], reason) != 0)
		known++;
	if (known == sizeof(reasons) / sizeof(*reasons))
		host_bug("'%s' is not a reason of the closed list", reason);
	f->flag = flag > f->flag ? flag : f->flag;
	for (size_t i = 0; i < f->reason_count; i++)
		if (strcmp(f->reasons[i], reason) == 0)
			return;
	f->reasons[f->reason_count++] = reasons[known];
}

static void frame_device_time(struct assay_frame *frame, const char *text)
{
	from(frame)->device_time = host_text(from(frame)->host, text);
}

static void frame_span(struct assay_frame *frame, double seconds)
{
	if (!(seconds > 0))
		refuse(from(frame), "span", "not above 0");
	from(frame)->span = seconds;
}

static void frame_gap(struct assay_frame *frame, int64_t at, uint64_t count)
{
	struct host_frame *f = from(frame);
	if (at < -1 || (f->gaps > 0 && at <= f->last_gap))
		refuse(f, "gap", "not behind the one before");
	if (count == 0)
		return;
	f->gaps++;
	f->last_gap = at;
	f->lost += count;
	frame_quality(frame, ASSAY_SUSPECT, "driver-overrun");
}

static void *frame_scratch(struct assay_frame *frame, size_t size)
{
	return host_memory(from(frame)->host, size);
}

void host_frame_services(struct assay_host *services)
{
	services->frame_kind = frame_kind;
	services->frame_partial = frame_partial;
	services->frame_add = frame_add;
	services->frame_setting = frame_setting;
	services->frame_quality = frame_quality;
	services->frame_device_time = frame_device_time;
	services->frame_span = frame_span;
	services->frame_gap = frame_gap;
	services->frame_scratch = frame_scratch;
}

/* --- comparing --- */

static bool is_equal_texts(const char *const *a, const char *const *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!same(a[i], b[i]))
			return false;
	return true;
}

static bool is_equal_number(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool is_equal(const struct host_variable *a, const struct host_variable *b)
{
	const struct assay_variable *v = &a->v, *w = &b->v;
	return strcmp(a->said, b->said) == 0 && same(v->name, w->name) && v->role == w->role &&
	       same(v->of, w->of) && same(v->unit, w->unit) && same(v->analyte, w->analyte) &&
	       same(v->cas, w->cas) && same(v->basis, w->basis) && same(v->channel, w->channel) &&
	       same(v->label, w->label) && same(v->text, w->text) && v->type == w->type &&
	       is_equal_texts(v->dims, w->dims, ASSAY_DIMS_MAX) &&
	       memcmp(v->shape, w->shape, sizeof(v->shape)) == 0 &&
	       same(v->unc.kind, w->unc.kind) && same(v->unc.src, w->unc.src) &&
	       is_equal_number(v->unc.k, w->unc.k) && is_equal_number(v->unc.p, w->unc.p) &&
	       is_equal_number(v->unc.value, w->unc.value) && v->count == w->count &&
	       is_equal_number(v->start, w->start) && is_equal_number(v->step, w->step) &&
	       v->integer == w->integer && is_equal_number(v->real, w->real) &&
	       v->bit_count == w->bit_count && is_equal_texts(v->bits, w->bits, v->bit_count) &&
	       (v->type != ASSAY_TEXTS || is_equal_texts(v->texts, w->texts, v->count)) &&
	       (element_size(v->type) == 0 ||
		       memcmp(v->data, w->data, v->count * element_size(v->type)) == 0);
}

bool host_frame_is_equal(const struct host_frame *a, const struct host_frame *b)
{
	bool is_same = a->kind == b->kind && a->partial == b->partial && a->flag == b->flag &&
		       a->failed == b->failed && a->reason_count == b->reason_count &&
		       is_equal_texts(a->reasons, b->reasons, a->reason_count) &&
		       same(a->device_time, b->device_time) && is_equal_number(a->span, b->span) &&
		       a->gaps == b->gaps && a->last_gap == b->last_gap && a->lost == b->lost &&
		       a->var_count == b->var_count && a->setting_count == b->setting_count;
	for (size_t i = 0; is_same && i < a->var_count; i++)
		is_same = is_equal(&a->vars[i], &b->vars[i]);
	for (size_t i = 0; is_same && i < a->setting_count; i++)
		is_same = is_equal(&a->settings[i], &b->settings[i]);
	return is_same;
}

/* --- finding --- */

static const struct assay_variable *find_said(
	const struct host_variable *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].said, name) == 0)
			return &list[i].v;
	return NULL;
}

const struct assay_variable *host_find(const struct host *h, const char *name)
{
	return find(&h->frame, name);
}

const struct assay_variable *host_find_of(
	const struct host *h, const char *name, const char *analyte)
{
	for (size_t i = 0; i < h->frame.var_count; i++) {
		const struct assay_variable *v = &h->frame.vars[i].v;
		if (strcmp(v->name, name) == 0 && same(v->analyte, analyte))
			return v;
	}
	return NULL;
}

const struct assay_variable *host_report(const struct host *h, const char *name)
{
	return find_said(h->reports, h->report_count, name);
}

const struct assay_variable *host_progress(const struct host *h, const char *name)
{
	return find_said(h->progress, h->progress_count, name);
}

bool host_has_reason(const struct host *h, const char *reason)
{
	for (size_t i = 0; i < h->frame.reason_count; i++)
		if (strcmp(h->frame.reasons[i], reason) == 0)
			return true;
	return false;
}

double host_element(const struct assay_variable *v, size_t i)
{
	if (v == NULL)
		host_bug("no such variable");
	switch (v->type) {
	case ASSAY_SCALAR_INT:
	case ASSAY_SCALAR_BOOL: return (double)v->integer;
	case ASSAY_SCALAR_F32:
	case ASSAY_SCALAR_FLOAT: return v->real;
	case ASSAY_SCALAR_TEXT: host_bug("'%s' is a text", v->name);
	default: break;
	}
	if (i >= v->count)
		host_bug("'%s' has %zu elements, not %zu", v->name, v->count, i + 1);
	switch (v->type) {
	case ASSAY_U8: return ((const uint8_t *)v->data)[i];
	case ASSAY_U16: return ((const uint16_t *)v->data)[i];
	case ASSAY_U32: return ((const uint32_t *)v->data)[i];
	case ASSAY_U64: return (double)((const uint64_t *)v->data)[i];
	case ASSAY_I8: return ((const int8_t *)v->data)[i];
	case ASSAY_I16: return ((const int16_t *)v->data)[i];
	case ASSAY_I32: return ((const int32_t *)v->data)[i];
	case ASSAY_I64: return (double)((const int64_t *)v->data)[i];
	case ASSAY_F32: return (double)((const float *)v->data)[i];
	case ASSAY_F64: return ((const double *)v->data)[i];
	default: return v->start + v->step * (double)i;
	}
}
