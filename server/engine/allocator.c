// SPDX-License-Identifier: MIT
// The seams for memory and time on top of the C library and the kernel.
#include "allocator.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum {
    PAGE_BYTES = 64 << 10, // the largest of any processor
    HUGE_PAGE_BYTES = 2 << 20,
    HUGE_FROM_BYTES = 64 << 20, // smaller reservations are touched here and there: no huge pages
};

static void *system_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void system_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static size_t whole_pages(size_t size)
{
    return (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static void *system_reserve(void *context, size_t size)
{
    (void)context;
    if (size > SIZE_MAX - HUGE_PAGE_BYTES - PAGE_BYTES)
        return NULL;
    size = whole_pages(size);
    size_t padded = size + HUGE_PAGE_BYTES;
    uint8_t *start = mmap(NULL, padded, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    size_t before = (size_t)(-(uintptr_t)start % HUGE_PAGE_BYTES);
    if (before > 0)
        munmap(start, before);
    if (padded - before > size)
        munmap(start + before + size, padded - before - size);
    madvise(start + before, size, size >= HUGE_FROM_BYTES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return start + before;
}

static void system_unreserve(void *context, void *memory, size_t size)
{
    (void)context;
    munmap(memory, whole_pages(size));
}

static void system_discard(void *context, void *memory, size_t size)
{
    (void)context;
    madvise(memory, size, MADV_DONTNEED);
}

static bool system_populate(void *context, void *memory, size_t size)
{
    (void)context;
#ifdef MADV_POPULATE_WRITE // of Linux 5.14
    return madvise(memory, size, MADV_POPULATE_WRITE) == 0;
#else
    (void)memory;
    (void)size;
    return false;
#endif
}

const struct taud_allocator *taud_allocator_system(void)
{
    static const struct taud_allocator allocator = {
        .allocate = system_allocate,
        .release = system_release,
        .reserve = system_reserve,
        .unreserve = system_unreserve,
        .discard = system_discard,
        .populate = system_populate,
    };
    return &allocator;
}

static uint64_t system_monotonic_ns(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int64_t system_realtime_ns(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec;
}

const struct taud_clock *taud_clock_system(void)
{
    static const struct taud_clock clock = {.monotonic_ns = system_monotonic_ns,
                                            .realtime_ns = system_realtime_ns};
    return &clock;
}
