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

static _Atomic int64_t left = -1; // allocations before the one that fails; below 0: none will

static bool fails(void)
{
    return atomic_fetch_sub(&left, 1) == 0;
}

void memory_fault_after(size_t count)
{
    atomic_store(&left, (int64_t)count);
}

bool memory_fault_end(void)
{
    return atomic_exchange(&left, -1) < 0;
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
