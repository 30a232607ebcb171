/* SPDX-License-Identifier: Apache-2.0 */
/* Text replies, and the error bytes that the STATUS byte sums up. */
#include <stdarg.h>
#include <stdio.h>

#include "rga.h"

#define REPLY_MAX 64

void rga_reply(struct rga *rga, const char *format, ...)
{
	char text[REPLY_MAX];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof text - 2, format, ap);
	va_end(ap);
	text[n] = '\n';
	text[n + 1] = '\r';
	sim_emit(rga->m, text, (size_t)n + 2);
}

uint8_t rga_status(const struct rga *rga)
{
	return (uint8_t)((rga->errors.rs232 != 0) << 0 | (rga->errors.filament != 0) << 1 |
			 (rga->errors.cdem != 0) << 3 | (rga->plan.quadrupole != 0) << 4 |
			 (rga->plan.detector != 0) << 5 | (rga->plan.supply != 0) << 6);
}

void rga_set_error(struct rga *rga, uint8_t bit)
{
	rga->errors.rs232 |= bit;
	sim_truth(rga->m, "refused", ",\"bit\":%u", bit);
}
