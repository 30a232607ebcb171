/* SPDX-License-Identifier: Apache-2.0 */
/* xraylib, whose functions got a last argument for errors with version 4. */
#ifndef ASSAY_SIM_AMPTEK_XRL_H
#define ASSAY_SIM_AMPTEK_XRL_H

#include <xraylib/xraylib.h>

#if XRAYLIB_MAJOR >= 4
#define XRL(function, ...) function(__VA_ARGS__, NULL)
#else
#define XRL(function, ...) function(__VA_ARGS__)
#endif

#endif
