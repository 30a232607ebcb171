/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <string.h>

#include "formats.h"

#define ID_MAX 200 /* bytes that a sample id may have */

const char *const facts_samples[] = {"sample", "title", "name", "none", NULL};

/* The name of the file or folder without its ending. */
static void take_name(char id[FORMAT_FACT], const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t len = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
	if (len >= FORMAT_FACT)
		return;
	memcpy(id, name, len);
	id[len] = '\0';
}

/* False for a text that is no id: too long, the record's word for none, or not all of it is readable. */
static bool is_id(const char *text)
{
	size_t len = strlen(text);
	return len > 0 && len <= ID_MAX && strcmp(text, "none") != 0 && text[0] != ' ' &&
	       text[len - 1] != ' ' && strstr(text, "\xef\xbf\xbd") == NULL;
}

static void report(struct assay_instrument *ins, const char *name, const char *text)
{
	if (text[0] != '\0')
		assay_report_text(ins, name, text);
}

void facts_report(struct assay_instrument *ins, const struct source *s, const struct found *found)
{
	const struct format_facts *facts = &found->facts;
	const char *from = assay_text(ins->settings, "sample_from");
	char id[FORMAT_FACT] = "";
	if (strcmp(from, "name") == 0)
		take_name(id, s->name);
	else if (strcmp(from, "title") == 0)
		memcpy(id, facts->title, sizeof id);
	else if (strcmp(from, "sample") == 0)
		memcpy(id, facts->sample, sizeof id);
	assay_began(ins, is_id(id) ? id : NULL);
	report(ins, "file_format", found->format != NULL ? found->format->name : FORMATS_UNKNOWN);
	report(ins, "file_sample", facts->sample);
	report(ins, "file_title", facts->title);
	report(ins, "file_operator", facts->person);
	report(ins, "file_method", facts->method);
	report(ins, "file_make", facts->make);
	report(ins, "file_model", facts->model);
	report(ins, "file_serial", facts->serial);
	report(ins, "vendor_sw", facts->software);
	report(ins, "acquired", facts->acquired);
	if (facts->acquired[0] != '\0')
		report(ins, "acquired_zone",
			facts->zone[0] != '\0' ? facts->zone : "local, zone unknown");
}
