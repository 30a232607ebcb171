/* SPDX-License-Identifier: Apache-2.0 */
#include "andi.h"

#include <assert.h>
#include <time.h>

#include "base/clock.h"
#include "record/names.h"

const char *andi_name(const char *name)
{
	const struct name *row = name_find(string_of(name));
	assert(row != NULL && row->andi != NULL);
	return row->andi;
}

void andi_text(struct cdf *cdf, const char *name, const char *text)
{
	static const char *const no_marks[] = {NULL};
	struct buffer ascii = {0};
	facts_put_ascii(&ascii, text, no_marks, FACT_SIZE);
	buffer_append(&ascii, "", 1);
	if (ascii.len > 1 && !ascii.failed)
		cdf_text(cdf, CDF_GLOBAL, name, (const char *)ascii.data);
	buffer_finish(&ascii);
}

void andi_time(struct cdf *cdf, const char *name, uint64_t ns)
{
	struct tm tm;
	char text[32];
	time_t seconds = (time_t)(ns / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y%m%d%H%M%S+0000", &tm);
	cdf_text(cdf, CDF_GLOBAL, name, text);
}

void andi_common(struct cdf *cdf, const struct export *e, const char *revision, const char *version)
{
	static const char *const no_marks[] = {NULL};
	static const struct facts_style style = {
		.before = "", .between = " = ", .after = "; ", .marks = no_marks, .max = FACT_SIZE};
	const struct facts *about = &e->about;
	struct buffer comments = {0}, title = {0};
	facts_put_comments(&comments, about, NULL, &style);
	buffer_append(&comments, "", 1);
	facts_put_title(&title, about, no_marks, FACT_SIZE);
	buffer_append(&title, "", 1);
	cdf_text(cdf, CDF_GLOBAL, "dataset_completeness", "C1");
	cdf_text(cdf, CDF_GLOBAL, revision, version);
	cdf_text(cdf, CDF_GLOBAL, "netcdf_revision", "2.3.2");
	cdf_text(cdf, CDF_GLOBAL, "languages", "English");
	if (!comments.failed)
		cdf_text(cdf, CDF_GLOBAL, "administrative_comments", (const char *)comments.data);
	/* Without it the reader netcdf-gcms takes a file for one of an unknown kind. */
	andi_text(cdf, "dataset_origin",
		about->texts[FACT_LABORATORY][0] != '\0' ? about->texts[FACT_LABORATORY]
							 : "assayd");
	if (!title.failed)
		cdf_text(cdf, CDF_GLOBAL, "experiment_title", (const char *)title.data);
	andi_text(cdf, "operator_name", about->texts[FACT_OPERATOR]);
	cdf->failed |= comments.failed || title.failed;
	buffer_finish(&comments);
	buffer_finish(&title);
}
