/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the replay socket, against two small real journals with a hole.  Every answer is one
 * map, within its limits.  In a request the bytes "JOURNAL-ID-OF-16" stand for the current one's
 * id.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "desk.h"

#define ID_MARK "JOURNAL-ID-OF-16"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct desk desk = {.segment_size = 4096};

static void remove_desk(void)
{
	desk_close(&desk);
}

static void make_desk(void)
{
	log_init(LOG_LEVEL_ERROR, true);
	desk_begin(&desk);
	desk_put_record(&desk, DESK_XRF, "run-start", 1);
	desk_put_record(&desk, DESK_XRF, "run-end", 1);
	desk_renew(&desk);
	for (uint8_t run = 2; run < 12; run++) {
		desk_put_record(&desk, DESK_XRF, "run-start", run);
		desk_put_record(&desk, DESK_XRF, "frame", run);
		desk_put(&desk, DESK_MS, 1000);
		desk_put_record(&desk, DESK_XRF, "run-end", run);
		desk_put_record(&desk, DESK_XRF, "amend", 1);
	}
	desk_open(&desk);
	atexit(remove_desk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (desk.journal == NULL)
		make_desk();
	uint8_t *request = malloc(size > 0 ? size : 1);
	memcpy(request, data, size);
	for (size_t i = 0; i + JOURNAL_ID_SIZE <= size; i++) {
		if (memcmp(request + i, ID_MARK, JOURNAL_ID_SIZE) == 0)
			memcpy(request + i, desk.id, JOURNAL_ID_SIZE);
	}
	desk_ask_raw(&desk, request, size);
	for (size_t i = 0; i < desk_count(&desk); i++)
		desk_seq(&desk, i);
	if (desk_number(&desk, "count") != desk_count(&desk))
		abort();
	if (desk.answer.has_cursor)
		cursors_flush(desk.cursors);
	free(request);
	return 0;
}
