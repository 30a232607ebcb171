/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct head_value *head_value(struct head *head, const char *name)
{
	for (size_t i = 0; i < head->count; i++)
		if (strncmp(head->values[i].name, name, 2) == 0)
			return &head->values[i];
	struct head_value *v = &head->values[head->count++];
	memcpy(v->name, name, 2);
	return v;
}

static double get(struct head *head, const char *name)
{
	return head_value(head, name)->value;
}

static void answer_number(struct head *head, struct host *h, double value)
{
	char text[64];
	snprintf(text, sizeof(text), "%.10g%s", value, head->line_end);
	host_answer_text(h, text);
}

static int32_t ramp(size_t i)
{
	return (int32_t)i * 1000 - 2500;
}

static void put_word(uint8_t *to, int32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)((uint32_t)value >> 8 * i);
}

static void answer_scan(struct head *head, struct host *h, size_t points)
{
	size_t len = (points + 1) * 4;
	uint8_t *bytes = calloc(1, len + head->extra);
	if (bytes == NULL || head->mute) {
		free(bytes);
		return;
	}
	for (size_t i = 0; i < points; i++)
		put_word(bytes + i * 4, head->word(i));
	put_word(bytes + points * 4, get(head, "TP") > 0 ? 77777 : 0);
	host_answer_split(h, bytes, len + head->extra - head->lost, 100);
	free(bytes);
}

static size_t points_of(struct head *head, bool analog)
{
	double span = get(head, "MF") - get(head, "MI");
	return (size_t)(span * (analog ? get(head, "SA") : 1)) + 1;
}

static void answer_word(struct host *h, int32_t value)
{
	uint8_t bytes[4];
	put_word(bytes, value);
	host_answer(h, bytes, 4);
}

static void forgive(struct head *head)
{
	head_value(head, "EC")->value = 0;
	head_value(head, "ER")->value = (double)((int)get(head, "ER") & ~1);
}

static void query(struct head *head, struct host *h, const char *name)
{
	if (head->unanswered > 0) {
		head->unanswered--;
	} else if (strncmp(name, "ID", 2) == 0) {
		char text[80];
		snprintf(text, sizeof(text), "%s%s", head->id, head->line_end);
		host_answer_text(h, text);
	} else if (strncmp(name, "TP", 2) == 0) {
		answer_word(h, 77777);
	} else if (strncmp(name, "AP", 2) == 0 || strncmp(name, "HP", 2) == 0) {
		answer_number(head, h, (double)points_of(head, name[0] == 'A'));
	} else {
		answer_number(head, h, get(head, name));
		if (strncmp(name, "EC", 2) == 0 && !head->ec_stays)
			forgive(head);
	}
}

static void complain(struct head *head, unsigned bit)
{
	head_value(head, "EC")->value = 1 << bit;
	head_value(head, "ER")->value = (double)((int)get(head, "ER") | 1);
}

static void set(struct head *head, struct host *h, const char *command)
{
	struct head_value *v = head_value(head, command);
	double value = command[2] == '*' ? 300 : strtod(command + 2, NULL);
	bool crossed = (strncmp(command, "MI", 2) == 0 && value > get(head, "MF")) ||
		       (strncmp(command, "MF", 2) == 0 && value < get(head, "MI"));
	if (crossed || v->refuses)
		complain(head, crossed ? 6 : 1);
	else
		v->value = value;
	if (strncmp(command, "IN", 2) == 0)
		forgive(head);
	static const char *const status[] = {"IN", "FL", "EE", "IE", "VF", "HV", "CA", "CL"};
	bool answers = head->nf_echoes && strncmp(command, "NF", 2) == 0;
	for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++)
		answers |= strncmp(command, status[i], 2) == 0;
	if (answers)
		answer_number(head, h, get(head, "ER"));
	if (strncmp(command, "HV", 2) == 0)
		head_value(head, "TP")->value = value > 0 ? 0 : 1;
}

static void obey(struct head *head, struct host *h, const char *command)
{
	if (strlen(command) > 13)
		complain(head, 2);
	else if (command[2] == '?')
		query(head, h, command);
	else if (strcmp(command, "SC1") == 0 || strcmp(command, "HS1") == 0)
		answer_scan(head, h, points_of(head, command[0] == 'S'));
	else if (strncmp(command, "MR", 2) == 0 && strcmp(command, "MR0") != 0)
		answer_word(h, head->word((size_t)strtol(command + 2, NULL, 10)));
	else if (strncmp(command, "MR", 2) != 0)
		set(head, h, command);
}

static void hear(struct host *h, const uint8_t *data, size_t len)
{
	struct head *head = h->device_data;
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\r') {
			if (head->partial_len + 1 < sizeof(head->partial))
				head->partial[head->partial_len++] = (char)data[i];
			continue;
		}
		head->partial[head->partial_len] = '\0';
		size_t used = strlen(head->heard);
		snprintf(head->heard + used, sizeof(head->heard) - used, "%s ", head->partial);
		obey(head, h, head->partial);
		head->partial_len = 0;
	}
}

void head_init(struct head *head, struct host *h)
{
	static const struct head_value fresh[] = {{"MI", 1, false}, {"MF", 200, false},
		{"SA", 10, false}, {"NF", 4, false}, {"EE", 70, false}, {"IE", 1, false},
		{"VF", 90, false}, {"FL", 0, false}, {"MO", 1, false}, {"SP", 0.1, false},
		{"ST", 10, false}, {"MG", 2.5, false}, {"MV", 1400, false}, {"TP", 1, false}};
	*head = (struct head){.id = "SRSRGA200VER0.24SN12226", .line_end = "\n\r", .word = ramp};
	memcpy(head->values, fresh, sizeof(fresh));
	head->count = sizeof(fresh) / sizeof(*fresh);
	h->device = hear;
	h->device_data = head;
}
