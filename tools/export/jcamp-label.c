/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "jcamp.h"
#include "record/names.h"
#include "record/text.h"

static const char *const marks[] = {"##", "$$", NULL};

/* A value may go on in the next lines. */
void jcamp_put_label(struct buffer *to, const char *label, const char *text)
{
	struct buffer value = {0};
	size_t used = strlen(label) + 5;
	facts_put_ascii(&value, text, marks, FACT_SIZE);
	cell_put(to, "##%s= ", label);
	for (size_t at = 0; at < value.len;) {
		size_t len = value.len - at < JCAMP_LINE - used ? value.len - at
								: JCAMP_LINE - used;
		buffer_append(to, value.data + at, len);
		at += len;
		used = 0;
		if (at < value.len)
			cell_put(to, "\r\n");
	}
	cell_put(to, "\r\n");
	to->failed |= value.failed;
	buffer_finish(&value);
}

/* "##$ASSAYD SAMPLE= 24-0815" for each fact; the digest has a line of its own. */
static void put_facts(
	struct buffer *to, const struct facts *facts, const struct assay_frame_view *frame)
{
	for (enum fact_id i = 0; i < FACTS_COUNT; i++) {
		char label[40] = "$ASSAYD ";
		for (size_t c = 0; fact_names[i][c] != '\0'; c++)
			label[8 + c] = fact_names[i][c] >= 'a' ? (char)(fact_names[i][c] - 32)
							       : fact_names[i][c];
		if (i == FACT_DIGEST)
			jcamp_put_label(to, "$SHA256", facts_digest(facts));
		else if (facts->texts[i][0] != '\0')
			jcamp_put_label(to, label, facts->texts[i]);
	}
	if (frame == NULL)
		return;
	struct buffer text = {0};
	facts_put_quality(&text, frame);
	buffer_append(&text, "", 1);
	if (!text.failed)
		jcamp_put_label(to, "$ASSAYD FRAMES QUALITY", (const char *)text.data);
	cell_put(to, "##$ASSAYD FRAME= %llu\r\n", (unsigned long long)frame->record.n);
	to->failed |= text.failed;
	buffer_finish(&text);
}

void jcamp_put_number(struct buffer *to, const char *label, double number)
{
	cell_put(to, "##%s= ", label);
	cell_put_number(to, number);
	cell_put(to, "\r\n");
}

static void put_time(struct buffer *to, uint64_t ns)
{
	char text[40];
	struct tm tm;
	time_t seconds = (time_t)(ns / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &tm);
	cell_put(to, "##LONGDATE= %s.%03u\r\n", text, (unsigned)(ns % NS_PER_S / NS_PER_MS));
}

static void put_title(struct export *e, const char *content)
{
	cell_put(&e->to, "##TITLE= ");
	facts_put_title(&e->to, &e->about, marks, JCAMP_LINE - 30);
	cell_put(&e->to, "%s%.20s\r\n", content[0] != '\0' ? " " : "", content);
}

void jcamp_put_heading(struct export *e, const char *version, const char *type, const char *content,
	const struct assay_frame_view *frame)
{
	const struct facts *facts = &e->about;
	char system[2 * FACT_SIZE];
	put_title(e, content);
	jcamp_put_label(&e->to, "JCAMP-DX", version);
	jcamp_put_label(&e->to, "DATA TYPE", type);
	jcamp_put_label(&e->to, "ORIGIN", facts->texts[FACT_PROGRAM]);
	jcamp_put_label(&e->to, "OWNER", facts->texts[FACT_LABORATORY]);
	put_time(&e->to, frame != NULL ? frame->record.t.utc : facts->started);
	snprintf(system, sizeof system, "%.100s %.100s %.100s", facts->texts[FACT_MAKE],
		facts->texts[FACT_MODEL], facts->texts[FACT_SERIAL]);
	jcamp_put_label(&e->to, "SPECTROMETER/DATA SYSTEM", system);
	put_facts(&e->to, facts, frame);
}

void jcamp_put_units(struct buffer *to, const char *label, const struct assay_var_view *var)
{
	const struct name *name = name_find(var->name);
	bool is_known = name != NULL && name->jcamp != NULL &&
			(name->unit == NULL || assay_string_is(var->unit, name->unit) ||
				assay_string_is(var->unit, "%"));
	bool is_micro = assay_string_is(var->name, "wavelength") &&
			assay_string_is(var->unit, "um");
	jcamp_put_label(to, label,
		is_known   ? name->jcamp
		: is_micro ? "MICROMETERS"
			   : "ARBITRARY UNITS");
}

size_t jcamp_points(const struct spectrum *s)
{
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += isfinite(assay_var_number(&s->x, i)) &&
			 isfinite(assay_var_number(&s->y, i));
	return count;
}

void jcamp_put_pairs(struct buffer *to, const struct spectrum *s, double factor)
{
	for (size_t i = 0; i < s->count; i++) {
		double x = assay_var_number(&s->x, i), y = assay_var_number(&s->y, i);
		if (isfinite(x) && isfinite(y)) {
			cell_put_number(to, x);
			cell_put(to, ", ");
			cell_put_number(to, y * factor);
			cell_put(to, "\r\n");
		}
	}
}
