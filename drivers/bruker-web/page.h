/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of the spectrometer's web server.  Pure; a text ends with its zero. */
#ifndef BRUKER_WEB_PAGE_H
#define BRUKER_WEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_MAX       (64u << 10) /* bytes of one page */
#define PATH_MAX_BYTES 1024        /* of a request with its parameters */

enum page_state {
	PAGE_IDLE,
	PAGE_SCANNING,
	PAGE_OTHER, /* a word that is not published: wait */
};

struct page_status {
	enum page_state state;
	char word[16];
	int64_t done, remaining; /* scans; -1: not stated */
};

/* Reads /stat.htm.  False if it has no status: it is not this page. */
bool page_status(const char *html, struct page_status *out);

/*
 * Reads /datafile.htm.  False if no file is ready; else the link to it as a path from the root, which
 * is empty if it leads to another place than a path, or does not fit.
 */
bool page_file(const char *html, char *path, size_t size);

#endif
