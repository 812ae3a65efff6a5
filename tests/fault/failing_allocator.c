// SPDX-License-Identifier: MIT
// Memory comes from the system's allocator, so that sanitizers see every block. It must not know
// who asks.
#include "failing_allocator.h"

#include <string.h>

static bool refuses(struct failing_allocator *failing)
{
    if (atomic_load(&failing->has_owner) && !pthread_equal(failing->owner, pthread_self()))
        return false;
    unsigned call = atomic_fetch_add(&failing->calls, 1) + 1;
    unsigned fail_at = atomic_load(&failing->fail_at);
    return fail_at > 0 && (call == fail_at || (failing->for_good && call > fail_at));
}

static void *failing_allocate(void *context, size_t size)
{
    struct failing_allocator *failing = context;
    const struct taud_allocator *system = taud_allocator_system();
    void *memory = refuses(failing) ? NULL : system->allocate(system->context, size);
    atomic_fetch_add(&failing->live, memory != NULL);
    return memory;
}

static void failing_release(void *context, void *memory)
{
    struct failing_allocator *failing = context;
    const struct taud_allocator *system = taud_allocator_system();
    atomic_fetch_sub(&failing->live, memory != NULL);
    system->release(system->context, memory);
}

static void *failing_reserve(void *context, size_t size)
{
    struct failing_allocator *failing = context;
    const struct taud_allocator *system = taud_allocator_system();
    void *memory = refuses(failing) ? NULL : system->reserve(system->context, size);
    atomic_fetch_add(&failing->live, memory != NULL);
    return memory;
}

static void failing_unreserve(void *context, void *memory, size_t size)
{
    struct failing_allocator *failing = context;
    const struct taud_allocator *system = taud_allocator_system();
    atomic_fetch_sub(&failing->live, 1);
    system->unreserve(system->context, memory, size);
}

static void failing_discard(void *context, void *memory, size_t size)
{
    (void)context;
    const struct taud_allocator *system = taud_allocator_system();
    system->discard(system->context, memory, size);
}

// No request, and it comes when a thread of the engine has time: it is not counted.
static bool failing_populate(void *context, void *memory, size_t size)
{
    (void)context;
    const struct taud_allocator *system = taud_allocator_system();
    return system->populate(system->context, memory, size);
}

void failing_allocator_init(struct failing_allocator *failing, unsigned fail_at, bool for_good)
{
    memset(failing, 0, sizeof *failing);
    failing->table = (struct taud_allocator){failing,          failing_allocate,
                                             failing_release,  failing_reserve,
                                             failing_unreserve, failing_discard,
                                             failing_populate};
    failing->fail_at = fail_at;
    failing->for_good = for_good;
}

void failing_allocator_fail_next(struct failing_allocator *failing, unsigned ahead)
{
    atomic_store(&failing->fail_at, atomic_load(&failing->calls) + ahead);
}

void failing_allocator_fail_mine(struct failing_allocator *failing, unsigned ahead)
{
    if (!atomic_load(&failing->has_owner)) {
        failing->owner = pthread_self();
        atomic_store(&failing->has_owner, true);
    }
    failing_allocator_fail_next(failing, ahead);
}
