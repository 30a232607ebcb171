/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "record/element.h"
#include "record/format.h"
#include "record/names.h"
#include "record/quality.h"
#include "record/rules.h"
#include "record/topic.h"

#define NONE       SCHEMA_KEEP_NONE
#define IN(member) offsetof(struct assay_record_view, member)
#define AT(member) offsetof(struct assay_frame_view, member)
#define OF(member) offsetof(struct assay_var_view, member)

#define MUST(key, type, keep)                              \
	{                                                  \
		key, sizeof(key) - 1, false, keep, &(type) \
	}
#define MAY(key, type, keep)                              \
	{                                                 \
		key, sizeof(key) - 1, true, keep, &(type) \
	}
#define KEYS(list) .keys = (list), .count = sizeof(list) / sizeof((list)[0])

/* --- texts ---------------------------------------------------------------------------------- */

static bool is_not_empty(struct assay_string text)
{
	return text.len > 0;
}

/* An ontology's prefix, a colon, digits: "CHMO:0000307", "MS:1000515". */
static bool is_term(struct assay_string text)
{
	size_t at = 0;
	while (at < text.len && text.data[at] >= 'A' && text.data[at] <= 'Z')
		at++;
	size_t colon = at;
	if (colon == 0 || at == text.len || text.data[at++] != ':' || at == text.len)
		return false;
	while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
		at++;
	return at == text.len;
}

static bool is_reason(struct assay_string text)
{
	return quality_reason(text) != NULL ||
	       (text.len > 2 && memcmp(text.data, "x-", 2) == 0 && token_is_valid(text));
}

static bool is_quality_name(struct assay_string word)
{
	for (int i = ASSAY_QUALITY_GOOD; i <= ASSAY_QUALITY_MISSING; i++) {
		const char *known = assay_quality_name((enum assay_quality_flag)i);
		if (known != NULL && assay_string_is(word, known))
			return true;
	}
	return false;
}

static size_t count_digits(struct assay_string text, size_t at)
{
	size_t n = 0;
	while (at + n < text.len && text.data[at + n] >= '0' && text.data[at + n] <= '9')
		n++;
	return n;
}

/* <node>/<instrument>/<yyyymmdd>-<nnn> */
static bool is_run_number(struct assay_string text)
{
	size_t at = 0;
	for (int i = 0; i < 2; i++) {
		const char *slash = memchr(text.data + at, '/', text.len - at);
		if (slash == NULL)
			return false;
		struct assay_string token = {text.data + at, (size_t)(slash - text.data) - at};
		if (!token_is_valid(token))
			return false;
		at += token.len + 1;
	}
	if (count_digits(text, at) != 8 || at + 8 >= text.len || text.data[at + 8] != '-')
		return false;
	size_t digits = count_digits(text, at + 9);
	return digits >= 3 && at + 9 + digits == text.len;
}

#define PLAIN(name_, kind_) static const struct schema_type name_ = {.kind = kind_}
PLAIN(any, SCHEMA_ANY);
PLAIN(bits, SCHEMA_BITS);
PLAIN(boolean, SCHEMA_BOOL);
PLAIN(bytes, SCHEMA_BYTES);
PLAIN(natural, SCHEMA_UINT);
PLAIN(number, SCHEMA_NUMBER);
PLAIN(real, SCHEMA_FLOAT);
PLAIN(text, SCHEMA_TEXT);
PLAIN(unit, SCHEMA_UNIT);

static const struct schema_type any_unit = {.kind = SCHEMA_UNIT, .of_any_technique = true};

#define FIXED(name_, size_) \
	static const struct schema_type name_ = {.kind = SCHEMA_FIXED, .size = size_}
FIXED(sha256, ASSAY_SHA256_SIZE);
FIXED(uuid, ASSAY_UUID_SIZE);

#define FITTING(name_, fits_, expected_)          \
	static const struct schema_type name_ = { \
		.kind = SCHEMA_TEXT, .fits = fits_, .expected = expected_}
FITTING(cas, cas_is_valid, "a CAS number with its check digit");
FITTING(filled, is_not_empty, "a text that is not empty");
FITTING(name, name_is_valid, "a name [a-z][a-z0-9_]{0,31}");
FITTING(token, token_is_valid, "a token [a-z0-9-]{1,32}");
FITTING(term_id, is_term, "a term such as MS:1000515");
FITTING(reason, is_reason, "a reason of the list, or x-...");
FITTING(run_number, is_run_number, "<node>/<instrument>/<yyyymmdd>-<nnn>");

#define WORD(name_) \
	static const struct schema_type name_ = {.kind = SCHEMA_WORD, .words = &words_##name_}
#define WORD_KEPT_AS_TEXT(name_)                  \
	static const struct schema_type name_ = { \
		.kind = SCHEMA_WORD, .words = &words_##name_, .keep_text = true}

WORD(frame_kind);
WORD(role);
WORD(sync);
WORD(ref_kind);
WORD(sample_type);
WORD(entry_way);
WORD(auth_way);
WORD(unc_kind);
WORD(unc_source);
WORD_KEPT_AS_TEXT(id_source);
WORD_KEPT_AS_TEXT(run_mode);
WORD_KEPT_AS_TEXT(run_status);
WORD_KEPT_AS_TEXT(device_state);

/* --- parts ---------------------------------------------------------------------------------- */

static int read_version(struct schema_walk *walk, void *into)
{
	uint64_t version;
	size_t at = walk->r->at;
	if (read_uint(walk->r, &version) < 0 || version == 1)
		return walk->r->error;
	schema_fail(walk, at, "version %llu where 1 was expected", (unsigned long long)version);
	return walk->r->error = -EOPNOTSUPP;
}
static const struct schema_type version = {.kind = SCHEMA_CUSTOM, .read = read_version};

static const struct schema_key stamp_keys[] = {
	MUST("utc", natural, offsetof(struct assay_stamp, utc)),
	MAY("mono", natural, offsetof(struct assay_stamp, mono)),
	MUST("sync", sync, offsetof(struct assay_stamp, sync)),
	MAY("unc", natural, offsetof(struct assay_stamp, unc)),
	MAY("dev", text, offsetof(struct assay_stamp, dev)),
};
static const struct schema_map stamp_map = {KEYS(stamp_keys)};
static const struct schema_type stamp = {.kind = SCHEMA_MAP, .map = &stamp_map};

#define INST(when)                                                           \
	MUST("key", token, offsetof(struct assay_inst, key)),                \
		when("make", text, offsetof(struct assay_inst, make)),       \
		when("model", text, offsetof(struct assay_inst, model)),     \
		when("serial", filled, offsetof(struct assay_inst, serial)), \
		MAY("fw", text, offsetof(struct assay_inst, fw)),            \
		MAY("asset", text, offsetof(struct assay_inst, asset)),      \
		MUST("source", id_source, offsetof(struct assay_inst, source))

/* In run-start and frame an instrument has a make, a model and a serial. */
static const struct schema_key inst_keys[] = {INST(MAY)};
static const struct schema_key whole_inst_keys[] = {INST(MUST)};
static const struct schema_map inst_map = {KEYS(inst_keys)};
static const struct schema_map whole_inst_map = {KEYS(whole_inst_keys)};
static const struct schema_type inst = {.kind = SCHEMA_MAP, .map = &inst_map};
static const struct schema_type whole_inst = {.kind = SCHEMA_MAP, .map = &whole_inst_map};
static const struct schema_type inst_list = {.kind = SCHEMA_LIST, .item = &inst};

/* Of a term, method, sample, person or actor a view keeps the id. */
static const struct schema_key term_keys[] = {
	MUST("id", term_id, 0),
	MAY("name", text, NONE),
};
static const struct schema_map term_map = {KEYS(term_keys)};
static const struct schema_type term = {.kind = SCHEMA_MAP, .map = &term_map};

static const struct schema_key software_keys[] = {
	MUST("name", filled, NONE),
	MUST("version", filled, NONE),
	MAY("sha256", sha256, NONE),
};
static const struct schema_map software_map = {KEYS(software_keys)};
static const struct schema_type software = {.kind = SCHEMA_MAP, .map = &software_map};

static const struct schema_key method_keys[] = {
	MUST("id", filled, 0),
	MAY("version", text, NONE),
	MAY("sha256", sha256, NONE),
};
static const struct schema_map method_map = {KEYS(method_keys)};
static const struct schema_type method = {.kind = SCHEMA_MAP, .map = &method_map};

static const struct schema_key run_ref_keys[] = {
	MUST("rel", ref_kind, NONE),
	MUST("run", uuid, NONE),
	MAY("ctx", sha256, NONE),
};
static const struct schema_map run_ref_map = {KEYS(run_ref_keys)};
static const struct schema_type run_ref = {.kind = SCHEMA_MAP, .map = &run_ref_map};
static const struct schema_type run_refs = {.kind = SCHEMA_LIST, .item = &run_ref};

static const struct schema_key batch_keys[] = {
	MUST("id", filled, NONE),
	MUST("i", natural, offsetof(struct portion, i)),
	MAY("of", natural, offsetof(struct portion, of)),
};
static const struct schema_map batch_map = {
	KEYS(batch_keys), .size = sizeof(struct portion), .rule = rule_portion};
static const struct schema_type batch = {.kind = SCHEMA_MAP, .map = &batch_map};

static const struct schema_key part_keys[] = {
	MUST("i", natural, offsetof(struct portion, i)),
	MUST("of", natural, offsetof(struct portion, of)),
};
static const struct schema_map part_map = {
	KEYS(part_keys), .size = sizeof(struct portion), .rule = rule_portion};
static const struct schema_type part = {.kind = SCHEMA_MAP, .map = &part_map};

static const struct schema_key sample_keys[] = {
	MUST("id", filled, 0),
	MAY("type", sample_type, NONE),
	MAY("entered", entry_way, NONE),
	MAY("scheme", text, NONE),
	MAY("container", text, NONE),
	MAY("position", text, NONE),
	MAY("replicate", natural, NONE),
	MAY("aliquot", text, NONE),
	MAY("lot", text, NONE),
	MAY("request", text, NONE),
	MAY("hs_declared", text, NONE),
	MAY("goods", text, NONE),
};
static const struct schema_map sample_map = {KEYS(sample_keys)};
static const struct schema_type sample = {.kind = SCHEMA_MAP, .map = &sample_map};

static const struct schema_key person_keys[] = {
	MUST("id", filled, 0),
	MAY("auth", auth_way, NONE),
};
static const struct schema_map person_map = {KEYS(person_keys)};
static const struct schema_type person = {.kind = SCHEMA_MAP, .map = &person_map};

static const struct schema_key actor_keys[] = {
	MUST("id", filled, 0),
	MUST("auth", auth_way, NONE),
	MUST("via", filled, NONE),
};
static const struct schema_map actor_map = {KEYS(actor_keys)};
static const struct schema_type actor = {.kind = SCHEMA_MAP, .map = &actor_map};

static const struct schema_key calibration_keys[] = {
	MUST("id", filled, NONE),
	MAY("kind", term, NONE),
	MAY("from", natural, NONE),
	MAY("to", natural, NONE),
	MAY("sha256", sha256, NONE),
};
static const struct schema_map calibration_map = {KEYS(calibration_keys)};
static const struct schema_type calibration = {.kind = SCHEMA_MAP, .map = &calibration_map};
static const struct schema_type calibrations = {.kind = SCHEMA_LIST, .item = &calibration};

static const struct schema_key uncertainty_keys[] = {
	MUST("kind", unc_kind, NONE),
	MAY("k", real, NONE),
	MAY("p", real, NONE),
	MUST("src", unc_source, NONE),
	MAY("value", real, NONE),
};
static const struct schema_map uncertainty_map = {KEYS(uncertainty_keys)};
static const struct schema_type uncertainty = {.kind = SCHEMA_MAP, .map = &uncertainty_map};

static const struct schema_key quantity_keys[] = {
	MUST("v", number, NONE),
	MUST("u", any_unit, NONE),
	MAY("unc", uncertainty, NONE),
};
static const struct schema_map quantity_map = {KEYS(quantity_keys)};
static const struct schema_type quantity = {.kind = SCHEMA_MAP, .map = &quantity_map};
static const struct schema_type quantities = {
	.kind = SCHEMA_DICT, .item = &quantity, .fits = name_is_valid, .expected = "a name"};

static int read_setting(struct schema_walk *walk, void *into);
static const struct schema_type setting = {.kind = SCHEMA_CUSTOM, .read = read_setting};
static const struct schema_type setting_list = {.kind = SCHEMA_LIST, .item = &setting};
static const struct schema_type settings = {
	.kind = SCHEMA_DICT, .item = &setting, .fits = name_is_valid, .expected = "a name"};

static int read_setting(struct schema_walk *walk, void *into)
{
	switch (read_peek(walk->r)) {
	case READ_MAP: return schema_read(walk, &quantity, NULL);
	case READ_ARRAY: return schema_read(walk, &setting_list, NULL);
	case READ_TEXT: return schema_read(walk, &text, NULL);
	case READ_BOOL: return schema_read(walk, &boolean, NULL);
	default: return schema_read(walk, &number, NULL);
	}
}

/* --- variables ------------------------------------------------------------------------------ */

static int read_dims(struct schema_walk *walk, void *into)
{
	struct assay_var_view *var = into;
	size_t at = walk->r->at;
	if (read_array(walk->r, &var->dims_count) < 0)
		return walk->r->error;
	if (var->dims_count > ASSAY_DIMS_MAX)
		return schema_fail(walk, at, "%zu dimensions where at most %d were expected",
			var->dims_count, ASSAY_DIMS_MAX);
	for (size_t i = 0; i < var->dims_count; i++)
		if (schema_read(walk, &name, &var->dims[i]) < 0)
			return schema_fail_at(walk, i);
	return 0;
}
static const struct schema_type dims = {.kind = SCHEMA_CUSTOM, .read = read_dims};

static int read_texts(struct schema_walk *walk, struct assay_var_view *var)
{
	size_t at = walk->r->at, items;
	var->form = ASSAY_FORM_TEXTS;
	if (read_array(walk->r, &items) < 0)
		return walk->r->error;
	if (items == 0)
		return schema_fail(walk, at, "an empty list where texts were expected");
	for (size_t i = 0; i < items; i++)
		if (schema_read(walk, &text, NULL) < 0)
			return schema_fail_at(walk, i);
	var->count = items;
	var->data = (struct assay_span){walk->r->data + at, walk->r->at - at};
	return 0;
}

static int read_numbers(struct schema_walk *walk, struct assay_var_view *var)
{
	size_t shape_count;
	if (read_nd(walk->r, var->shape, &shape_count, &var->element, &var->data) < 0)
		return walk->r->error;
	var->form = shape_count > 0 ? ASSAY_FORM_ND : ASSAY_FORM_ARRAY;
	var->count = var->data.len / assay_element_size(var->element);
	size_t at = (size_t)(var->data.data - walk->r->data);
	if (shape_count > 0 && shape_count != var->dims_count)
		return schema_fail(walk, at, "an array of %zu dimensions where dims names %zu",
			shape_count, var->dims_count);
	return 0;
}

struct linear {
	double start, step;
	uint64_t n;
};
static const struct schema_key linear_keys[] = {
	MUST("start", real, offsetof(struct linear, start)),
	MUST("step", real, offsetof(struct linear, step)),
	MUST("n", natural, offsetof(struct linear, n)),
};
static const struct schema_map linear_map = {KEYS(linear_keys)};

static int read_linear(struct schema_walk *walk, struct assay_var_view *var)
{
	struct linear linear = {0};
	size_t at = walk->r->at;
	if (schema_read_map(walk, &linear_map, &linear) < 0)
		return walk->r->error;
	if (linear.n > ASSAY_RECORD_MAX)
		return schema_fail(walk, at, "%llu points, more than a record could hold",
			(unsigned long long)linear.n);
	var->form = ASSAY_FORM_LINEAR;
	var->start = linear.start;
	var->step = linear.step;
	var->count = linear.n;
	return 0;
}

static int read_integer(struct schema_walk *walk, struct assay_var_view *var)
{
	if (read_peek(walk->r) == READ_NEGINT) {
		var->form = ASSAY_FORM_INT;
		return read_int(walk->r, &var->i);
	}
	if (read_uint(walk->r, &var->u) < 0)
		return walk->r->error;
	var->form = var->u > INT64_MAX ? ASSAY_FORM_UINT : ASSAY_FORM_INT;
	if (var->form == ASSAY_FORM_INT) {
		var->i = (int64_t)var->u;
		var->u = 0;
	}
	return 0;
}

static int read_values(struct schema_walk *walk, void *into)
{
	struct assay_var_view *var = into;
	var->count = 1;
	switch (read_peek(walk->r)) {
	case READ_TAG: return read_numbers(walk, var);
	case READ_MAP: return read_linear(walk, var);
	case READ_ARRAY: return read_texts(walk, var);
	case READ_TEXT: var->form = ASSAY_FORM_TEXT; return schema_read(walk, &text, &var->text);
	case READ_FLOAT32:
	case READ_FLOAT64:
		var->form = ASSAY_FORM_FLOAT;
		var->element = read_peek(walk->r) == READ_FLOAT32 ? ASSAY_ELEMENT_F32
								  : ASSAY_ELEMENT_F64;
		return read_float(walk->r, &var->f);
	default: return read_integer(walk, var);
	}
}
static const struct schema_type values = {.kind = SCHEMA_CUSTOM, .read = read_values};

static_assert(OF(cas) == OF(analyte) + sizeof(struct assay_string), "kept as one map");
static const struct schema_key analyte_keys[] = {
	MUST("name", filled, 0),
	MAY("cas", cas, sizeof(struct assay_string)),
};
static const struct schema_map analyte_map = {KEYS(analyte_keys)};
static const struct schema_type analyte = {.kind = SCHEMA_MAP, .map = &analyte_map};

static const struct schema_key variable_keys[] = {
	MUST("name", name, OF(name)),
	MUST("role", role, OF(role)),
	MAY("of", name, OF(of)),
	MUST("dims", dims, 0),
	MUST("unit", unit, OF(unit)),
	MAY("qty", term, OF(qty)),
	MAY("analyte", analyte, OF(analyte)),
	MAY("basis", text, OF(basis)),
	MAY("channel", filled, OF(channel)),
	MAY("label", text, OF(label)),
	MAY("bits", bits, NONE),
	MAY("unc", uncertainty, NONE),
	MUST("data", values, 0),
};
const struct schema_map format_variable = {KEYS(variable_keys), .rule = rule_variable};

/* The lenient walk leaves the variables to assay_frame_next(). */
static int read_vars(struct schema_walk *walk, void *into)
{
	static const struct schema_type list = {.kind = SCHEMA_LIST};
	if (!walk->strict)
		return schema_read(walk, &list, into);
	struct format_vars *vars = walk->context;
	size_t at = walk->r->at;
	if (read_array(walk->r, &vars->count) < 0)
		return walk->r->error;
	if (vars->count < 1 || vars->count > ASSAY_VARS_MAX)
		return schema_fail(walk, at, "%zu variables where 1 to %d were expected",
			vars->count, ASSAY_VARS_MAX);
	for (size_t i = 0; i < vars->count; i++) {
		memset(&vars->var[i], 0, sizeof vars->var[i]);
		if (schema_read_map(walk, &format_variable, &vars->var[i]) < 0)
			return schema_fail_at(walk, i);
	}
	return 0;
}
static const struct schema_type vars = {.kind = SCHEMA_CUSTOM, .read = read_vars};

/* --- frames --------------------------------------------------------------------------------- */

static int read_flag(struct schema_walk *walk, void *into)
{
	size_t at = walk->r->at;
	uint64_t flag;
	if (read_uint(walk->r, &flag) < 0)
		return walk->r->error;
	if (walk->strict && (flag > 9 || assay_quality_name((enum assay_quality_flag)flag) == NULL))
		return schema_fail(walk, at, "flag %llu where 1, 2, 3, 4 or 9 was expected",
			(unsigned long long)flag);
	if (into != NULL)
		*(enum assay_quality_flag *)into = (enum assay_quality_flag)(flag <= 9 ? flag : 0);
	return 0;
}
static const struct schema_type flag = {.kind = SCHEMA_CUSTOM, .read = read_flag};
static const struct schema_type reasons = {.kind = SCHEMA_LIST, .item = &reason};

/* These two keep into the frame's view itself. */
static const struct schema_key quality_keys[] = {
	MUST("flag", flag, AT(quality)),
	MAY("why", reasons, AT(why)),
	MAY("retries", natural, AT(retries)),
	MAY("dropped", natural, AT(dropped)),
};
static const struct schema_map quality_map = {KEYS(quality_keys)};
static const struct schema_type quality = {.kind = SCHEMA_MAP, .map = &quality_map};

static int rule_step(struct schema_walk *walk, const void *kept)
{
	const struct assay_frame_view *frame = kept;
	return rule_portion(walk, &(struct portion){frame->step, frame->steps});
}
static const struct schema_key step_keys[] = {
	MUST("i", natural, AT(step)),
	MUST("of", natural, AT(steps)),
	MUST("name", text, AT(step_name)),
};
static const struct schema_map step_map = {KEYS(step_keys), .rule = rule_step};
static const struct schema_type step = {.kind = SCHEMA_MAP, .map = &step_map};

static const struct schema_key raw_block_keys[] = {
	MUST("media", filled, NONE),
	MUST("size", natural, offsetof(struct raw_block, size)),
	MAY("sha256", sha256, offsetof(struct raw_block, sha256)),
	MAY("data", bytes, offsetof(struct raw_block, data)),
	MAY("name", text, NONE),
	MAY("part", part, NONE),
};
static const struct schema_map raw_block_map = {
	KEYS(raw_block_keys), .size = sizeof(struct raw_block), .rule = rule_raw_block};
static const struct schema_type raw_block = {.kind = SCHEMA_MAP, .map = &raw_block_map};
static const struct schema_type raw_blocks = {.kind = SCHEMA_LIST, .item = &raw_block};

struct gap {
	uint64_t n;
};
static int rule_gap(struct schema_walk *walk, const void *kept)
{
	const struct gap *gap = kept;
	return gap->n > 0 ? 0 : schema_fail(walk, walk->r->at, "a gap without a lost sample");
}
static const struct schema_key gap_keys[] = {
	MAY("at", natural, NONE),
	MUST("n", natural, offsetof(struct gap, n)),
};
static const struct schema_map gap_map = {
	KEYS(gap_keys), .size = sizeof(struct gap), .rule = rule_gap};
static const struct schema_type gap = {.kind = SCHEMA_MAP, .map = &gap_map};
static const struct schema_type gaps = {.kind = SCHEMA_LIST, .item = &gap};

#define BASE(inst_type)                                                              \
	MUST("v", version, NONE), MUST("id", uuid, IN(id)), MUST("t", stamp, IN(t)), \
		MUST("inst", inst_type, IN(inst))

static const struct schema_key frame_keys[] = {
	BASE(whole_inst),
	MUST("run", uuid, IN(run)),
	MUST("ctx", sha256, IN(ctx)),
	MUST("n", natural, IN(n)),
	MUST("sim", boolean, IN(sim)),
	MUST("q", quality, 0),
	MUST("kind", frame_kind, AT(kind)),
	MAY("step", step, 0),
	MAY("partial", boolean, AT(partial)),
	MAY("span", natural, NONE),
	MAY("gaps", gaps, NONE),
	MUST("vars", vars, AT(vars)),
	MAY("settings", settings, IN(settings)),
	MAY("raw", raw_blocks, AT(raw)),
};
static_assert(AT(record) == 0, "a frame's view begins with the record's");
static const struct schema_map frame = {KEYS(frame_keys), .extensible = true, .rule = rule_frame};
const size_t format_frame_part = 9;

/* --- the other records ---------------------------------------------------------------------- */

static const struct schema_key run_start_keys[] = {
	BASE(whole_inst),
	MUST("run", uuid, IN(run)),
	MUST("number", run_number, IN(number)),
	MUST("technique", term, IN(technique)),
	MUST("sim", boolean, IN(sim)),
	MUST("mode", run_mode, IN(mode)),
	MUST("driver", software, NONE),
	MUST("core", software, NONE),
	MAY("vendor_sw", software, NONE),
	MUST("config", sha256, IN(config)),
	MUST("sync", filled, IN(sync)),
	MUST("sample", sample, IN(sample)),
	MUST("operator", person, IN(person)),
	MAY("method", method, IN(method)),
	MAY("refs", run_refs, IN(refs)),
	MAY("batch", batch, NONE),
	MAY("cal", calibrations, NONE),
	MAY("parts", inst_list, NONE),
	MAY("settings", settings, IN(settings)),
	MAY("setup", settings, IN(setup)),
	MAY("env", quantities, NONE),
};
static const struct schema_map run_start = {KEYS(run_start_keys), .extensible = true};

static const struct schema_type flag_counts = {.kind = SCHEMA_DICT,
	.item = &natural,
	.fits = is_quality_name,
	.expected = "good, unchecked, suspect, bad or missing"};
static const struct schema_type reason_counts = {.kind = SCHEMA_DICT,
	.item = &natural,
	.fits = is_reason,
	.expected = "a reason of the list, or x-..."};
static const struct schema_key quality_counts_keys[] = {
	MUST("flags", flag_counts, NONE),
	MAY("why", reason_counts, NONE),
};
static const struct schema_map quality_counts_map = {KEYS(quality_counts_keys)};
static const struct schema_type quality_counts = {.kind = SCHEMA_MAP, .map = &quality_counts_map};

static const struct schema_key run_end_keys[] = {
	BASE(inst),
	MUST("run", uuid, IN(run)),
	MUST("frames", natural, IN(frames)),
	MUST("status", run_status, IN(status)),
	MAY("why", text, IN(why)),
	MAY("actor", actor, IN(actor)),
	MUST("digest", sha256, IN(digest)),
	MAY("quality", quality_counts, NONE),
};
static const struct schema_map run_end = {KEYS(run_end_keys), .extensible = true};

static const struct schema_type anything = {.kind = SCHEMA_DICT,
	.item = &any,
	.fits = is_not_empty,
	.expected = "a text that is not empty"};

static const struct schema_key amend_keys[] = {
	BASE(inst),
	MUST("run", uuid, IN(run)),
	MUST("ctx", sha256, IN(ctx)),
	MUST("actor", actor, IN(actor)),
	MUST("reason", filled, IN(reason)),
	MUST("set", anything, IN(set)),
	MUST("was", anything, IN(was)),
};
static const struct schema_map amend = {KEYS(amend_keys), .extensible = true};

static const struct schema_key state_keys[] = {
	BASE(inst),
	MUST("sim", boolean, IN(sim)),
	MUST("state", device_state, IN(state)),
	MAY("code", text, IN(code)),
	MAY("text", text, IN(text)),
	MAY("values", quantities, IN(values)),
};
static const struct schema_map state = {KEYS(state_keys), .extensible = true};

static const struct schema_key audit_keys[] = {
	MUST("v", version, NONE),
	MUST("id", uuid, IN(id)),
	MUST("t", stamp, IN(t)),
	MUST("event", filled, IN(event)),
	MUST("actor", actor, IN(actor)),
	MAY("before", any, NONE),
	MAY("after", any, NONE),
	MAY("reason", text, IN(reason)),
};
static const struct schema_map audit = {KEYS(audit_keys), .extensible = true};

static const struct schema_key seal_keys[] = {
	MUST("v", version, NONE),
	MUST("size", natural, IN(size)),
	MUST("root", sha256, NONE),
	MUST("note", filled, IN(note)),
};
static const struct schema_map seal = {KEYS(seal_keys), .extensible = true};

const struct schema_map *const format_records[ASSAY_RECORD_SEAL + 1] = {
	[ASSAY_RECORD_RUN_START] = &run_start,
	[ASSAY_RECORD_FRAME] = &frame,
	[ASSAY_RECORD_RUN_END] = &run_end,
	[ASSAY_RECORD_AMEND] = &amend,
	[ASSAY_RECORD_STATE] = &state,
	[ASSAY_RECORD_AUDIT] = &audit,
	[ASSAY_RECORD_SEAL] = &seal,
};

int format_read_record(struct schema_walk *walk, struct assay_frame_view *into)
{
	struct reader *r = walk->r;
	struct assay_string key, word;
	size_t pairs;
	if (read_map(r, &pairs) < 0)
		return r->error;
	size_t at = r->at;
	if (pairs == 0 || read_key(r, &key) < 0 || !assay_string_is(key, "type"))
		return schema_fail(walk, at, "a map whose first key is not \"type\"");
	at = r->at;
	if (read_text(r, &word) < 0)
		return schema_fail_in(walk, key);
	int type = words_find(&words_record_type, word);
	if (type < 0) {
		schema_fail(walk, at, "\"%.*s\" where a record's type was expected",
			(int)(word.len < 40 ? word.len : 40), word.data);
		r->error = -EOPNOTSUPP;
		schema_fail_in(walk, key);
		return r->error;
	}
	into->record.type = (enum assay_record_type)type;
	return schema_read_pairs(walk, format_records[type], 0, pairs - 1, into);
}
