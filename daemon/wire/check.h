/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input and output of `assay-worker --check DRIVER`: the findings of the driver's check slot.
 *
 *	input  = [* settings]              ; maps as a driver gets them, up to the end of file
 *	output = [* [* finding]]           ; one list per map
 *	finding = { "level": uint,         ; enum assay_level: an error or a warning
 *		"setting": tstr,           ; "" : the settings as a whole
 *		? "row": uint, ? "column": tstr, ; of a table, rows from 0
 *		"text": tstr }
 */
#ifndef ASSAY_WIRE_CHECK_H
#define ASSAY_WIRE_CHECK_H

#define CHECK_BYTES_MAX    (16u << 20)
#define CHECK_FINDINGS_MAX 1000 /* of one map */
#define CHECK_TEXT         400

#endif
