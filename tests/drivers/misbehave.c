/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misbehave: a driver that breaks the contract, in the slot and at the time of its settings.  It
 * reads no bytes on the link `none`; on others it writes "?" and takes one message as a frame.
 */
#include <assay/driver.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RAW_MOST (15 << 20)

struct state {
	uint64_t frames;
	uint32_t value;
	unsigned refused;
};

static const char *const slots[] = {
	"identify", "configure", "start", "acquire", "decode", "stop", "make_safe", NULL};

static const char *const deeds[] = {
	"none",       /* behaves */
	"crash",      /* SIGSEGV */
	"abort",      /* SIGABRT */
	"loop",       /* computes without end */
	"sleep",      /* sleeps without end, outside of all services */
	"wait",       /* waits without end in a service: an abort ends it */
	"timeout",    /* -ETIMEDOUT */
	"refuse",     /* -EPROTO, explained */
	"hesitate",   /* the same, the first two times */
	"garbage",    /* -EBADMSG */
	"result",     /* 99 */
	"unknown",    /* reads a setting that is not in its table */
	"nonsense",   /* a frame in a unit that does not exist */
	"unfinished", /* a frame whose variables are wrong */
	"drift",      /* another frame each time that the same bytes are decoded */
	"huge",       /* a frame of nearly 16 MiB */
	"chatter",    /* a thousand log lines */
	"echo",       /* the same log line, ten times */
	"spill",      /* adds a raw block that is too large, and a right one; returns a frame */
	"report",     /* reports a setting */
	"bare",       /* a frame without raw bytes */
	"scribble",   /* writes control characters to standard error */
	"open",       /* opens a file, which must fail: -EPROTO if it does not */
	NULL,
};

static const struct assay_setting settings[] = {
	{.name = "deed",
		.type = ASSAY_CHOICE,
		.choices = deeds,
		.fallback = "none",
		.help = "what"},
	{.name = "slot",
		.type = ASSAY_CHOICE,
		.choices = slots,
		.fallback = "acquire",
		.help = "in which slot"},
	{.name = "after",
		.type = ASSAY_INT,
		.min = 0,
		.max = 1e6,
		.fallback = "0",
		.help = "after how many frames"},
	{.name = "frames",
		.type = ASSAY_INT,
		.min = 0,
		.max = 1e6,
		.fallback = "0",
		.help = "frames of one measurement, 0 for no end"},
	{.name = "period",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 0,
		.max = 60,
		.fallback = "0.01 s",
		.help = "time between frames"},
	{.name = "hazard",
		.type = ASSAY_BOOL,
		.flags = ASSAY_HAZARD,
		.fallback = "false",
		.help = "switch on something harmful while measuring"},
	{.name = "serial", .type = ASSAY_TEXT, .fallback = "BAD-1", .help = "to go by"},
	{.name = NULL},
};

static bool is_time(const struct assay_settings *s, const char *slot, uint64_t frames)
{
	const char *wanted = assay_text(s, "slot");
	return strcmp(wanted != NULL ? wanted : "acquire", slot) == 0 &&
	       frames >= (uint64_t)assay_int(s, "after");
}

static bool does(const struct assay_settings *s, const char *deed)
{
	const char *wanted = assay_text(s, "deed");
	return wanted != NULL && strcmp(wanted, deed) == 0;
}

static void crash(void)
{
	volatile uintptr_t nowhere = 8;
	*(volatile int *)nowhere = 1;
}

static void loop(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static int wait_for_ever(struct assay_instrument *ins)
{
	int r;
	do {
		r = assay_pause(ins, 1000);
	} while (r == 0);
	return r;
}

static int chatter(struct assay_instrument *ins)
{
	for (int i = 0; i < 1000; i++)
		assay_log(ins, ASSAY_LOG_INFO, "line %d", i);
	return 0;
}

static int echo(struct assay_instrument *ins)
{
	for (int i = 0; i < 10; i++)
		assay_log(ins, ASSAY_LOG_WARN, "bytes were lost");
	return 0;
}

static int open_a_file(struct assay_instrument *ins)
{
	if (access("/etc/passwd", R_OK) == 0) {
		assay_explain(ins, "the file system can be reached");
		return -EPROTO;
	}
	return 0;
}

static int scribble(void)
{
	static const char line[] = "\x1b[31mscribble\xc2\x9b\n";
	return write(STDERR_FILENO, line, sizeof line - 1) > 0 ? 0 : -EPROTO;
}

/* Does the deed if it is due; returns 0 to continue, or the value for the slot to return. */
static int misbehave(struct assay_instrument *ins, const char *slot)
{
	const struct assay_settings *s = ins->settings;
	struct state *st = ins->state;
	if (!is_time(s, slot, st->frames))
		return 0;
	if (does(s, "crash"))
		crash();
	if (does(s, "abort"))
		__builtin_trap();
	if (does(s, "loop"))
		loop();
	if (does(s, "sleep"))
		for (;;)
			sleep(1000);
	if (does(s, "wait"))
		return wait_for_ever(ins);
	if (does(s, "scribble"))
		return scribble();
	if (does(s, "timeout"))
		return -ETIMEDOUT;
	if (does(s, "garbage"))
		return -EBADMSG;
	if (does(s, "result"))
		return 99;
	if (does(s, "chatter"))
		return chatter(ins);
	if (does(s, "echo"))
		return echo(ins);
	if (does(s, "open"))
		return open_a_file(ins);
	if (does(s, "report"))
		assay_report_number(ins, "period", 9, "s");
	if (does(s, "unknown"))
		(void)assay_int(s, "no_such_setting");
	if (does(s, "refuse") || (does(s, "hesitate") && ++st->refused <= 2)) {
		assay_explain(ins, "the interlock of %s is open", ins->key);
		return -EPROTO;
	}
	return 0;
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	const char *serial = assay_text(ins->settings, "serial");
	memcpy(id->make, "assayd", sizeof("assayd"));
	memcpy(id->model, "misbehave", sizeof("misbehave"));
	if (serial != NULL && strlen(serial) < sizeof(id->serial))
		memcpy(id->serial, serial, strlen(serial) + 1);
	return misbehave(ins, "identify");
}

static int configure(struct assay_instrument *ins)
{
	assay_report_number(ins, "period", assay_number(ins->settings, "period"), "s");
	return misbehave(ins, "configure");
}

static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	st->frames = 0;
	if (assay_flag(ins->settings, "hazard"))
		assay_hazard(ins, true);
	return misbehave(ins, "start");
}

static int fetch(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	uint8_t bytes[2048];
	if (ins->link == ASSAY_LINK_NONE) {
		st->value++;
		memcpy(bytes, &st->value, sizeof(st->value));
		return assay_raw_add(raw, "application/x-misbehave", NULL, bytes, 4);
	}
	int r = assay_write(ins, "?", 1, 500);
	if (r < 0)
		return r;
	ssize_t n = assay_read(ins, bytes, sizeof(bytes), 1500);
	if (n < 0)
		return (int)n;
	return assay_raw_add(raw, "application/x-misbehave", NULL, bytes, (size_t)n);
}

static int fetch_huge(struct assay_raw *raw)
{
	static uint8_t bytes[RAW_MOST];
	return assay_raw_add(raw, "application/x-misbehave", "huge", bytes, sizeof(bytes));
}

/* Adds what acquire() wants of a frame, or too much of it. */
static int fill(struct assay_instrument *ins, struct assay_raw *raw)
{
	const struct state *st = ins->state;
	const struct assay_settings *s = ins->settings;
	bool now = is_time(s, "acquire", st->frames);
	if (now && does(s, "bare"))
		return 0;
	if (now && does(s, "spill"))
		assay_raw_add(raw, "application/x-misbehave", "spill", "", RAW_MOST + 1);
	return now && does(s, "huge") ? fetch_huge(raw) : fetch(ins, raw);
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	int r = misbehave(ins, "acquire");
	if (r == 0)
		r = assay_pause(ins, (int)(assay_number(ins->settings, "period") * 1000));
	if (r != 0)
		return r;
	if (assay_stopping(ins))
		return ASSAY_DONE;
	r = fill(ins, raw);
	if (r < 0 && !does(ins->settings, "spill"))
		return r;
	st->frames++;
	return st->frames == (uint64_t)assay_int(ins->settings, "frames") ? ASSAY_LAST
									  : ASSAY_FRAME;
}

/* Pure, except for its deeds: the number of the frame is in the bytes. */
static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	uint32_t value = 0;
	if (in->raw_count != 1 || in->raw[0].len < sizeof(value))
		return -EBADMSG;
	memcpy(&value, in->raw[0].data, sizeof(value));
	bool now = is_time(in->settings, "decode", value);
	if (now && does(in->settings, "crash"))
		crash();
	if (now && does(in->settings, "loop"))
		loop();
	if (now && does(in->settings, "garbage"))
		return -EBADMSG;
	if (now && does(in->settings, "refuse")) {
		assay_explain_decode(in, "frame %u has no end", value);
		return -EBADMSG;
	}
	assay_frame_kind(out, ASSAY_SCALARS);
	if (now && does(in->settings, "drift")) {
		static int64_t calls;
		assay_add_int(out, "calls", ASSAY_AUX, ++calls, "1");
	}
	if (now && does(in->settings, "unfinished"))
		assay_add_float(out, "Not A Name", ASSAY_DATA, 1, "V");
	assay_add_int(out, "value", ASSAY_DATA, value,
		now && does(in->settings, "nonsense") ? "furlong" : "1");
	assay_frame_device_time(out, "12:00:00");
	return 0;
}

static int stop(struct assay_instrument *ins)
{
	return misbehave(ins, "stop");
}

static int make_safe(struct assay_instrument *ins)
{
	int r = misbehave(ins, "make_safe");
	if (r == 0)
		assay_hazard(ins, false);
	return r;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "misbehave",
	.version = "1",
	.summary = "a driver that breaks the contract",
	.technique = "xrf",
	.links = ASSAY_LINK_NONE | ASSAY_LINK_SERIAL | ASSAY_LINK_TCP | ASSAY_LINK_UDP |
		 ASSAY_LINK_USB,
	.settings = settings,
	.state_size = sizeof(struct state),
	.raw_max = RAW_MOST,
	.identify = identify,
	.configure = configure,
	.start = start,
	.acquire = acquire,
	.decode = decode,
	.stop = stop,
	.make_safe = make_safe,
};
ASSAY_DRIVER_EXPORT(driver);
