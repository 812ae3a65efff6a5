// SPDX-License-Identifier: MIT
// Memory and time of the real system: what is reserved reads as zero, is aligned, takes memory only
// where it is touched, and all of it is gone when it is given back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/allocator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 64 << 10, HUGE_PAGE = 2 << 20 };

static const struct taud_allocator *allocator;

static void *reserve(size_t size)
{
    uint8_t *memory = allocator->reserve(allocator->context, size);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % HUGE_PAGE, 0);
    return memory;
}

// The process's pages of address space, read without taking memory.
static uint64_t address_space_pages(void)
{
    char text[64] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_true(read(file, text, sizeof text - 1) > 0);
    close(file);
    return strtoull(text, NULL, 10);
}

static unsigned resident_pages(void *memory, size_t size)
{
    unsigned char pages[4096];
    size_t count = size / (size_t)sysconf(_SC_PAGESIZE);
    assert_true(count <= sizeof pages);
    assert_int_equal(mincore(memory, size, pages), 0);
    unsigned resident = 0;
    for (size_t i = 0; i < count; i++)
        resident += pages[i] & 1;
    return resident;
}

static void small_memory_is_aligned_for_any_type(void **state)
{
    (void)state;
    for (size_t size = 1; size < 100; size += 7) {
        uint8_t *memory = allocator->allocate(allocator->context, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        memset(memory, 0xaa, size);
        allocator->release(allocator->context, memory);
    }
    allocator->release(allocator->context, NULL);
}

static void reserved_space_reads_as_zero_up_to_its_end(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, PIECE, PIECE + 1, HUGE_PAGE, HUGE_PAGE + PIECE, 9 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *memory = reserve(sizes[i]);
        assert_int_equal(memory[0], 0);
        assert_int_equal(memory[sizes[i] - 1], 0);
        memory[0] = memory[sizes[i] - 1] = 1;
        allocator->unreserve(allocator->context, memory, sizes[i]);
    }
}

// What was mapped too much for the sake of alignment is given back at once, the rest later.
static void address_space_is_taken_and_given_back_exactly(void **state)
{
    (void)state;
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    static const size_t sizes[] = {1, PIECE + 1, 16 << 20, (64 << 20) + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t whole = (sizes[i] + PIECE - 1) / PIECE * PIECE;
        uint64_t before = address_space_pages();
        void *memory = reserve(sizes[i]);
        assert_int_equal(address_space_pages() - before, whole / page);
        allocator->unreserve(allocator->context, memory, sizes[i]);
        assert_int_equal(address_space_pages(), before);
    }
}

static void memory_is_taken_where_it_is_touched(void **state)
{
    (void)state;
    uint8_t *memory = reserve(8 << 20);
    assert_int_equal(resident_pages(memory, 8 << 20), 0);
    memory[3 << 20] = 1;
    memory[5 << 20] = 1;
    assert_int_equal(resident_pages(memory, 8 << 20), 2);
    allocator->unreserve(allocator->context, memory, 8 << 20);
}

static void discarded_pages_read_as_zero_and_cost_nothing(void **state)
{
    (void)state;
    uint8_t *memory = reserve(4 * PIECE);
    memset(memory, 0xee, 4 * PIECE);
    allocator->discard(allocator->context, memory + PIECE, 2 * PIECE);
    assert_int_equal(resident_pages(memory + PIECE, 2 * PIECE), 0);
    for (size_t i = 0; i < 4 * PIECE; i++)
        assert_int_equal(memory[i], i < PIECE || i >= 3 * PIECE ? 0xee : 0);
    memory[2 * PIECE] = 7;
    assert_int_equal(memory[2 * PIECE], 7);
    allocator->unreserve(allocator->context, memory, 4 * PIECE);
}

static void populated_pages_are_there_and_keep_what_they_hold(void **state)
{
    (void)state;
    uint8_t *memory = reserve(4 * PIECE);
    memory[PIECE] = 7;
    if (!allocator->populate(allocator->context, memory + PIECE, 2 * PIECE)) {
        assert_int_equal(errno, EINVAL); // an older system
        allocator->unreserve(allocator->context, memory, 4 * PIECE);
        skip();
    }
    assert_int_equal(resident_pages(memory + PIECE, 2 * PIECE), 2 * PIECE / sysconf(_SC_PAGESIZE));
    assert_int_equal(resident_pages(memory, PIECE), 0);
    assert_int_equal(memory[PIECE], 7);
    assert_int_equal(memory[PIECE + 1], 0);
    allocator->unreserve(allocator->context, memory, 4 * PIECE);
    assert_false(allocator->populate(allocator->context, memory, PIECE)); // it is gone
}

// Whether the mapping that begins at `memory` has this flag of the kernel's.
static bool has_flag(const void *memory, const char *flag)
{
    char line[512];
    unsigned long long start = 0, end = 0;
    bool inside = false, found = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2)
            inside = start <= (uintptr_t)memory && (uintptr_t)memory < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(maps);
    return found;
}

static void only_large_reservations_ask_for_huge_pages(void **state)
{
    (void)state;
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0)
        skip();
    void *large = reserve(64 << 20), *small = reserve((64 << 20) - PIECE);
    assert_true(has_flag(large, " hg"));
    assert_true(has_flag(small, " nh"));
    allocator->unreserve(allocator->context, large, 64 << 20);
    allocator->unreserve(allocator->context, small, (64 << 20) - PIECE);
}

static void what_no_machine_has_is_refused(void **state)
{
    (void)state;
    volatile size_t most = SIZE_MAX; // the compiler must not see that it is absurd
    assert_null(allocator->reserve(allocator->context, most / 2));
    for (size_t less = 0; less < 2 * HUGE_PAGE; less += PIECE / 2)
        assert_null(allocator->reserve(allocator->context, most - less));
}

static void the_clock_is_that_of_timed_waits(void **state)
{
    (void)state;
    const struct taud_clock *clock = taud_clock_system();
    for (int i = 0; i < 100; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        uint64_t now = clock->monotonic_ns(clock->context);
        clock_gettime(CLOCK_MONOTONIC, &after);
        assert_true(now >= (uint64_t)before.tv_sec * 1000000000U + (uint64_t)before.tv_nsec);
        assert_true(now <= (uint64_t)after.tv_sec * 1000000000U + (uint64_t)after.tv_nsec);
    }
}

static int take_system(void **state)
{
    (void)state;
    allocator = taud_allocator_system();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_memory_is_aligned_for_any_type),
        cmocka_unit_test(reserved_space_reads_as_zero_up_to_its_end),
        cmocka_unit_test(address_space_is_taken_and_given_back_exactly),
        cmocka_unit_test(memory_is_taken_where_it_is_touched),
        cmocka_unit_test(discarded_pages_read_as_zero_and_cost_nothing),
        cmocka_unit_test(populated_pages_are_there_and_keep_what_they_hold),
        cmocka_unit_test(only_large_reservations_ask_for_huge_pages),
        cmocka_unit_test(what_no_machine_has_is_refused),
        cmocka_unit_test(the_clock_is_that_of_timed_waits),
    };
    return cmocka_run_group_tests(tests, take_system, NULL);
}
