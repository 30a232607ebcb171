/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

int main(void)
{
	int failures = transport_suite(&transport_pty);
	failures += transport_suite(&transport_tcp);
	return failures + transport_suite(&transport_udp);
}
