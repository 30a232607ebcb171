/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers of the file's sections, and their tables for the JSON Schema.  Each reader takes
 * the section's map (NULL: left out) and fills its part of load->config.
 */
#ifndef ASSAY_CONFIG_SECTIONS_H
#define ASSAY_CONFIG_SECTIONS_H

#include "config/fields.h"

/* The main file's keys; their sections are read by those below. */
extern const struct field config_fields[];

void laboratory_read(struct load *load, const struct node *map, struct config_mark where);
extern const struct field laboratory_fields[];

void journal_read(struct load *load, const struct node *map);
extern const struct field journal_fields[];
extern const struct field journal_keep_fields[];

void sockets_read(struct load *load, const struct node *map);
extern const struct field sockets_fields[];

/* Reads the file of authorised keys; and its root, NULL after an error. */
void authorised_load(struct load *load, const char *path);
void authorised_read(struct load *load, const struct node *root);
extern const char *const config_roles[]; /* the words of enum config_role, then NULL */

#endif
