/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#define SDD_80      "CLCK=80;TPEA=4.000;TFLA=0.200;TPFA=100;MCAC=2048;PURE=ON;THSL=0.585;"
#define PRESETS_OFF "PRER=OFF;PREC=OFF;"

/*
 * Configurations after the vendor's defaults for a fast SDD; the gains are the simulator's.  The
 * bias is set after them, in the polarity of the supply.
 */
const struct device devices[6] = {
	{"dp5", "DP5", 0, DP5, 0.75, 150, 16, 1500,
		SDD_80 "GAIN=16.000;TECS=220;PAPS=ON;PRET=OFF;" PRESETS_OFF},
	{"px5", "PX5", 1, PX5, 0.75, 500, 15.998, 1500,
		SDD_80 "GAIN=15.998;TECS=220;PAPS=8.5;PRET=OFF;" PRESETS_OFF},
	{"dp5g", "DP5G", 2, DP5G, 1, 10, 5, 1500,
		"CLCK=20;TPEA=4.000;TFLA=0.200;TPFA=400;MCAC=2048;GAIN=5.000;"
		"PRET=OFF;" PRESETS_OFF},
	{"mca8000d", "MCA8000D", 3, MCA8000D, 1, 10, 1, 0,
		"MCAC=2048;THSL=0.500;PREL=OFF;" PRESETS_OFF},
	{"tb5", "TB-5", 4, TB5, 0.75, 150, 16, 1500, SDD_80 "GAIN=16.000;PRET=OFF;" PRESETS_OFF},
	{"dp5x", "DP5-X", 5, DP5X, 0.75, 150, 16, 300,
		SDD_80 "GAIN=16.000;TECS=220;PRET=OFF;" PRESETS_OFF},
};

const char *const device_names[7] = {"dp5", "px5", "dp5g", "mca8000d", "tb5", "dp5x", 0};
