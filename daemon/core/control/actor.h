/* SPDX-License-Identifier: Apache-2.0 */
/* The person or program at the other end of the control socket. */
#ifndef ASSAY_CORE_CONTROL_ACTOR_H
#define ASSAY_CORE_CONTROL_ACTOR_H

#include "core/access/access.h"
#include "core/commit/audit.h"

#define ACTOR_USERS "/etc/passwd"

/*
 * Of a peer by TCP the name of its key.  Of a local one the name comes from the file of local users,
 * such as ACTOR_USERS: a directory service may take minutes to reply, and the main loop must not
 * wait for it.  A user without a line in it is "uid-N".
 */
void actor_find(struct audit_actor *actor, const struct access_peer *peer, const char *users);

#endif
