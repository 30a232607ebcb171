/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text configuration: commands "MCAC=2048;" as they are sent, listed, put into order, cut into
 * packets and compared with what the instrument reads back.  Pure functions; only numbers go
 * through the host.
 */
#ifndef ASSAY_AMPTEK_DP5_COMMAND_H
#define ASSAY_AMPTEK_DP5_COMMAND_H

#include <assay/driver.h>

enum {
	COMMAND_VALUE_MAX = 10,
	COMMANDS_MAX = 128,
};

struct command {
	char name[5];
	char value[COMMAND_VALUE_MAX + 1];
};

struct commands {
	struct command items[COMMANDS_MAX];
	size_t count;
};

/* How a value read back relates to the value sent. */
enum command_match {
	COMMAND_SAME,
	COMMAND_ROUNDED, /* a number that the instrument rounds; its value is the true one */
	COMMAND_OTHER,   /* other words; may be a longer or shorter way to say the same */
	COMMAND_WRONG,   /* a difference that matters, or not there at all */
};

/*
 * Reads commands out of text: "NAME=value;", blanks and line ends between them, and the sections
 * of Amptek's own files, of which only "[DP5 Configuration File]" counts.  0, or -EINVAL with what
 * is wrong in `why`.  `list` is empty at first.
 */
int commands_parse(struct commands *list, const char *text, char *why, size_t why_size);

/* Sets a command's value, in place of an earlier one.  -EINVAL when the list is full. */
int commands_set(struct commands *list, const char *name, const char *value);

/* Finds by name, or NULL. */
const struct command *commands_find(const struct commands *list, const char *name);

/* Removes a command if it is there, and says whether it was. */
bool commands_remove(struct commands *list, const char *name);

/* True when a device of this id (enum device) has the command; commands not known count as had. */
bool command_is_for(const char *name, unsigned device);

/* Puts the list into the order that the instrument needs; otherwise the order stays. */
void commands_sort(struct commands *list);

/* Appends a query "NAME=;" for every command worth reading back from such a device. */
void commands_query(struct commands *list, unsigned device);

/*
 * Writes commands from number *at on, as many whole ones as one packet takes, and moves *at on.
 * Returns the length, 0 at the end.  `whole_usb` also avoids packets of a multiple of 64 bytes,
 * which end on USB only with an empty transfer.
 */
size_t commands_pack(
	const struct commands *list, size_t *at, bool whole_usb, char *out, size_t size);

/*
 * Finds NAME in text as read back and copies its value: 0; -ENOENT when it is not there, has no
 * value, or the instrument does not know it ("??").
 */
int readback_find(const char *text, const char *name, char *value, size_t size);

/* The same as a number, unit letters after it ignored; -ENOENT also for OFF and other words. */
int readback_number(const struct assay_host *host, const char *text, const char *name, double *out);

/* Compares a command with what `text` reads back for it. */
enum command_match readback_match(
	const struct assay_host *host, const char *text, const struct command *sent);

/* Writes a number with at most `digits` decimals, without trailing zeros, in no locale. */
void command_number(char *out, size_t size, double value, int digits);

#endif
