/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

const struct sample samples[] = {
	{"steel-304", "austenitic stainless steel, 18 Cr 9 Ni",
		{{26, 0.7045}, {24, 0.1825}, {28, 0.0915}, {25, 0.0125}, {14, 0.0045}, {42, 0.002},
			{29, 0.0025}}},
	{"steel-316", "austenitic stainless steel with molybdenum",
		{{26, 0.6745}, {24, 0.169}, {28, 0.111}, {42, 0.0225}, {25, 0.0165}, {14, 0.005},
			{29, 0.0015}}},
	{"brass", "leaded brass, 63 Cu 36 Zn",
		{{29, 0.63}, {30, 0.362}, {82, 0.006}, {26, 0.001}, {50, 0.001}}},
	{"bronze", "tin bronze, 88 Cu 12 Sn", {{29, 0.878}, {50, 0.118}, {15, 0.002}, {82, 0.002}}},
	{"al-6061", "aluminium alloy with Mg and Si",
		{{13, 0.9755}, {12, 0.01}, {14, 0.0062}, {26, 0.0035}, {29, 0.0028}, {24, 0.002}}},
	{"ti-6al4v", "titanium alloy, 6 Al 4 V",
		{{22, 0.8975}, {13, 0.06}, {23, 0.04}, {26, 0.0025}}},
	{"glass-bcr2g-like", "basalt glass after the composition of BCR-2G",
		{{14, 0.254286}, {8, 0.437583}, {13, 0.070921}, {26, 0.0963863}, {12, 0.0214683},
			{20, 0.0504575}, {11, 0.0239622}, {19, 0.0144446}, {22, 0.0136052},
			{25, 0.00147148}, {15, 0.00161479}, {23, 0.000425}, {30, 0.000125},
			{37, 4.7e-05}, {38, 0.000342}, {40, 0.000184}, {56, 0.000683}}},
	{"gold-jewellery", "gold of 18 carat, 12.5 Ag 12.5 Cu",
		{{79, 0.75}, {47, 0.125}, {29, 0.125}}},
	{"silver-925", "sterling silver, 92.5 Ag 7.5 Cu", {{47, 0.925}, {29, 0.075}}},
	{"solder-sn63pb37", "tin-lead solder", {{50, 0.63}, {82, 0.37}}},
	{"ptfe", "blank of PTFE: scattered tube spectrum", {{6, 0.2402}, {9, 0.7598}}},
	{0},
};

const char *const sample_names[] = {"steel-304", "steel-316", "brass", "bronze", "al-6061",
	"ti-6al4v", "glass-bcr2g-like", "gold-jewellery", "silver-925", "solder-sn63pb37", "ptfe",
	0};
