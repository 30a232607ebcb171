/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that umockdev plays; to be run under umockdev-wrapper. */
#ifndef ASSAY_TESTS_WORKER_MOCK_H
#define ASSAY_TESTS_WORKER_MOCK_H

#include <umockdev.h>

/* Fails the test when a call that takes a GError failed. */
#define mock_check(ok, error)                                                                    \
	do {                                                                                     \
		if (!(ok))                                                                       \
			fail_msg("umockdev: %s", (error) != NULL ? (error)->message : "failed"); \
	} while (0)

#endif
