/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

#define REQUEST_MS   30000
#define VALUE_MAX    65536
#define MANAGER      "/v1/scm/sessions/system-manager"
#define ID_CHARS     "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
#define PUBLIC       "public:"
#define HTTP_MISSING 404

/* Without bytes that act on a terminal. */
static void put_printable(char *to, size_t size, const char *text)
{
	size_t n = 0;
	for (; n + 1 < size && text[n] != '\0'; n++)
		to[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	to[n] = '\0';
}

int request_any(
	struct assay_instrument *ins, const char *path, size_t max, struct assay_http_reply *reply)
{
	struct assay_http_request request = {.path = path, .max = max};
	return assay_http(ins, &request, reply, REQUEST_MS);
}

static int refuse_status(
	struct assay_instrument *ins, const char *path, const struct assay_http_reply *reply)
{
	char body[80];
	put_printable(body, sizeof(body), (const char *)reply->body);
	assay_explain(ins, "%.200s: status %d: %s", path, reply->status, body);
	return -EPROTO;
}

static int parse(struct assay_instrument *ins, const char *path,
	const struct assay_http_reply *reply, json_t **value)
{
	char why[WHY_MAX];
	*value = run_parse(reply->body, reply->len, why);
	if (*value != NULL)
		return 0;
	assay_explain(ins, "%.200s: %s", path, why);
	return -EBADMSG;
}

int request_value(struct assay_instrument *ins, const char *path, json_t **value)
{
	struct assay_http_reply reply;
	*value = NULL;
	int r = request_any(ins, path, VALUE_MAX, &reply);
	if (r == 0 && reply.status != 200)
		r = refuse_status(ins, path, &reply);
	return r == 0 ? parse(ins, path, &reply, value) : r;
}

/* Words that are not here are on the way to others; those with "error" are errors. */
static const struct {
	const char *word;
	enum station_state state;
} words[] = {
	{"ready", STATION_READY}, {"method-running", STATION_RUNNING}, {"standby", STATION_RESTING},
	{"shutdown", STATION_ERROR},
	{"error-method-load-failed", STATION_RESTING}, /* another method may load */
};

static enum station_state state_of(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].state;
	return strncmp(word, "error", 5) == 0 ? STATION_ERROR : STATION_BUSY;
}

/* ["public:sequence-not-loaded", "public:ready"] */
int request_station(struct assay_instrument *ins, struct station *out)
{
	static const char path[] = MANAGER "/publicConfiguration";
	json_t *value = NULL;
	int r = request_value(ins, path, &value);
	if (r < 0)
		return r;
	const char *sequence = json_string_value(json_array_get(value, 0));
	const char *system = json_string_value(json_array_get(value, 1));
	if (sequence == NULL || system == NULL) {
		assay_explain(ins, "%s: expected two states: is this a Micro GC Fusion?", path);
		r = -EBADMSG;
	} else {
		system += strncmp(system, PUBLIC, strlen(PUBLIC)) == 0 ? strlen(PUBLIC) : 0;
		put_printable(out->word, sizeof(out->word), system);
		out->state = state_of(out->word);
		out->has_sequence = strcmp(sequence, PUBLIC "sequence-running") == 0;
	}
	json_decref(value);
	return r;
}

int request_command(struct assay_instrument *ins, const char *command)
{
	char path[512];
	struct assay_http_reply reply;
	int n = snprintf(path, sizeof(path), MANAGER "!cmd.%s", command);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -EINVAL;
	int r = request_any(ins, path, VALUE_MAX, &reply);
	return r == 0 && reply.status / 100 != 2 ? refuse_status(ins, path, &reply) : r;
}

/* {"dataLocation": "/runData/<id>"}; sources differ about the folder, so the last element counts. */
int request_last_run(struct assay_instrument *ins, char *id, size_t size)
{
	static const char path[] = "/v1/lastRun";
	struct assay_http_reply reply;
	json_t *value = NULL;
	id[0] = '\0';
	int r = request_any(ins, path, VALUE_MAX, &reply);
	if (r < 0 || reply.status == HTTP_MISSING)
		return r;
	r = reply.status == 200 ? parse(ins, path, &reply, &value)
				: refuse_status(ins, path, &reply);
	if (r < 0)
		return r;
	const char *place = run_text(value, "dataLocation");
	const char *slash = strrchr(place, '/');
	place = slash != NULL ? slash + 1 : place;
	size_t len = strlen(place);
	bool is_id = len > 0 && len < size && strspn(place, ID_CHARS) == len;
	if (is_id)
		memcpy(id, place, len + 1);
	else
		assay_explain(ins, "%s: dataLocation does not end with the id of a run", path);
	json_decref(value);
	return is_id ? 0 : -EBADMSG;
}
