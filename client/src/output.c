/* SPDX-License-Identifier: MIT */
/*
 * The chain of output blocks. A block is freed when its last byte was sent; one of the usual size
 * is kept, so that a client in its stride allocates nothing.
 */
#include "output.h"

#include <assert.h>

struct tau_output_block {
    struct tau_output_block *next;
    uint64_t position; /* of data[0] */
    size_t end;        /* bytes in data */
    size_t capacity;
    uint8_t data[];
};

#define USUAL_CAPACITY (TAU_OUTPUT_BLOCK_SIZE - sizeof(struct tau_output_block))

static void free_block(struct tau_output *output, struct tau_output_block *block)
{
    if (block != NULL)
        tau_memory_release(output->allocator, block, sizeof(*block) + block->capacity);
}

void tau_output_init(struct tau_output *output, const struct tau_allocator *allocator)
{
    *output = (struct tau_output){.allocator = allocator};
}

void tau_output_done(struct tau_output *output)
{
    while (output->head != NULL) {
        struct tau_output_block *next = output->head->next;
        free_block(output, output->head);
        output->head = next;
    }
    free_block(output, output->spare);
    tau_output_init(output, output->allocator);
}

/* Takes a finished block back: one of the usual size is kept. */
static void retire_block(struct tau_output *output, struct tau_output_block *block)
{
    if (output->spare == NULL && block->capacity == USUAL_CAPACITY)
        output->spare = block;
    else
        free_block(output, block);
}

static struct tau_output_block *take_block(struct tau_output *output, size_t size)
{
    struct tau_output_block *block = output->spare;
    if (size <= USUAL_CAPACITY && block != NULL) {
        output->spare = NULL;
        return block;
    }
    size_t capacity = size <= USUAL_CAPACITY ? USUAL_CAPACITY : size;
    block = tau_memory_allocate(output->allocator, sizeof(*block) + capacity);
    if (block != NULL)
        block->capacity = capacity;
    return block;
}

uint8_t *tau_output_reserve(struct tau_output *output, size_t size)
{
    struct tau_output_block *tail = output->tail;
    if (tail != NULL && tail->capacity - tail->end >= size)
        return tail->data + tail->end;
    struct tau_output_block *block = take_block(output, size);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->position = output->end;
    block->end = 0;
    if (tail != NULL)
        tail->next = block;
    else
        output->head = block;
    output->tail = block;
    return block->data;
}

void tau_output_commit(struct tau_output *output, size_t size)
{
    assert(output->tail->capacity - output->tail->end >= size);
    output->tail->end += size;
    output->end += size;
}

size_t tau_output_slices(const struct tau_output *output, struct tau_slice *slices, size_t capacity)
{
    size_t count = 0;
    uint64_t position = output->sent;
    for (struct tau_output_block *block = output->head; block != NULL && count < capacity;
         block = block->next) {
        size_t begin = (size_t)(position - block->position);
        if (begin == block->end)
            continue;
        slices[count].data = block->data + begin;
        slices[count].size = block->end - begin;
        position += slices[count].size;
        count++;
    }
    return count;
}

void tau_output_drop(struct tau_output *output, uint64_t size)
{
    assert(size <= tau_output_waiting(output));
    output->sent += size;
    while (output->head != NULL && output->head->position + output->head->end <= output->sent) {
        struct tau_output_block *block = output->head;
        output->head = block->next;
        if (output->head == NULL)
            output->tail = NULL;
        retire_block(output, block);
    }
}

uint8_t *tau_output_at(struct tau_output *output, uint64_t position)
{
    assert(position >= output->sent && position < output->end);
    struct tau_output_block *block = output->head;
    while (position - block->position >= block->end)
        block = block->next;
    return block->data + (position - block->position);
}
