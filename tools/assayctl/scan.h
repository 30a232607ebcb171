/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `assayctl scan`: devices, ports that are in use, questions to instruments. */
#ifndef ASSAY_ASSAYCTL_SCAN_H
#define ASSAY_ASSAYCTL_SCAN_H

#include <stdbool.h>
#include <stdio.h>

#include "command.h"
#include "config/config.h"

#define SCAN_DEVICES_MAX  200
#define SCAN_PROFILES_MAX 200
#define SCAN_WORDS_MAX    16 /* of a link */
#define SCAN_TEXT         200

/* A serial port or a USB device, as the kernel describes it.  Texts are "" if not known, and printable. */
struct scan_device {
	bool is_serial, has_usb;
	char port[SCAN_TEXT],
		by_id[SCAN_TEXT]; /* of a serial port: the node, and its lasting name */
	char path[40];            /* "1-2.3": the USB socket */
	unsigned vid, pid;
	char make[SCAN_TEXT], product[SCAN_TEXT], serial[SCAN_TEXT];
};

/* A profile of the installed ones, or of a folder. */
struct scan_profile {
	char name[SCAN_TEXT]; /* as `profile:` has it */
	struct config_profile facts;
};

struct device_scan {
	const struct options *options;
	const struct catalog *catalog;
	const char *const *link_words; /* KEY=VALUE of --link */
	size_t link_count;
	uint64_t end; /* clock_boot(): nothing more is sent afterwards */
	struct scan_device devices[SCAN_DEVICES_MAX];
	size_t device_count;
	struct scan_profile profiles[SCAN_PROFILES_MAX];
	size_t profile_count;
	struct scan_use *uses;
	size_t use_count;
	FILE *out;    /* comments */
	FILE *blocks; /* instruments in YAML */
	size_t found;
};

/* --- scan-devices.c --- */

/* Lists them without opening any: reads the kernel's description only.  0 or a negative errno. */
int scan_devices(struct device_scan *scan);

/* An adapter of which many are sold, with any instrument behind it. */
bool scan_is_generic(const struct scan_device *device);

/* The number of a key, such as "port", in a driver's defaults for a kind of link; false: none. */
bool scan_default(
	const struct catalog_driver *driver, const char *kind, const char *key, unsigned *to);

/* The USB numbers in a driver's defaults; false: it has none. */
bool scan_usb_numbers(const struct catalog_driver *driver, unsigned *vid, unsigned *pid);

/* --- scan-use.c --- */

/* Notes the ports of the daemon that runs and of the configuration.  */
void scan_uses(struct device_scan *scan);

/* The instrument that uses it; NULL: none.  `name` is of the form of "tcp:host:502". */
const char *scan_used(const struct device_scan *scan, const char *name);
const char *scan_used_usb(const struct device_scan *scan, const struct scan_device *device);
void scan_uses_finish(struct device_scan *scan);

/* --- scan-ask.c --- */

struct scan_answer {
	bool is_silent;   /* nothing came in time */
	bool is_identity; /* else `text` has the reason why there is none */
	bool is_declared; /* the instrument cannot report it */
	char make[SCAN_TEXT], model[SCAN_TEXT], serial[SCAN_TEXT], fw[SCAN_TEXT];
	char code[40], text[3 * SCAN_TEXT];
};

/*
 * Asks for the identity by a confined worker: `name` is a driver or a profile, `words` the link's, with
 * its type first.  No setting is sent.
 */
void scan_ask(const struct device_scan *scan, const char *name, const char *const *words,
	size_t count, unsigned seconds, struct scan_answer *answer);

/* --- scan-block.c --- */

/*
 * Appends an instrument in YAML with the link's words; as a comment with the reasons if the result
 * lacks something that only a person knows.  `profile` may be NULL.
 */
void scan_put_block(struct device_scan *scan, const struct catalog_driver *driver,
	const char *profile, const char *const *words, size_t count,
	const struct scan_answer *answer);

#endif
