/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>

#include "campaign.h"

#define SCRIPT_SEGMENT 4000
#define LIVES_PER_DISK 6
#define FOR_EVER       UINT64_MAX

const char *trouble_name(enum trouble trouble)
{
	static const char *const names[] = {
		[TROUBLE_POWER] = "the power failed",
		[TROUBLE_POWER_TWICE] = "the power failed twice",
		[TROUBLE_KILL] = "the program died",
		[TROUBLE_KILL_TWICE] = "the program died twice",
		[TROUBLE_EIO] = "EIO, then a power cut",
		[TROUBLE_ENOSPC] = "ENOSPC, then a power cut",
		[TROUBLE_EIO_KILL] = "EIO, then the program died",
		[TROUBLE_SHORT] = "a short write, then a power cut",
		[TROUBLE_DEAD_DISK] = "EIO from there on, then a power cut",
		[TROUBLE_FULL_DISK] = "ENOSPC from there on, then a power cut",
	};
	return names[trouble];
}

/* --- the script */

struct actor {
	struct core core;
	const char *wrong;
};

/* A start that fails is tried once more, as a service manager would. */
static int start(struct actor *actor)
{
	struct core *core = &actor->core;
	int r = core_open(core);
	if (r < 0)
		r = core_open(core);
	if (r < 0)
		return r;
	const char *wrong = core_check(core);
	if (wrong != NULL && !disk_is_stopped(core->disk))
		actor->wrong = wrong;
	core_accept(core);
	return wrong == NULL ? 0 : -ECANCELED;
}

static int restart(struct actor *actor)
{
	core_close(&actor->core);
	return start(actor);
}

/* Groups, rolls, idling, a large entry. */
static int play_groups(struct core *core)
{
	int r = core_append(core, core_topic(0), 100);
	if (r == 0)
		r = core_sync(core);
	for (int round = 0; r == 0 && round < 6; round++) {
		r = core_append_many(core, 3, 900);
		if (r == 0)
			r = core_append_many(core, 2, 40);
		if (r == 0)
			r = core_sync(core);
		if (r == 0 && round == 1)
			r = journal_idle(core->journal, CORE_NOW);
		if (r == 0 && round == 3)
			r = journal_roll(core->journal);
	}
	return r < 0 ? r : core_append(core, core_topic(1), 5000);
}

/* A removal that failed is tried again. */
static int play_prune(struct core *core)
{
	int r = core_prune(core);
	return r < 0 ? core_prune(core) : r;
}

static int play_renew(struct actor *actor)
{
	return core_renew(&actor->core) < 0 ? restart(actor) : 0;
}

static int play(struct actor *actor)
{
	struct core *core = &actor->core;
	int r = start(actor);
	if (r == 0)
		r = play_groups(core);
	if (r == 0)
		r = play_prune(core);
	if (r == 0)
		r = restart(actor);
	if (r == 0)
		r = core_append_many(core, 4, 700);
	if (r == 0)
		r = play_prune(core);
	if (r == 0)
		r = play_renew(actor);
	if (r == 0)
		r = core_append_many(core, 4, 2000);
	if (r == 0)
		r = core_sync(core);
	if (r == 0)
		r = journal_idle(core->journal, CORE_NOW);
	if (r == 0)
		r = core_append_many(core, 2, 500);
	return r < 0 ? r : core_close(core);
}

static void init_actor(struct actor *actor, uint32_t seed, uint32_t sync_ms)
{
	*actor = (struct actor){0};
	core_init(&actor->core, seed);
	actor->core.options.segment_size = SCRIPT_SEGMENT;
	actor->core.options.sync_ms = sync_ms;
}

uint64_t campaign_calls(uint32_t sync_ms)
{
	struct actor actor;
	init_actor(&actor, 1, sync_ms);
	int r = play(&actor);
	assert(r == 0 && actor.wrong == NULL);
	uint64_t calls = disk_calls(actor.core.disk);
	core_finish(&actor.core);
	return r == 0 ? calls : 0;
}

static bool is_kill(enum trouble trouble)
{
	return trouble == TROUBLE_KILL || trouble == TROUBLE_KILL_TWICE ||
	       trouble == TROUBLE_EIO_KILL;
}

static void make_trouble(struct disk *disk, enum trouble trouble, uint64_t k)
{
	switch (trouble) {
	case TROUBLE_EIO:
	case TROUBLE_EIO_KILL: disk_fail(disk, DISK_CHANGES, k, 1, EIO); break;
	case TROUBLE_ENOSPC: disk_fail(disk, DISK_CHANGES, k, 1, ENOSPC); break;
	case TROUBLE_DEAD_DISK: disk_fail(disk, DISK_CHANGES, k, FOR_EVER, EIO); break;
	case TROUBLE_FULL_DISK: disk_fail(disk, DISK_CHANGES, k, FOR_EVER, ENOSPC); break;
	case TROUBLE_SHORT: disk_shorten(disk, k); break;
	default: disk_stop_at(disk, k); break;
	}
}

static bool is_got_over(enum trouble trouble)
{
	return trouble == TROUBLE_EIO || trouble == TROUBLE_EIO_KILL || trouble == TROUBLE_ENOSPC ||
	       trouble == TROUBLE_SHORT;
}

static void end_life(struct core *core, bool power_cut)
{
	if (core->journal != NULL) {
		disk_stop_at(core->disk, 0);
		core_close(core);
	}
	if (power_cut)
		disk_crash(core->disk);
	else
		disk_kill(core->disk);
}

/* Lives on as if nothing had happened, ends in order, and is found so. */
static const char *live_on(struct actor *actor)
{
	struct core *core = &actor->core;
	if (start(actor) < 0)
		return actor->wrong != NULL ? actor->wrong : "the journal cannot be opened";
	if (play_groups(core) < 0 || core_close(core) < 0)
		return "there is trouble on a sound disk";
	disk_reboot(core->disk);
	if (start(actor) < 0)
		return actor->wrong != NULL ? actor->wrong : "the journal cannot be opened";
	if (core->report.why != JOURNAL_CONTINUED || core->report.unclean)
		return "an end in order is not recognised";
	return core_try_damage(core);
}

const char *campaign_script(enum trouble trouble, uint64_t k, uint32_t sync_ms)
{
	struct actor actor;
	struct core *core = &actor.core;
	init_actor(&actor, (uint32_t)k, sync_ms);
	make_trouble(core->disk, trouble, k);
	int r = play(&actor);
	if (r < 0 && actor.wrong == NULL && is_got_over(trouble))
		actor.wrong = "one failure was not got over";
	end_life(core, !is_kill(trouble));
	if (trouble == TROUBLE_POWER_TWICE || trouble == TROUBLE_KILL_TWICE) {
		disk_stop_at(core->disk, 1 + disk_random(core->disk, 6));
		core_open(core);
		end_life(core, !is_kill(trouble));
	}
	if (actor.wrong == NULL)
		actor.wrong = live_on(&actor);
	core_finish(core);
	return actor.wrong;
}

/* --- lives at random */

static int act(struct core *core, uint32_t i)
{
	struct disk *disk = core->disk;
	switch (disk_random(disk, 24)) {
	case 0:
	case 1:
	case 2: return journal_idle(core->journal, core->tc);
	case 3:
	case 4:
	case 5: return journal_roll(core->journal);
	case 6:
	case 7: return core_append(core, core_topic(i), 3000);
	case 8: return core_prune(core);
	case 9: return disk_random(disk, 2) == 0 ? core_renew(core) : 0;
	default: return core_append_many(core, 1 + disk_random(disk, 6), 1500);
	}
}

/* A core that meets an error may give up or try again; not after it failed to renew. */
static int live(struct core *core)
{
	uint32_t rounds = disk_random(core->disk, 30);
	int r = 0;
	for (uint32_t i = 0; i < rounds; i++) {
		r = act(core, i);
		if (core->is_renewing)
			return r;
		if (disk_random(core->disk, 3) != 0)
			r = core_sync(core);
		if (r < 0 && disk_random(core->disk, 3) == 0)
			return r;
	}
	return r;
}

static void bring_trouble(struct core *core)
{
	struct disk *disk = core->disk;
	uint32_t when = 1 + disk_random(disk, 80);
	if (disk_random(disk, 3) == 0)
		disk_shorten_writes(disk, 700);
	switch (disk_random(disk, 6)) {
	case 0: disk_fail(disk, DISK_CHANGES, when, 1 + disk_random(disk, 4), EIO); break;
	case 1: disk_fail(disk, DISK_SYNC, when / 4, 1 + disk_random(disk, 2), EIO); break;
	case 2: disk_fail(disk, DISK_WRITE, when / 4, 1 + disk_random(disk, 3), ENOSPC); break;
	case 3: disk_shorten(disk, when); break;
	default: disk_stop_at(disk, when); break;
	}
}

/* NULL, or the fault after one life and the next start. */
static const char *live_and_die(struct core *core, unsigned lies)
{
	struct disk *disk = core->disk;
	core->options.segment_size = 500 + disk_random(disk, 8000);
	bring_trouble(core);
	disk_lie(disk, lies);
	if (core_open(core) == 0) {
		const char *wrong = core_check(core);
		if (wrong != NULL && !disk_is_stopped(disk))
			return wrong;
		core_accept(core);
		if (live(core) == 0 && disk_random(disk, 4) == 0)
			core_close(core);
	}
	end_life(core, disk_random(disk, 3) != 0);
	disk_lie(disk, lies);
	if (core_open(core) < 0)
		return "the journal cannot be opened";
	const char *wrong = core_check(core);
	core_accept(core);
	if (wrong == NULL && disk_random(disk, 4) == 0)
		wrong = core_try_damage(core);
	end_life(core, true);
	return wrong;
}

const char *campaign_random(
	uint64_t first, uint64_t lives, const struct mistakes *mistakes, uint64_t *number)
{
	struct core core = {0};
	const char *wrong = NULL;
	for (uint64_t i = first; wrong == NULL && i < first + lives; i++) {
		if (i % LIVES_PER_DISK == 0 || i == first) {
			core_finish(&core);
			core_init(&core, (uint32_t)i);
			core.publishes_early = mistakes->publishes_early;
		}
		core.options.sync_ms = i / LIVES_PER_DISK % 4 == 0 ? 1000 : 0;
		wrong = live_and_die(&core, mistakes->lies);
		*number = i;
	}
	core_finish(&core);
	return wrong;
}
