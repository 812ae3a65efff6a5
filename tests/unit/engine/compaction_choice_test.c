// SPDX-License-Identifier: MIT
// Which segments become one: four neighbours of a size, one that is mostly garbage, all when it is
// asked for; and in the long run few are left, and each point was moved only a few times.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include "engine/compaction.h"

#include <stdio.h>

static struct taud_engine_statistics figures_of(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    return figures;
}

// A flush with points that take about 8 bytes each.
static void flush_noise(struct workbench *bench, const char *label, int64_t from, unsigned count)
{
    struct tau_append_request points[200];
    enum tau_status statuses[200];
    for (unsigned done = 0, piece; done < count; done += piece) {
        piece = count - done < 200 ? count - done : 200;
        for (unsigned i = 0; i < piece; i++)
            points[i] = (struct tau_append_request){
                workbench_label(label), from + (int64_t)(done + i), workbench_noise(done + i)};
        taud_engine_append(bench->engine, points, piece, statuses, &bench->position);
        for (unsigned i = 0; i < piece; i++)
            assert_int_equal(statuses[i], TAU_STATUS_SUCCESS);
    }
    uint64_t ticket;
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_FLUSH, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    while (storage_rig_manifest(bench)->flush_position <
           atomic_load(&bench->engine->log.next_position))
        assert_true(taud_engine_step(bench->engine, TAUD_TASK_STORE));
}

static void three_neighbours_stay_and_four_become_one(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    for (int i = 0; i < 3; i++)
        flush_noise(bench, "series", i * 1000, 500);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).segment_count, 3);
    flush_noise(bench, "series", 3000, 500);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).segment_count, 1);
    assert_int_equal(figures_of(bench).compaction_count, 1);
    assert_int_equal(storage_rig_manifest(bench)->segments[0].name.level, 1);
    assert_int_equal(storage_rig_manifest(bench)->segments[0].last_sequence, 4);
}

static void a_large_one_waits_for_others_of_its_size(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    flush_noise(bench, "series", 0, 200000); // over 1 MiB
    for (int i = 1; i <= 4; i++) {
        flush_noise(bench, "series", 1000000 + i * 1000, 500);
        storage_rig_settle(bench);
        assert_int_equal(figures_of(bench).segment_count, i < 4 ? 1 + i : 2);
    }
    assert_int_equal(storage_rig_manifest(bench)->segments[0].name.level, 0);
    assert_int_equal(storage_rig_manifest(bench)->segments[1].name.level, 1);
}

static void few_are_left_of_many(void **state)
{
    struct workbench *bench = *state;
    enum { FLUSHES = 40 };
    workbench_create(bench, "series");
    uint64_t most = 0;
    for (int i = 0; i < FLUSHES; i++) {
        flush_noise(bench, "series", i * 1000, 100);
        storage_rig_settle(bench);
        uint64_t count = figures_of(bench).segment_count;
        most = count > most ? count : most;
    }
    assert_true(most <= 8);
    struct taud_engine_statistics figures = figures_of(bench);
    assert_true(figures.compaction_written_bytes < figures.flush_bytes * 16);
    assert_int_equal(figures.stored_points, FLUSHES * 100);
}

static void garbage_is_collected_by_itself(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "kept");
    workbench_create(bench, "dropped");
    flush_noise(bench, "kept", 0, 5000);
    flush_noise(bench, "dropped", 0, 1000);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
    storage_rig_settle(bench);
    uint64_t before = figures_of(bench).compaction_count;
    assert_int_equal(workbench_try_drop(bench, "dropped"), TAU_STATUS_SUCCESS);
    storage_rig_flush(bench);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).compaction_count, before); // a sixth is not yet worth it
    storage_rig_delete(bench, "kept", 0, 1999);
    storage_rig_flush(bench);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).compaction_count, before + 1);
    assert_int_equal(figures_of(bench).stored_points, 3000);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 0);
}

// Looked for each minute, once a series has a retention.
static void what_grows_too_old_is_found(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    workbench_create(bench, "clock");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_STRICT, 100000);
    flush_noise(bench, "series", 0, 4096);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).stored_points, 4096);
    flush_noise(bench, "clock", 1000000, 1);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).stored_points, 4097); // nobody has looked
    storage_rig_now.monotonic_ns += UINT64_C(61000000000);
    storage_rig_settle(bench);
    assert_int_equal(figures_of(bench).stored_points, 1);
}

static void whoever_asks_gets_all_in_one(void **state)
{
    struct workbench *bench = *state;
    uint64_t ticket, done = 0, total = 0;
    workbench_create(bench, "series");
    for (int i = 0; i < 3; i++)
        flush_noise(bench, "series", i * 10000, 5000);
    uint64_t bytes = figures_of(bench).stored_bytes;
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_COMPACT, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    storage_rig_settle(bench);
    assert_int_equal(taud_engine_work_state(bench->engine, ticket, &done, &total, NULL),
                     TAU_STATUS_SUCCESS);
    assert_true(total == bytes && done == total);
    assert_int_equal(figures_of(bench).segment_count, 1);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(storage_rig_manifest(bench)->segments[0].name.level, 2);
    for (uint32_t i = 0; i < storage_rig_storage(bench)->views.current->segment_count; i++)
        assert_false(storage_rig_storage(bench)->views.current->segments[i]->busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(three_neighbours_stay_and_four_become_one),
        STORAGE_RIG_TEST(a_large_one_waits_for_others_of_its_size),
        STORAGE_RIG_TEST(few_are_left_of_many),
        STORAGE_RIG_TEST(garbage_is_collected_by_itself),
        STORAGE_RIG_TEST(what_grows_too_old_is_found),
        STORAGE_RIG_TEST(whoever_asks_gets_all_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
