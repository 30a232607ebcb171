/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

#define NAME_MAX_BYTES 64
#define NAMES_SHOWN    16

static char fold(char c)
{
	if (c == '_')
		return '-';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned suggest_distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);
	if (m > NAME_MAX_BYTES || n > NAME_MAX_BYTES)
		return UINT_MAX;
	unsigned rows[3][NAME_MAX_BYTES + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= n; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= m; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			char x = fold(a[i - 1]), y = fold(b[j - 1]);
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
			bool swapped = i > 1 && j > 1 && x == fold(b[j - 2]) && fold(a[i - 2]) == y;
			if (swapped)
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unsigned *free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[n];
}

/* The nearest token of letters that people write in a name. */
const char *suggest_token(const char *found, char token[SUGGEST_TOKEN])
{
	static const struct {
		const char *letter, *token;
	} letters[] = {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"ß", "ss"}, {"Ä", "ae"}, {"Ö", "oe"},
		{"Ü", "ue"}, {"é", "e"}, {"è", "e"}, {"ñ", "n"}};
	size_t len = 0;
	token[0] = '\0';
	while (*found != '\0' && len + 3 < SUGGEST_TOKEN) {
		size_t i = 0, count = sizeof letters / sizeof letters[0];
		bool is_name = isalnum((unsigned char)*found) != 0;
		while (i < count && strncmp(found, letters[i].letter, 2) != 0)
			i++;
		bool is_joint = *found == ' ' || *found == '.' || fold(*found) == '-';
		if (i < count)
			len += (size_t)snprintf(token + len, 3, "%s", letters[i].token);
		else if (is_name || (is_joint && len > 0))
			token[len++] = is_name ? fold(*found) : '-';
		else
			return NULL;
		token[len] = '\0';
		found += i < count ? 2 : 1;
	}
	return *found == '\0' && len > 0 && len <= 32 ? token : NULL;
}

void suggest_init(struct suggest *s, const char *found)
{
	*s = (struct suggest){.found = found, .distance = UINT_MAX};
}

/*
 * A name is near if it differs in one character of 3, two of 6, three of 10, or goes on after the
 * word that was found: preset_time is nearer to preset than reset is.
 */
void suggest_offer(struct suggest *s, const char *name)
{
	unsigned distance = suggest_distance(s->found, name);
	size_t found = strlen(s->found), len = strlen(s->list);
	bool is_start = found > 2 && strncmp(s->found, name, found) == 0 &&
			(name[found] == '_' || name[found] == '-');
	distance = is_start ? 0 : distance;
	unsigned near = found < 3 ? 0 : found < 6 ? 1 : found < 10 ? 2 : 3;
	if (distance < s->distance && distance <= near) {
		s->distance = distance;
		s->best = name;
	}
	bool shown = s->count++ == 0 || len != 0;
	if (!shown || s->count > NAMES_SHOWN || len + strlen(name) + 3 > sizeof s->list)
		s->list[0] = '\0';
	else
		snprintf(s->list + len, sizeof s->list - len, "%s%s", len != 0 ? ", " : "", name);
}

void suggest_offer_all(struct suggest *s, const char *const *names)
{
	for (; *names != NULL; names++)
		suggest_offer(s, *names);
}

const char *suggest_text(const struct suggest *s, char *text, size_t size)
{
	if (s->best != NULL)
		snprintf(text, size, "; did you mean '%s'?", s->best);
	else if (s->count == 1 && s->list[0] != '\0')
		snprintf(text, size, ", expected %s", s->list);
	else if (s->list[0] != '\0')
		snprintf(text, size, ", expected one of %s", s->list);
	else
		snprintf(text, size, "%s", "");
	return text;
}
