// SPDX-License-Identifier: MIT
// Many threads on one engine: writers, readers, creators, lens makers, committers inline and in the
// background. Run under ThreadSanitizer; here it checks that acknowledged points are there, in
// order, and that every listener hears of the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { WRITERS = 3, SERIES_EACH = 8, ROUNDS = 300, BATCH = 64 };

static struct script_engine under_test;
static _Atomic unsigned notified;
static _Atomic bool finished;
static _Atomic unsigned failures;

static void on_durable(void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&notified, 1);
}

static struct tau_label label_of(unsigned writer, unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, 32, "w%u.%u", writer, number);
    return label;
}

static void expect(bool condition)
{
    if (!condition)
        atomic_fetch_add(&failures, 1);
}

static void *write_points(void *user_data)
{
    unsigned writer = (unsigned)(uintptr_t)user_data;
    struct taud_engine *engine = under_test.engine;
    uint64_t position = 0;
    for (unsigned i = 0; i < SERIES_EACH; i++) {
        struct tau_label label = label_of(writer, i);
        expect(taud_engine_create_series(engine, &label, &position) == TAU_STATUS_SUCCESS);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct tau_append_request points[BATCH];
        enum tau_status statuses[BATCH];
        for (unsigned i = 0; i < BATCH; i++)
            points[i] = (struct tau_append_request){label_of(writer, i % SERIES_EACH),
                                                    (int64_t)round * BATCH + i, round};
        taud_engine_append(engine, points, BATCH, statuses, &position);
        for (unsigned i = 0; i < BATCH; i++)
            expect(statuses[i] == TAU_STATUS_SUCCESS);
        taud_engine_commit(engine, position,
                           round & 1 ? TAUD_COMMIT_INLINE : TAUD_COMMIT_BACKGROUND);
        while (taud_engine_outcome(engine, position) == TAU_STATUS_WOULD_BLOCK)
            sched_yield();
        expect(taud_engine_outcome(engine, position) == TAU_STATUS_SUCCESS);
    }
    return NULL;
}

static void *read_points(void *user_data)
{
    struct taud_engine *engine = under_test.engine;
    unsigned writer = (unsigned)(uintptr_t)user_data;
    while (!atomic_load(&finished)) {
        struct tau_query_point_request points[BATCH];
        struct tau_query_point_response responses[BATCH];
        enum tau_status statuses[BATCH];
        for (unsigned i = 0; i < BATCH; i++)
            points[i] = (struct tau_query_point_request){
                label_of((writer + i) % WRITERS, i % SERIES_EACH), (int64_t)i * 7};
        taud_engine_query_points(engine, points, BATCH, responses, statuses);
        struct taud_range *range;
        struct tau_label label = label_of(writer, 1);
        if (taud_range_open(engine, &label, 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD, &range) !=
            TAU_STATUS_SUCCESS)
            continue;
        int64_t timestamps[100], last = -1;
        double values[100];
        bool end = false;
        while (!end) {
            size_t count;
            taud_range_next(range, timestamps, values, 100, &count, &end);
            for (size_t i = 0; i < count; i++) {
                expect(timestamps[i] > last);
                last = timestamps[i];
            }
        }
        taud_range_close(range);
        taud_engine_statistics(engine, &(struct taud_engine_statistics){0});
        (void)taud_engine_log_has_room(engine);
    }
    return NULL;
}

// Creates and drops series of its own, lists all, makes lenses on what the writers have.
static void *churn(void *user_data)
{
    struct taud_engine *engine = under_test.engine;
    uint64_t position = 0;
    (void)user_data;
    for (unsigned i = 0; !atomic_load(&finished); i++) {
        struct tau_label label = label_of(99, i % 50), labels[64];
        struct tau_row rows[2] = {{label, 1, 1}, {label_of(98, i % 50), 2, 2}};
        struct tau_refused_row refused[2];
        size_t count;
        bool more;
        taud_engine_create_series(engine, &label, &position);
        taud_engine_append_rows(engine, (struct tau_array){rows, 2, false}, refused, &count,
                                &position);
        taud_engine_list_series(engine, (struct tau_slice){0}, NULL, 64, labels, &count, &more);
        struct tau_create_lens_request request = {
            .label = label, .source = label_of(i % WRITERS, 0), .transform = {.bytes = "returns"}};
        taud_engine_create_lens(engine, &request, &position);
        struct tau_query_lens_response response;
        taud_engine_query_lens(engine, &label, 8, &response);
        taud_engine_drop_lens(engine, &label, &position);
        taud_engine_drop_series(engine, &label, &position);
    }
    return NULL;
}

static void run(enum taud_durability durability)
{
    struct disk *disk = disk_new(durability == TAUD_DURABILITY_SYNC);
    struct script_options options = {.disk = disk, .durability = durability};
    pthread_t writers[WRITERS], readers[2], churner;
    assert_int_equal(script_start(&under_test, &options), TAU_STATUS_SUCCESS);
    atomic_store(&finished, false);
    atomic_store(&notified, 0);
    assert_int_equal(taud_engine_on_durable(under_test.engine, on_durable, NULL),
                     TAU_STATUS_SUCCESS);
    for (uintptr_t i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, write_points, (void *)i);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, read_points, (void *)i);
    pthread_create(&churner, NULL, churn, NULL);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&finished, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    pthread_join(churner, NULL);
    assert_int_equal(atomic_load(&failures), 0);
    assert_true(atomic_load(&notified) > 0);
    script_stop(&under_test);

    assert_int_equal(script_start(&under_test, &options), TAU_STATUS_SUCCESS);
    assert_int_equal(under_test.recovery.refused_count, 0);
    for (unsigned w = 0; w < WRITERS; w++) {
        for (unsigned i = 0; i < SERIES_EACH; i++) {
            struct tau_label label = label_of(w, i);
            struct tau_describe_series_response description;
            assert_int_equal(taud_engine_describe(under_test.engine, &label, &description),
                             TAU_STATUS_SUCCESS);
            assert_int_equal(description.point_count, ROUNDS * BATCH / SERIES_EACH);
        }
    }
    script_stop(&under_test);
    disk_free(disk);
}

static void threads_share_a_synced_engine(void **state)
{
    (void)state;
    run(TAUD_DURABILITY_SYNC);
}

static void threads_share_an_engine_that_syncs_at_intervals(void **state)
{
    (void)state;
    run(TAUD_DURABILITY_INTERVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_synced_engine),
        cmocka_unit_test(threads_share_an_engine_that_syncs_at_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
