/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text configuration: lists of commands such as "MCAC=2048;", their order, their packets, and
 * the comparison with the readback.  Pure functions; only numbers go through the host.
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
	COMMAND_OTHER,   /* other words; may be a longer or shorter form of the same */
	COMMAND_WRONG,   /* a difference that matters, or no value at all */
};

/*
 * Reads commands from text: "NAME=value;" with blanks and line ends between them, and the sections
 * of Amptek's own files, all of which are skipped except "[DP5 Configuration File]".  0, or -EINVAL
 * with the reason in `why`.  `list` must be empty.
 */
int commands_parse(struct commands *list, const char *text, char *why, size_t why_size);

/* Sets a command's value, replacing an earlier one.  -EINVAL if the list is full. */
int commands_set(struct commands *list, const char *name, const char *value);

/* Finds by name, or NULL. */
const struct command *commands_find(const struct commands *list, const char *name);

/* Whether commands are sent or left out together: the same one, or both of counter windows. */
bool commands_belong(const char *a, const char *b);

/* Removes a command and those that belong to it; false if it was not in the list. */
bool commands_remove(struct commands *list, const char *name);

/*
 * Whether a device of this id (enum device) has the command; where that is disputed, whether the
 * readback has a value of it.  True for an unknown command.
 */
bool command_is_for(const char *name, unsigned device, const char *readback);

/* Whether the command decides which events are counted, and where; true for an unknown one. */
bool command_decides(const char *name);

/* Sorts the list into the order that the instrument needs; stable. */
void commands_sort(struct commands *list);

/* Appends a query "NAME=;" for every command that such a device has or may have. */
void commands_query(struct commands *list, unsigned device);

/* Makes the list, in order, that turns a device which reads back `now` into one with `before`. */
void commands_restore(struct commands *list, const char *before, const char *now);

/*
 * Writes commands from number *at on, as many as fit into one packet, and advances *at.  Returns
 * the length, 0 at the end.  `whole_usb` also avoids packets of a multiple of 64 bytes, which end
 * on USB only with an empty transfer.
 */
size_t commands_pack(
	const struct commands *list, size_t *at, bool whole_usb, char *out, size_t size);

/*
 * Finds NAME in text as read back and copies its value: 0, or -ENOENT if it is missing, has no
 * value, or is unknown to the instrument ("??").
 */
int readback_find(const char *text, const char *name, char *value, size_t size);

/* The same as a number, unit letters after it ignored; -ENOENT for OFF and other words, too. */
int readback_number(const struct assay_host *host, const char *text, const char *name, double *out);

/* Compares a command with its value in `text` as read back. */
enum command_match readback_match(
	const struct assay_host *host, const char *text, const struct command *sent);

/* Writes a number with at most `digits` decimals, no trailing zeros, independent of the locale. */
void command_number(char *out, size_t size, double value, int digits);

#endif
