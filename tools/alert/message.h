/* SPDX-License-Identifier: Apache-2.0 */
/* Notes as a mail and as the JSON of a webhook. */
#ifndef ASSAY_ALERT_MESSAGE_H
#define ASSAY_ALERT_MESSAGE_H

#include "base/buffer.h"
#include "outbox.h"

/*
 * A whole mail with its headers.  Only the subject, From and To carry texts: tokens of topics, words of
 * tables and addresses of the configuration, so that no text of others becomes a header.  `lab` is
 * "SITE/NODE", or "" if unknown.  The only error is that `to` has failed.
 */
void message_mail(struct buffer *to, const struct alert_options *options, const char *lab,
	const struct note *notes, size_t count);

/* {"lab", "text", "alerts": [...]}; many servers of chats show `text`. */
void message_json(struct buffer *to, const char *lab, const struct note *notes, size_t count);

#endif
