/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands and their options. */
#include "command.h"
#include "export.h"

#define OPTION(n, t, v, h)                                        \
	{                                                         \
		.name = n, .type = ARG_##t, .value = v, .help = h \
	}
#define REQUIRED(n, t, v, h)                                                           \
	{                                                                              \
		.name = n, .type = ARG_##t, .value = v, .help = h, .is_required = true \
	}
#define WORD(n, w, h)                                              \
	{                                                          \
		.name = n, .type = ARG_WORD, .words = w, .help = h \
	}
#define FLAG(n, h)                                     \
	{                                              \
		.name = n, .type = ARG_FLAG, .help = h \
	}

/* The end of every command's options. */
#define COMMON                                                                                \
	FLAG("json", "print JSON, for programs"),                                             \
		{.name = "help", .type = ARG_FLAG, .help = "print this help", .letter = 'h'}, \
	{                                                                                     \
		.name = NULL                                                                  \
	}

static const char *const entered[] = {"scanned", "typed", "lims", "instrument", NULL};
static const char *const decimals[] = {"comma", "point", NULL};
static const char *const yes_no[] = {"yes", "no", NULL};

static const struct command_option program_options[] = {
	OPTION("dir", TEXT, "DIR", "the folder of the daemon's sockets (" ASSAY_RUN_DIR ")"),
	OPTION("control", TEXT, "ENDPOINT", "the control socket, elsewhere"),
	OPTION("live", TEXT, "ENDPOINT", "the live socket, elsewhere"),
	OPTION("replay", TEXT, "ENDPOINT", "the replay socket, elsewhere"),
	OPTION("key", TEXT, "FILE", "for tcp:// endpoints: the secret key of this user"),
	OPTION("server", TEXT, "FILE", "with --key: the public key of the daemon"),
	OPTION("config", TEXT, "FILE", "the configuration (" ASSAY_CONFIG_FILE ")"),
	OPTION("worker", TEXT, "FILE", "the program assay-worker"),
	OPTION("drivers", TEXT, "DIR", "the folder of driver modules"),
	FLAG("version", "print the version"),
	COMMON,
};

static const struct command_option no_options[] = {COMMON};

static const struct command_option doctor_options[] = {
	OPTION("root", TEXT, "DIR", "examine the system below DIR, such as a disk of another one"),
	COMMON,
};

static const struct command_option schema_options[] = {
	FLAG("profile", "of a profile, in place of the configuration"),
	COMMON,
};

static const struct command_option scan_options[] = {
	FLAG("usb", "ask the USB devices that have the numbers of a driver"),
	FLAG("serial", "ask the serial ports PLACE by --driver; without PLACE those with the "
		       "numbers of a driver"),
	FLAG("modbus", "ask the lines or hosts PLACE for Modbus units"),
	FLAG("http", "ask the hosts PLACE for instruments with a web server"),
	OPTION("driver", TEXTS, "NAME",
		"a driver or profile to ask the ports with; may be repeated"),
	OPTION("link", TEXT, "KEY=VALUE,...",
		"more keys of the link, such as baud=19200,parity=even"),
	OPTION("units", TEXT, "N-M", "Modbus units; otherwise 1 to 32 of a line, 1 of a host"),
	OPTION("profiles", TEXT, "DIR", "the folder of profiles, in place of the installed ones"),
	OPTION("seconds", COUNT, "N", "ask for so long at most (120)"),
	COMMON,
};

static const struct command_option watch_options[] = {
	OPTION("seconds", NUMBER, "N", "stop after N seconds; without it Ctrl-C stops"),
	FLAG("plain", "one line per record, no plots"),
	COMMON,
};

static const struct command_option run_start_options[] = {
	OPTION("sample", TEXT, "ID", "the sample"),
	OPTION("operator", TEXT, "NAME", "the person at the instrument"),
	OPTION("method", TEXT, "ID", "a method of the configuration"),
	OPTION("note", TEXT, "TEXT", "a remark that is recorded with the run"),
	WORD("entered", entered, "how the sample id was entered"),
	OPTION("background", TEXT, "RUN", "the run of the background, by its number"),
	OPTION("dark", TEXT, "RUN", "the run without light"),
	OPTION("blank", TEXT, "RUN", "the run of the blank"),
	FLAG("wait", "wait for the end; exit code 0 only if the run is complete"),
	COMMON,
};

static const struct command_option run_repeat_options[] = {
	FLAG("wait", "wait for the end; exit code 0 only if the run is complete"),
	COMMON,
};

static const struct command_option run_amend_options[] = {
	OPTION("reason", TEXT, "TEXT", "the reason; the daemon requires it"),
	OPTION("sample", TEXT, "ID", "the correct sample"),
	OPTION("operator", TEXT, "NAME", "the correct operator"),
	OPTION("note", TEXT, "TEXT", "the correct remark"),
	WORD("valid", yes_no, "whether the run may be used"),
	COMMON,
};

static const struct command_option run_list_options[] = {
	OPTION("instrument", TEXT, "NAME", "only runs of this instrument"),
	OPTION("sample", TEXT, "ID", "only runs of this sample"),
	OPTION("limit", COUNT, "N", "at most N runs"),
	COMMON,
};

static const struct command_option replay_options[] = {
	OPTION("from", PLACE, "SEQ|TIME", "the first entry: its seq, or its time"),
	OPTION("since", SINCE, "DURATION|TIME", "the first entry: its age, or its time"),
	OPTION("instrument", TEXT, "NAME", "only entries of this instrument"),
	OPTION("topic", TEXTS, "PREFIX", "only these topics; may be repeated (a1/data/)"),
	FLAG("follow", "continue with new entries until Ctrl-C"),
	OPTION("cursor", TEXT, "NAME", "continue after the last entry printed with this name"),
	FLAG("simulated", "entries of simulated instruments, too"),
	COMMON,
};

static const struct command_option export_options[] = {
	{.name = "format",
		.type = ARG_WORD,
		.words = export_format_names,
		.help = "the format",
		.is_required = true},
	OPTION("to", TEXT, "FILE", "the new file"),
	OPTION("into", TEXT, "FOLDER",
		"a folder per run in this one; only runs that are not there yet"),
	OPTION("run", TEXT, "NUMBER", "export this run"),
	OPTION("from", SINCE, "TIME|DURATION", "export the runs that started then or later"),
	OPTION("until", UNTIL, "TIME", "with --from: and before this time"),
	OPTION("instrument", TEXT, "NAME", "with --from: only runs of this instrument"),
	FLAG("simulated", "with --from: runs of simulated instruments, too"),
	FLAG("partials", "frames of a growing measurement, too, which later ones replace"),
	WORD("decimal", decimals, "of csv-excel: 1,5 between ; (comma), or 1.5 between , (point)"),
	OPTION("scans", TEXT, "FIRST-LAST", "of msp: only these scans of each run"),
	OPTION("nist", TEXT, "FOLDER",
		"of msp: hand it over to NIST MS Search, which sees the file's folder as FOLDER"),
	COMMON,
};

static const struct command_option capture_options[] = {
	OPTION("to", TEXT, "FILE", "record into this new file"),
	OPTION("seconds", COUNT, "N", "stop after N seconds; without a limit Ctrl-C stops"),
	OPTION("count", COUNT, "BYTES", "stop after so many bytes"),
	OPTION("show", TEXT, "FILE", "print a recording; no instrument"),
	COMMON,
};

static const struct command_option comply_options[] = {
	REQUIRED("to", TEXT, "DIR", "the new folder of the report and the recording"),
	FLAG("unattended", "ask no person; what needs one is not run, and the report has that"),
	OPTION("frames", COUNT, "N", "frames of the long test (10)"),
	OPTION("spread", TEXT, "PERCENT", "the limit of the spread; without it none is judged"),
	OPTION("patience", COUNT, "SECONDS", "the longest time of one run or reconnection (600)"),
	OPTION("sample", TEXT, "ID", "the sample of each run"),
	OPTION("operator", TEXT, "NAME", "the person at the instrument"),
	OPTION("method", TEXT, "ID", "the method of each run"),
	OPTION("borrow", TEXT, "ID", "a method with other settings, which are put back"),
	OPTION("tests", TEXT, "TEST,...", "only these tests, after the first one"),
	FLAG("anonymous", "replace the serial number in the files for the project"),
	OPTION("hide", TEXTS, "WORD", "replace this word there, too; may be repeated"),
	COMMON,
};

static const struct command_option journal_options[] = {
	OPTION("path", TEXT, "DIR", "the journal's folder (as configured)"),
	OPTION("journal", TEXT, "ID", "only this journal (all)"),
	COMMON,
};

static const struct command_option journal_cat_options[] = {
	OPTION("path", TEXT, "DIR", "the journal's folder (as configured)"),
	OPTION("journal", TEXT, "ID", "this journal (the one in use)"),
	OPTION("from", PLACE, "SEQ|TIME", "the first entry"),
	OPTION("to", PLACE_END, "SEQ|TIME", "the last entry"),
	OPTION("topic", TEXT, "PREFIX", "only these topics"),
	COMMON,
};

static const struct command_option journal_reparse_options[] = {
	OPTION("path", TEXT, "DIR", "the journal's folder (as configured)"),
	OPTION("journal", TEXT, "ID", "only this journal (all)"),
	OPTION("run", TEXT, "NUMBER", "only this run"),
	OPTION("from", TIME, "TIME", "only runs that started then or later"),
	OPTION("to", TIME, "TIME", "only runs that started before"),
	COMMON,
};

static const struct command_option archive_options[] = {
	REQUIRED("until", UNTIL, "DATE", "files whose last entry is not later"),
	REQUIRED("to", TEXT, "DIR", "the archive's folder"),
	OPTION("path", TEXT, "DIR", "the journal's folder; no daemon takes part"),
	COMMON,
};

static const struct command_option keygen_options[] = {
	OPTION("to", TEXT, "DIR", "the folder of the two files (.)"),
	COMMON,
};

static const struct command_option reload_options[] = {
	FLAG("now", "abort on-demand runs of instruments that changed"),
	COMMON,
};

const struct command program = {
	NULL, "assayctl", "COMMAND", 0, COMMAND_ANY, "", program_options, NULL};

const struct command commands[] = {
	{NULL, "status", "[INSTRUMENT]", 0, 1, "show the daemon, its journal and its instruments",
		no_options, command_status},
	{NULL, "doctor", "", 0, 0, "examine this computer: ports, permissions, disk, clock",
		doctor_options, command_doctor},
	{NULL, "scan", "[PLACE...]", 0, COMMAND_ANY,
		"list serial ports and USB devices; ask for instruments on request", scan_options,
		command_scan},
	{NULL, "list", "", 0, 0, "list the instruments, one line each", no_options, command_list},
	{NULL, "watch", "[INSTRUMENT]", 0, 1, "show live data: a line and a plot per instrument",
		watch_options, command_watch},
	{"run", "start", "INSTRUMENT", 1, 1, "start a run", run_start_options, command_run_start},
	{"run", "stop", "INSTRUMENT", 1, 1, "stop the open run after the present frame", no_options,
		command_run_stop},
	{"run", "abort", "INSTRUMENT", 1, 1, "stop it at once; the present frame is discarded",
		no_options, command_run_abort},
	{"run", "repeat", "NUMBER", 1, 1, "start a run with the sample and settings of another",
		run_repeat_options, command_run_repeat},
	{"run", "amend", "NUMBER", 1, 1, "correct a run; the old record stays", run_amend_options,
		command_run_amend},
	{"run", "list", "", 0, 0, "list runs, newest first", run_list_options, command_run_list},
	{"run", "show", "NUMBER", 1, 1, "show one run", no_options, command_run_show},
	{NULL, "replay", "", 0, 0, "print committed entries, one line each", replay_options,
		command_replay},
	{NULL, "export", "", 0, 0, "write runs to a file, for spreadsheets and archives",
		export_options, command_export},
	{"cursor", "list", "", 0, 0, "list the cursors that the daemon keeps for consumers",
		no_options, command_cursor_list},
	{"cursor", "show", "NAME", 1, 1, "show the position of a cursor on each topic", no_options,
		command_cursor_show},
	{"cursor", "forget", "NAME", 1, 1, "delete the cursor of a consumer that is gone",
		no_options, command_cursor_forget},
	{NULL, "capture", "[INSTRUMENT]", 0, 1, "record the bytes on an instrument's link",
		capture_options, command_capture},
	{NULL, "comply", "INSTRUMENT [NAME=VALUE...]", 1, COMMAND_ANY,
		"try an instrument and its driver, and write a report", comply_options,
		command_comply},
	{NULL, "check", "[FILE]", 0, 1, "check a configuration", no_options, command_check},
	{NULL, "edit", "[FILE]", 0, 1, "edit a copy of the configuration, check it, and reload",
		no_options, command_edit},
	{NULL, "describe", "[INSTRUMENT|DRIVER]", 0, 1,
		"show the settings of an instrument or a driver", no_options, command_describe},
	{NULL, "set", "INSTRUMENT NAME=VALUE...", 2, COMMAND_ANY,
		"change settings until the next reload", no_options, command_set},
	{NULL, "schema", "", 0, 0, "print a JSON Schema of the configuration, for editors",
		schema_options, command_schema},
	{NULL, "keygen", "NAME", 1, 1, "make a pair of keys for connections by TCP", keygen_options,
		command_keygen},
	{"journal", "info", "", 0, 0, "show the journals, their files, entries and times",
		journal_options, command_journal_info},
	{"journal", "check", "", 0, 0, "verify the journal's files", journal_options,
		command_journal_check},
	{"journal", "cat", "", 0, 0, "print entries from the journal's files", journal_cat_options,
		command_journal_cat},
	{"journal", "reparse", "", 0, 0, "decode the recorded raw bytes again and compare",
		journal_reparse_options, command_journal_reparse},
	{NULL, "lint", "FILE...", 1, COMMAND_ANY, "check files of records against the format",
		no_options, command_lint},
	{NULL, "maintenance", "INSTRUMENT on|off", 2, 2,
		"take an instrument out of service, or back", no_options, command_maintenance},
	{NULL, "fault", "INSTRUMENT FAULT...", 2, COMMAND_ANY,
		"spoil the bytes on the link of a simulated instrument", no_options, command_fault},
	{NULL, "archive", "", 0, 0, "copy closed files of the journal, with a list of runs",
		archive_options, command_archive},
	{NULL, "reload", "", 0, 0, "make the daemon read its configuration again", reload_options,
		command_reload},
	{NULL, "complete", "-- WORD...", 0, COMMAND_ANY,
		"print the candidates for the last word, for shells", no_options, command_complete},
	{NULL, "help", "[COMMAND]", 0, 2, "explain a command; --json prints the list of commands",
		no_options, command_help},
	{.name = NULL},
};
