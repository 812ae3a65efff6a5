/* SPDX-License-Identifier: MIT */
/*
 * Allocation through the caller's functions, or malloc and free.
 */
#include "memory.h"

#include <stdlib.h>

static void *allocate_default(void *user_data, size_t size)
{
    (void)user_data;
    return malloc(size);
}

static void release_default(void *user_data, void *memory, size_t size)
{
    (void)user_data;
    (void)size;
    free(memory);
}

struct tau_allocator tau_memory_default(void)
{
    return (struct tau_allocator){.allocate = allocate_default, .release = release_default};
}

void *tau_memory_allocate(const struct tau_allocator *allocator, size_t size)
{
    return allocator->allocate(allocator->user_data, size);
}

void tau_memory_release(const struct tau_allocator *allocator, void *memory, size_t size)
{
    if (memory != NULL)
        allocator->release(allocator->user_data, memory, size);
}
