/* SPDX-License-Identifier: Apache-2.0 */
/* micro-gc-fusion: the gas chromatograph INFICON Micro GC Fusion. */
#include <assay/driver.h>

#include "slots.h"

static const struct assay_setting settings[] = {
	{.name = "method",
		.type = ASSAY_TEXT,
		.flags = ASSAY_REQUIRED,
		.help = "name of a user method on the instrument; it is loaded before each run"},
	{.name = "concentration_unit",
		.type = ASSAY_TEXT,
		.flags = ASSAY_UNIT,
		.help = "unit to which the method is calibrated, in UCUM; absent: %"},
	{.name = "poll",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 0.05,
		.max = 30,
		.fallback = "1 s",
		.help = "time between two requests of the state"},
	{.name = "ready_timeout",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 1,
		.max = 86400,
		.fallback = "1800 s",
		.help = "longest wait for a run before it, for the method, and for this run to "
			"begin"},
	{.name = "run_timeout",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 1,
		.max = 86400,
		.fallback = "3600 s",
		.help = "longest time of a run"},
	{.name = "abort_run",
		.type = ASSAY_BOOL,
		.fallback = "false",
		.help = "abort the instrument's run with that of the daemon; the vendor advises "
			"against it"},
	{.name = NULL},
};

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_HTTP, "host: 10.10.0.1"},
	{0, NULL},
};

static const struct assay_driver micro_gc_fusion = {
	ASSAY_DRIVER_HEAD,
	.name = "micro-gc-fusion",
	.version = "1.0",
	.summary = "INFICON Micro GC Fusion (GC)",
	.make = "INFICON",
	.technique = "gc",
	.links = ASSAY_LINK_HTTP,
	.link_defaults = link_defaults,
	.settings = settings,
	.state_size = sizeof(struct fusion),
	.raw_max = RUN_MAX_BYTES,
	.identify = fusion_identify,
	.start = fusion_start,
	.acquire = fusion_acquire,
	.decode = fusion_decode,
	.stop = fusion_stop,
	.check = fusion_check,
	.poll = fusion_poll,
	.poll_ms = 10000,
};
ASSAY_DRIVER_EXPORT(micro_gc_fusion);
