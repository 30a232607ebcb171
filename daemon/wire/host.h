/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host of a link: a name, or an address in its one writing.  The resolver also takes 127.1, and
 * 127.0.0.010 as octal 127.0.0.8: another instrument would be measured.
 */
#ifndef ASSAY_WIRE_HOST_H
#define ASSAY_WIRE_HOST_H

/* NULL if it can be a host; else the text that was expected.  Static. */
const char *host_complaint(const char *host);

#endif
