/* SPDX-License-Identifier: MIT */
/*
 * Frames that wait to be sent, as a chain of blocks that may be written in one go. Every byte has a
 * position that counts from the birth of the client; a frame never lies across two blocks, so one
 * that has not begun to be sent can still be changed in place.
 */
#ifndef TAU_OUTPUT_H
#define TAU_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "wire/slice.h"

/* The size of a block, its own header included; larger frames get a block of their own. */
#define TAU_OUTPUT_BLOCK_SIZE ((size_t)256 * 1024)

struct tau_output_block;

struct tau_output {
    const struct tau_allocator *allocator;
    struct tau_output_block *head; /* with the next byte to be sent */
    struct tau_output_block *tail; /* with the last one */
    struct tau_output_block
        *spare;    /* one empty block of the usual size, kept for the next frames */
    uint64_t sent; /* position of the next byte to be sent */
    uint64_t end;  /* position behind the last byte */
};

void tau_output_init(struct tau_output *output, const struct tau_allocator *allocator);
void tau_output_done(struct tau_output *output);

/* Contiguous room at the end, or NULL when there is no memory. Nothing is added yet. */
uint8_t *tau_output_reserve(struct tau_output *output, size_t size);

/* Adds bytes that were written into the reserved room. */
void tau_output_commit(struct tau_output *output, size_t size);

/* The unsent bytes, first to last, as far as `capacity` slices reach. Returns how many. */
size_t tau_output_slices(const struct tau_output *output, struct tau_slice *slices,
                         size_t capacity);

/* Bytes were sent, or are never to be: they are dropped from the front. */
void tau_output_drop(struct tau_output *output, uint64_t size);

/* The byte at a position that has not been sent. */
uint8_t *tau_output_at(struct tau_output *output, uint64_t position);

static inline uint64_t tau_output_waiting(const struct tau_output *output)
{
    return output->end - output->sent;
}

#endif
