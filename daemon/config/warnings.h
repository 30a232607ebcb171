/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All warnings of this folder: probable mistakes in a configuration that is used as it is.  Those
 * of drivers' settings come from the drivers' check().  assayd.yaml(5), section WARNINGS, lists the
 * same texts; a test compares them, and demands a file in tests/configs/slips for each.
 *
 * where                        condition
 */
#ifndef ASSAY_CONFIG_WARNINGS_H
#define ASSAY_CONFIG_WARNINGS_H

#include "config/reading.h"

/* any text                     it starts or ends with a quotation mark of a word processor */
#define WARN_QUOTES   "typographic quotes are part of the text '%.60s': use ' or \""
/* an unquoted text             " #" with a character right after it follows: "holder #3" */
#define WARN_CUT      "what follows # is a remark: a text with # needs quotes"
/* an unquoted text             " //" is in it */
#define WARN_SLASHES  "'//' starts no remark, it is part of the text '%.60s': a remark starts with #"
/* any text                     a no-break space between words */
#define WARN_NO_BREAK "a no-break space is in the text '%.60s': a search with a plain one misses it"

/* instruments.d, methods.d     any entry but a file with that name */
#define WARN_NOT_READ      "'%.100s' is not read: only files are whose names end in .yaml"
/* the main file                no instrument in any file */
#define WARN_NO_INSTRUMENT "no instrument is configured: nothing is measured"

/* laboratory.sample_id         it accepts the example with a character before it */
#define WARN_PATTERN_START "the pattern does not start with ^: it accepts 'x%.60s', too"
/* laboratory.sample_id         it accepts the example with a character after it */
#define WARN_PATTERN_END   "the pattern does not end with $: it accepts '%.60sx', too"
/* laboratory.sample_id         '*' after a letter, digit, '-' or '_' */
#define WARN_PATTERN_STAR  "'*' repeats the '%c' before it: for any characters write '.*'"

/* link                         baud is not one of the speeds of serial ports */
#define WARN_SPEED_UNUSUAL "%u is no usual speed; did you mean %u?"
/* link                         baud differs from the default of the driver */
#define WARN_SPEED_OTHER \
	"instruments of driver %s have %u bits per second unless set otherwise, not %u"
/* link                         the device file is not there */
#define WARN_DEVICE_MISSING "%.200s is not there now%s"
/* link                         /dev/ttyUSB0 and so on */
#define WARN_DEVICE_NUMBERED                                                                   \
	"%.40s is another adapter when they are plugged in in another order: use its name in " \
	"/dev/serial/by-id"
/* link                         the device or recording is below /home, /root, /tmp and so on */
#define WARN_PATH_HIDDEN "the service cannot open %.200s: it has a /tmp of its own and no /home"
/* link                         a host that is this computer, without `simulated: true` */
#define WARN_LOOPBACK                                                                             \
	"%.60s is this computer: a simulator needs 'simulated: true', or its data passes for an " \
	"instrument's"
/* simulated                    true on a USB link */
#define WARN_SIMULATED_USB "all data of this USB device is marked as simulated"

/* technique                    not in the list of techniques */
#define WARN_TECHNIQUE "technique '%.40s' is not in the list, so it may have every unit%s"

/* a column `name`              near to a variable of names.csv */
#define WARN_VARIABLE_NAME "variable '%s' is not in the list of names; did you mean '%s'?"
/* setup                        near to a name of names.csv */
#define WARN_SETUP_NAME \
	"'%.60s' is no name of names.csv, so its unit is not checked; did you mean '%s'?"
/* setup                        a name of names.csv for other techniques */
#define WARN_SETUP_TECHNIQUE "'%.60s' is a name for %s, but the technique here is %s"
/* setup                        outside of `least` to `most` of names.csv */
#define WARN_SETUP_RANGE     "'%.60s' is %.10g %s, usual values are from %.10g to %.10g %s"

/* calibration                  `until` has passed */
#define WARN_CALIBRATION_OVER \
	"calibration %.60s ended on %s, %llu days ago: every frame is suspect, cal-expired"
/* calibration                  `from` is to come */
#define WARN_CALIBRATION_EARLY \
	"calibration %.60s starts on %s, %llu days from now: frames before it are not marked"
/* calibration                  values, but no id */
#define WARN_CALIBRATION_ID    "the calibration has no id: it cannot be cited"
/* calibration                  no values of a driver that has some */
#define WARN_CALIBRATION_EMPTY "the calibration has no value such as %s: it changes no frame"
/* a method, step, instrument   another value than the calibration holds for */
#define WARN_CALIBRATION_OTHER                                                                     \
	"%s sets %s to %s, and the calibration of %s holds for %s: its frames have no calibrated " \
	"axis and are suspect, cal-settings; give it a calibration of its own"
/* a method, step               a value of a setting that nothing else names */
#define WARN_CALIBRATION_UNNAMED                                                                  \
	"%s sets %s, which neither the settings nor calibration.holds_for of %s name: unless it " \
	"is "                                                                                     \
	"the value that the instrument has, its frames have no calibrated axis and are suspect, " \
	"cal-settings"

/* Of all texts below `root`. */
void warn_of_texts(struct load *load, const struct node *root);

/* Of the compiled pattern of sample ids; `example` matches it. */
void warn_of_pattern(struct load *load, const struct node *pattern, const char *example);

/* `techniques`: bits of those that the facts may be for. */
void warn_of_setup(struct load *load, const struct node *map, unsigned techniques);

/* Of an instrument that was read without an error, and its section. */
void warn_of_instrument(
	struct load *load, const struct node *section, const struct config_instrument *instrument);

/* Of the calibration of an instrument, a method or a step: its section, and its values. */
void warn_of_calibration(struct load *load, const struct node *section,
	const struct catalog_driver *driver, const struct config_calibration *calibration);

#endif
