/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages.  Element ids, state words and page names are those of the instrument; the rest of the
 * HTML is not published, nor is the reply to a wrong request: here status 400, 404, 405 or 503.
 */
#include <string.h>

#include "bruker.h"

#define FILE_FOLDER "/data/"
#define REFUSED     400
#define NOT_FOUND   404
#define NOT_ALLOWED 405
#define UNAVAILABLE 503

typedef void page(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now);

static void refuse(struct bruker *b, struct sim_http_reply *reply, unsigned status, const char *why)
{
	reply->status = status;
	fprintf(reply->body, "<HTML><BODY>Error: %s</BODY></HTML>\n", why);
	sim_truth(b->m, "refused", ",\"status\":%u", status);
}

/* The table's head has the id of the state too: the last one is the state. */
static void answer_state(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	unsigned done = b->is_scanning ? measure_scans_done(b, now) : 0;
	unsigned all = b->is_scanning ? (unsigned)b->running.scans : 0;
	fprintf(reply->body,
		"<HTML><HEAD><TITLE>Status</TITLE></HEAD><BODY><TABLE>\n"
		"<TR><TH ID=MSTCO>Instrument status</TH></TR>\n"
		"<TR><TD>State</TD><TD ID=MSTCO>%s</TD></TR>\n"
		"<TR><TD>Scans</TD><TD ID=SCAN>%u</TD></TR>\n"
		"<TR><TD>Remaining</TD><TD ID=SRSC>%u scans</TD></TR>\n"
		"</TABLE></BODY></HTML>\n",
		b->is_scanning ? "SCN" : "IDL", done, all - done);
}

static void answer_command(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	struct bruker_settings set = b->set;
	char error[64];
	if (sim_fault_active(b->m, FAULT_BUSY)) {
		refuse(b, reply, UNAVAILABLE, "busy");
		return;
	}
	if (parameters_read(request, &set, error, sizeof error) < 0) {
		refuse(b, reply, REFUSED, error);
		return;
	}
	switch ((enum bruker_work)set.work) {
	case WORK_NONE:
	case WORK_MEASURE:
	case WORK_CHECK:
	case WORK_APPLY: break;
	default: refuse(b, reply, REFUSED, "unknown work"); return;
	}
	if (measure_command(b, &set) < 0)
		refuse(b, reply, UNAVAILABLE, "it measures");
	else
		fputs("<HTML><BODY>Command sent</BODY></HTML>\n", reply->body);
}

static void answer_file_page(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	bool is_ready = b->file != NULL && !sim_fault_active(b->m, FAULT_BUSY);
	fprintf(reply->body,
		"<HTML><HEAD><TITLE>Data file</TITLE></HEAD><BODY><TABLE>\n"
		"<TR><TD>Datafile status</TD><TD>%s</TD></TR>\n",
		is_ready ? "Ready for download" : "Not ready");
	if (is_ready)
		fprintf(reply->body,
			"<TR><TD>File</TD><TD><A HREF=\"" FILE_FOLDER "%u.0\">download</A>"
			"</TD></TR>\n",
			b->runs);
	fputs("</TABLE></BODY></HTML>\n", reply->body);
}

static void answer_diagnostics(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	fprintf(reply->body,
		"<HTML><BODY><TABLE>\n<TR><TD>Detector</TD><TD ID=DIAG_DTC_STAT>OK</TD></TR>\n"
		"</TABLE></BODY></HTML>\n");
}

/* Temperatures of the EM27. */
static void answer_sensors(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	if (!b->plan.has_sensors) {
		refuse(b, reply, NOT_FOUND, "no automation unit");
		return;
	}
	fputs("<HTML><BODY><TABLE ID=PSF27Sensor>\n<TR><TH ID=NOERR>No error</TH></TR>\n"
	      "<TR><TH>No</TH><TH>Name</TH><TH>Description</TH><TH>Status</TH><TH>Value</TH>"
	      "<TH>Unit</TH></TR>\n",
		reply->body);
	for (int i = 1; i <= 7; i++)
		fprintf(reply->body,
			"<TR><TD>%d</TD><TD>T%d</TD><TD>Temperature %d</TD><TD>OK</TD>"
			"<TD>%.1f</TD><TD>C</TD></TR>\n",
			i, i, i, 24.5 + 0.3 * i);
	fputs("</TABLE></BODY></HTML>\n", reply->body);
}

static void answer_file(struct bruker *b, struct sim_http_reply *reply, const char *name)
{
	unsigned number;
	int used = 0;
	bool is_last = sscanf(name, "%u.0%n", &number, &used) == 1 && name[used] == '\0' &&
		       used > 0 && number == b->runs && b->file != NULL;
	if (!is_last) {
		refuse(b, reply, NOT_FOUND, "no such file");
		return;
	}
	reply->type = "application/octet-stream";
	fwrite(b->file, 1, b->file_len, reply->body);
}

static const struct {
	const char *path;
	page *answer;
} pages[] = {
	{"/stat.htm", answer_state},
	{"/cmd.htm", answer_command},
	{"/datafile.htm", answer_file_page},
	{"/diag.htm", answer_diagnostics},
	{"/brow_diag.htm", answer_diagnostics},
	{"/diag_autom.htm", answer_sensors},
	{"/config/diag_autom.htm", answer_sensors},
};

void pages_answer(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	if (strcmp(request->method, "GET") != 0) {
		refuse(b, reply, NOT_ALLOWED, "GET only");
		return;
	}
	if (strncmp(request->path, FILE_FOLDER, strlen(FILE_FOLDER)) == 0) {
		answer_file(b, reply, request->path + strlen(FILE_FOLDER));
		return;
	}
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		if (strcmp(pages[i].path, request->path) == 0) {
			pages[i].answer(b, request, reply, now);
			return;
		}
	}
	refuse(b, reply, NOT_FOUND, "no such page");
}
