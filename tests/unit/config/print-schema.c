/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the JSON Schema of the test catalog, for check-schema.py. */
#include "drivers.h"
#include "schema.h"

int main(void)
{
	json_t *schema = schema_make(&test_catalog);
	int r = schema != NULL ? json_dumpf(schema, stdout, JSON_COMPACT) : -1;
	json_decref(schema);
	return r == 0 ? 0 : 1;
}
