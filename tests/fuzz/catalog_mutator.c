// SPDX-License-Identifier: MIT
// The mutator of the catalog target: that of the log, which lays out its input in the same way, but
// for the records of points, which an object of the catalog does not hold, and with fewer lies,
// since a start refuses the whole object for one.
#define FUZZ_RECORD_TYPES (~(1U << 1 | 1U << 2 | 1U << 7 | 1U << 8))
#define FUZZ_SPOILED_IN 20
#include "record_mutator.c"
