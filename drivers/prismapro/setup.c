/* SPDX-License-Identifier: Apache-2.0 */
/* The control of the instrument, and the setup of a scan: its channels, read back. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "request.h"
#include "slots.h"

/* The first member of `got` that is not as in `sent`, "key=value&..."; its length, or 0. */
static int find_difference(
	struct assay_instrument *ins, const char *sent, const json_t *got, const char **key)
{
	for (const char *at = sent; *at != '\0'; at += *at == '&') {
		char name[16] = "";
		int len = (int)strcspn(at, "=");
		const char *value = at + len + 1;
		size_t size = strcspn(value, "&");
		double wanted;
		memcpy(name, at, (size_t)len < sizeof(name) ? (size_t)len : 0);
		const json_t *member = reply_member(got, name);
		bool is_same = assay_parse_number(ins->host, value, size, &wanted) == 0
				       ? json_is_number(member) &&
						 fabs(json_number_value(member) - wanted) < 1e-3
				       : json_is_string(member) &&
						 json_string_length(member) == size &&
						 strncasecmp(json_string_value(member), value,
							 size) == 0;
		*key = at;
		/* Words for true differ. */
		if (!is_same && strcmp(name, "enabled") != 0)
			return len;
		at = value + size;
	}
	return 0;
}

static int set_channel(struct assay_instrument *ins, unsigned channel)
{
	const struct prismapro *state = ins->state;
	char text[128], path[64];
	const char *key;
	struct reply reply;
	plan_channel(&state->plan, ins->settings, channel, text, sizeof(text));
	int r = request_set(ins, "/mmsp/scanSetup/channels/%u/set?%s", channel, text);
	snprintf(path, sizeof(path), "/mmsp/scanSetup/channels/%u/get", channel);
	if (r == 0)
		r = request_get(ins, path, WORD_MAX_BYTES, &reply, NULL);
	if (r < 0)
		return r;
	const char *units = json_string_value(reply_member(reply.data, "reportUnits"));
	int difference = find_difference(ins, text, reply.data, &key);
	if (difference > 0)
		assay_explain(ins, "channel %u: %.*s is not as it was sent (%s)", channel,
			difference, key, text);
	else if (units != NULL && strcasecmp(units, "PP") == 0)
		assay_explain(ins,
			"channel %u reports partial pressures: set its reportUnits to Current",
			channel);
	else
		r = 1;
	reply_free(&reply);
	return r > 0 ? 0 : -EPROTO;
}

int setup_take_control(struct assay_instrument *ins)
{
	int r = request_set(
		ins, "/mmsp/communication/control/set?%s", assay_text(ins->settings, "control"));
	/* Of the scan of a client that is gone. */
	return r == 0 ? request_set(ins, "/mmsp/scanSetup/scanStop/set?1") : r;
}

int setup_send(struct assay_instrument *ins)
{
	const struct prismapro *state = ins->state;
	int64_t scans = assay_int(ins->settings, "scans");
	unsigned channels = plan_channels(&state->plan);
	int r = 0;
	for (unsigned i = 1; r == 0 && i <= channels; i++)
		r = set_channel(ins, i);
	if (r == 0)
		r = request_set(ins,
			"/mmsp/scanSetup/"
			"set?startChannel=1&stopChannel=%u&scanCount=%d&scanInterval=0",
			channels, scans > 0 ? (int)scans : -1);
	return r;
}
