// SPDX-License-Identifier: MIT
// A run of random operations in a world of its own, all of it from one seed; and what the
// environment says of how long and which.
#ifndef TAU_TESTS_SIM_EPISODE_H
#define TAU_TESTS_SIM_EPISODE_H

#include "world.h"

enum { EPISODE_OPERATIONS = 4000 };

struct episode {
    uint64_t seed;
    unsigned operations;
    enum mutant mutant;
    FILE *trace; // may be NULL
    // What came of it.
    unsigned done;
    char complaint[400]; // empty: all was well
};

// Returns whether all was well.
bool episode_run(struct episode *episode);

// TAU_SIM_SEED, or one that differs each time.
uint64_t episode_seed(void);

// A number from the environment, or `usual`; `full` where TAU_SIM_FULL is set.
unsigned episode_number(const char *name, unsigned usual, unsigned full);

// Says what was wrong under which seed, and keeps it in the file that TAU_SIM_FAILURES names.
void episode_report(const char *row, uint64_t seed, const char *complaint);

#endif
