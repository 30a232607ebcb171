/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <errno.h>
#include <string.h>

#include "decode.h"

static int read_one(const struct assay_bytes *raw, struct reply *reply)
{
	if (raw->name == NULL ||
		!plan_name_read(raw->name, &reply->table, &reply->address, &reply->count))
		return -EBADMSG;
	if (strcmp(raw->media, MAP_MEDIA_FAILURE) == 0) {
		reply->data = NULL;
		reply->failure = "device-warning"; /* an exception */
		if (raw->len == 7 && memcmp(raw->data, "timeout", 7) == 0)
			reply->failure = "timeout";
		else if (raw->len == 9 && memcmp(raw->data, "malformed", 9) == 0)
			reply->failure = "malformed";
		return 0;
	}
	if (strcmp(raw->media, MAP_MEDIA_REGISTERS) != 0 ||
		raw->len != table_bytes(reply->table, reply->count))
		return -EBADMSG;
	reply->data = raw->data;
	reply->failure = NULL;
	return 0;
}

int replies_read(const struct assay_bytes *raw, size_t count, struct replies *replies)
{
	replies->count = replies->last = 0;
	if (count > PLAN_BLOCKS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		int r = read_one(&raw[i], &replies->list[i]);
		if (r < 0)
			return r;
	}
	replies->count = count;
	return 0;
}

static bool covers(const struct reply *reply, const struct row_place *place)
{
	long first = reply->address, end = first + (long)reply->count;
	return reply->table == place->table && place->address >= first &&
	       place->address + (long)place->width <= end;
}

static const struct reply *find(struct replies *replies, const struct row_place *place)
{
	if (replies->last < replies->count && covers(&replies->list[replies->last], place))
		return &replies->list[replies->last];
	for (size_t i = 0; i < replies->count; i++) {
		if (!covers(&replies->list[i], place))
			continue;
		replies->last = i;
		return &replies->list[i];
	}
	return NULL;
}

const uint8_t *replies_find(
	struct replies *replies, const struct row_place *place, const char **failure, size_t *at)
{
	bool is_bit = table_is_bits(place->table);
	const struct reply *reply = find(replies, place);
	*failure = reply != NULL ? reply->failure : NULL;
	if (reply == NULL || reply->data == NULL || is_bit != (place->type == REGISTER_BIT))
		return NULL;
	*at = (size_t)(place->address - (long)reply->address);
	return is_bit ? reply->data : reply->data + table_bytes(place->table, (unsigned)*at);
}

/* The bits of the mask, moved to the right. */
static int64_t masked(int64_t number, uint64_t mask)
{
	return mask == 0 ? number : (int64_t)(((uint64_t)number & mask) >> __builtin_ctzll(mask));
}

struct register_value replies_value(
	struct replies *replies, const struct row_place *place, const char **failure)
{
	size_t at;
	const uint8_t *data = replies_find(replies, place, failure, &at);
	if (data == NULL || place->type == REGISTER_TEXT)
		return (struct register_value){.kind = REGISTER_NOTHING};
	if (place->type == REGISTER_BIT)
		return (struct register_value){
			.kind = REGISTER_INTEGER, .integer = data[at / 8] >> at % 8 & 1};
	struct register_value v = register_read(data, place->type, place->order);
	if (v.kind == REGISTER_NOTHING)
		*failure = "out-of-range";
	else if (v.kind == REGISTER_INTEGER)
		v.integer = masked(v.integer, place->mask);
	return v;
}
