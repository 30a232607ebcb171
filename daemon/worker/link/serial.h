/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the link serial: the line beside its bytes.  A pseudo-terminal has none. */
#ifndef ASSAY_WORKER_LINK_SERIAL_H
#define ASSAY_WORKER_LINK_SERIAL_H

#include "worker/link/link.h"

/* Sets DTR and RTS as the port has them.  0, or a negative errno with link->why. */
int serial_set_up_line(struct link *link, const struct port *port);

/* The slots `line` and `errors` of struct link_ops. */
int serial_line(struct link *link, int act, int value);
struct link_errors serial_errors(struct link *link);

#endif
