/* SPDX-License-Identifier: MIT */
/*
 * The allocator that counts. What is released under a wrong size shows as bytes that still live.
 */
#include "fake_memory.h"

#include <stdlib.h>

static void *allocate(void *user_data, size_t size)
{
    struct fake_memory *memory = user_data;
    memory->calls++;
    if (memory->fail_at > 0 &&
        (memory->calls == memory->fail_at || (memory->fail_on && memory->calls > memory->fail_at)))
        return NULL;
    memory->live_bytes += size;
    memory->live_blocks++;
    if (memory->live_bytes > memory->peak_bytes)
        memory->peak_bytes = memory->live_bytes;
    return malloc(size);
}

static void release(void *user_data, void *block, size_t size)
{
    struct fake_memory *memory = user_data;
    memory->live_bytes -= size;
    memory->live_blocks--;
    free(block);
}

struct tau_allocator fake_allocator(struct fake_memory *memory)
{
    return (struct tau_allocator){.allocate = allocate, .release = release, .user_data = memory};
}

void fake_memory_exhaust(struct fake_memory *memory)
{
    memory->fail_at = memory->calls + 1;
    memory->fail_on = true;
}
