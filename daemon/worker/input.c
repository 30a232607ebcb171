/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "worker/input.h"

#define KEEP (64u << 10) /* memory that an empty input keeps */

/* In front of the bytes of each piece. */
struct piece {
	uint32_t len, at; /* bytes in all, bytes taken */
	bool joins;
	struct receipt received;
};

void input_finish(struct input *input)
{
	buffer_finish(&input->pieces);
}

size_t input_size(const struct input *input)
{
	return input->pieces.len - input->at;
}

static struct piece first(const struct input *input)
{
	struct piece piece;
	memcpy(&piece, input->pieces.data + input->at, sizeof piece);
	return piece;
}

uint64_t input_arrival(const struct input *input, uint64_t now)
{
	if (input_size(input) == 0)
		return UINT64_MAX;
	struct piece piece = first(input);
	return piece.received.mono <= now ? 0 : piece.received.mono;
}

static void free_if_empty(struct input *input)
{
	if (input_size(input) > 0)
		return;
	input->at = 0;
	buffer_reset(&input->pieces);
	if (input->pieces.size > KEEP)
		buffer_finish(&input->pieces);
}

size_t input_drop(struct input *input, uint64_t now)
{
	size_t dropped = 0;
	while (input_arrival(input, now) == 0) {
		struct piece piece = first(input);
		dropped += piece.len - piece.at;
		input->at += sizeof piece + piece.len;
	}
	free_if_empty(input);
	return dropped;
}

size_t input_take(
	struct input *input, uint64_t now, void *to, size_t size, struct receipt *received)
{
	size_t have = 0;
	while (have < size && input_arrival(input, now) == 0) {
		struct piece piece = first(input);
		uint8_t *head = input->pieces.data + input->at;
		size_t left = piece.len - piece.at, room = size - have;
		size_t n = left < room ? left : room;
		if (have > 0 && !piece.joins)
			break;
		memcpy((uint8_t *)to + have, head + sizeof piece + piece.at, n);
		piece.at += (uint32_t)n;
		memcpy(head, &piece, sizeof piece);
		*received = piece.received;
		have += n;
		if (piece.at == piece.len)
			input->at += sizeof piece + piece.len;
	}
	free_if_empty(input);
	return have;
}

uint8_t *input_reserve(struct input *input, size_t len)
{
	if (input->at > 0 && input->at >= input->pieces.len / 2) {
		buffer_consume(&input->pieces, input->at);
		input->at = 0;
	}
	uint8_t *head = buffer_reserve(&input->pieces, sizeof(struct piece) + len);
	return head == NULL ? NULL : head + sizeof(struct piece);
}

void input_add(struct input *input, size_t len, bool joins, struct receipt received)
{
	struct piece piece = {(uint32_t)len, 0, joins, received};
	memcpy(input->pieces.data + input->pieces.len, &piece, sizeof piece);
	input->pieces.len += sizeof piece + len;
}
