/* SPDX-License-Identifier: Apache-2.0 */
/* xraylib; since version 4 its functions have a last argument for errors. */
#ifndef ASSAY_SIM_AMPTEK_XRL_H
#define ASSAY_SIM_AMPTEK_XRL_H

#include <xraylib/xraylib.h>

#if XRAYLIB_MAJOR >= 4
#define XRL(function, ...) function(__VA_ARGS__, NULL)
#else
#define XRL(function, ...) function(__VA_ARGS__)
#endif

#endif
