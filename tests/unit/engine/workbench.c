// SPDX-License-Identifier: MIT
// What the tests of single source files of the engine share. Of the engine's state it knows one
// thing: that no write, whatever became of it, may keep the room in the log that it was promised.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/store/segment_name.h"

#include "engine/state.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

void workbench_init(struct workbench *bench)
{
    memset(bench, 0, sizeof *bench);
    staged_storage_init(&bench->storage);
    failing_allocator_init(&bench->memory, 0, false);
    bench->options = (struct taud_engine_options){
        .backend = bench->storage.backend,
        .memory_bytes = WORKBENCH_MEMORY,
        .seed = "thirty-two bytes of secret seed",
        .allocator = &bench->memory.table,
    };
}

static void end_engine(struct workbench *bench)
{
    if (bench->engine)
        assert_int_equal(atomic_load(&bench->engine->log.in_flight), 0);
    taud_engine_free(bench->engine);
    bench->engine = NULL;
}

enum tau_status workbench_try_start(struct workbench *bench)
{
    end_engine(bench);
    bench->position = 0;
    bench->error = (struct taud_error){0};
    enum tau_status status = taud_engine_new(&bench->options, &bench->engine, &bench->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_engine_startup(bench->engine, &bench->recovery, &bench->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    bench->looked_at = figures.log_position;
    return status;
}

void workbench_start(struct workbench *bench)
{
    assert_int_equal(workbench_try_start(bench), TAU_STATUS_SUCCESS);
}

void workbench_done(struct workbench *bench)
{
    end_engine(bench);
    assert_int_equal(atomic_load(&bench->memory.live), 0);
    staged_storage_done(&bench->storage);
}

int workbench_setup_idle(void **state)
{
    struct workbench *bench = malloc(sizeof *bench);
    if (!bench)
        return -1;
    workbench_init(bench);
    *state = bench;
    return 0;
}

int workbench_setup(void **state)
{
    if (workbench_setup_idle(state) != 0)
        return -1;
    workbench_start(*state);
    return 0;
}

int workbench_teardown(void **state)
{
    workbench_done(*state);
    free(*state);
    return 0;
}

struct tau_label workbench_label(const char *text)
{
    struct tau_label label = {{0}};
    assert_true(strlen(text) <= sizeof label.bytes);
    memcpy(label.bytes, text, strlen(text));
    return label;
}

struct tau_array workbench_timestamps(const int64_t *timestamps, size_t count)
{
    return (struct tau_array){timestamps, count, false};
}

struct tau_array workbench_values(const double *values, size_t count)
{
    return (struct tau_array){values, count, false};
}

enum tau_status workbench_try_create(struct workbench *bench, const char *label)
{
    struct tau_label named = workbench_label(label);
    return taud_engine_create_series(bench->engine, &named, &bench->position);
}

enum tau_status workbench_try_drop(struct workbench *bench, const char *label)
{
    struct tau_label named = workbench_label(label);
    return taud_engine_drop_series(bench->engine, &named, &bench->position);
}

enum tau_status workbench_try_append(struct workbench *bench, const char *label, int64_t timestamp,
                                     double value)
{
    struct tau_append_request point = {workbench_label(label), timestamp, value};
    enum tau_status status;
    taud_engine_append(bench->engine, &point, 1, &status, &bench->position);
    return status;
}

void workbench_create(struct workbench *bench, const char *label)
{
    assert_int_equal(workbench_try_create(bench, label), TAU_STATUS_SUCCESS);
}

void workbench_append(struct workbench *bench, const char *label, int64_t timestamp, double value)
{
    assert_int_equal(workbench_try_append(bench, label, timestamp, value), TAU_STATUS_SUCCESS);
}

struct tau_describe_series_response workbench_describe(struct workbench *bench, const char *label)
{
    struct tau_label named = workbench_label(label);
    struct tau_describe_series_response description;
    assert_int_equal(taud_engine_describe(bench->engine, &named, &description), TAU_STATUS_SUCCESS);
    return description;
}

uint64_t workbench_used(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    return figures.memory_used_bytes;
}

uint64_t workbench_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void workbench_hold(struct workbench *bench)
{
    bench->options.stepped = true;
    workbench_start(bench);
}

double workbench_noise(uint64_t number)
{
    uint64_t bits = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    double value;
    bits = (bits ^ bits >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 2;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t workbench_fill(struct workbench *bench, const char *label, int64_t from)
{
    enum { PIECE = 256 };
    assert_true(bench->options.stepped);
    struct tau_append_request points[PIECE];
    enum tau_status statuses[PIECE];
    uint64_t stored = 0;
    for (bool full = false; !full;) {
        for (size_t i = 0; i < PIECE; i++) {
            int64_t timestamp = from + (int64_t)(stored + i);
            points[i] = (struct tau_append_request){workbench_label(label), timestamp,
                                                    workbench_noise((uint64_t)timestamp)};
        }
        taud_engine_append(bench->engine, points, PIECE, statuses, &bench->position);
        for (size_t i = 0; i < PIECE; i++) {
            full |= statuses[i] == TAU_STATUS_STORAGE_FULL;
            assert_int_equal(statuses[i], full ? TAU_STATUS_STORAGE_FULL : TAU_STATUS_SUCCESS);
            stored += !full;
        }
    }
    return stored;
}

void workbench_work(struct workbench *bench, enum taud_work kind)
{
    uint64_t ticket, done, total;
    enum tau_status status;
    assert_int_equal(taud_engine_work_begin(bench->engine, kind, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    do {
        if (bench->options.stepped)
            taud_engine_step(bench->engine, TAUD_TASK_STORE);
        status = taud_engine_work_state(bench->engine, ticket, &done, &total, &bench->error);
        sched_yield();
    } while (status == TAU_STATUS_WOULD_BLOCK);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
}

uint8_t *workbench_segment(struct workbench *bench, uint64_t sequence, uint64_t *ret_size)
{
    char name[TAUD_SEGMENT_NAME_BYTES], path[TAUD_SEGMENT_NAME_BYTES + 8];
    taud_segment_object_name((struct taud_segment_name){sequence, 0}, name);
    snprintf(path, sizeof path, "data/%s", name);
    return disk_file(bench->storage.disk, path, ret_size);
}

void workbench_exhaust_pages(struct workbench *bench)
{
    enum { SERIES = 3000, POINTS = 17 }; // a chunk of 17 points takes a block of a page's size
    char label[32];
    for (unsigned i = 0; i < SERIES; i++) {
        snprintf(label, sizeof label, "small.%04u", i);
        workbench_create(bench, label);
        workbench_append(bench, label, 0, 1);
    }
    workbench_create(bench, "full");
    workbench_fill(bench, "full", 0);
    for (unsigned i = 0; i < SERIES; i += 3) { // too few for a page to go
        snprintf(label, sizeof label, "small.%04u", i);
        assert_int_equal(workbench_try_drop(bench, label), TAU_STATUS_SUCCESS);
    }
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (unsigned i = 0; status == TAU_STATUS_SUCCESS; i++) {
        assert_true(i < SERIES / 10); // or it was not the pages that ended
        snprintf(label, sizeof label, "page.%04u", i);
        workbench_create(bench, label);
        for (int64_t k = 0; k < POINTS && status == TAU_STATUS_SUCCESS; k++)
            status = workbench_try_append(bench, label, k, 1);
    }
    assert_int_equal(status, TAU_STATUS_STORAGE_FULL);
}

size_t workbench_logged(struct workbench *bench)
{
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    while (taud_engine_outcome(bench->engine, bench->position) == TAU_STATUS_WOULD_BLOCK)
        sched_yield();
    size_t size = staged_storage_logged(&bench->storage, bench->looked_at, bench->logged,
                                        sizeof bench->logged);
    bench->looked_at += size;
    size_t count = 0;
    for (const uint8_t *data = bench->logged; size > 0; count++) {
        assert_true(count < WORKBENCH_RECORDS);
        assert_true(taud_record_decode(&data, &size, &bench->records[count]));
    }
    return count;
}

static void meet_fault(struct workbench *bench, int error)
{
    staged_storage_break(&bench->storage, error);
    workbench_create(bench, "unlucky");
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
}

void workbench_fail_log(struct workbench *bench)
{
    meet_fault(bench, EIO);
    while (taud_engine_outcome(bench->engine, bench->position) == TAU_STATUS_WOULD_BLOCK)
        sched_yield();
    assert_int_equal(taud_engine_outcome(bench->engine, bench->position),
                     TAU_STATUS_OUTCOME_UNKNOWN);
}

void workbench_fill_disk(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    meet_fault(bench, ENOSPC);
    do
        taud_engine_statistics(bench->engine, &figures);
    while (figures.state == TAUD_ENGINE_WRITABLE);
    assert_int_equal(figures.state, TAUD_ENGINE_DISK_FULL);
}
