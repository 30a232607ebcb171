/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file in OPUS format, and another one after its last byte as the background: the two last bytes
 * of the input are the background's length; the byte before them chooses the settings.
 */
#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const results[] = {
		"interferogram", "single_beam", "transmittance", "absorbance"};
	if (size < 3)
		return 0;
	uint8_t bits = data[size - 3];
	size_t length = data[size - 2] | (size_t)data[size - 1] << 8;
	size -= 3;
	length = length < size ? length : size;
	struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
	h->quiet = true;
	host_set(h, "result", results[bits & 3]);
	host_set(h, "apodization", bits & 4 ? "boxcar" : "norton-beer-strong");
	host_set(h, "zero_filling", bits & 8 ? "3" : "1");
	if (bits & 16)
		host_set(h, "wavenumber_first", "4000");
	if (bits & 32)
		host_set(h, "wavenumber_last", "1000");
	if (bits & 64)
		host_set(h, "phase_resolution", "1000");
	struct assay_bytes raw = {
		.media = "application/x-bruker-opus", .data = data, .len = size - length};
	struct assay_bytes background = {
		.media = "application/x-bruker-opus", .data = data + size - length, .len = length};
	host_decode_bytes(h, &raw, 1, &background, bits & 128 ? 0 : 1);
	host_destroy(h);
	return 0;
}
