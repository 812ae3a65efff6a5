// SPDX-License-Identifier: MIT
// Memory that ends when the test says so.
#include "memory_fault.h"

#include <stdint.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

// Allocations of this thread before the one that fails; below 0: none will.
static _Thread_local int64_t left = -1;

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void memory_fault_after(size_t count)
{
    left = (int64_t)count;
}

bool memory_fault_end(void)
{
    bool happened = left < 0;
    left = -1;
    return happened;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}
