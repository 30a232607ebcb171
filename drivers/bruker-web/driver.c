/* SPDX-License-Identifier: Apache-2.0 */
/* bruker-web: Fourier spectrometers by Bruker with a web server of their own. */
#include <assay/driver.h>

#include "decode.h"
#include "measure.h"
#include "settings.h"

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_HTTP, "host: 10.10.0.1"},
	{0, NULL},
};

static const struct assay_driver bruker_web = {
	ASSAY_DRIVER_HEAD,
	.name = "bruker-web",
	.version = "1.0",
	.summary = "Bruker TENSOR, VERTEX, IFS 125HR, EM27/SUN over their web server",
	.make = "Bruker",
	.technique = "ftir",
	.links = ASSAY_LINK_HTTP,
	.link_defaults = link_defaults,
	.settings = bruker_settings,
	.state_size = sizeof(struct bruker),
	.raw_max = FILE_MAX_BYTES,
	.identify = bruker_identify,
	.configure = bruker_configure,
	.start = bruker_start,
	.acquire = bruker_acquire,
	.decode = bruker_decode,
	.stop = bruker_stop,
	.check = bruker_check,
};
ASSAY_DRIVER_EXPORT(bruker_web);
