/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "journal/id.h"

void journal_id_format(char text[JOURNAL_ID_TEXT], const uint8_t id[JOURNAL_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < JOURNAL_ID_SIZE; i++) {
		*text++ = digits[id[i] >> 4];
		*text++ = digits[id[i] & 15];
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*text++ = '-';
	}
	*text = '\0';
}

int journal_id_parse(uint8_t id[JOURNAL_ID_SIZE], const char *text)
{
	char same[JOURNAL_ID_TEXT];
	uint8_t value[JOURNAL_ID_SIZE] = {0};
	int digits = 0;
	for (const char *p = text; *p != '\0' && digits < 2 * JOURNAL_ID_SIZE; p++) {
		static const char hex[] = "0123456789abcdef";
		const char *digit = strchr(hex, *p);
		if (digit == NULL)
			continue;
		value[digits / 2] |= (uint8_t)((digit - hex) << (digits % 2 == 0 ? 4 : 0));
		digits++;
	}
	journal_id_format(same, value);
	if (strcmp(same, text) != 0)
		return -EINVAL;
	memcpy(id, value, JOURNAL_ID_SIZE);
	return 0;
}
