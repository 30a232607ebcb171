/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many random lives and the whole script: `crash-campaign LIVES [FIRST]` prints its finding and
 * fails if it has one; with --caught before the number it fails if it has none, for journals with a
 * deliberate mistake.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "campaign.h"

static bool play_script(uint32_t sync_ms)
{
	uint64_t calls = campaign_calls(sync_ms);
	for (uint64_t k = 1; k <= calls; k++) {
		for (int i = 0; i < TROUBLE_KINDS; i++) {
			enum trouble trouble = (enum trouble)i;
			const char *wrong = campaign_script(trouble, k, sync_ms);
			if (wrong == NULL)
				continue;
			printf("call %" PRIu64 ", sync %" PRIu32 " ms: %s: %s\n", k, sync_ms,
				trouble_name(trouble), wrong);
			return false;
		}
	}
	printf("%d kinds of trouble at each of %" PRIu64 " calls\n", TROUBLE_KINDS, calls);
	return true;
}

static bool lead_lives(uint64_t first, uint64_t lives)
{
	uint64_t number;
	const char *wrong = campaign_random(first, lives, &(struct mistakes){0}, &number);
	if (wrong == NULL)
		printf("%" PRIu64 " lives at random\n", lives);
	else
		printf("life %" PRIu64 ": %s\n", number, wrong);
	return wrong == NULL;
}

int main(int argc, char **argv)
{
	bool catches = argc > 1 && strcmp(argv[1], "--caught") == 0;
	char **args = argv + (catches ? 2 : 1);
	if (args[0] == NULL)
		return 2;
	uint64_t lives = strtoull(args[0], NULL, 10);
	uint64_t first = args[1] == NULL ? 0 : strtoull(args[1], NULL, 10);
	log_init(0, true); /* faults are expected here */
	bool is_sound = play_script(0) && play_script(1000) && lead_lives(first, lives);
	return is_sound == catches;
}
