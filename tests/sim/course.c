// SPDX-License-Identifier: MIT
// A course of operations. It differs from a world of random ones in that it commits often, so that
// there is much that must not be lost.
#include "course.h"

#include "operations.h"

struct world_settings course_settings(bool direct, enum mutant mutant)
{
    return (struct world_settings){
        .seed = 1274,
        .direct = direct,
        .durability = TAUD_DURABILITY_SYNC,
        .segment_bytes = 32 << 10,
        .memory_bytes = 16 << 20,
        .flush_log_bytes = 24 << 10,
        .mutant = mutant,
    };
}

void course_run(struct world *world, unsigned length)
{
    while (world_is_well(world) && world->step < length) {
        operations_run(world, 1 << OPERATION_WRITE | 1 << OPERATION_TIME);
        if (world_draw(world, 4) > 0 && world_is_well(world))
            operations_commit(world);
    }
}
