/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libassay: everything that assayd committed, exactly once, in order per topic.
 *
 *	struct assay_client_options options = {.size = sizeof options, .dir = "/run/assayd"};
 *	struct assay_client *client;
 *	const struct assay_client_item *item;
 *	if (assay_client_open(&client, &options) == 0)
 *		while (assay_client_next(client, 1000, &item) >= 0)
 *			...
 *
 * A client subscribes to the live socket and fetches earlier entries, entries dropped on the way,
 * and entries published while it was away from the journal, by the replay socket.  Entries that are
 * lost are reported as a gap, once.  See docs/consumers.md for the guarantees and limits.
 *
 * A client belongs to one thread at a time; different clients share nothing.  The only threads
 * created are libzmq's two per client, which move bytes and call no callback.  Every wait has a
 * deadline and ends with -EINTR when a signal was handled.  Nothing is printed.
 *
 * The ABI is that of the library's major version: structures that the caller fills start with
 * their size and may grow, items are read only through pointers and may grow at the end.
 */
#ifndef ASSAY_CLIENT_H
#define ASSAY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <assay/record.h>

#ifdef __cplusplus
extern "C" {
#endif

struct assay_client;

/*
 * All entries on this topic of this journal up to and including `seq` have been processed.  Store
 * one per journal and topic, in the same transaction as the result; they never go backwards.
 */
struct assay_client_cursor {
	uint8_t journal[ASSAY_UUID_SIZE];
	char topic[ASSAY_TOPIC_MAX + 1];
	uint64_t seq;
};

/* Where to start on topics that have no cursor. */
enum assay_client_start {
	ASSAY_START_OLDEST, /* with the oldest entry that is kept, of the oldest journal */
	ASSAY_START_NOW,    /* with the next entry that is published */
	ASSAY_START_TIME,   /* with the first one committed at start_at (ns since 1970) or later */
	ASSAY_START_SEQ,    /* with the first one of the current journal with seq >= start_at */
};

struct assay_client_options {
	size_t size;               /* sizeof(struct assay_client_options) */
	const char *dir;           /* folder of the daemon's sockets; NULL: /run/assayd */
	const char *live, *replay; /* endpoints, instead of those in `dir` */
	/*
	 * Prefixes of topics, such as "a1/data/xrf/"; none: "a1/data/".  End them with '/', or
	 * "xrf-1" also means "xrf-10".  At most 64.
	 */
	const char *const *topics;
	size_t topics_count;
	/*
	 * Simulated instruments, too: of "a1/data/..." also "a1/sim-data/...".  Without this
	 * their entries are never delivered, and a prefix that names them is rejected.
	 */
	bool simulated;
	/*
	 * By whole runs: of data topics an item is a run, delivered when its run-end is committed.
	 * An amend of another run than the open one is an item of its own, as are entries of other
	 * topics.  Of a run that is open when the client starts, the entries before are fetched.
	 */
	bool runs;
	/* End with -ENODATA after all entries that were committed when the client was opened. */
	bool stop_at_head;
	enum assay_client_start start;
	uint64_t start_at;
	/*
	 * Cursors: kept by the daemon under this name ([a-z0-9-], at most 32) and advanced by
	 * assay_client_ack(), or stored by the caller.  Not both.
	 */
	const char *cursor;
	const struct assay_client_cursor *cursors;
	size_t cursors_count;
	/*
	 * Messages that may wait in the live socket; 0: 10000.  Fewer if they are large: at most as
	 * many as 64 MiB hold if all are as large as the largest so far.
	 */
	int receive_hwm;
	/*
	 * Of tcp:// endpoints: files of this program's own key pair, which only its user may read, and
	 * of the daemon's public key, both made by `assayctl keygen`.  Both or none.
	 */
	const char *key, *server_key;
};

enum assay_client_kind {
	ASSAY_ITEM_ENTRY = 1,
	ASSAY_ITEM_GAP,
	ASSAY_ITEM_RUN,
	ASSAY_ITEM_MARK, /* only a cursor to store */
};

enum assay_client_why {
	ASSAY_GAP_PRUNED = 1, /* removed by `keep` of the configuration */
	ASSAY_GAP_DAMAGED,    /* lost by damage */
};

/* Lost entries inside a run. */
struct assay_client_gap {
	uint64_t first, last;
	enum assay_client_why why;
};

/*
 * A delivered item.  Borrowed, with all that it points at, until the next call for this client
 * other than assay_client_run_entry() and assay_client_ack().
 */
struct assay_client_item {
	enum assay_client_kind kind;
	/*
	 * To be stored when the item has been processed; of a gap or run its last seq.  A mark has
	 * nothing else: its topic is a prefix, and all entries below it up to seq were delivered
	 * or are not wanted.  Marks are delivered where a client without cursors starts and at the
	 * end of an older journal.  If a consumer does not store them, a later client only reads
	 * more entries than it delivers.
	 */
	struct assay_client_cursor cursor;
	/* ASSAY_ITEM_ENTRY: its bytes as committed, and the view into them. */
	const uint8_t *bytes;
	size_t len;
	struct assay_entry_view entry;
	/*
	 * ASSAY_ITEM_GAP: entries on cursor.topic, of seqs from `first` to cursor.seq, are lost; of
	 * several gaps in a row one may have held none.  Of an older journal the topic may be a
	 * subscribed prefix: entries on any topics below it may be lost.  ASSAY_ITEM_RUN: its
	 * first entry.
	 */
	uint64_t first;
	enum assay_client_why why;
	/*
	 * ASSAY_ITEM_RUN: its entries, with the amends of it made while it was open, are read by
	 * assay_client_run_entry().  `is_whole`: run-start, run-end and all frames that run-end
	 * counts and hashes are available; if not, `gaps` may have the reason.
	 */
	const uint8_t *run;         /* 16 bytes */
	struct assay_string number; /* the number for citation; NULL if run-start is lost */
	struct assay_string status; /* of run-end; NULL if that is lost or was never written */
	uint64_t frames, entries;   /* available */
	bool is_whole;
	const struct assay_client_gap *gaps;
	size_t gaps_count;
	uint64_t final_frames; /* of `frames`, those that no later one replaces: not partial */
	/*
	 * ASSAY_ITEM_RUN: as run-start, corrected by the amends of this run made while it was open;
	 * NULL if unknown.  `is_valid`: none of them declares it invalid.
	 */
	struct assay_string sample, person, note;
	bool is_valid;
};

/* One entry of a run; borrowed until the next call for this client. */
struct assay_client_entry {
	const uint8_t *bytes;
	size_t len;
	struct assay_entry_view entry;
};

/*
 * Opens a client; nothing is sent and the daemon need not run.  Copies the options.  Returns owned
 * through `client`.  -EINVAL: an option is wrong, assay_client_error(NULL) names it; -E2BIG: `size` is larger than this library knows
 * and a member beyond is set, -ENOMEM, or libzmq's error for an endpoint.
 */
int assay_client_open(struct assay_client **client, const struct assay_client_options *options);

/* Frees it, and the items that it delivered.  NULL is legal. */
void assay_client_close(struct assay_client *client);

/*
 * Waits up to `timeout_ms` (0: not at all) for the next item.  1: an item; 0: none in this time;
 * -ENODATA: the end (stop_at_head); -EINTR; -ENOMEM, from then on always, because an item may be
 * lost: close the client; -EPROTO: the peer is not assayd, or has
 * another version of the protocol; -EACCES: the daemon refuses this program's key; -EBUSY: another program uses this cursor,
 * assay_client_error() names it.  While the daemon does not run or reply,
 * the client reconnects by itself and delivers nothing.
 */
int assay_client_next(
	struct assay_client *client, int timeout_ms, const struct assay_client_item **item);

/*
 * Waits up to `timeout_ms` for the next entry of the run that assay_client_next() delivered; the
 * run is fetched again in pieces, so that it may be larger than the memory.  1: an entry; 0: the
 * end; -EAGAIN: not in this time, call again; -ENODATA: the rest has been pruned or damaged since;
 * and the errors of assay_client_next().  assay_client_run_rewind() starts again with the first
 * entry.
 */
int assay_client_run_entry(
	struct assay_client *client, int timeout_ms, const struct assay_client_entry **entry);
void assay_client_run_rewind(struct assay_client *client);

/*
 * Reports to the daemon that all items delivered so far, the last one included, have been processed
 * (`cursor` in the options).  0 when the daemon has stored that durably; -ETIMEDOUT: not in this
 * time, call again; -EINVAL without a name; -EACCES, -EPROTO: rejected.  The daemon stores within
 * 50 ms, topic by topic: at a high rate process several items between two calls.
 */
int assay_client_ack(struct assay_client *client, int timeout_ms);

struct assay_client_state {
	size_t size;       /* sizeof(struct assay_client_state), by the caller */
	bool is_connected; /* a heartbeat or a reply arrived in the last 5 s */
	bool is_live;      /* all entries committed up to the last heartbeat were delivered */
	uint8_t journal[ASSAY_UUID_SIZE]; /* being read; zeros before the first reply */
	uint64_t seq, head;               /* the last one read in it, and its last one */
	uint64_t reconnects, refetched;   /* since it was opened: connections, holes in live data */
};

/* The state, for progress and monitoring.  -EINVAL: `size` was never a valid one. */
int assay_client_state(const struct assay_client *client, struct assay_client_state *state);

/*
 * The last error in words; "" if there was none.  Borrowed until the next call.  NULL: of the last
 * assay_client_open() of this thread.
 */
const char *assay_client_error(const struct assay_client *client);

/*
 * Variables of a frame, in addition to the functions of <assay/record.h>.  Without state, and
 * thread-safe.
 */

/* The variable that is the axis of dimension `dim` of `var`; -ENOENT if there is none. */
int assay_client_axis(const struct assay_frame_view *frame, const struct assay_var_view *var,
	size_t dim, struct assay_var_view *axis);

/*
 * The only variable of this name, analyte and basis; NULL: any.  -ENOENT if there is none, -ENOTUNIQ
 * if there are several: a gas analyser has `concentration` once per gas.  Of several channels,
 * assay_frame_next() gives each.
 */
int assay_client_variable(const struct assay_frame_view *frame, const char *name,
	const char *analyte, const char *basis, struct assay_var_view *var);

/*
 * The elements of an array or n-dimensional variable in place, little-endian: var->count of this
 * type, possibly unaligned, borrowed as `var` is.  NULL if the variable has other elements or none.
 */
const void *assay_client_array(const struct assay_var_view *var, enum assay_element element);

/*
 * Element `i` as a double or an integer, never with loss: -ERANGE if the type cannot hold it (an
 * integer above 2^53 as double, above INT64_MAX), -EDOM for a text, a float as integer, or no such
 * element.  NaN, which an instrument's float array may hold, is returned unchanged.
 */
int assay_client_double(const struct assay_var_view *var, size_t i, double *value);
int assay_client_int(const struct assay_var_view *var, size_t i, int64_t *value);

/*
 * All elements, at most `size`, as doubles.  Returns the number that the variable has, or the error
 * of the first that could not be converted; `to` is then undefined.
 */
ssize_t assay_client_doubles(const struct assay_var_view *var, double *to, size_t size);

/*
 * Element `i` as a terminated text: a text unchanged, a number with enough digits to read back the
 * same value, with a point in every locale.  Returns its length; -ENOSPC: `size` is too small
 * (40 is enough for numbers); -EDOM: no such element.
 */
ssize_t assay_client_text(const struct assay_var_view *var, size_t i, char *to, size_t size);

/* "0.1.0": the library's version. */
const char *assay_client_version(void);

#ifdef __cplusplus
}
#endif
#endif
