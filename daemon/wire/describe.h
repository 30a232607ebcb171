/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output of `assay-worker --describe [--drivers DIR] [NAME...]`: one CBOR map on standard
 * output, in the encoding profile of a record (definite lengths, shortest integers, keys in the
 * order below).  Written by the worker, read by config/catalog; no other program loads modules.
 *
 *	catalog = { "version": 1, "drivers": [* driver], "errors": [* problem] }
 *	driver = {
 *		"name": tstr, "version": tstr, "summary": tstr, ? "technique": tstr, "make": tstr,
 *		"links": uint,                         ; bits of enum assay_link
 *		"link_defaults": [* { "link": uint, "defaults": tstr }],
 *		"has_make_safe": bool,
 *		"has_check": bool,
 *		"sha256": bstr .size 32,               ; of the module's file
 *		"settings": [* setting]
 *	}
 *	setting = {
 *		"name": tstr, "type": uint, "flags": uint,     ; enum assay_setting_type, _flag
 *		? "unit": tstr, ? "min": float, ? "max": float, ; min and max together or not at all
 *		? "choices": [+ tstr],
 *		? "columns": [+ setting],              ; of ASSAY_TABLE, nested at most 4 deep
 *		? "fallback": tstr,
 *		"help": tstr
 *	}
 *	problem = { "file": tstr, "text": tstr }       ; a module that cannot be used, and why
 *
 * Drivers are sorted by name.  "make" is "" where the family has several makers.  A module that
 * cannot be used is a problem, not a failure: the exit code is 0 as long as the folder could be
 * read.  NAMEs that are not there are problems too.
 */
#ifndef ASSAY_WIRE_DESCRIBE_H
#define ASSAY_WIRE_DESCRIBE_H

#define DESCRIBE_VERSION      1
#define DESCRIBE_BYTES_MAX    (4u << 20) /* of the whole answer */
#define DESCRIBE_COLUMNS_DEEP 4

#endif
