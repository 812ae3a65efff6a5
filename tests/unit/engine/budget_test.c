// SPDX-License-Identifier: MIT
// Memory, the log and the disk ask for a flush when they should and not when it would help nobody;
// writers wait when they should; indexes of segments take from the arena; the edge of a retention;
// and figures.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include <errno.h>
#include <stdio.h>

static void memory_asks_for_a_flush(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    assert_false(taud_storage_needs_flush(bench->engine));
    uint64_t bound = taud_arena_bound(&bench->engine->arena);
    int64_t at = 0;
    for (; !taud_storage_needs_flush(bench->engine); at++)
        workbench_append(bench, "series", at, workbench_noise((uint64_t)at));
    uint64_t unflushed = taud_storage_unflushed(bench->engine);
    assert_true(unflushed > bound / 4 && unflushed < bound / 4 + (1 << 20));
    assert_false(taud_storage_is_pressed(bench->engine));
    assert_true(taud_engine_log_has_room(bench->engine));
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    for (; !taud_storage_is_pressed(bench->engine); at++) {
        workbench_append(bench, "series", at, workbench_noise((uint64_t)at));
        if (at % 10000 == 0)
            taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    }
    assert_true(taud_storage_unflushed(bench->engine) > bound / 2);
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    assert_false(taud_engine_log_has_room(bench->engine));
    assert_true(storage_rig_settle(bench) > 0);
    assert_false(taud_storage_needs_flush(bench->engine));
    assert_false(taud_storage_is_pressed(bench->engine));
    assert_true(taud_engine_log_has_room(bench->engine));
}

// Series without points fill memory too, and no flush frees that.
static void a_large_catalog_is_not_flushed_over_and_over(void **state)
{
    struct workbench *bench = *state;
    char label[32];
    bench->options.memory_bytes = 8 << 20;
    workbench_start(bench);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(label, sizeof label, "series.%u", i);
        workbench_create(bench, label);
    }
    assert_true(taud_arena_used(&bench->engine->arena) > 3 << 20);
    storage_rig_settle(bench);
    workbench_append(bench, "series.7", 1, 1);
    assert_false(taud_storage_needs_flush(bench->engine));
    assert_false(taud_storage_is_pressed(bench->engine));
}

static void a_long_log_asks_for_a_flush(void **state)
{
    struct workbench *bench = *state;
    bench->options.flush_log_bytes = 10000;
    workbench_start(bench);
    workbench_create(bench, "series");
    for (int64_t i = 0; atomic_load(&bench->engine->log.next_position) < 10000; i++) {
        assert_false(taud_storage_needs_flush(bench->engine));
        workbench_append(bench, "series", i, 1);
    }
    assert_true(taud_storage_needs_flush(bench->engine));
    storage_rig_settle(bench);
    assert_false(taud_storage_needs_flush(bench->engine));
}

static void a_full_disk_asks_for_a_flush(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    for (int64_t i = 0; i < 100; i++)
        workbench_append(bench, "series", i, 1);
    assert_false(taud_storage_needs_flush(bench->engine));
    workbench_fill_disk(bench);
    assert_true(taud_storage_needs_flush(bench->engine));
    staged_storage_break(&bench->storage, 0);
    storage_rig_settle(bench);
    assert_false(taud_storage_needs_flush(bench->engine));
}

static void indexes_take_from_the_arena(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine *engine = bench->engine;
    uint64_t all = engine->memory_bytes, bound = taud_arena_bound(&engine->arena);
    assert_int_equal(bound, all - all / TAUD_CACHE_SHARE);
    taud_storage_divide(engine, 10 << 20);
    assert_int_equal(taud_arena_bound(&engine->arena), bound - (10 << 20));
    taud_storage_divide(engine, all * 2);
    assert_int_equal(taud_arena_bound(&engine->arena), all / 4); // something is left for points
    taud_storage_divide(engine, 0);
    assert_int_equal(taud_arena_bound(&engine->arena), bound);
}

static void the_edge_is_early_for_no_clock(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine *engine = bench->engine;
    storage_rig_now.realtime_ns = 1000000;
    assert_int_equal(taud_storage_edge(engine, 10), INT64_MIN); // without points nothing is old
    workbench_create(bench, "series");
    workbench_append(bench, "series", 5000, 1);
    assert_int_equal(taud_storage_edge(engine, 0), INT64_MIN);
    assert_int_equal(taud_storage_edge(engine, 10), 4990);
    storage_rig_now.realtime_ns = 3000; // a clock that jumps back
    assert_int_equal(taud_storage_edge(engine, 10), 2990);
    storage_rig_now.realtime_ns = INT64_MAX;
    assert_int_equal(taud_storage_edge(engine, 10), 4990);
    assert_int_equal(taud_storage_edge(engine, UINT64_MAX), INT64_MIN);
    assert_int_equal(taud_storage_edge(engine, (uint64_t)INT64_MAX + 5001), INT64_MIN);
    assert_int_equal(taud_storage_edge(engine, (uint64_t)INT64_MAX + 5000), INT64_MIN + 1);
}

static void figures_say_what_there_is(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine_statistics figures;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 5000, 1);
    storage_rig_flush(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 5000);
    assert_int_equal(storage_rig_count(bench, "series"), 5000);
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.segment_count, 1);
    assert_int_equal(figures.stored_points, 5000);
    assert_int_equal(figures.flush_count, 1);
    assert_int_equal(figures.flush_bytes, figures.stored_bytes);
    assert_true(figures.index_bytes > 0 && figures.cache_hits > 0 && figures.cache_misses > 0);
    assert_true(figures.memory_used_bytes > figures.index_bytes + figures.cache_bytes);
    assert_true(figures.memory_used_bytes < figures.memory_limit_bytes);
    assert_int_equal(figures.state, TAUD_ENGINE_WRITABLE);
    assert_false(figures.storing_failed || figures.storing_waits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(memory_asks_for_a_flush),
        STORAGE_RIG_TEST(a_large_catalog_is_not_flushed_over_and_over),
        STORAGE_RIG_TEST(a_long_log_asks_for_a_flush),
        STORAGE_RIG_TEST(a_full_disk_asks_for_a_flush),
        STORAGE_RIG_TEST(indexes_take_from_the_arena),
        STORAGE_RIG_TEST(the_edge_is_early_for_no_clock),
        STORAGE_RIG_TEST(figures_say_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
