// SPDX-License-Identifier: MIT
// Series come, are described and listed, and go: each rule of create and drop, their records,
// listing at every edge of prefix, cursor and limit, and the sort of requests by shard.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/state.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

static void a_series_is_created_once(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    workbench_create(bench, "a");
    uint64_t position = bench->position;
    assert_true(position >= TAUD_RECORD_CREATE_SERIES_BYTES);
    assert_int_equal(workbench_try_create(bench, "a"), TAU_STATUS_SERIES_ALREADY_EXISTS);
    assert_int_equal(bench->position, position);
    workbench_create(bench, "");   // all zero is a label too
    workbench_create(bench, "a2"); // and so is one that begins with another
    assert_int_equal(workbench_logged(bench), 3);
    assert_int_equal(bench->records[0].type, TAUD_RECORD_CREATE_SERIES);
    assert_int_equal(bench->records[0].identity, 1);
    assert_memory_equal(&bench->records[0].label, &label, sizeof label);
    assert_int_equal(bench->records[2].identity, 3);
}

static void an_identity_is_never_used_again(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_append(bench, "a", 5, 1);
    assert_int_equal(workbench_describe(bench, "a").identity, 1);
    workbench_logged(bench);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_logged(bench), 1);
    assert_int_equal(bench->records[0].type, TAUD_RECORD_DROP_SERIES);
    assert_int_equal(bench->records[0].identity, 1);
    workbench_create(bench, "a");
    assert_int_equal(workbench_describe(bench, "a").identity, 2);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
    workbench_append(bench, "a", 4, 1); // the time before the drop is forgotten
}

static void what_is_dropped_is_not_there(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct tau_describe_series_response description;
    struct taud_engine_statistics figures;
    uint64_t position = bench->position;
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(bench->position, position);
    uint64_t before = workbench_used(bench);
    workbench_create(bench, "a");
    for (int64_t i = 0; i < 50000; i++)
        workbench_append(bench, "a", i, workbench_noise((uint64_t)i));
    assert_true(workbench_used(bench) > before + 50000 * 8);
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.series_count, 1);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.series_count, 0);
    assert_int_equal(taud_engine_describe(bench->engine, &label, &description),
                     TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_true(workbench_used(bench) <= before + 4 * TAUD_SLAB_BYTES); // 400 KB are back
}

static void a_description_tells_what_there_is(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    struct tau_describe_series_response description = workbench_describe(bench, "a");
    assert_int_equal(description.order, TAU_ORDER_POLICY_STRICT);
    assert_int_equal(description.point_count, 0);
    assert_int_equal(description.first_timestamp, 0);
    assert_int_equal(description.last_timestamp, 0);
    uint64_t empty = description.memory_bytes;
    assert_true(empty > 0 && empty <= 300);
    workbench_append(bench, "a", -7, 1);
    workbench_append(bench, "a", 9, 1);
    description = workbench_describe(bench, "a");
    assert_int_equal(description.point_count, 2);
    assert_int_equal(description.first_timestamp, -7);
    assert_int_equal(description.last_timestamp, 9);
    assert_true(description.memory_bytes >= empty + 2 * 16);
}

static void a_series_without_points_has_no_time(void **state)
{
    struct workbench *bench = *state;
    workbench_hold(bench);
    workbench_create(bench, "a");
    workbench_create(bench, "full");
    workbench_fill(bench, "full", 0);
    assert_int_equal(workbench_try_append(bench, "a", 5, 1), TAU_STATUS_STORAGE_FULL);
    struct tau_describe_series_response description = workbench_describe(bench, "a");
    assert_int_equal(description.point_count, 0);
    assert_int_equal(description.first_timestamp, 0);
    assert_int_equal(description.last_timestamp, 0);
}

// Creates until memory ends; what then is refused leaves no trace, and a drop that is stored makes
// room for one.
static void a_series_that_finds_no_memory_leaves_no_trace(void **state)
{
    struct workbench *bench = *state;
    bench->options.memory_bytes = 1 << 20;
    workbench_hold(bench);
    char text[32];
    unsigned count = 0;
    for (enum tau_status status = TAU_STATUS_SUCCESS;; count++) {
        snprintf(text, sizeof text, "series.%05u", count);
        status = workbench_try_create(bench, text);
        if (status != TAU_STATUS_SUCCESS) {
            assert_int_equal(status, TAU_STATUS_STORAGE_FULL);
            break;
        }
    }
    assert_true(count > 3000);
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.series_count, count);
    uint64_t position = bench->position;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(workbench_try_create(bench, text), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(bench->position, position);
    struct tau_label *labels = calloc(count + 1, sizeof *labels);
    size_t listed;
    bool more;
    taud_engine_list_series(bench->engine, (struct tau_slice){0}, NULL, count + 1, labels, &listed,
                            &more);
    assert_int_equal(listed, count);
    assert_memory_not_equal(&labels[count - 1], text, strlen(text));
    free(labels);
    assert_int_equal(workbench_try_drop(bench, "series.00000"), TAU_STATUS_SUCCESS);
    workbench_work(bench, TAUD_WORK_FLUSH);
    workbench_create(bench, "series.00000");
    assert_int_equal(workbench_describe(bench, "series.00000").identity, count + 1);
}

static void drop_all(struct workbench *bench)
{
    struct tau_label labels[100];
    size_t count;
    for (bool more = true; more;) {
        taud_engine_list_series(bench->engine, (struct tau_slice){0}, NULL, 100, labels, &count,
                                &more);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(taud_engine_drop_series(bench->engine, &labels[i], &bench->position),
                             TAU_STATUS_SUCCESS);
    }
    workbench_work(bench, TAUD_WORK_FLUSH); // then they are gone
}

// Memory for the series itself is there, and none for the page of the index that would list it.
static void a_series_that_cannot_be_listed_is_taken_back(void **state)
{
    struct workbench *bench = *state;
    workbench_hold(bench);
    workbench_exhaust_pages(bench);
    drop_all(bench);
    uint64_t used = workbench_used(bench); // with tables that do not shrink
    workbench_exhaust_pages(bench);
    char text[32];
    unsigned count = 0;
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (; status == TAU_STATUS_SUCCESS; count++) {
        snprintf(text, sizeof text, "z.%u", count);
        status = workbench_try_create(bench, text);
    }
    assert_int_equal(status, TAU_STATUS_STORAGE_FULL);
    assert_true(count < 200); // so it was not the series
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(workbench_try_create(bench, text), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(workbench_try_drop(bench, text), TAU_STATUS_SERIES_NOT_FOUND);
    drop_all(bench);
    assert_true(workbench_used(bench) <= used);
}

static void a_failed_log_keeps_the_catalog_as_it_is(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_fail_log(bench);
    assert_int_equal(workbench_try_create(bench, "b"), TAU_STATUS_READ_ONLY);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_READ_ONLY);
    assert_int_equal(workbench_describe(bench, "a").identity, 1);
}

// When no space can be prepared, the last of it is for drops.
static void a_drop_may_use_what_is_reserved_and_a_create_may_not(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine_statistics figures;
    workbench_create(bench, "a");
    workbench_logged(bench);
    atomic_store(&bench->storage.room, TAUD_LOG_RESERVE_BYTES);
    atomic_store(&bench->storage.no_preparation, true);
    assert_int_equal(workbench_try_create(bench, "b"), TAU_STATUS_STORAGE_FULL);
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.state, TAUD_ENGINE_DISK_FULL);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    atomic_store(&bench->storage.no_preparation, false);
}

// --- listing ----------------------------------------------------------------------------------

static void list(struct workbench *bench, const char *prefix, const char *cursor, size_t limit,
                 const char *expected, bool expected_more)
{
    struct tau_label labels[16], from = workbench_label(cursor ? cursor : "");
    struct tau_slice begin = {(const uint8_t *)prefix, strlen(prefix)};
    char got[256] = "";
    size_t count = 99;
    bool more = !expected_more;
    taud_engine_list_series(bench->engine, begin, cursor ? &from : NULL, limit, labels, &count,
                            &more);
    assert_true(count <= limit);
    for (size_t i = 0; i < count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.32s", i ? " " : "",
                 (const char *)labels[i].bytes);
    assert_string_equal(got, expected);
    assert_int_equal(more, expected_more);
}

static void a_list_begins_with_the_prefix_and_behind_the_cursor(void **state)
{
    struct workbench *bench = *state;
    static const char *const names[] = {"b.2", "a", "b.1", "c", "b", "b.10"};
    list(bench, "", NULL, 10, "", false);
    for (size_t i = 0; i < 6; i++)
        workbench_create(bench, names[i]);
    list(bench, "", NULL, 10, "a b b.1 b.10 b.2 c", false);
    list(bench, "", NULL, 6, "a b b.1 b.10 b.2 c", false);
    list(bench, "", NULL, 5, "a b b.1 b.10 b.2", true);
    list(bench, "b", NULL, 10, "b b.1 b.10 b.2", false);
    list(bench, "b", NULL, 4, "b b.1 b.10 b.2", false); // c is there, and no more of b
    list(bench, "b", NULL, 3, "b b.1 b.10", true);
    list(bench, "b.1", NULL, 10, "b.1 b.10", false);
    list(bench, "b", "b.1", 10, "b.10 b.2", false);
    list(bench, "b", "b", 1, "b.1", true);              // the cursor is the prefix itself
    list(bench, "b", "a", 10, "b b.1 b.10 b.2", false); // the cursor is before the prefix
    list(bench, "b", "", 10, "b b.1 b.10 b.2", false);  // and others lie between
    list(bench, "b", "c", 10, "", false);
    list(bench, "b", "b.15", 10, "b.2", false); // the cursor itself is gone
    list(bench, "", "c", 10, "", false);
    list(bench, "d", NULL, 10, "", false);
    list(bench, "thirty-three bytes are one too many", NULL, 10, "", false);
    assert_int_equal(workbench_try_drop(bench, "b.1"), TAU_STATUS_SUCCESS);
    list(bench, "b", "b", 10, "b.10 b.2", false);
}

static void a_prefix_of_a_whole_label_finds_that_label(void **state)
{
    struct workbench *bench = *state;
    const char *whole = "0123456789abcdef0123456789abcdef";
    workbench_create(bench, whole);
    list(bench, whole, NULL, 2, whole, false);
    list(bench, whole, whole, 2, "", false);
}

// --- what the other files of the engine take from this one ------------------------------------

static void a_series_is_found_with_its_lock_held(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a"), none = workbench_label("b");
    struct taud_shard *shard = NULL;
    workbench_create(bench, "a");
    assert_null(taud_engine_lock_series(bench->engine, &none, &shard));
    for (unsigned i = 0; i < TAUD_SHARDS; i++) { // and no lock is left behind
        assert_int_equal(pthread_mutex_trylock(&bench->engine->shards[i].mutex), 0);
        pthread_mutex_unlock(&bench->engine->shards[i].mutex);
    }
    struct taud_series *series = taud_engine_lock_series(bench->engine, &label, &shard);
    assert_non_null(series);
    assert_memory_equal(&series->named.label, &label, sizeof label);
    assert_int_not_equal(pthread_mutex_trylock(&shard->mutex), 0);
    pthread_mutex_unlock(&shard->mutex);
}

static void requests_are_sorted_by_shard_and_keep_their_order(void **state)
{
    struct workbench *bench = *state;
    static const size_t counts[] = {1, 2, 100, TAUD_BATCH};
    struct tau_append_request requests[TAUD_BATCH];
    struct taud_batch batch;
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < counts[k]; i++) {
            char text[32];
            snprintf(text, sizeof text, "series.%zu", i * 31 % 97);
            requests[i] = (struct tau_append_request){workbench_label(text), 0, 0};
        }
        taud_batch_sort(bench->engine, requests, sizeof *requests, counts[k], &batch);
        assert_int_equal(batch.starts[0], 0);
        assert_int_equal(batch.starts[TAUD_SHARDS], counts[k]);
        bool seen[TAUD_BATCH] = {false};
        for (unsigned shard = 0; shard < TAUD_SHARDS; shard++) {
            for (size_t i = batch.starts[shard]; i < batch.starts[shard + 1]; i++) {
                uint8_t place = batch.order[i];
                assert_false(seen[place]);
                seen[place] = true;
                uint64_t hash = taud_engine_hash(bench->engine, &requests[place].label);
                assert_true(batch.hashes[place] == hash);
                assert_int_equal(taud_shard_number(hash), shard);
                assert_true(i == batch.starts[shard] || batch.order[i - 1] < place);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(a_series_is_created_once),
        WORKBENCH_TEST(an_identity_is_never_used_again),
        WORKBENCH_TEST(what_is_dropped_is_not_there),
        WORKBENCH_TEST(a_description_tells_what_there_is),
        WORKBENCH_TEST(a_series_without_points_has_no_time),
        WORKBENCH_TEST(a_series_that_finds_no_memory_leaves_no_trace),
        WORKBENCH_TEST(a_series_that_cannot_be_listed_is_taken_back),
        WORKBENCH_TEST(a_failed_log_keeps_the_catalog_as_it_is),
        WORKBENCH_TEST(a_drop_may_use_what_is_reserved_and_a_create_may_not),
        WORKBENCH_TEST(a_list_begins_with_the_prefix_and_behind_the_cursor),
        WORKBENCH_TEST(a_prefix_of_a_whole_label_finds_that_label),
        WORKBENCH_TEST(a_series_is_found_with_its_lock_held),
        WORKBENCH_TEST(requests_are_sorted_by_shard_and_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
