/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The discrete Fourier transform, in double precision.
 *
 * Debian 12 has kissfft in single precision only, FFTW's licence does not fit the project's, and a
 * transform whose length is a power of two takes thirty lines.
 */
#ifndef BRUKER_WEB_FOURIER_H
#define BRUKER_WEB_FOURIER_H

#include <stddef.h>

struct fourier {
	double re, im;
};

/* Replaces z[j] by the sum over m of z[m] exp(-2 pi i j m / n); `n` is a power of two. */
void fourier_transform(struct fourier *z, size_t n);

/* The least power of two that is not below `n`, which is at most half of SIZE_MAX. */
size_t fourier_size(size_t n);

#endif
