// SPDX-License-Identifier: MIT
// Memory for one request: taken piece by piece, given back all at once. The largest block is kept
// for the next request, so that a steady load allocates nothing. It belongs to one thread at a time.
#ifndef TAUD_TRANSPORT_ARENA_H
#define TAUD_TRANSPORT_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct taud_arena_block;

struct taud_arena {
    struct taud_arena_block *blocks; // newest first
    size_t keep_bytes;               // a block above this is not kept
};

void taud_arena_init(struct taud_arena *arena, size_t keep_bytes);

// Frees everything.
void taud_arena_done(struct taud_arena *arena);

// Returns memory aligned for any type, valid until the reset; NULL when there is none.
__attribute__((warn_unused_result)) void *taud_arena_take(struct taud_arena *arena, size_t size);

// Gives all of it back.
void taud_arena_reset(struct taud_arena *arena);

#endif
