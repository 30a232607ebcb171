/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of base/loop.h on sd-event. */
#ifndef ASSAY_BASE_EVENT_LOOP_H
#define ASSAY_BASE_EVENT_LOOP_H

struct loop;

/* Owned through `out`: loop_close().  0 or a negative errno. */
int event_loop_open(struct loop **out);

#endif
