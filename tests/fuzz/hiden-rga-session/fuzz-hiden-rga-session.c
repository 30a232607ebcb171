/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit whose replies the input spoils: for each reply a byte, below 200 for a whole one, else with a
 * length and as many bytes that come in its place.  The first byte chooses the settings.
 */
#include <stdlib.h>
#include <string.h>

#include "hiden-rga/unit.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static void spoil(struct unit *u, char *line, size_t size)
{
	struct input *in = u->spoil_data;
	if (in->size < 2 || in->data[0] < 200) {
		in->data += in->size > 0;
		in->size -= in->size > 0;
		return;
	}
	size_t n = in->data[1] < in->size - 2 ? in->data[1] : in->size - 2;
	n = n < size ? n : size - 1;
	memcpy(line, in->data + 2, n);
	line[n] = '\0';
	in->data += n + 2;
	in->size -= n + 2;
}

static void choose(struct host *h, uint8_t bits)
{
	host_set(h, "mode", bits & 1 ? "series" : "sweep");
	host_set(h, "mass_last", "3");
	host_set(h, "sim_ions", "28");
	host_set(h, "scans", "2");
	host_set(h, "point_timeout", "1");
	host_set(h, "emission_time", "1");
	if (bits & 2)
		host_set(h, "emission_current", "1");
	if (bits & 4)
		host_set(h, "stop_mass", "left out");
}

static void live(struct host *h)
{
	struct assay_identity id = {0};
	const struct assay_driver *d = h->driver;
	if (d->identify(&h->ins, &id) == 0) {
		int r = d->start(&h->ins);
		for (int i = 0; i < 2 && r >= 0; i++) {
			h->raw.count = h->raw.total = 0;
			r = d->acquire(&h->ins, &h->raw.handle);
			if (r >= ASSAY_FRAME && host_decode(h) < 0)
				abort(); /* decode must be able to read what acquire accepted */
		}
		d->stop(&h->ins);
	}
	d->make_safe(&h->ins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct input in = {data + 1, size - 1};
	struct unit *u = malloc(sizeof(*u));
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	unit_init(u, h);
	h->quiet = true;
	u->spoil = spoil;
	u->spoil_data = &in;
	choose(h, data[0]);
	live(h);
	host_destroy(h);
	free(u);
	return 0;
}
