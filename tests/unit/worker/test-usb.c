/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

int main(void)
{
	return transport_suite(&transport_usb);
}
