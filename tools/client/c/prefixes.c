/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "prefixes.h"

#define SIM "a1/sim-"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool prefix_covers(const char *prefix, struct assay_string text)
{
	size_t len = strlen(prefix);
	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* Adds a name unless another covers it, and removes those that it covers. */
static int add(struct prefixes *p, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (begins(name, p->names[i]))
			return 0;
	}
	for (size_t i = 0; i < p->count; i++) {
		if (!begins(p->names[i], name))
			memmove(p->names[kept++], p->names[i], sizeof p->names[i]);
	}
	p->count = kept;
	if (p->count == PREFIXES_MAX)
		return -EINVAL;
	snprintf(p->names[p->count++], sizeof p->names[0], "%s", name);
	return 0;
}

static bool is_prefix(const char *name)
{
	return strlen(name) <= ASSAY_TOPIC_MAX && begins(name, "a1/") &&
	       !begins(name, PREFIX_HEAD) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-/") == strlen(name);
}

/* The folder of topics itself, or a name in it. */
static bool is_below(const char *name, const char *folder)
{
	size_t len = strlen(folder);
	return begins(name, folder) && (name[len] == '/' || name[len] == '\0');
}

static int add_wanted(struct prefixes *p, const char *name)
{
	if (!is_prefix(name) || (begins(name, SIM) && !p->simulated))
		return -EINVAL;
	int r = add(p, name);
	if (r < 0 || !p->simulated || (!is_below(name, "a1/data") && !is_below(name, "a1/state")))
		return r;
	char twin[ASSAY_TOPIC_MAX + 8];
	if (snprintf(twin, sizeof twin, SIM "%s", name + strlen("a1/")) > ASSAY_TOPIC_MAX)
		return -EINVAL;
	return add(p, twin);
}

int prefixes_init(struct prefixes *p, const char *const *names, size_t count, bool simulated)
{
	memset(p, 0, sizeof *p);
	p->simulated = simulated;
	if (count == 0)
		return add_wanted(p, "a1/data/");
	for (size_t i = 0; i < count; i++) {
		p->bad = i;
		int r = names[i] != NULL ? add_wanted(p, names[i]) : -EINVAL;
		if (r < 0)
			return r;
	}
	return 0;
}

int prefixes_find(const struct prefixes *p, struct assay_string topic)
{
	if (prefix_covers(PREFIX_HEAD, topic) || (prefix_covers(SIM, topic) && !p->simulated))
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		if (prefix_covers(p->names[i], topic))
			return (int)i;
	}
	return -1;
}
