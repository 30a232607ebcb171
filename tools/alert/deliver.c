/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "alert"
#include "base/clock.h"
#include "base/log.h"
#include "deliver.h"
#include "message.h"

#define GRACE_NS (2 * NS_PER_S) /* beyond the deadline of the request itself */

static int start_mail(struct job *job, const struct alert_options *options,
	const struct buffer *mail, uint64_t now)
{
	/* Addresses were checked: none starts with '-'. -i: a line with a dot alone is no end. */
	const char *argv[5 + ALERT_RECIPIENTS_MAX] = {options->sendmail, "-i", "-f", options->from};
	for (size_t i = 0; i < options->to_count; i++)
		argv[4 + i] = options->to[i];
	return job_start(job, argv, mail->data, mail->len, now + options->deadline + GRACE_NS);
}

static int start_post(struct delivery_jobs *with, struct job *job,
	const struct alert_options *options, const struct buffer *body, uint64_t now)
{
	/* The URL may contain a secret, and arguments are public: the process reads the file. */
	const char *const argv[] = {"/proc/self/exe", "--post", "--config", with->config, NULL};
	return job_start(job, argv, body->data, body->len, now + options->deadline + GRACE_NS);
}

/* One line when deliveries start to fail, and one when they work again. */
static void finish(struct outbox *outbox, enum channel_kind kind,
	const struct alert_options *options, enum job_result result, int code, uint64_t now)
{
	unsigned before = outbox->channels[kind].failures;
	outbox_done(outbox, kind, result == JOB_DONE, options, now);
	if (result == JOB_DONE && before > 0)
		log_info("%s: delivered again after %u failures", channel_name(kind), before);
	else if (result == JOB_LATE && before == 0)
		log_warn("%s: not delivered within its deadline; tried again", channel_name(kind));
	else if (result == JOB_FAILED && before == 0)
		log_warn("%s: not delivered, status %d; tried again", channel_name(kind), code);
}

static void start_next(struct delivery_jobs *with, struct outbox *outbox, enum channel_kind kind,
	const struct alert_options *options, const char *lab, uint64_t now)
{
	const struct note *first;
	struct buffer bytes = {0};
	size_t count = outbox_take(outbox, kind, options, now, &first);
	if (count == 0)
		return;
	if (kind == CHANNEL_MAIL)
		message_mail(&bytes, options, lab, first, count);
	else
		message_json(&bytes, lab, first, count);
	int r = bytes.failed           ? -1
		: kind == CHANNEL_MAIL ? start_mail(&with->jobs[kind], options, &bytes, now)
				       : start_post(with, &with->jobs[kind], options, &bytes, now);
	buffer_finish(&bytes);
	if (r < 0)
		finish(outbox, kind, options, JOB_FAILED, -r, now);
}

void deliver_step(struct delivery_jobs *with, struct outbox *outbox,
	const struct alert_options *options, const char *lab, uint64_t now)
{
	for (int kind = 0; kind < CHANNELS; kind++) {
		struct job *job = &with->jobs[kind];
		if (job->pid != 0) {
			int code;
			enum job_result result = job_poll(job, now, &code);
			if (result != JOB_RUNS)
				finish(outbox, kind, options, result, code, now);
		}
		if (job->pid == 0)
			start_next(with, outbox, kind, options, lab, now);
	}
}

bool deliver_is_busy(const struct delivery_jobs *with)
{
	for (int kind = 0; kind < CHANNELS; kind++) {
		if (with->jobs[kind].pid != 0)
			return true;
	}
	return false;
}

void deliver_stop(struct delivery_jobs *with)
{
	for (int kind = 0; kind < CHANNELS; kind++)
		job_end(&with->jobs[kind]);
}
