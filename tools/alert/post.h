/* SPDX-License-Identifier: Apache-2.0 */
/* The process that posts one message to the webhook: the mode --post. */
#ifndef ASSAY_ALERT_POST_H
#define ASSAY_ALERT_POST_H

#include "options.h"

/*
 * Posts standard input, at most 4 MiB, to options->url.  0: the server replied 2xx within the
 * deadline; 1 after a line on standard error, which never has the URL: it may contain a secret.
 */
int post_run(const struct alert_options *options);

#endif
