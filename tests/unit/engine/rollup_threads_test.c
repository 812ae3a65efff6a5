// SPDX-License-Identifier: MIT
// Rules under writers that write in order, late and delete, while flushes run, rules come and go
// and others list them: when all are done, targets are what AGGREGATE says of their sources, soon
// and without another write. ThreadSanitizer looks on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { WRITERS = 2, ROUNDS = 600, WAIT_MS = 20000 };

static const char *const sources[WRITERS] = {"a", "b"};
static const char *const targets[WRITERS] = {"a.sum", "b.sum"};
static const char *const chains[WRITERS] = {"a.max", "b.max"};

struct writer {
    struct workbench *bench;
    unsigned number;
    uint64_t random, position;
};

static uint64_t draw(struct writer *writer, uint64_t below)
{
    writer->random = writer->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (writer->random >> 33) % below;
}

static void append(struct writer *writer, int64_t first, size_t count)
{
    int64_t timestamps[400];
    double values[400];
    struct tau_refused_row refused[400];
    size_t refused_count;
    struct tau_label label = workbench_label(sources[writer->number]);
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = first + (int64_t)i;
        values[i] = (double)draw(writer, 100);
    }
    assert_int_equal(taud_engine_append_columns(writer->bench->engine, &label,
                                                workbench_timestamps(timestamps, count),
                                                workbench_values(values, count), refused,
                                                &refused_count, &writer->position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
}

static void *write_much(void *user_data)
{
    struct writer *writer = user_data;
    struct tau_label label = workbench_label(sources[writer->number]);
    int64_t next = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t count = draw(writer, 6) ? 1 + draw(writer, 20) : 300;
        switch (draw(writer, 6)) {
        case 0:
            append(writer, next - (int64_t)draw(writer, 500), count);
            break;
        case 1: {
            int64_t from = next - (int64_t)draw(writer, 500);
            assert_int_equal(taud_engine_delete_range(writer->bench->engine, &label, from,
                                                      from + (int64_t)draw(writer, 60),
                                                      &writer->position),
                             TAU_STATUS_SUCCESS);
            break;
        }
        default:
            append(writer, next, count);
            next += (int64_t)(count + draw(writer, 30));
            break;
        }
        if (i % 8 == 0)
            sched_yield();
    }
    append(writer, next + 1000, 1); // behind all
    return NULL;
}

static void *change_rules(void *user_data)
{
    struct workbench *bench = user_data;
    struct tau_rollup rule = rollup_rig_rule("other", "a", 7, TAU_AGGREGATE_FUNCTION_RATE);
    struct tau_label label = workbench_label("other");
    uint64_t position = 0, ticket;
    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        struct tau_rollup found[8];
        size_t count;
        bool more;
        assert_int_equal(taud_engine_create_series(bench->engine, &label, &position),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &position),
                         TAU_STATUS_SUCCESS);
        taud_engine_list_rollups(bench->engine, NULL, 8, found, &count, &more);
        assert_int_equal(count, 2 * WRITERS + 1);
        (void)taud_engine_work_begin(bench->engine, TAUD_WORK_FLUSH, NULL, &ticket);
        sched_yield();
        if (i % 2 == 0)
            assert_int_equal(taud_engine_drop_rollup(bench->engine, &label, &position),
                             TAU_STATUS_SUCCESS);
        assert_int_equal(taud_engine_drop_series(bench->engine, &label, &position),
                         TAU_STATUS_SUCCESS);
    }
    return NULL;
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

// Nobody writes any more.
static void await(struct workbench *bench, const char *target)
{
    double until = now_ms() + WAIT_MS;
    while (rollup_rig_find(bench, target).state != TAU_ROLLUP_STATE_SETTLED) {
        assert_true(now_ms() < until);
        usleep(1000);
    }
}

static void rules_of_busy_series(void **state)
{
    struct workbench *bench = *state;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS + 1];
    for (unsigned i = 0; i < WRITERS; i++) {
        workbench_create(bench, sources[i]);
        storage_rig_set_policy(bench, sources[i], TAUD_ORDER_LAST, 0);
        rollup_rig_create(bench, targets[i], sources[i], 10, TAU_AGGREGATE_FUNCTION_SUM);
        rollup_rig_create(bench, chains[i], targets[i], 100, TAU_AGGREGATE_FUNCTION_MAX);
        writers[i] = (struct writer){.bench = bench, .number = i, .random = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, write_much, &writers[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[WRITERS], NULL, change_rules, bench), 0);
    for (unsigned i = 0; i <= WRITERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < WRITERS; i++) {
            await(bench, targets[i]);
            rollup_rig_check(bench, targets[i]);
            await(bench, chains[i]);
            rollup_rig_check(bench, chains[i]);
        }
        if (round == 0)
            workbench_start(bench);
    }
}

// A bucket that is over shows in the target soon, though nothing else is written.
static void a_bucket_shows_soon(void **state)
{
    struct workbench *bench = *state;
    enum { BUCKETS = 8 };
    double worst = 0;
    workbench_create(bench, "s");
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_SUM);
    for (int64_t i = 0; i <= BUCKETS; i++) {
        double start = now_ms();
        workbench_append(bench, "s", i * 10, 1);
        while (workbench_describe(bench, "t").point_count != (uint64_t)i) {
            assert_true(now_ms() < start + WAIT_MS);
            usleep(500);
        }
        worst = now_ms() - start > worst ? now_ms() - start : worst;
    }
    print_message("%d buckets, the slowest after %.0f ms\n", BUCKETS, worst);
}

static int set_up(void **state)
{
    if (workbench_setup_idle(state) != 0)
        return -1;
    struct workbench *bench = *state;
    bench->options.memory_bytes = 64 << 20;
    workbench_start(bench);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_of_busy_series, set_up, workbench_teardown),
        cmocka_unit_test_setup_teardown(a_bucket_shows_soon, set_up, workbench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
