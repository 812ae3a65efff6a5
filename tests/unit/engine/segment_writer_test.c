// SPDX-License-Identifier: MIT
// A writer makes a whole segment or nothing: whichever call fails, without memory, and wherever
// power is cut. It takes chunks in their order only, and little memory for many.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/store/segment_format.h"

#include <errno.h>

static const struct store_shape shape = {{7, 1}, .series = 3, .chunks = 4, .points = 20};

static int setup(void **state)
{
    static struct store_rig rig;
    store_rig_init(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_done(*state);
    return 0;
}

static void a_segment_is_whole(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment_facts facts = store_rig_write(rig, shape);
    uint64_t size;
    assert_non_null(store_rig_bytes(rig, shape.name, &size));
    assert_int_equal(facts.size, size);
    assert_int_equal(facts.chunk_count, 12);
    assert_int_equal(facts.point_count, 240);
    assert_int_equal(facts.series_count, 3);
    assert_int_equal(disk_count(rig->local.disk, "data/segments"), 1);
    assert_int_equal(disk_count(rig->local.disk, "data/unfinished"), 0);
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    uint8_t written[TAUD_SEGMENT_FOOT_BYTES], opened[TAUD_SEGMENT_FOOT_BYTES];
    taud_segment_foot_encode(&facts, written);
    taud_segment_foot_encode(&segment->facts, opened);
    assert_memory_equal(opened, written, sizeof written);
    assert_int_equal(segment->facts.size, size);
    assert_int_equal(store_rig_count_good(rig, segment, shape), 12);
    taud_segment_release(segment);
}

static void an_empty_segment_is_one(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment_facts facts = store_rig_write(rig, (struct store_shape){{7, 1}, 0, 0, 0});
    assert_int_equal(facts.chunk_count, 0);
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    assert_int_equal(taud_segment_find(segment, 0, INT64_MIN, INT64_MAX).count, 0);
    taud_segment_release(segment);
}

static void what_does_not_belong_there_is_refused(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment_facts facts = {.name = shape.name, .last_sequence = 9};
    struct taud_segment_writer *writer;
    struct store_chunk first, second;
    store_rig_chunk(rig, 10, 0, 20, &first);
    store_rig_chunk(rig, 10, 1, 20, &second);
    assert_int_equal(taud_segment_writer_new(&rig->store, rig->codec, &facts, &writer, NULL),
                     TAU_STATUS_SUCCESS);
    const enum tau_status refused = TAU_STATUS_INVALID_ARGUMENT;
    struct taud_error *error = &rig->local.error;
    assert_int_equal(taud_segment_writer_add(writer, 10, &second.summary, second.bytes, 0, error),
                     refused);
    assert_int_equal(taud_segment_writer_add(writer, 10, &second.summary, second.bytes,
                                             TAUD_CHUNK_BYTES_MAX + 1, error),
                     refused);
    assert_int_equal(
        taud_segment_writer_add(writer, 10, &second.summary, second.bytes, second.size, error),
        TAU_STATUS_SUCCESS);
    assert_int_equal(
        taud_segment_writer_add(writer, 10, &second.summary, second.bytes, second.size, error),
        refused);
    assert_string_equal(error->text, "a chunk of series 10 does not belong where "
                                     "segments/0000000000000007-00000001.seg is");
    assert_int_equal(
        taud_segment_writer_add(writer, 10, &first.summary, first.bytes, first.size, error),
        refused);
    assert_int_equal(
        taud_segment_writer_add(writer, 9, &first.summary, first.bytes, first.size, error),
        refused);
    assert_int_equal(
        taud_segment_writer_add(writer, 11, &first.summary, first.bytes, first.size, error),
        TAU_STATUS_SUCCESS);
    assert_int_equal(taud_segment_writer_finish(writer, &facts, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(facts.chunk_count, 2);
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    assert_int_equal(segment->identities[1], 11);
    taud_segment_release(segment);
    taud_segment_writer_abandon(NULL);
}

static void many_chunks_take_little_memory(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment_facts facts = {.name = shape.name, .last_sequence = 9};
    struct taud_segment_writer *writer;
    struct store_chunk chunk;
    store_rig_chunk(rig, 10, 0, 20, &chunk);
    assert_int_equal(taud_segment_writer_new(&rig->store, rig->codec, &facts, &writer, NULL),
                     TAU_STATUS_SUCCESS);
    uint64_t before = taud_segment_writer_memory(writer);
    assert_true(before < 700 << 10);
    for (uint64_t i = 0; i < 30000; i++)
        assert_int_equal(
            taud_segment_writer_add(writer, i, &chunk.summary, chunk.bytes, chunk.size, NULL),
            TAU_STATUS_SUCCESS);
    assert_true(taud_segment_writer_memory(writer) - before < 30000 * 12);
    uint64_t estimate = taud_segment_writer_size(writer);
    assert_int_equal(taud_segment_writer_finish(writer, &facts, NULL), TAU_STATUS_SUCCESS);
    assert_true(estimate > facts.size - facts.size / 50 && estimate < facts.size + facts.size / 50);
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    assert_int_equal(segment->facts.series_count, 30000);
    taud_segment_release(segment);
}

// --- failures ---------------------------------------------------------------------------------

static enum tau_status refusal;

// Tries the writing of a segment with the disk's call `at` failing. Returns whether there was that
// call.
static bool try_call(struct disk_fault fault)
{
    struct store_rig rig;
    struct taud_segment_facts facts;
    store_rig_init(&rig);
    disk_set_fault(rig.local.disk, fault);
    enum tau_status status = store_rig_try_write(&rig, shape, &facts);
    bool failed = disk_calls(rig.local.disk) >= fault.at;
    disk_set_fault(rig.local.disk, (struct disk_fault){DISK_FAULT_NONE, .at = 0});
    assert_int_equal(status, failed ? refusal : TAU_STATUS_SUCCESS);
    if (failed) {
        assert_non_null(strstr(rig.local.error.text, "segments/0000000000000007-00000001.seg"));
        if (fault.for_good) // what could not be removed is so at the next start
            rig.store.backend->objects->sweep(rig.store.backend, NULL);
        else
            assert_int_equal(disk_count(rig.local.disk, "data/segments"), 0);
        assert_int_equal(disk_count(rig.local.disk, "data/unfinished"), 0);
    }
    store_rig_done(&rig);
    return failed;
}

static void of_what_failed_nothing_is_left(void **state)
{
    (void)state;
    for (int full = 0; full < 2; full++) {
        refusal = full ? TAU_STATUS_STORAGE_FULL : TAU_STATUS_INTERNAL_ERROR;
        for (int for_good = 0; for_good < 2; for_good++) {
            struct disk_fault fault = {DISK_FAULT_ERROR, .at = 1, .for_good = for_good,
                                       .error = full ? ENOSPC : EIO};
            while (try_call(fault))
                fault.at++;
            assert_true(fault.at >= 10);
        }
    }
}

static void without_memory_nothing_is_left(void **state)
{
    (void)state;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    unsigned at = 1;
    for (; status == TAU_STATUS_NO_MEMORY; at++) {
        struct store_rig rig;
        struct taud_segment_facts facts;
        store_rig_init(&rig);
        failing_allocator_fail_next(&rig.local.memory, at);
        status = store_rig_try_write(&rig, shape, &facts);
        if (status == TAU_STATUS_NO_MEMORY) {
            assert_int_equal(disk_count(rig.local.disk, "data/segments"), 0);
            assert_int_equal(disk_count(rig.local.disk, "data/unfinished"), 0);
        }
        store_rig_done(&rig);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_true(at >= 5);
}

// After the cut there is the whole segment, or none of that name. Returns whether it is there.
static bool cut(uint64_t at, uint64_t seed, bool skips_syncs, bool *ret_reached)
{
    struct store_rig rig;
    struct taud_segment_facts facts;
    store_rig_init(&rig);
    disk_set_fault(rig.local.disk, (struct disk_fault){DISK_FAULT_CUT, .at = at});
    if (skips_syncs)
        disk_skip_syncs(rig.local.disk);
    enum tau_status status = store_rig_try_write(&rig, shape, &facts);
    *ret_reached = disk_calls(rig.local.disk) >= at;
    disk_restart(rig.local.disk, seed);
    store_rig_renew(&rig);
    bool whole = false;
    if (disk_count(rig.local.disk, "data/segments") > 0) {
        struct taud_segment *segment;
        enum taud_segment_fault fault;
        whole = taud_segment_open(&rig.store, rig.codec, shape.name, &segment, &fault, NULL) ==
                TAU_STATUS_SUCCESS;
        assert_true(whole || skips_syncs);
        if (whole)
            assert_int_equal(store_rig_count_good(&rig, segment, shape), 12);
        taud_segment_release(whole ? segment : NULL);
    }
    assert_true(whole || status != TAU_STATUS_SUCCESS || skips_syncs);
    store_rig_done(&rig);
    return whole;
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        bool reached = true;
        for (uint64_t at = 1; reached; at++)
            cut(at, seed, false, &reached);
    }
}

// The planted bug.
static void syncs_that_do_nothing_are_caught(void **state)
{
    (void)state;
    bool reached;
    assert_true(cut(1000, 0, false, &reached));
    assert_false(cut(1000, 0, true, &reached));
}

#define WRITER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(a_segment_is_whole),
        WRITER_TEST(an_empty_segment_is_one),
        WRITER_TEST(what_does_not_belong_there_is_refused),
        WRITER_TEST(many_chunks_take_little_memory),
        cmocka_unit_test(of_what_failed_nothing_is_left),
        cmocka_unit_test(without_memory_nothing_is_left),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(syncs_that_do_nothing_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
