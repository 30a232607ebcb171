/* SPDX-License-Identifier: Apache-2.0 */
#include "examples.h"
const struct bad_example bad_examples[] = {{0}};
const size_t bad_examples_count = 0;
