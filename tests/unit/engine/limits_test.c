// SPDX-License-Identifier: MIT
// The engine at its edges: memory that is full and becomes free, the largest batches and one more,
// the last lens and one more, streams that outlive a drop, two servers on one directory, real
// files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tau_label label_of(unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, 32, "label.%u", number);
    return label;
}

// `seed` keys the hash of labels, which is another one at each start of a server.
static struct taud_engine *start_seeded(struct disk *disk, uint64_t memory_bytes, uint8_t seed,
                                        struct taud_backend **ret_backend)
{
    struct taud_local_options local = {.directory = "data", .io = disk_io(disk), .file_seed = 1};
    struct taud_engine *engine = NULL;
    struct taud_error error;
    assert_int_equal(taud_local_backend_new(&local, ret_backend, &error), TAU_STATUS_SUCCESS);
    struct taud_engine_options options = {
        .backend = *ret_backend,
        .memory_bytes = memory_bytes,
        .seed = {seed},
        .stepped = true, // nothing is flushed, so memory can end
    };
    assert_int_equal(taud_engine_new(&options, &engine, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(engine, NULL, &error), TAU_STATUS_SUCCESS);
    return engine;
}

// Values that take as much memory as they can.
static double noise(int64_t number)
{
    uint64_t bits = ((uint64_t)number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    double value;
    bits = (bits ^ bits >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 2;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static struct taud_engine *start(struct disk *disk, uint64_t memory_bytes,
                                 struct taud_backend **ret_backend)
{
    return start_seeded(disk, memory_bytes, 0, ret_backend);
}

static void full_memory_refuses_and_a_drop_frees(void **state)
{
    (void)state;
    struct disk *disk = disk_new(true);
    struct taud_backend *backend;
    struct taud_engine *engine = start(disk, 2 << 20, &backend);
    struct tau_label label = label_of(0), other = label_of(1);
    uint64_t position = 0;
    assert_int_equal(taud_engine_create_series(engine, &label, &position), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_create_series(engine, &other, &position), TAU_STATUS_SUCCESS);
    struct tau_append_request point = {other, -1, 1}; // there is room behind it
    enum tau_status status;
    taud_engine_append(engine, &point, 1, &status, &position);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    for (int round = 0; round < 3; round++) {
        point.label = label;
        status = TAU_STATUS_SUCCESS;
        int64_t stored = 0;
        for (; status == TAU_STATUS_SUCCESS; stored += status == TAU_STATUS_SUCCESS) {
            point.timestamp = stored;
            point.value = noise(stored);
            taud_engine_append(engine, &point, 1, &status, &position);
        }
        assert_int_equal(status, TAU_STATUS_STORAGE_FULL);
        assert_true(stored > 100000);
        struct tau_describe_series_response description;
        taud_engine_describe(engine, &label, &description);
        assert_int_equal(description.point_count, stored);

        // Of rows the one that finds no memory is refused; alone, the request is.
        struct tau_row rows[2] = {{label, stored, 1}, {other, round, 1}};
        struct tau_refused_row refused[2];
        size_t refused_count;
        uint64_t before = position;
        assert_int_equal(taud_engine_append_rows(engine, (struct tau_array){rows, 1, false},
                                                 refused, &refused_count, &position),
                         TAU_STATUS_STORAGE_FULL);
        assert_int_equal(position, before);
        assert_int_equal(taud_engine_append_rows(engine, (struct tau_array){rows, 2, false},
                                                 refused, &refused_count, &position),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, 1);
        assert_int_equal(refused[0].status, TAU_STATUS_STORAGE_FULL);
        taud_engine_describe(engine, &other, &description);
        assert_int_equal(description.point_count, round + 2);

        // A stream that is open keeps the dropped points, and their memory.
        struct taud_range *range;
        assert_int_equal(taud_range_open(engine, &label, 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD,
                                         &range),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(taud_engine_drop_series(engine, &label, &position), TAU_STATUS_SUCCESS);
        int64_t seen = 0, timestamps[512];
        double values[512];
        size_t count;
        for (bool end = false; !end; seen += (int64_t)count) {
            assert_int_equal(taud_range_next(range, timestamps, values, 512, &count, &end),
                             TAU_STATUS_SUCCESS);
            assert_true(count == 0 || timestamps[0] == seen);
        }
        assert_int_equal(seen, stored);
        taud_range_close(range);
        assert_int_equal(taud_engine_create_series(engine, &label, &position), TAU_STATUS_SUCCESS);
    }
    taud_engine_free(engine);
    backend->free(backend);
    disk_free(disk);
}

// Appends to the series in turn until each of them is refused. Returns how many points went in.
static uint64_t fill(struct taud_engine *engine, unsigned series_count, int64_t *timestamp)
{
    uint64_t stored = 0, position = 0;
    for (unsigned refused = 0; refused < series_count;) {
        struct tau_append_request point = {
            label_of((unsigned)((uint64_t)*timestamp % series_count)), *timestamp,
            noise(*timestamp)};
        ++*timestamp;
        enum tau_status status;
        taud_engine_append(engine, &point, 1, &status, &position);
        refused = status == TAU_STATUS_SUCCESS ? 0 : refused + 1;
        stored += status == TAU_STATUS_SUCCESS;
    }
    return stored;
}

// Other labels fall into one shard at each start, so that the tables take more or less memory.
static void a_full_head_starts_again_with_any_seed(void **state)
{
    (void)state;
    enum { SERIES = 12, STARTS = 30 };
    struct disk *disk = disk_new(true);
    struct taud_backend *backend;
    uint64_t stored = 0, position = 0;
    int64_t timestamp = 0;
    for (unsigned seed = 1; seed <= STARTS; seed++) {
        struct taud_engine *engine = start_seeded(disk, 2 << 20, (uint8_t)seed, &backend);
        for (unsigned i = 0; i < SERIES && seed == 1; i++) {
            struct tau_label label = label_of(i);
            assert_int_equal(taud_engine_create_series(engine, &label, &position),
                             TAU_STATUS_SUCCESS);
        }
        stored += fill(engine, SERIES, &timestamp);
        uint64_t found = 0;
        for (unsigned i = 0; i < SERIES; i++) {
            struct tau_label label = label_of(i);
            struct tau_describe_series_response description;
            taud_engine_describe(engine, &label, &description);
            found += description.point_count;
        }
        assert_true(found == stored);
        struct taud_engine_statistics figures;
        taud_engine_statistics(engine, &figures);
        // It does not creep up: each shard has at most one slab that others cannot use.
        assert_true(figures.memory_used_bytes <= (2 << 20) + (1 << 20));
        taud_engine_free(engine);
        backend->free(backend);
    }
    assert_true(stored > 100000);
    disk_free(disk);
}

static void the_largest_batches_fit_and_one_more_does_not(void **state)
{
    (void)state;
    struct disk *disk = disk_new(true);
    struct taud_backend *backend;
    struct taud_engine *engine = start(disk, 64 << 20, &backend);
    struct tau_label label = label_of(0);
    uint64_t position = 0;
    size_t refused_count = 1, count = TAU_LIMIT_BATCH_POINTS;
    int64_t *timestamps = calloc(count + 1, sizeof *timestamps);
    double *values = calloc(count + 1, sizeof *values);
    struct tau_row *rows = calloc(TAU_LIMIT_MULTI_ROWS + 1, sizeof *rows);
    struct tau_refused_row *refused = calloc(count + 1, sizeof *refused);
    for (size_t i = 0; i <= count; i++)
        timestamps[i] = (int64_t)(i * i % 7 + i * 10);
    for (size_t i = 0; i <= TAU_LIMIT_MULTI_ROWS; i++)
        rows[i] = (struct tau_row){label, (int64_t)(100000000 + i), 1};
    assert_int_equal(taud_engine_create_series(engine, &label, &position), TAU_STATUS_SUCCESS);
    struct tau_array columns[2] = {{timestamps, count + 1, false}, {values, count + 1, false}};
    assert_int_equal(taud_engine_append_columns(engine, &label, columns[0], columns[1], refused,
                                                &refused_count, &position),
                     TAU_STATUS_INVALID_PAYLOAD);
    columns[0].count = count;
    assert_int_equal(taud_engine_append_columns(engine, &label, columns[0], columns[1], refused,
                                                &refused_count, &position),
                     TAU_STATUS_INVALID_PAYLOAD);
    columns[1].count = count;
    assert_int_equal(taud_engine_append_columns(engine, &label, columns[0], columns[1], refused,
                                                &refused_count, &position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
    struct tau_array all = {rows, TAU_LIMIT_MULTI_ROWS + 1, false};
    assert_int_equal(taud_engine_append_rows(engine, all, refused, &refused_count, &position),
                     TAU_STATUS_INVALID_PAYLOAD);
    all.count--;
    assert_int_equal(taud_engine_append_rows(engine, all, refused, &refused_count, &position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
    taud_engine_free(engine);
    backend->free(backend);

    engine = start(disk, 64 << 20, &backend);
    struct tau_describe_series_response description;
    assert_int_equal(taud_engine_describe(engine, &label, &description), TAU_STATUS_SUCCESS);
    assert_int_equal(description.point_count, TAU_LIMIT_BATCH_POINTS + TAU_LIMIT_MULTI_ROWS);
    taud_engine_free(engine);
    backend->free(backend);
    disk_free(disk);
    free(timestamps);
    free(values);
    free(rows);
    free(refused);
}

static void there_are_so_many_lenses_and_no_more(void **state)
{
    (void)state;
    struct disk *disk = disk_new(true);
    struct taud_backend *backend;
    struct taud_engine *engine = start(disk, 128 << 20, &backend);
    struct tau_label *labels = calloc(TAU_LIMIT_LENSES, sizeof *labels);
    struct tau_create_lens_request request = {.source = label_of(0),
                                              .transform = {.bytes = "identity"}};
    uint64_t position = 0;
    size_t count;
    bool more;
    assert_int_equal(taud_engine_create_series(engine, &request.source, &position),
                     TAU_STATUS_SUCCESS);
    for (unsigned i = 0; i < TAU_LIMIT_LENSES; i++) {
        request.label = label_of(i);
        assert_int_equal(taud_engine_create_lens(engine, &request, &position), TAU_STATUS_SUCCESS);
    }
    request.label = label_of(TAU_LIMIT_LENSES);
    assert_int_equal(taud_engine_create_lens(engine, &request, &position),
                     TAU_STATUS_LIMIT_EXCEEDED);
    taud_engine_list_lenses(engine, TAU_LIMIT_LENSES, labels, &count, &more);
    assert_int_equal(count, TAU_LIMIT_LENSES);
    assert_false(more);
    for (size_t i = 1; i < count; i++)
        assert_true(memcmp(&labels[i - 1], &labels[i], sizeof *labels) < 0);
    assert_int_equal(taud_engine_drop_lens(engine, &labels[7], &position), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_create_lens(engine, &request, &position), TAU_STATUS_SUCCESS);
    taud_engine_free(engine);
    backend->free(backend);
    disk_free(disk);
    free(labels);
}

static void real_files_have_one_server(void **state)
{
    (void)state;
    char directory[] = "engine-test-XXXXXX", command[100];
    assert_non_null(mkdtemp(directory));
    struct taud_local_options local = {.directory = directory, .segment_bytes = 1 << 20};
    struct taud_backend *backends[2];
    struct taud_engine *engines[2];
    struct taud_error error;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(taud_local_backend_new(&local, &backends[i], &error), TAU_STATUS_SUCCESS);
        struct taud_engine_options options = {.backend = backends[i], .memory_bytes = 8 << 20};
        assert_int_equal(taud_engine_new(&options, &engines[i], &error), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(taud_engine_startup(engines[0], NULL, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(engines[1], NULL, &error), TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(error.text, "another server"));
    taud_engine_free(engines[1]);
    struct script_run run = script_execute(engines[0], 0);
    assert_int_equal(run.acknowledged, SCRIPT_OPERATIONS);
    uint64_t digest = script_digest(engines[0]);
    taud_engine_free(engines[0]);

    struct taud_engine_options options = {.backend = backends[1], .memory_bytes = 8 << 20};
    struct taud_recovery recovery;
    assert_int_equal(taud_engine_new(&options, &engines[1], &error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(engines[1], &recovery, &error), TAU_STATUS_SUCCESS);
    assert_true(script_digest(engines[1]) == digest);
    assert_int_equal(recovery.epoch, 2);
    taud_engine_free(engines[1]);
    backends[0]->free(backends[0]);
    backends[1]->free(backends[1]);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

static void bad_options_are_refused_in_words(void **state)
{
    (void)state;
    struct taud_backend *backend = NULL;
    struct taud_engine *engine = NULL;
    struct taud_error error;
    struct taud_local_options local = {.directory = "data", .segment_bytes = 5000};
    assert_int_equal(taud_local_backend_new(&local, &backend, &error), TAU_STATUS_INVALID_ARGUMENT);
    struct taud_engine_options options = {.memory_bytes = 1 << 20};
    assert_int_equal(taud_engine_new(&options, &engine, &error), TAU_STATUS_INVALID_ARGUMENT);
    local.segment_bytes = 0;
    assert_int_equal(taud_local_backend_new(&local, &backend, &error), TAU_STATUS_SUCCESS);
    options = (struct taud_engine_options){.backend = backend, .memory_bytes = 1000};
    assert_int_equal(taud_engine_new(&options, &engine, &error), TAU_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(error.text, "memory"));
    backend->free(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_memory_refuses_and_a_drop_frees),
        cmocka_unit_test(a_full_head_starts_again_with_any_seed),
        cmocka_unit_test(the_largest_batches_fit_and_one_more_does_not),
        cmocka_unit_test(there_are_so_many_lenses_and_no_more),
        cmocka_unit_test(real_files_have_one_server),
        cmocka_unit_test(bad_options_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
