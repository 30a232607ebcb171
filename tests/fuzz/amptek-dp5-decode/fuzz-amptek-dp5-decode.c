/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode() on arbitrary bytes.  The first byte has options, the next two are the length of the text
 * of the configuration; the packet follows.  With MEND the packet gets the right length and
 * checksum, since a fuzzer does not find checksums.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEND = 1, CALIBRATED = 2, NAMED = 4 };

static void put_checksum(uint8_t *packet, size_t len)
{
	unsigned sum = 0;
	packet[0] = 0xf5;
	packet[1] = 0xfa;
	packet[4] = (uint8_t)((len - 8) >> 8);
	packet[5] = (uint8_t)(len - 8);
	for (size_t i = 0; i < len - 2; i++)
		sum += packet[i];
	packet[len - 2] = (uint8_t)((0x10000 - (sum & 0xffff)) >> 8);
	packet[len - 1] = (uint8_t)(0x10000 - (sum & 0xffff));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	uint8_t choice = data[0];
	size_t text_len = (size_t)(data[1] | data[2] << 8) % 4096;
	data += 3, size -= 3;
	text_len = text_len < size ? text_len : size;
	size_t len = size - text_len;

	struct host *h = host_create(assay_driver, ASSAY_LINK_UDP);
	h->quiet = true;
	if (choice & CALIBRATED)
		host_set(h, "energy_gain", "0.01");
	uint8_t *packet = host_copy(h, data + text_len, len);
	if ((choice & MEND) && len >= 8)
		put_checksum(packet, len);
	struct assay_bytes raw[] = {
		{"application/x-amptek-fw6", choice & NAMED ? "slice" : NULL, packet, len},
		{"text/x-amptek-configuration", NULL, host_copy(h, data, text_len), text_len},
	};
	if (host_decode_bytes(h, raw, 2, NULL, 0) == 0) {
		const struct assay_variable *counts = host_find(h, "counts");
		if (counts == NULL || 3 * counts->count + 72 != len)
			abort();
	}
	host_destroy(h);
	return 0;
}
