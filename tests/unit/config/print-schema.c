/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the JSON Schema of the test catalog, for check-schema.py. */
#include <stdio.h>

#include "config/schema.h"
#include "drivers.h"

int main(void)
{
	struct buffer text = {0};
	if (config_schema_write(&test_catalog, &text) < 0)
		return 1;
	fwrite(text.data, 1, text.len, stdout);
	buffer_finish(&text);
	return 0;
}
