/* SPDX-License-Identifier: Apache-2.0 */
#include "record/encode.h"
#include "record/record.h"

static void put_type(struct map *map, enum assay_record_type type)
{
	map_text(map, "type", assay_record_type_name(type));
	map_uint(map, "v", RECORD_VERSION);
}

static void put_word(struct map *map, const char *key, const struct words *words, int value)
{
	map_text(map, key, words_name(words, value));
}

static void put_number(struct map *map, const char *key, uint64_t value)
{
	if (value != 0)
		map_uint(map, key, value);
}

/* A map without pairs is left out: the format has none. */
static void put_span(struct map *map, const char *key, struct assay_span span)
{
	static const uint8_t empty_map = 0xa0;
	if (span.data == NULL || (span.len == 1 && span.data[0] == empty_map))
		return;
	map_key(map, key);
	encode_raw(map->to, span.data, span.len);
}

static void put_hash(struct map *map, const char *key, const uint8_t *hash)
{
	map_bytes(map, key, hash, ASSAY_SHA256_SIZE);
}

static void put_uuid(struct map *map, const char *key, const uint8_t *uuid)
{
	map_bytes(map, key, uuid, ASSAY_UUID_SIZE);
}

static void put_extra(struct map *map, const struct record_extra *extra)
{
	map_pairs(map, extra->pairs.data, extra->pairs.len, extra->count);
}

static void encode_inst(struct buffer *to, const struct inst_id *inst)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "key", inst->key);
	map_text(&map, "make", inst->make);
	map_text(&map, "model", inst->model);
	map_text(&map, "serial", inst->serial);
	map_text(&map, "fw", inst->fw);
	map_text(&map, "asset", inst->asset);
	put_word(&map, "source", &words_id_source, (int)inst->source);
	map_close(&map);
}

static void encode_term(struct buffer *to, const struct term *term)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "id", term->id);
	map_text(&map, "name", term->name);
	map_close(&map);
}

static void put_base(struct map *map, enum assay_record_type type, const struct record_base *base)
{
	put_type(map, type);
	put_uuid(map, "id", base->id);
	map_key(map, "t");
	stamp_encode(map->to, &base->t);
	map_key(map, "inst");
	encode_inst(map->to, &base->inst);
}

/* A driver, a program or a method: a name under the key `name_key`, its version and its hash. */
static void put_version(struct map *map, const char *key, const char *name_key, const char *name,
	const char *version, const uint8_t *sha256)
{
	struct map inner;
	if (name == NULL)
		return;
	map_key(map, key);
	map_open(&inner, map->to);
	map_text(&inner, name_key, name);
	map_text(&inner, "version", version);
	put_hash(&inner, "sha256", sha256);
	map_close(&inner);
}

static void put_software(struct map *map, const char *key, const struct software *software)
{
	put_version(map, key, "name", software->name, software->version, software->sha256);
}

static void put_sample(struct map *map, const struct sample *sample)
{
	struct map inner;
	map_key(map, "sample");
	map_open(&inner, map->to);
	map_text(&inner, "id", sample->id);
	put_word(&inner, "type", &words_sample_type, (int)sample->type);
	put_word(&inner, "entered", &words_entry_way, (int)sample->entered);
	map_text(&inner, "scheme", sample->scheme);
	map_text(&inner, "container", sample->container);
	map_text(&inner, "position", sample->position);
	put_number(&inner, "replicate", sample->replicate);
	map_text(&inner, "aliquot", sample->aliquot);
	map_text(&inner, "lot", sample->lot);
	map_text(&inner, "request", sample->request);
	map_text(&inner, "hs_declared", sample->hs_declared);
	map_text(&inner, "goods", sample->goods);
	map_close(&inner);
}

static void put_actor(struct map *map, const char *key, const struct actor *actor)
{
	struct map inner;
	if (actor->id == NULL)
		return;
	map_key(map, key);
	map_open(&inner, map->to);
	map_text(&inner, "id", actor->id);
	put_word(&inner, "auth", &words_auth_way, (int)actor->auth);
	map_text(&inner, "via", actor->via);
	map_close(&inner);
}

static void put_refs(struct map *map, const struct run_ref *refs, size_t count)
{
	if (count == 0)
		return;
	map_key(map, "refs");
	encode_array(map->to, count);
	for (size_t i = 0; i < count; i++) {
		struct map inner;
		map_open(&inner, map->to);
		put_word(&inner, "rel", &words_ref_kind, (int)refs[i].rel);
		put_uuid(&inner, "run", refs[i].run);
		put_hash(&inner, "ctx", refs[i].ctx);
		map_close(&inner);
	}
}

static void put_batch(struct map *map, const struct batch *batch)
{
	struct map inner;
	if (batch->id == NULL)
		return;
	map_key(map, "batch");
	map_open(&inner, map->to);
	map_text(&inner, "id", batch->id);
	map_uint(&inner, "i", batch->i);
	put_number(&inner, "of", batch->of);
	map_close(&inner);
}

static void put_calibrations(struct map *map, const struct calibration *cal, size_t count)
{
	if (count == 0)
		return;
	map_key(map, "cal");
	encode_array(map->to, count);
	for (size_t i = 0; i < count; i++) {
		struct map inner;
		map_open(&inner, map->to);
		map_text(&inner, "id", cal[i].id);
		if (cal[i].kind.id != NULL) {
			map_key(&inner, "kind");
			encode_term(map->to, &cal[i].kind);
		}
		put_number(&inner, "from", cal[i].from);
		put_number(&inner, "to", cal[i].to);
		put_hash(&inner, "sha256", cal[i].sha256);
		map_close(&inner);
	}
}

void record_run_start(struct buffer *to, const struct run_start *start)
{
	struct map map;
	map_open(&map, to);
	put_base(&map, ASSAY_RECORD_RUN_START, &start->base);
	put_uuid(&map, "run", start->run);
	map_text(&map, "number", start->number);
	map_key(&map, "technique");
	encode_term(to, &start->technique);
	map_bool(&map, "sim", start->sim);
	put_word(&map, "mode", &words_run_mode, (int)start->mode);
	put_software(&map, "driver", &start->driver);
	put_software(&map, "core", &start->core);
	put_software(&map, "vendor_sw", &start->vendor_sw);
	put_hash(&map, "config", start->config);
	map_text(&map, "sync", start->sync);
	put_sample(&map, &start->sample);
	put_actor(&map, "operator", &start->operator);
	put_version(&map, "method", "id", start->method.id, start->method.version,
		start->method.sha256);
	put_refs(&map, start->refs, start->refs_count);
	put_batch(&map, &start->batch);
	put_calibrations(&map, start->cal, start->cal_count);
	if (start->parts_count > 0) {
		map_key(&map, "parts");
		encode_array(to, start->parts_count);
		for (size_t i = 0; i < start->parts_count; i++)
			encode_inst(to, &start->parts[i]);
	}
	put_span(&map, "settings", start->settings);
	put_span(&map, "setup", start->setup);
	put_span(&map, "env", start->env);
	put_extra(&map, &start->extra);
	map_close(&map);
}

/* The head is written first, with its final number of pairs: the part is large. */
void record_frame(
	struct buffer *to, const struct frame_head *head, struct assay_span part, size_t pairs)
{
	enum { HEAD_PAIRS = 10 };
	encode_map(to, HEAD_PAIRS + pairs);
	struct map map = {.to = to};
	put_base(&map, ASSAY_RECORD_FRAME, &head->base);
	put_uuid(&map, "run", head->run);
	put_hash(&map, "ctx", head->ctx);
	map_uint(&map, "n", head->n);
	map_bool(&map, "sim", head->sim);
	map_key(&map, "q");
	quality_encode(to, &head->q);
	encode_raw(to, part.data, part.len);
	to->failed = to->failed || map.pairs != HEAD_PAIRS;
}

void record_run_end(struct buffer *to, const struct run_end *end)
{
	struct map map;
	map_open(&map, to);
	put_base(&map, ASSAY_RECORD_RUN_END, &end->base);
	put_uuid(&map, "run", end->run);
	map_uint(&map, "frames", end->frames);
	put_word(&map, "status", &words_run_status, (int)end->status);
	map_text(&map, "why", end->why);
	put_actor(&map, "actor", &end->actor);
	put_hash(&map, "digest", end->digest);
	if (end->quality != NULL && end->frames > 0) {
		map_key(&map, "quality");
		quality_counts_encode(to, end->quality);
	}
	put_extra(&map, &end->extra);
	map_close(&map);
}

void record_amend(struct buffer *to, const struct amend *amend)
{
	struct map map;
	map_open(&map, to);
	put_base(&map, ASSAY_RECORD_AMEND, &amend->base);
	put_uuid(&map, "run", amend->run);
	put_hash(&map, "ctx", amend->ctx);
	put_actor(&map, "actor", &amend->actor);
	map_text(&map, "reason", amend->reason);
	put_span(&map, "set", amend->set);
	put_span(&map, "was", amend->was);
	put_extra(&map, &amend->extra);
	map_close(&map);
}

void record_state(struct buffer *to, const struct dev_state *state)
{
	struct map map;
	map_open(&map, to);
	put_base(&map, ASSAY_RECORD_STATE, &state->base);
	map_bool(&map, "sim", state->sim);
	put_word(&map, "state", &words_device_state, (int)state->state);
	map_text(&map, "code", state->code);
	map_text(&map, "text", state->text);
	put_span(&map, "values", state->values);
	put_extra(&map, &state->extra);
	map_close(&map);
}

void record_audit(struct buffer *to, const struct audit *audit)
{
	struct map map;
	map_open(&map, to);
	put_type(&map, ASSAY_RECORD_AUDIT);
	put_uuid(&map, "id", audit->id);
	map_key(&map, "t");
	stamp_encode(to, &audit->t);
	map_text(&map, "event", audit->event);
	put_actor(&map, "actor", &audit->actor);
	put_span(&map, "before", audit->before);
	put_span(&map, "after", audit->after);
	map_text(&map, "reason", audit->reason);
	put_extra(&map, &audit->extra);
	map_close(&map);
}

void record_seal(struct buffer *to, const struct seal *seal)
{
	struct map map;
	map_open(&map, to);
	put_type(&map, ASSAY_RECORD_SEAL);
	map_uint(&map, "size", seal->size);
	put_hash(&map, "root", seal->root);
	map_text(&map, "note", seal->note);
	put_extra(&map, &seal->extra);
	map_close(&map);
}
