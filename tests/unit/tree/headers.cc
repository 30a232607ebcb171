/* SPDX-License-Identifier: Apache-2.0 */
/* The installed headers are C++ too: this is compiled with all warnings as errors. */
#include <assay/client.h>
#include <assay/driver.h>
#include <assay/record.h>

#include <cstring>

static struct assay_variable added;

static void add(struct assay_frame *, const struct assay_variable *v, size_t)
{
	added = *v;
}

int main()
{
	struct assay_host host = ASSAY_NOTHING;
	struct assay_frame frame = ASSAY_NOTHING;
	host.frame_add = add;
	frame.host = &host;
	assay_add_linear_axis(&frame, "energy", "keV", 0, 0.01, 2048);
	bool fits = added.type == ASSAY_LINEAR && added.count == 2048 && added.dims[1] == nullptr &&
		    std::strcmp(added.dims[0], "energy") == 0;
	return fits ? 0 : 1;
}
