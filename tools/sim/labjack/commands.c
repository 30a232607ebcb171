/* SPDX-License-Identifier: Apache-2.0 */
/* One transfer of the host is one command; a frame that is wrong is answered by B8 B8. */
#include <string.h>

#include "labjack.h"

#define EXTENDED     0xF8
#define START        0xA8
#define STOP         0xB0
#define CONFIG       0x08
#define READ_MEMORY  0x2D
#define STREAM       0x11
#define FEEDBACK     0x00
#define REPLY_HEAD   9 /* of a feedback: error, frame, echo */
#define IS_U6        0x04
#define IS_PRO       0x08
#define DEFAULT_LOW  8
#define DEFAULT_HIGH 9

/* A feedback that is carried out. */
struct feedback {
	struct u6 *u;
	const uint8_t *at;
	size_t left;
	uint8_t reply[U6_PACKET + 8];
	size_t len;
	uint64_t time; /* the readings take, ns */
};

static void put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

/* Sends an extended reply at `due`, of an even number of bytes. */
static void reply_at(struct u6 *u, uint64_t due, uint8_t command, const uint8_t *reply, size_t len)
{
	memcpy(u->reply, reply, len);
	u->reply[1] = EXTENDED;
	u->reply[3] = command;
	frame_seal(u->reply, len);
	u->reply_len = len;
	u->reply_due = due;
	if (due <= u->now)
		command_finish(u);
}

void command_finish(struct u6 *u)
{
	size_t len = u->reply_len;
	u->reply_len = 0;
	u->reply_due = SIM_NEVER;
	if (len > 0)
		sim_emit(u->m, u->reply, len);
}

static void refuse(struct u6 *u, const uint8_t *data, size_t len)
{
	static const uint8_t wrong[] = {0xB8, 0xB8};
	sim_truth(u->m, "refused", ",\"bytes\":%zu,\"command\":%u", len, len > 3 ? data[3] : 0);
	sim_emit(u->m, wrong, sizeof wrong);
}

/* --- identity and memory ---------------------------------------------------------------------- */

static void configure(struct u6 *u, const uint8_t *data)
{
	uint8_t reply[38] = {0};
	uint32_t serial = u->plan.serial + sim_fault_active(u->m, FAULT_WRONG_IDENTITY);
	if (data[6] != 0) { /* a mask of settings to be written to the flash */
		sim_truth(u->m, "forbidden", ",\"mask\":%u", data[6]);
		reply[6] = U6_FLASH_WRITE_FAIL;
	}
	reply[9] = (uint8_t)(u->plan.firmware % 100);
	reply[10] = (uint8_t)(u->plan.firmware / 100);
	reply[11] = 15; /* boot loader 6.15 */
	reply[12] = 6;
	reply[14] = 2; /* hardware 2.0 */
	put32(reply + 15, serial);
	reply[19] = 6;
	reply[21] = 1;
	reply[37] = IS_U6 | (u->plan.is_pro ? IS_PRO : 0);
	reply_at(u, u->now, CONFIG, reply, sizeof reply);
}

static void read_memory(struct u6 *u, const uint8_t *data)
{
	uint8_t reply[40] = {0};
	size_t block = data[7];
	if (block >= U6_CONSTANTS / U6_BLOCK) {
		sim_truth(u->m, "refused", ",\"block\":%zu", block);
		reply[6] = U6_FUNCTION_INVALID;
		block = 0;
	} else {
		for (size_t i = 0; i < U6_BLOCK; i++) {
			uint64_t value = (uint64_t)u->constants[U6_BLOCK * block + i];
			put32(reply + 8 + 8 * i, (uint32_t)value);
			put32(reply + 12 + 8 * i, (uint32_t)(value >> 32));
		}
	}
	reply_at(u, u->now, READ_MEMORY, reply, sizeof reply);
}

/* --- feedback --------------------------------------------------------------------------------- */

static enum u6_error read_input(
	struct feedback *f, uint8_t resolution, uint8_t gain, bool *is_auto, struct u6_input *input)
{
	const struct u6 *u = f->u;
	bool may_auto = *is_auto;
	if (resolution == 0)
		resolution = u->plan.is_pro ? DEFAULT_HIGH : DEFAULT_LOW;
	*input = (struct u6_input){.channel = f->at[1],
		.gain = gain,
		.resolution = resolution,
		.is_differential = (f->at[3] & 0x80) != 0};
	*is_auto = gain == U6_GAIN_AUTO;
	if (u->stream.is_running)
		return U6_STREAM_IS_ACTIVE;
	if (input->channel >= U6_CHANNELS || (input->is_differential && input->channel % 2 != 0))
		return U6_FUNCTION_INVALID;
	if (resolution > U6_RESOLUTIONS || (resolution >= U6_FIRST_HIGH && !u->plan.is_pro))
		return U6_FUNCTION_INVALID;
	return gain < U6_GAINS || (*is_auto && may_auto) ? U6_OK : U6_FUNCTION_INVALID;
}

/* IOType 2 is a reading, and 3 one that may choose its gain. */
static enum u6_error measure(struct feedback *f, bool may_auto)
{
	struct u6_input input;
	double volts;
	bool is_auto = may_auto;
	enum u6_error error = read_input(f, f->at[2] & 0x0F, f->at[2] >> 4, &is_auto, &input);
	if (error != U6_OK)
		return error;
	if (is_auto)
		input.gain = analog_gain(f->u, &input, f->u->now + f->time);
	f->time += analog_time(input.resolution);
	uint32_t raw = analog_read(f->u, &input, f->u->now + f->time, &volts);
	sim_truth(f->u->m, "reading", ",\"channel\":%u,\"volts\":%.9g,\"raw\":%u", input.channel,
		volts, raw);
	for (int i = 0; i < 3; i++)
		f->reply[f->len++] = (uint8_t)(raw >> 8 * i);
	if (may_auto) {
		f->reply[f->len++] = (uint8_t)(input.resolution | input.gain << 4);
		f->reply[f->len++] = 0;
	}
	return U6_OK;
}

/* A line that nothing holds is pulled up. */
static enum u6_error read_line(struct feedback *f)
{
	const struct u6 *u = f->u;
	if (f->at[1] >= U6_LINES)
		return U6_FUNCTION_INVALID;
	bool is_low = f->at[1] == u->plan.line && contact_is_closed(u, u->now + f->time);
	f->reply[f->len++] = !is_low;
	return U6_OK;
}

/* The next part; `used` are its bytes. */
static enum u6_error feed(struct feedback *f, size_t *used)
{
	uint8_t type = f->at[0];
	*used = type == 10 ? 2 : 4;
	if ((type != 2 && type != 3 && type != 10) || f->left < *used)
		return U6_FUNCTION_INVALID;
	return type == 10 ? read_line(f) : measure(f, type == 3);
}

static void feedback(struct u6 *u, const uint8_t *data, size_t len)
{
	struct feedback f = {.u = u, .at = data + 7, .left = len - 7, .len = REPLY_HEAD};
	enum u6_error error = U6_OK;
	uint8_t frame = 0;
	f.reply[8] = data[6];
	while (error == U6_OK && f.left > 0 && (f.left > 1 || f.at[0] != 0)) {
		size_t used, before = f.len;
		frame++;
		error = feed(&f, &used);
		if (error == U6_OK && f.len > U6_PACKET)
			error = U6_FUNCTION_INVALID;
		if (error != U6_OK) {
			f.len = before;
			break;
		}
		f.at += used;
		f.left -= used;
	}
	if (error != U6_OK) {
		sim_truth(u->m, "refused", ",\"error\":%d,\"frame\":%u", (int)error, frame);
		f.reply[6] = (uint8_t)error;
		f.reply[7] = frame;
	}
	f.reply[f.len] = 0;
	reply_at(u, u->now + f.time, FEEDBACK, f.reply, f.len + f.len % 2);
}

/* --- all -------------------------------------------------------------------------------------- */

static void answer_normal(struct u6 *u, uint8_t command)
{
	enum u6_error error = command == START ? stream_start(u) : stream_stop(u);
	uint8_t reply[4] = {0, (uint8_t)(command + 1), (uint8_t)error, 0};
	reply[0] = frame_sum(reply, sizeof reply);
	if (error != U6_OK)
		sim_truth(u->m, "refused", ",\"error\":%d", (int)error);
	sim_emit(u->m, reply, sizeof reply);
}

static void answer_stream(struct u6 *u, const uint8_t *data, size_t len)
{
	uint8_t reply[8] = {0};
	enum u6_error error = stream_configure(u, data, len);
	if (error != U6_OK)
		sim_truth(u->m, "refused", ",\"error\":%d", (int)error);
	reply[6] = (uint8_t)error;
	reply_at(u, u->now, STREAM, reply, sizeof reply);
}

void command_take(struct u6 *u, const uint8_t *data, size_t len)
{
	command_finish(u);
	if (len == 2 && data[0] == data[1] && (data[1] == START || data[1] == STOP))
		answer_normal(u, data[1]);
	else if (len > U6_PACKET || !frame_is_right(data, len) || data[1] != EXTENDED)
		refuse(u, data, len);
	else if (data[3] == CONFIG && len == 26)
		configure(u, data);
	else if (data[3] == READ_MEMORY && len == 8)
		read_memory(u, data);
	else if (data[3] == STREAM && len > 12)
		answer_stream(u, data, len);
	else if (data[3] == FEEDBACK && len > 6)
		feedback(u, data, len);
	else
		refuse(u, data, len);
}
