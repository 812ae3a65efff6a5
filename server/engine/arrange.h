// SPDX-License-Identifier: MIT
// Rows of a batch that came in any order, brought into ascending order of time; among equal
// timestamps as they came. It must not know what the rows hold.
#ifndef TAUD_ENGINE_ARRANGE_H
#define TAUD_ENGINE_ARRANGE_H

#include <stddef.h>
#include <stdint.h>

struct taud_arranged {
    int64_t timestamp;
    uint32_t row;
};

// Sorts rows that are given in their order; `spare` has room for as many. Rows that ascend but for
// a few that are late, as they mostly come, cost little more than reading them.
void taud_arrange(struct taud_arranged *rows, size_t count, struct taud_arranged *spare);

#endif
