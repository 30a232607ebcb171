/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http.h"
#include "truth.h"

int sim_model_create(const struct sim_model_ops *ops, const struct sim_options *options,
	const struct sim_env *env, struct sim_model **model)
{
	assert(env->speed > 0 && env->random != NULL);
	const struct sim_options fallbacks = {.table = ops->options};
	*model = NULL;
	struct sim_model *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->ops = ops;
	m->env = *env;
	m->state = calloc(1, ops->state_size > 0 ? ops->state_size : 1);
	int r = m->state == NULL ? -ENOMEM : ops->init(m, options != NULL ? options : &fallbacks);
	if (r < 0) {
		sim_model_destroy(m);
		return r;
	}
	*model = m;
	return 0;
}

void sim_model_destroy(struct sim_model *m)
{
	if (m == NULL)
		return;
	if (m->ops->finish != NULL && m->state != NULL)
		m->ops->finish(m);
	free(m->state);
	free(m);
}

void sim_model_tick(struct sim_model *m, uint64_t now)
{
	if (now > m->now)
		m->now = now;
	if (m->ops->tick != NULL)
		m->ops->tick(m, m->now);
}

void sim_model_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	sim_model_tick(m, now);
	if (m->ops->input != NULL)
		m->ops->input(m, data, len, m->now);
}

uint64_t sim_model_next_wakeup(struct sim_model *m, uint64_t now)
{
	return m->ops->next_wakeup != NULL ? m->ops->next_wakeup(m, now) : SIM_NEVER;
}

size_t sim_model_discover(
	struct sim_model *m, const uint8_t *data, size_t len, uint64_t now, uint8_t *out)
{
	sim_model_tick(m, now);
	return m->ops->discover != NULL ? m->ops->discover(m, data, len, out) : 0;
}

void sim_model_link_reset(struct sim_model *m, uint64_t now)
{
	if (now > m->now)
		m->now = now;
	if (m->ops->link_reset != NULL)
		m->ops->link_reset(m, m->now);
}

const char *sim_http_argument(const struct sim_http_request *request, const char *key)
{
	for (size_t i = 0; i < request->n_arguments; i++) {
		const struct sim_http_argument *argument = &request->arguments[i];
		if (strcmp(argument->key, key) == 0)
			return argument->value != NULL ? argument->value : "";
	}
	return NULL;
}

void sim_model_respond(struct sim_model *m, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	sim_model_tick(m, now);
	m->ops->respond(m, request, reply);
	m->emitted++;
}

void sim_emit(struct sim_model *m, const void *data, size_t len)
{
	m->emitted++;
	if (m->env.emit != NULL)
		m->env.emit(m->env.context, data, len);
}

void sim_emit_stream(struct sim_model *m, const void *data, size_t len)
{
	m->emitted++;
	if (m->env.emit_stream != NULL)
		m->env.emit_stream(m->env.context, data, len);
}

bool sim_stream_has_room(struct sim_model *m)
{
	return m->env.stream_has_room == NULL || m->env.stream_has_room(m->env.context);
}

void sim_discard(struct sim_model *m)
{
	if (m->env.discard != NULL)
		m->env.discard(m->env.context);
}

FILE *sim_truth_start(struct sim_model *m, const char *event)
{
	if (m->env.truth == NULL)
		return NULL;
	truth_start(m->env.truth, m->now, event);
	fprintf(m->env.truth, ",\"reply\":%" PRIu64, m->emitted + 1);
	return m->env.truth;
}

void sim_truth_end(struct sim_model *m)
{
	truth_end(m->env.truth);
}

void sim_truth(struct sim_model *m, const char *event, const char *format, ...)
{
	FILE *out = sim_truth_start(m, event);
	if (out == NULL)
		return;
	va_list ap;
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	sim_truth_end(m);
}

bool sim_fault_active(struct sim_model *m, enum sim_fault fault)
{
	return m->env.faults != NULL &&
	       fault_strikes(m->env.faults, fault, m->env.random, clock_boot());
}

uint64_t sim_wire_time(const struct sim_model *m, uint64_t ns)
{
	return (uint64_t)((double)ns * m->env.speed);
}

bool sim_serial_is_reserved(const struct sim_model *m, uint32_t serial)
{
	return serial >= m->ops->serial_first && serial <= m->ops->serial_last;
}

struct sim_random *sim_random_of(struct sim_model *m)
{
	return m->env.random;
}
