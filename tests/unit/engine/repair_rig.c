// SPDX-License-Identifier: MIT
// Points are in order and never written twice, so that nothing older comes to light behind a lost
// one. It must not know how a repair works.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "repair_rig.h"

#include <stdio.h>
#include <string.h>

static struct tau_label label_of(const char *text)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "%s", text);
    return label;
}

static void take_steps(struct taud_engine *engine)
{
    for (int i = 0; i < 20; i++) {
        for (int task = 0; task < TAUD_TASK_COUNT; task++)
            taud_engine_step(engine, (enum taud_engine_task)task);
    }
}

// --- storing ----------------------------------------------------------------------------------

static void create(struct taud_engine *engine, const char *name)
{
    uint64_t position;
    struct tau_label label = label_of(name);
    assert_int_equal(taud_engine_create_series(engine, &label, &position), TAU_STATUS_SUCCESS);
}

static void append(struct taud_engine *engine, const char *name, int64_t begin, size_t count)
{
    int64_t timestamps[REPAIR_RIG_POINTS];
    double values[REPAIR_RIG_POINTS];
    struct tau_refused_row refused[REPAIR_RIG_POINTS];
    size_t refused_count = 1;
    uint64_t position;
    struct tau_label label = label_of(name);
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = begin + (int64_t)(i * 10 + i % 3);
        values[i] = (double)((begin + (int64_t)i) * 7 % 1000) / 8;
    }
    assert_int_equal(
        taud_engine_append_columns(engine, &label, (struct tau_array){timestamps, count, false},
                                   (struct tau_array){values, count, false}, refused,
                                   &refused_count, &position),
        TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
}

static void flush(struct taud_engine *engine)
{
    uint64_t ticket, done, total;
    assert_int_equal(taud_engine_work_begin(engine, TAUD_WORK_FLUSH, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    while (taud_engine_work_state(engine, ticket, &done, &total, NULL) == TAU_STATUS_WOULD_BLOCK)
        take_steps(engine);
}

static void store(struct taud_engine *engine)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    for (int64_t turn = 0; turn < 4; turn++) {
        if (turn == 0)
            create(engine, "a");
        if (turn == 1) {
            create(engine, "b");
            create(engine, "c");
        }
        if (turn == 3)
            create(engine, "d");
        for (int i = 0; i < (turn == 0 ? 1 : turn < 3 ? 3 : 4); i++)
            append(engine, names[i], turn * 10000 + i, (size_t)(20 + 10 * i));
        if (turn < 3)
            flush(engine);
        taud_engine_commit(engine, UINT64_MAX, TAUD_COMMIT_INLINE);
    }
    take_steps(engine);
}

// --- what is served ---------------------------------------------------------------------------

static void read_series(struct taud_engine *engine, struct repair_rig_series *series)
{
    struct taud_range *range;
    bool end = false;
    assert_int_equal(taud_range_open(engine, &series->label, INT64_MIN, INT64_MAX, 0,
                                     TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SUCCESS);
    series->count = 0;
    while (!end) {
        size_t count;
        assert_int_equal(taud_range_next(range, series->timestamps + series->count,
                                         series->values + series->count,
                                         REPAIR_RIG_POINTS - series->count, &count, &end),
                         TAU_STATUS_SUCCESS);
        series->count += count;
    }
    taud_range_close(range);
}

static void read_content(struct taud_engine *engine, struct repair_rig_content *ret)
{
    struct tau_label labels[REPAIR_RIG_SERIES];
    bool more;
    taud_engine_list_series(engine, (struct tau_slice){0}, NULL, REPAIR_RIG_SERIES, labels,
                            &ret->series_count, &more);
    assert_false(more);
    ret->point_count = 0;
    for (size_t i = 0; i < ret->series_count; i++) {
        ret->series[i].label = labels[i];
        read_series(engine, &ret->series[i]);
        ret->point_count += ret->series[i].count;
    }
}

// --- the rig ----------------------------------------------------------------------------------

struct listing {
    struct repair_rig *rig;
    const char *folder;
};

static int add_file(const char *name, void *user_data)
{
    const struct listing *listing = user_data;
    struct repair_rig *rig = listing->rig;
    uint64_t size = 0;
    char *path = rig->files[rig->file_count];
    snprintf(path, REPAIR_RIG_NAME_BYTES, "%s/%s", listing->folder, name);
    if (disk_file(rig->disk, path, &size) && size > 0)
        rig->file_count++;
    assert_true(rig->file_count < REPAIR_RIG_NAMES);
    return 0;
}

static void list_files(struct repair_rig *rig)
{
    static const char *const folders[] = {"data", "data/manifests", "data/segments",
                                          "data/catalogs", "data/log"};
    const struct taud_io *io = disk_io(rig->disk);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct listing listing = {rig, folders[i]};
        io->list_directory(io->context, folders[i], add_file, &listing);
    }
}

void repair_rig_init(struct repair_rig *rig)
{
    struct script_engine engine;
    memset(rig, 0, sizeof *rig);
    rig->disk = disk_new(true);
    const struct script_options options = {.disk = rig->disk, .stepped = true};
    assert_int_equal(script_start(&engine, &options), TAU_STATUS_SUCCESS);
    store(engine.engine);
    read_content(engine.engine, &rig->stored);
    script_stop(&engine);
    list_files(rig);
}

void repair_rig_done(struct repair_rig *rig)
{
    disk_free(rig->disk);
}

int repair_rig_set_up(void **state)
{
    struct repair_rig *rig = *state;
    repair_rig_init(rig);
    rig->damaged = disk_copy(rig->disk);
    return 0;
}

int repair_rig_tear_down(void **state)
{
    struct repair_rig *rig = *state;
    disk_free(rig->damaged);
    repair_rig_done(rig);
    return 0;
}

const char *repair_rig_file(const struct repair_rig *rig, const char *folder, size_t index)
{
    size_t length = strlen(folder);
    for (size_t i = 0; i < rig->file_count; i++) {
        if (strncmp(rig->files[i], folder, length) == 0 && index-- == 0)
            return rig->files[i];
    }
    return NULL;
}

static void take_done(const char *place, const char *what, const char *loss, void *user_data)
{
    struct repair_rig *rig = user_data;
    size_t used = strlen(rig->done);
    snprintf(rig->done + used, sizeof rig->done - used, "%s: %s: %s\n", place, what, loss);
}

enum tau_status repair_rig_try(struct repair_rig *rig, struct disk *disk)
{
    struct taud_error error = {.text = ""};
    struct taud_local_options local = {.directory = "data",
                                       .segment_bytes = SCRIPT_SEGMENT_BYTES,
                                       .file_seed = 77,
                                       .io = disk_io(disk)};
    struct taud_backend *backend;
    rig->done[0] = '\0';
    assert_int_equal(taud_local_backend_new(&local, &backend, NULL), TAU_STATUS_SUCCESS);
    enum tau_status status = backend->open(backend, &error);
    if (status == TAU_STATUS_SUCCESS) {
        const struct taud_repair_options options = {.backend = backend,
                                                    .allocator = taud_allocator_system(),
                                                    .file_seed = 77,
                                                    .done = take_done,
                                                    .user_data = rig};
        status = taud_repair(&options, &error);
    }
    backend->log->close(backend);
    backend->free(backend);
    if (status != TAU_STATUS_SUCCESS)
        snprintf(rig->done, sizeof rig->done, "%s", error.text);
    return status;
}

const struct repair_rig_content *repair_rig_serve(struct repair_rig *rig, struct disk *disk,
                                                  struct check_rig_findings *ret_found)
{
    static struct repair_rig_content served;
    struct check_rig_findings found;
    struct script_engine engine;
    const struct script_options options = {.disk = disk, .stepped = true};
    check_rig_check(disk, ret_found);
    assert_int_equal(ret_found->status, TAU_STATUS_SUCCESS);
    if (ret_found->damaged > 0 && repair_rig_try(rig, disk) != TAU_STATUS_SUCCESS)
        fail_msg("no repair: %s", rig->done);
    check_rig_check(disk, &found);
    if (found.status != TAU_STATUS_SUCCESS || found.damaged > 0)
        fail_msg("still damaged: %s%s\nbefore: %s\ndone: %s", found.text, found.error.text,
                 ret_found->text, rig->done);
    if (script_start(&engine, &options) != TAU_STATUS_SUCCESS)
        fail_msg("no start: %s", engine.error.text);
    assert_int_equal(engine.recovery.quarantined_count, 0);
    assert_int_equal(engine.recovery.lost_count, 0);
    read_content(engine.engine, &served);
    script_stop(&engine);
    return &served;
}

static bool has_point(const struct repair_rig_series *series, int64_t timestamp, double value)
{
    for (size_t i = 0; i < series->count; i++) {
        if (series->timestamps[i] == timestamp)
            return memcmp(&series->values[i], &value, sizeof value) == 0;
    }
    return false;
}

// Whether the points were stored under this label, or under any if it has none of its own.
static bool was_stored(const struct repair_rig *rig, const struct repair_rig_series *series)
{
    bool nameless = strncmp((const char *)series->label.bytes, "lost.", 5) == 0;
    for (size_t i = 0; i < rig->stored.series_count; i++) {
        const struct repair_rig_series *stored = &rig->stored.series[i];
        size_t equal = 0;
        while (equal < series->count &&
               has_point(stored, series->timestamps[equal], series->values[equal]))
            equal++;
        if (equal == series->count &&
            (nameless || memcmp(&stored->label, &series->label, sizeof series->label) == 0))
            return true;
    }
    return false;
}

uint64_t repair_rig_missing(const struct repair_rig *rig,
                            const struct repair_rig_content *served)
{
    for (size_t i = 0; i < served->series_count; i++) {
        if (!was_stored(rig, &served->series[i]))
            fail_msg("%s holds what was not stored", (const char *)served->series[i].label.bytes);
    }
    assert_true(served->point_count <= rig->stored.point_count);
    return rig->stored.point_count - served->point_count;
}
