/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line to standard error per event, with the priority prefix that journald reads ("<3>"
 * error ... "<7>" debug).  Each .c file names its topic before it includes this header:
 *
 *	#define LOG_TOPIC "journal"
 *
 * Errors are logged once, where they are handled, and repeating faults at the change of state.
 * Messages of config/messages.csv, which are known by their format, end with their id: " [A201]".
 * All functions may be called from any thread; errno is preserved.
 */
#ifndef ASSAY_BASE_LOG_H
#define ASSAY_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 3, /* someone must act */
	LOG_LEVEL_WARN = 4,  /* data may be missing */
	LOG_LEVEL_INFO = 6,  /* a state changed */
	LOG_LEVEL_DEBUG = 7,
};

/* Lines above `level` are dropped.  `prefixes`: write "<N>"; when false, the level's name. */
void log_init(enum log_level level, bool prefixes);

/* Writes one line "<N>topic: text"; text is cut at 1000 bytes and made printable. */
void log_write(enum log_level level, const char *topic, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Makes a pipe for the standard error of a child.  *end: the end for the child, which the caller
 * closes.  The pipe holds 64 KiB; after that the child's writes fail.  Returns the end for
 * log_captured(), or a negative errno.
 */
int log_capture(int *end);

/* After the child's end: logs its lines as warnings, at most 100, and closes `fd`.  -1 is legal. */
void log_captured(const char *topic, int fd);

#define log_error(...) log_write(LOG_LEVEL_ERROR, LOG_TOPIC, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, LOG_TOPIC, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, LOG_TOPIC, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, LOG_TOPIC, __VA_ARGS__)

#endif
