// SPDX-License-Identifier: MIT
// Writers, each with series of its own and a model of them, while flushes and compactions run as
// fast as they can and others read: at each moment a series has exactly the points of its model,
// wherever they are, and after a start too. ThreadSanitizer looks on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "disk.h"

#include "engine/engine.h"
#include "engine/policy.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { WRITERS = 3, SERIES = 3, TIMES = 40000, ROUNDS = 4000, BATCH_MAX = 1500, PROBES = 16 };

struct model {
    bool exists, has[TIMES];
    double values[TIMES];
    int64_t newest; // of what was ever appended
};

struct writer {
    struct world *world;
    unsigned number;
    uint64_t seed;
    uint64_t position;
    struct model models[SERIES];
    int64_t timestamps[BATCH_MAX];
    double values[BATCH_MAX];
    struct tau_refused_row refused[BATCH_MAX];
};

struct world {
    struct disk *disk;
    struct taud_backend *backend;
    struct taud_engine *engine;
    atomic_bool ended;
    struct writer writers[WRITERS];
};

static void start(struct world *world, struct taud_recovery *recovery)
{
    struct taud_error error = {.text = ""};
    struct taud_local_options local = {.directory = "data", .io = disk_io(world->disk)};
    assert_int_equal(taud_local_backend_new(&local, &world->backend, &error), TAU_STATUS_SUCCESS);
    struct taud_engine_options options = {.backend = world->backend,
                                          .memory_bytes = 24 << 20,
                                          .flush_log_bytes = 256 << 10,
                                          .durability = TAUD_DURABILITY_OS,
                                          .seed = "thirty-two bytes of secret seed"};
    assert_int_equal(taud_engine_new(&options, &world->engine, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(world->engine, recovery, &error), TAU_STATUS_SUCCESS);
}

static void stop(struct world *world)
{
    taud_engine_free(world->engine);
    world->backend->free(world->backend);
}

static uint64_t draw(struct writer *writer, uint64_t below)
{
    uint64_t z = writer->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static struct tau_label label_of(const struct writer *writer, unsigned series)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "writer.%u.%u", writer->number, series);
    return label;
}

// Waits as a worker does, so that memory never ends.
static void wait_for_room(struct world *world)
{
    while (!taud_engine_log_has_room(world->engine))
        sched_yield();
}

// --- operations -------------------------------------------------------------------------------

static void create(struct writer *writer, unsigned series)
{
    struct taud_engine *engine = writer->world->engine;
    struct tau_label label = label_of(writer, series);
    assert_int_equal(taud_engine_create_series(engine, &label, &writer->position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_set_policy(engine, &label, (enum tau_order_policy)TAUD_ORDER_LAST,
                                            0, &writer->position),
                     TAU_STATUS_SUCCESS);
    memset(&writer->models[series], 0, sizeof writer->models[series]);
    writer->models[series].exists = true;
    writer->models[series].newest = -1;
}

static void drop(struct writer *writer, unsigned series)
{
    struct tau_label label = label_of(writer, series);
    assert_int_equal(taud_engine_drop_series(writer->world->engine, &label, &writer->position),
                     TAU_STATUS_SUCCESS);
    writer->models[series].exists = false;
}

// Points a step apart, behind all or somewhere.
static void append(struct writer *writer, unsigned series)
{
    struct model *model = &writer->models[series];
    struct tau_label label = label_of(writer, series);
    int64_t step = 1 + (int64_t)draw(writer, 3);
    int64_t from = draw(writer, 3) > 0 ? model->newest + 1 : (int64_t)draw(writer, TIMES);
    size_t wanted =
        draw(writer, 4) > 0 ? 1 + draw(writer, 40) : 200 + draw(writer, BATCH_MAX - 200);
    size_t count = 0, refused;
    for (; count < wanted && from + (int64_t)count * step < TIMES; count++) {
        writer->timestamps[count] = from + (int64_t)count * step;
        writer->values[count] = (double)draw(writer, 1000);
    }
    if (count == 0)
        return;
    wait_for_room(writer->world);
    assert_int_equal(
        taud_engine_append_columns(writer->world->engine, &label,
                                   (struct tau_array){writer->timestamps, count, false},
                                   (struct tau_array){writer->values, count, false},
                                   writer->refused, &refused, &writer->position),
        TAU_STATUS_SUCCESS);
    assert_int_equal(refused, 0);
    for (size_t i = 0; i < count; i++) {
        model->has[writer->timestamps[i]] = true;
        model->values[writer->timestamps[i]] = writer->values[i];
    }
    if (writer->timestamps[count - 1] > model->newest)
        model->newest = writer->timestamps[count - 1];
}

static void delete_some(struct writer *writer, unsigned series)
{
    struct model *model = &writer->models[series];
    struct tau_label label = label_of(writer, series);
    int64_t from = (int64_t)draw(writer, TIMES);
    int64_t to = from + (int64_t)draw(writer, draw(writer, 5) > 0 ? 100 : TIMES);
    wait_for_room(writer->world);
    assert_int_equal(
        taud_engine_delete_range(writer->world->engine, &label, from, to, &writer->position),
        TAU_STATUS_SUCCESS);
    for (int64_t i = from; i <= to && i < TIMES; i++)
        model->has[i] = false;
}

// --- looking ----------------------------------------------------------------------------------

static void check_range(struct writer *writer, unsigned series, bool forward)
{
    const struct model *model = &writer->models[series];
    struct tau_label label = label_of(writer, series);
    struct taud_range *range;
    int64_t timestamps[500], at = forward ? 0 : TIMES - 1, step = forward ? 1 : -1;
    double values[500];
    bool end = false;
    enum tau_status status =
        taud_range_open(writer->world->engine, &label, INT64_MIN, INT64_MAX, 0,
                        forward ? TAU_DIRECTION_FORWARD : TAU_DIRECTION_BACKWARD, &range);
    assert_int_equal(status, model->exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND);
    if (status != TAU_STATUS_SUCCESS)
        return;
    while (!end) {
        size_t count;
        assert_int_equal(taud_range_next(range, timestamps, values, 500, &count, &end),
                         TAU_STATUS_SUCCESS);
        for (size_t i = 0; i < count; i++, at += step) {
            while (at >= 0 && at < TIMES && !model->has[at])
                at += step;
            assert_true(at >= 0 && at < TIMES);
            assert_int_equal(timestamps[i], at);
            assert_true(values[i] >= model->values[at] && values[i] <= model->values[at]);
        }
    }
    for (; at >= 0 && at < TIMES; at += step)
        assert_false(model->has[at]);
    taud_range_close(range);
}

static void check_points(struct writer *writer, unsigned series)
{
    const struct model *model = &writer->models[series];
    struct tau_query_point_request requests[PROBES];
    struct tau_query_point_response responses[PROBES];
    enum tau_status statuses[PROBES];
    for (size_t i = 0; i < PROBES; i++)
        requests[i] = (struct tau_query_point_request){label_of(writer, series),
                                                       (int64_t)draw(writer, TIMES)};
    taud_engine_query_points(writer->world->engine, requests, PROBES, responses, statuses);
    for (size_t i = 0; i < PROBES; i++) {
        int64_t at = requests[i].timestamp;
        assert_int_equal(statuses[i],
                         model->exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND);
        if (!model->exists)
            continue;
        assert_int_equal(responses[i].has_value, model->has[at]);
        assert_true(!model->has[at] || (responses[i].value >= model->values[at] &&
                                        responses[i].value <= model->values[at]));
    }
}

static void *write_on(void *user_data)
{
    struct writer *writer = user_data;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned series = (unsigned)draw(writer, SERIES);
        uint64_t choice = draw(writer, 100);
        if (!writer->models[series].exists)
            create(writer, series);
        else if (choice < 2)
            drop(writer, series);
        else if (choice < 12)
            delete_some(writer, series);
        else
            append(writer, series);
        if (round % 4 == 0)
            check_points(writer, series);
        if (round % 16 == 0)
            check_range(writer, series, round % 32 == 0);
    }
    return NULL;
}

// --- what disturbs them -----------------------------------------------------------------------

static enum tau_status work(struct taud_engine *engine, enum taud_work kind)
{
    uint64_t ticket, done, total;
    struct taud_error error;
    enum tau_status status = taud_engine_work_begin(engine, kind, NULL, &ticket);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    while ((status = taud_engine_work_state(engine, ticket, &done, &total, &error)) ==
           TAU_STATUS_WOULD_BLOCK)
        sched_yield();
    if (status != TAU_STATUS_SUCCESS)
        print_error("%s\n", error.text);
    return status;
}

static void *store_on(void *user_data)
{
    struct world *world = user_data;
    for (unsigned round = 1; !atomic_load(&world->ended); round++)
        assert_int_equal(work(world->engine, round % 8 == 0 ? TAUD_WORK_COMPACT : TAUD_WORK_FLUSH),
                         TAU_STATUS_SUCCESS);
    return NULL;
}

// Reads what belongs to others: whatever it finds ascends.
static void *read_on(void *user_data)
{
    struct world *world = user_data;
    for (unsigned round = 0; !atomic_load(&world->ended); round++) {
        struct tau_label label =
            label_of(&world->writers[round % WRITERS], round / WRITERS % SERIES);
        struct tau_describe_series_response description;
        struct tau_query_latest_response latest;
        struct taud_range *range;
        int64_t timestamps[300], last = INT64_MIN;
        double values[300];
        bool end = false;
        (void)!taud_engine_describe(world->engine, &label, &description);
        (void)!taud_engine_latest(world->engine, &label, &latest);
        if (taud_range_open(world->engine, &label, INT64_MIN, INT64_MAX, 0, TAU_DIRECTION_FORWARD,
                            &range) != TAU_STATUS_SUCCESS)
            continue;
        while (!end) {
            size_t count;
            assert_int_equal(taud_range_next(range, timestamps, values, 300, &count, &end),
                             TAU_STATUS_SUCCESS);
            for (size_t i = 0; i < count; i++) {
                assert_true(timestamps[i] > last);
                last = timestamps[i];
            }
        }
        taud_range_close(range);
    }
    return NULL;
}

static void check_all(struct world *world)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        for (unsigned k = 0; k < SERIES; k++) {
            check_range(&world->writers[i], k, true);
            check_range(&world->writers[i], k, false);
            check_points(&world->writers[i], k);
        }
    }
}

static void nothing_is_lost_or_comes_back(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct taud_engine_statistics figures;
    struct taud_recovery recovery;
    pthread_t threads[WRITERS], storer, reader;
    assert_non_null(world);
    world->disk = disk_new(false);
    start(world, &recovery);
    for (unsigned i = 0; i < WRITERS; i++) {
        world->writers[i] = (struct writer){.world = world, .number = i, .seed = 77 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &world->writers[i]), 0);
    }
    assert_int_equal(pthread_create(&storer, NULL, store_on, world), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_on, world), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&world->ended, true);
    pthread_join(storer, NULL);
    pthread_join(reader, NULL);
    taud_engine_statistics(world->engine, &figures);
    assert_true(figures.flush_count > 3 && figures.compaction_count > 0);
    check_all(world);
    stop(world);
    start(world, &recovery);
    assert_int_equal(recovery.refused_count, 0);
    assert_int_equal(recovery.lost_count, 0);
    check_all(world);
    assert_int_equal(work(world->engine, TAUD_WORK_COMPACT), TAU_STATUS_SUCCESS);
    check_all(world);
    stop(world);
    start(world, &recovery);
    check_all(world);
    stop(world);
    disk_free(world->disk);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_or_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
