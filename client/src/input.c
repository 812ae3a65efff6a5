/* SPDX-License-Identifier: MIT */
/*
 * The input buffer. The largest frame bounds it: the core refuses longer ones before they arrive.
 */
#include "input.h"

#include <assert.h>
#include <string.h>

void tau_input_init(struct tau_input *input, const struct tau_allocator *allocator)
{
    *input = (struct tau_input){.allocator = allocator};
}

void tau_input_done(struct tau_input *input)
{
    tau_memory_release(input->allocator, input->data, input->capacity);
    tau_input_init(input, input->allocator);
}

void tau_input_clear(struct tau_input *input)
{
    input->begin = 0;
    input->end = 0;
}

/* Moves to a buffer of another size; on failure everything stays as it was. */
static void resize(struct tau_input *input, size_t capacity)
{
    uint8_t *data = tau_memory_allocate(input->allocator, capacity);
    if (data == NULL)
        return;
    size_t size = input->end - input->begin;
    if (size > 0)
        memcpy(data, input->data + input->begin, size);
    tau_memory_release(input->allocator, input->data, input->capacity);
    input->data = data;
    input->capacity = capacity;
    input->begin = 0;
    input->end = size;
}

static void compact(struct tau_input *input)
{
    if (input->begin == 0)
        return;
    memmove(input->data, input->data + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
}

uint8_t *tau_input_room(struct tau_input *input, size_t *ret_capacity)
{
    if (input->begin == input->end) {
        tau_input_clear(input);
        if (input->capacity != TAU_INPUT_BASE_SIZE)
            resize(input, TAU_INPUT_BASE_SIZE);
    } else if (input->begin >= input->capacity / 2) {
        compact(input);
    } else if (input->end == input->capacity) {
        resize(input, input->capacity * 2);
        compact(input);
    }
    if (input->end == input->capacity)
        return NULL;
    *ret_capacity = input->capacity - input->end;
    return input->data + input->end;
}

void tau_input_add(struct tau_input *input, size_t size)
{
    assert(size <= input->capacity - input->end);
    input->end += size;
}

struct tau_slice tau_input_bytes(const struct tau_input *input)
{
    if (input->data == NULL)
        return (struct tau_slice){.size = 0};
    return (struct tau_slice){.data = input->data + input->begin,
                              .size = input->end - input->begin};
}

void tau_input_take(struct tau_input *input, size_t size)
{
    assert(size <= input->end - input->begin);
    input->begin += size;
}
