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

// Sorts at most UINT32_MAX rows of these timestamps into `rows`; `spare` has room for as many. What
// that costs grows with the rows alone where their times are spread evenly, whatever their order.
void taud_arrange(const int64_t *timestamps, size_t count, struct taud_arranged *rows,
                  struct taud_arranged *spare);

#endif
