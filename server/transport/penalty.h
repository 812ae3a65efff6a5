// SPDX-License-Identifier: MIT
// How long the answer to a wrong certificate waits: 100 ms for the first of an address within a
// minute, then doubling to 2 s. The table is bounded; when it is full the oldest entry goes. A
// right certificate never looks here. Shared by all workers.
#ifndef TAUD_TRANSPORT_PENALTY_H
#define TAUD_TRANSPORT_PENALTY_H

#include <stdint.h>

struct taud_penalties;

// What stands for an address: the caller folds ports away, and an IPv6 address to its network.
struct taud_penalty_key {
    uint8_t bytes[16];
};

// Returns NULL when there is no memory.
__attribute__((warn_unused_result)) struct taud_penalties *taud_penalties_new(void);
void taud_penalties_free(struct taud_penalties *penalties);

// Counts one more wrong certificate. Returns how long its answer has to wait.
uint64_t taud_penalties_add(struct taud_penalties *penalties, const struct taud_penalty_key *key,
                            uint64_t now_ms);

#endif
