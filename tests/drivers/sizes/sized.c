/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver as built with another version of <assay/driver.h>, where its structs had other sizes.  Behind
 * the SIZE bytes of its table is something else, which the worker must not take for slots.
 */
#include <assay/driver.h>

#include <stddef.h>
#include <stdlib.h>

#define SLOT(name) offsetof(struct assay_driver, name)

#ifndef ABI
#define ABI ASSAY_DRIVER_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(struct assay_driver)
#endif
#ifndef HOST_SIZE
#define HOST_SIZE sizeof(struct assay_host)
#endif
#ifndef SETTING_SIZE
#define SETTING_SIZE sizeof(struct assay_setting)
#endif
#ifndef LINK_SIZE
#define LINK_SIZE sizeof(struct assay_link_defaults)
#endif

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	id->declared = true;
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	return ASSAY_DONE;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	return -1;
}

static int no_slot(struct assay_instrument *ins)
{
	abort();
}

static void no_check(const struct assay_settings *settings, struct assay_check *out)
{
	abort();
}

static const struct {
	struct assay_driver driver;
	int (*unknown)(struct assay_instrument *ins);
} table = {{
		   .abi = ABI,
		   .size = SIZE,
		   .host_size = HOST_SIZE,
		   .setting_size = SETTING_SIZE,
		   .link_default_size = LINK_SIZE,
		   .name = NAME,
		   .version = "1",
		   .summary = "built with another header, for tests",
		   .links = ASSAY_LINK_NONE,
		   .identify = identify,
		   .acquire = acquire,
		   .decode = decode,
		   .stop = no_slot,
		   .check = no_check,
	   },
	no_slot};
ASSAY_DRIVER_EXPORT(table.driver);
