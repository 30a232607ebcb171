/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "access"
#include "base/clock.h"
#include "base/gate.h"
#include "base/log.h"
#include "core/access/access.h"
#include "core/access/proof.h"
#include "core/access/zap.h"
#include "core/commit/audit.h"
#include "record/encode.h"

#define RECORD_NS (60 * NS_PER_S) /* between two records of refusals */

struct access {
	void *zmq;
	struct zap *zap;
	struct key_table *table;
	struct audit_trail *audit;
	struct key_pair server;
	char *listen[CONFIG_ROLES]; /* owned: a reload frees the configuration */
	uint64_t recorded;          /* refusals that are in the audit */
	uint64_t record_due;        /* CLOCK_BOOTTIME */
	uint64_t not_curve;         /* of the gate; they are in the table */
};

/* --- the peer of a message ------------------------------------------------------------------- */

/* Of a peer by TCP the address is numeric: it never starts with the name. */
void access_read_local(struct access_peer *peer, const char *address)
{
	char end;
	*peer = (struct access_peer){0};
	peer->is_local = address != NULL && sscanf(address, "localhost:%u:%*u:%d%c", &peer->uid,
						    &peer->pid, &end) == 2;
	if (!peer->is_local)
		*peer = (struct access_peer){0};
}

static void note(struct access *access, zmq_msg_t *last, enum config_role role, const char *id,
	const char *why)
{
	struct key_refusal refusal = {.socket = role, .why = why};
	const char *address = zmq_msg_gets(last, "Peer-Address");
	snprintf(refusal.address, sizeof refusal.address, "%s", address != NULL ? address : "");
	snprintf(refusal.key, sizeof refusal.key, "%s", id != NULL ? id : "");
	key_table_note(access->table, &refusal, 1);
}

/*
 * A local peer may send a User-Id of its choice among the properties of its connection; libzmq takes
 * the address from the kernel, and of a peer by TCP the User-Id from the handler.
 */
bool access_admits(
	struct access *access, zmq_msg_t *last, enum config_role role, struct access_peer *peer)
{
	uint8_t key[KEY_FILE_SIZE];
	access_read_local(peer, zmq_msg_gets(last, "Peer-Address"));
	if (peer->is_local || access == NULL)
		return true;
	const char *id = zmq_msg_gets(last, "User-Id");
	if (id != NULL && !key_file_decode(id, key))
		id = NULL;
	const char *why = id != NULL ? key_table_refuses(access->table, key, role, peer->name)
				     : "the connection has no key";
	if (why != NULL)
		note(access, last, role, id, why);
	return why == NULL;
}

/* --- refusals -------------------------------------------------------------------------------- */

/* Peers without CURVE: libzmq asks the handler about none of them. */
static void note_not_curve(struct access *access)
{
	struct gate_refusal last;
	struct key_refusal refusal = {.why = "the connection does not use CURVE"};
	uint64_t count = gate_not_curve(&last);
	if (count == access->not_curve)
		return;
	while (refusal.socket < CONFIG_ROLES &&
		(access->listen[refusal.socket] == NULL ||
			strcmp(access->listen[refusal.socket], last.path) != 0))
		refusal.socket++;
	memcpy(refusal.address, last.address, sizeof refusal.address);
	key_table_note(access->table, &refusal, count - access->not_curve);
	access->not_curve = count;
}

/* At once, and then at most once a minute: one who tries without end does not fill the journal. */
void access_look(struct access *access)
{
	struct key_refusal last;
	if (access == NULL)
		return;
	note_not_curve(access);
	uint64_t count = key_table_refusals(access->table, &last), now = clock_boot();
	if (count == access->recorded || now < access->record_due)
		return;
	struct buffer after = {0};
	struct map map;
	map_open(&map, &after);
	map_uint(&map, "count", count - access->recorded);
	if (last.socket < CONFIG_ROLES)
		map_text(&map, "socket", zap_sockets[last.socket]);
	map_text(&map, "address", last.address);
	if (last.key[0] != '\0')
		map_text(&map, "key", last.key);
	map_close(&map);
	audit_put(access->audit, "peer-refused", NULL, NULL, &after, last.why);
	buffer_finish(&after);
	log_warn("%llu connections from other machines were refused, the last from %s with the key "
		 "%s: %s",
		(unsigned long long)(count - access->recorded), last.address,
		last.key[0] != '\0' ? last.key : "-", last.why);
	access->recorded = count;
	access->record_due = now + RECORD_NS;
}

uint64_t access_refusals(const struct access *access)
{
	struct key_refusal last;
	return key_table_refusals(access->table, &last);
}

/* --- its life -------------------------------------------------------------------------------- */

static int start(struct access *access, const struct config *config)
{
	struct key_pair proof;
	uint8_t key[KEY_FILE_SIZE];
	int r = 0;
	access->table = key_table_create(config->keys, config->key_count);
	if (access->table == NULL || zmq_curve_keypair(proof.public_key, proof.secret_key) < 0 ||
		!key_file_decode(proof.public_key, key))
		return -ENOMEM;
	for (size_t i = 0; i < CONFIG_ROLES && r == 0; i++) {
		if (config->listen[i] != NULL &&
			(access->listen[i] = strdup(config->listen[i])) == NULL)
			r = -ENOMEM;
	}
	if (r == 0)
		r = zap_start(&access->zap, access->zmq, access->table, key);
	return r < 0 ? r : proof_run(access->zmq, &proof);
}

static bool is_wanted(const struct config *config)
{
	bool is_any = false;
	for (size_t i = 0; i < CONFIG_ROLES; i++)
		is_any = is_any || config->listen[i] != NULL;
	return is_any;
}

int access_open(
	struct access **out, void *zmq, const struct config *config, struct audit_trail *audit)
{
	char why[KEY_FILE_ERRORS];
	struct gate_refusal before;
	*out = NULL;
	if (!is_wanted(config))
		return 0;
	struct access *access = calloc(1, sizeof *access);
	if (access == NULL)
		return -ENOMEM;
	access->zmq = zmq;
	access->audit = audit;
	access->not_curve = gate_not_curve(&before);
	int r = key_file_read(config->server_key, true, &access->server, why);
	if (r < 0) {
		log_error("the daemon's key: %s", why);
	} else if ((r = start(access, config)) < 0) {
		log_error("connections by TCP cannot be authenticated, and none is accepted: %s",
			strerror(-r));
	}
	if (r < 0)
		access_close(access);
	else
		*out = access;
	return r;
}

void access_close(struct access *access)
{
	if (access == NULL)
		return;
	zap_stop(access->zap);
	key_table_destroy(access->table);
	for (size_t i = 0; i < CONFIG_ROLES; i++)
		free(access->listen[i]);
	explicit_bzero(access, sizeof *access);
	free(access);
}

int access_set_keys(struct access *access, const struct config *config)
{
	return access != NULL ? key_table_set(access->table, config->keys, config->key_count) : 0;
}

struct remote_place access_place(const struct access *access, enum config_role role)
{
	if (access == NULL)
		return (struct remote_place){0};
	return (struct remote_place){.address = access->listen[role],
		.name = zap_sockets[role],
		.secret_key = access->server.secret_key,
		.removals = key_table_removals(access->table)};
}
