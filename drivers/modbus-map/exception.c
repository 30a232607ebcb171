/* SPDX-License-Identifier: Apache-2.0 */
#include "exception.h"

#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>

bool exception_is(int r)
{
	return r <= ASSAY_MODBUS_EXCEPTION - 1 && r >= ASSAY_MODBUS_EXCEPTION - 255;
}

/* "Modbus application protocol" 1.1b3, 7; from 1. */
static const char *const exceptions[] = {"", "no such function", "no such address",
	"not so many values", "the device failed", "still working", "busy", "",
	"memory parity error", "", "the gateway has no path",
	"the unit behind the gateway is silent"};

bool exception_is_temporary(int r)
{
	int n = ASSAY_MODBUS_EXCEPTION - r;
	return n == 5 || n == 6 || n == 10 || n == 11;
}

bool exception_is_refusal(int r)
{
	return r <= ASSAY_MODBUS_EXCEPTION - 1 && r >= ASSAY_MODBUS_EXCEPTION - 3;
}

const char *exception_describe(int r, char *text, size_t size)
{
	if (exception_is(r))
		snprintf(text, size, "exception %d", ASSAY_MODBUS_EXCEPTION - r);
	else
		snprintf(text, size, "%s", r == -ETIMEDOUT ? "timeout" : "malformed");
	return text;
}

const char *exception_explain(int r, char *text, size_t size)
{
	size_t n = (size_t)(ASSAY_MODBUS_EXCEPTION - r);
	bool is_known = exception_is(r) && n < sizeof(exceptions) / sizeof(*exceptions);
	exception_describe(r, text, size);
	if (r == -EBADMSG)
		snprintf(text, size, "malformed (what comes is no reply to the request)");
	if (is_known && exceptions[n][0] != '\0')
		snprintf(text, size, "exception %zu (%s)", n, exceptions[n]);
	return text;
}
