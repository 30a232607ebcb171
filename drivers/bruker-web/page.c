/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The text of the last cell with that id, up to the next tag; its length, or -1 if there is none. */
static int find_cell(const char *html, const char *id, const char **text)
{
	const char *last = NULL;
	for (const char *at = html; (at = strstr(at, id)) != NULL; at += strlen(id))
		last = at + strlen(id);
	if (last == NULL)
		return -1;
	last += strspn(last, " \t\r\n");
	*text = last;
	return (int)strcspn(last, "< \t\r\n");
}

/* The number at the start of a cell; -1 if there is none. */
static int64_t read_count(const char *html, const char *id)
{
	const char *text;
	int64_t value = 0;
	int len = find_cell(html, id, &text);
	if (len <= 0 || text[0] < '0' || text[0] > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (value > INT32_MAX)
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value;
}

bool page_status(const char *html, struct page_status *out)
{
	const char *text;
	int len = find_cell(html, "ID=MSTCO>", &text);
	*out = (struct page_status){.state = PAGE_OTHER, .done = -1, .remaining = -1};
	if (len <= 0)
		return false;
	/* Printable in a message, also if the page is not. */
	for (int i = 0; i < len && i < (int)sizeof(out->word) - 1; i++)
		out->word[i] = text[i] > ' ' && text[i] <= '~' ? text[i] : '?';
	if (len == 3 && memcmp(text, "IDL", 3) == 0)
		out->state = PAGE_IDLE;
	else if (len == 3 && memcmp(text, "SCN", 3) == 0)
		out->state = PAGE_SCANNING;
	out->done = read_count(html, "ID=SCAN>");
	out->remaining = read_count(html, "ID=SRSC>");
	return true;
}

/* Past "http://host" of a link; the request goes to the configured host in any case. */
static const char *path_of(const char *link)
{
	if (strncasecmp(link, "http://", 7) != 0)
		return link;
	link += 7;
	return link + strcspn(link, "/\"");
}

bool page_file(const char *html, char *path, size_t size)
{
	const char *row = strstr(html, "Datafile status");
	const char *ready = row != NULL ? strstr(row, "Ready for download") : NULL;
	const char *link = strcasestr(html, "A HREF=\"");
	path[0] = '\0';
	if (ready == NULL)
		return false;
	if (link == NULL)
		return true;
	link = path_of(link + strlen("A HREF=\""));
	size_t len = strcspn(link, "\"");
	bool is_text = link[len] == '"' && len > 0;
	for (size_t i = 0; i < len; i++)
		is_text = is_text && link[i] > ' ' && link[i] <= '~' && link[i] != '#';
	if (is_text && len + 2 <= size && memchr(link, ':', len) == NULL)
		snprintf(path, size, "%s%.*s", link[0] == '/' ? "" : "/", (int)len, link);
	return true;
}
