/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the replay socket, against two small real journals with a hole.  Every answer is one
 * map, within its limits.  In a request the bytes "JOURNAL-ID-OF-16" stand for the current one's
 * id.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journals.h"

#define ID_MARK "JOURNAL-ID-OF-16"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct journals journals = {.segment_size = 4096};

static void remove_journals(void)
{
	journals_close(&journals);
}

static void make_journals(void)
{
	log_init(LOG_LEVEL_ERROR, true);
	journals_create(&journals);
	journals_put_record(&journals, JOURNALS_XRF, "run-start", 1);
	journals_put_record(&journals, JOURNALS_XRF, "run-end", 1);
	journals_renew(&journals);
	for (uint8_t run = 2; run < 12; run++) {
		journals_put_record(&journals, JOURNALS_XRF, "run-start", run);
		journals_put_record(&journals, JOURNALS_XRF, "frame", run);
		journals_put(&journals, JOURNALS_MS, 1000);
		journals_put_record(&journals, JOURNALS_XRF, "run-end", run);
		journals_put_record(&journals, JOURNALS_XRF, "amend", 1);
	}
	journals_open(&journals);
	atexit(remove_journals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (journals.journal == NULL)
		make_journals();
	uint8_t *request = malloc(size > 0 ? size : 1);
	memcpy(request, data, size);
	for (size_t i = 0; i + JOURNAL_ID_SIZE <= size; i++) {
		if (memcmp(request + i, ID_MARK, JOURNAL_ID_SIZE) == 0)
			memcpy(request + i, journals.id, JOURNAL_ID_SIZE);
	}
	journals_ask_raw(&journals, request, size);
	for (size_t i = 0; i < journals_count(&journals); i++)
		journals_seq(&journals, i);
	if (journals_number(&journals, "count") != journals_count(&journals))
		abort();
	if (journals.answer.has_cursor)
		cursors_flush(journals.cursors);
	free(request);
	return 0;
}
