// SPDX-License-Identifier: MIT
// Memory for one request.
#include "transport/request_arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum {
    ALIGNMENT = alignof(max_align_t),
    BLOCK_BYTES = 4096,
};

struct taud_request_arena_block {
    struct taud_request_arena_block *next;
    size_t capacity;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

void taud_request_arena_init(struct taud_request_arena *arena, size_t keep_bytes)
{
    arena->blocks = NULL;
    arena->keep_bytes = keep_bytes;
}

void taud_request_arena_done(struct taud_request_arena *arena)
{
    struct taud_request_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct taud_request_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
}

static struct taud_request_arena_block *add_block(struct taud_request_arena *arena, size_t size)
{
    size_t capacity = size < BLOCK_BYTES ? BLOCK_BYTES : size;
    struct taud_request_arena_block *block = malloc(sizeof *block + capacity);
    if (block == NULL)
        return NULL;
    block->next = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    arena->blocks = block;
    return block;
}

void *taud_request_arena_take(struct taud_request_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct taud_request_arena_block *block = arena->blocks;
    if (block == NULL || block->capacity - block->used < size) {
        block = add_block(arena, size);
        if (block == NULL)
            return NULL;
    }
    void *memory = block->data + block->used;
    block->used += size;
    return memory;
}

// Of all blocks the largest that may be kept stays.
void taud_request_arena_reset(struct taud_request_arena *arena)
{
    struct taud_request_arena_block *kept = NULL;
    struct taud_request_arena_block *block = arena->blocks;
    if (block != NULL && block->next == NULL && block->capacity <= arena->keep_bytes) {
        block->used = 0;
        return;
    }
    while (block != NULL) {
        struct taud_request_arena_block *next = block->next;
        if (block->capacity <= arena->keep_bytes &&
            (kept == NULL || block->capacity > kept->capacity)) {
            free(kept);
            kept = block;
            kept->next = NULL;
            kept->used = 0;
        } else {
            free(block);
        }
        block = next;
    }
    arena->blocks = kept;
}
