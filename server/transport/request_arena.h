// SPDX-License-Identifier: MIT
// Memory for one request: taken piece by piece, given back all at once. The largest block is kept
// for the next request, so that a steady load allocates nothing. It belongs to one thread at a
// time.
#ifndef TAUD_TRANSPORT_REQUEST_ARENA_H
#define TAUD_TRANSPORT_REQUEST_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct taud_request_arena_block;

struct taud_request_arena {
    struct taud_request_arena_block *blocks; // newest first
    size_t keep_bytes;                       // a block above this is not kept
};

void taud_request_arena_init(struct taud_request_arena *arena, size_t keep_bytes);

// Frees everything.
void taud_request_arena_done(struct taud_request_arena *arena);

// Returns memory aligned for any type, valid until the reset; NULL when there is none.
__attribute__((warn_unused_result)) void *taud_request_arena_take(struct taud_request_arena *arena,
                                                                  size_t size);

// Gives all of it back.
void taud_request_arena_reset(struct taud_request_arena *arena);

#endif
