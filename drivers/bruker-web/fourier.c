/* SPDX-License-Identifier: Apache-2.0 */
#include "fourier.h"

#include <math.h>

size_t fourier_size(size_t n)
{
	size_t size = 1;
	while (size < n)
		size *= 2;
	return size;
}

/* Swaps each element with the one whose index has the same bits in reverse order. */
static void reverse_bits(struct fourier *z, size_t n)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n / 2;
		for (; j & bit; bit /= 2)
			j ^= bit;
		j |= bit;
		if (i < j) {
			struct fourier kept = z[i];
			z[i] = z[j];
			z[j] = kept;
		}
	}
}

/*
 * Joins transforms of `half` elements to those of `size`, from 2 to n.  Each factor is computed by
 * itself: no error adds up, and no table is needed.
 */
void fourier_transform(struct fourier *z, size_t n)
{
	reverse_bits(z, n);
	for (size_t size = 2; size <= n; size *= 2) {
		size_t half = size / 2;
		for (size_t k = 0; k < half; k++) {
			double angle = -2 * M_PI * (double)k / (double)size;
			struct fourier w = {cos(angle), sin(angle)};
			for (size_t i = k; i < n; i += size) {
				struct fourier a = z[i], b = z[i + half];
				struct fourier c = {
					b.re * w.re - b.im * w.im, b.re * w.im + b.im * w.re};
				z[i] = (struct fourier){a.re + c.re, a.im + c.im};
				z[i + half] = (struct fourier){a.re - c.re, a.im - c.im};
			}
		}
	}
}
