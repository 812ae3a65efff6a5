/* SPDX-License-Identifier: MIT */
/*
 * Received bytes that have not been read as frames yet, in one contiguous buffer. It grows by
 * doubling as bytes arrive, never because a header promises some, and shrinks again when it is
 * empty. What was taken stays where it is until room for more is asked for: replies are borrowed
 * from here.
 */
#ifndef TAU_INPUT_H
#define TAU_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "wire/slice.h"

#define TAU_INPUT_BASE_SIZE ((size_t)64 * 1024)

struct tau_input {
    const struct tau_allocator *allocator;
    uint8_t *data;
    size_t capacity;
    size_t begin; /* of the bytes that were not taken */
    size_t end;
};

void tau_input_init(struct tau_input *input, const struct tau_allocator *allocator);
void tau_input_done(struct tau_input *input);

/* Forgets what was received; the buffer stays as it is. */
void tau_input_clear(struct tau_input *input);

/* Room for the next bytes, at least one, or NULL when there is no memory. */
uint8_t *tau_input_room(struct tau_input *input, size_t *ret_capacity);

/* Bytes were written into the room. */
void tau_input_add(struct tau_input *input, size_t size);

/* The bytes that were not taken. */
struct tau_slice tau_input_bytes(const struct tau_input *input);

/* Takes bytes from the front. */
void tau_input_take(struct tau_input *input, size_t size);

#endif
