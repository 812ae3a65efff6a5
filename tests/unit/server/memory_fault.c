// SPDX-License-Identifier: MIT
// Memory that ends when the test says so.
#include "memory_fault.h"

#include <stdatomic.h>
#include <stdint.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

// Allocations before the one that fails; below 0: none will.
static _Thread_local int64_t left_here = -1;
static _Atomic int64_t left_anywhere = -1;

static bool fails(void)
{
    if (left_here >= 0 && left_here-- == 0)
        return true;
    return atomic_load(&left_anywhere) >= 0 && atomic_fetch_sub(&left_anywhere, 1) == 0;
}

void memory_fault_after(size_t count)
{
    left_here = (int64_t)count;
}

void memory_fault_anywhere_after(size_t count)
{
    atomic_store(&left_anywhere, (int64_t)count);
}

bool memory_fault_end(void)
{
    bool happened = left_here < 0;
    left_here = -1;
    return happened;
}

bool memory_fault_anywhere_end(void)
{
    return atomic_exchange(&left_anywhere, -1) < 0;
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
