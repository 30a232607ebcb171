/* SPDX-License-Identifier: Apache-2.0 */
/* The entries as they were committed, one after the other: for `assayctl lint` and for evidence. */
#include "export.h"

static int put_entry(struct export *e, const struct export_item *item)
{
	buffer_append(&e->to, item->bytes.data, item->bytes.len);
	return 0;
}

const struct export_format export_cbor = {.entry = put_entry, .is_evidence = true};
