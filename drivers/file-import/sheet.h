/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a report. */
#ifndef FILE_IMPORT_SHEET_H
#define FILE_IMPORT_SHEET_H

#include "report.h"

/* A report whose header was found. */
struct sheet {
	const struct report *r;
	const uint8_t *bytes;
	size_t len, body; /* body: the line after the header; of spectra the header */
	size_t count;     /* of cells */
	struct report_cell cells[REPORT_CELLS];
	char titles[REPORT_CELLS][REPORT_TEXT];
	char why[FORMAT_FACT];
};

/* The number of the line at a place, from 1. */
unsigned sheet_line_of(const struct sheet *sheet, size_t at);

/* Finds the header of the bytes, passing a line "sep=;" and others before it: true; or false and sheet->why. */
bool sheet_find_header(struct sheet *sheet);

#endif
