// SPDX-License-Identifier: MIT
// A course of operations that is always the same, to be run while the disk fails at this call or
// that.
#ifndef TAU_TESTS_SIM_COURSE_H
#define TAU_TESTS_SIM_COURSE_H

#include "world.h"

enum { COURSE_LENGTH = 500 };

struct world_settings course_settings(bool direct, enum mutant mutant);

// Runs operations until `length` are done, or something is wrong: writes, most of them committed at
// once, and what has to do with time. The engine is never ended.
void course_run(struct world *world, unsigned length);

#endif
