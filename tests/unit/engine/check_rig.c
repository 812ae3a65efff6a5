// SPDX-License-Identifier: MIT
// Writes the store by the modules that a server uses, record by record. It must not know how a
// check works.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check_rig.h"

#include "engine/record.h"

#include <stdio.h>

const struct store_shape check_rig_shapes[CHECK_RIG_SEGMENTS] = {
    {{1, 0}, .series = 3, .chunks = 2, .points = 5},
    {{4, 1}, .series = 2, .chunks = 3, .points = 4},
};

enum { BIG = 1508 }; // points that leave no room behind them in a segment of the log

// --- the log ----------------------------------------------------------------------------------

static enum tau_status take_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    (void)group;
    (void)damaged_before;
    (void)user_data;
    return TAU_STATUS_SUCCESS;
}

static void take_answer(enum tau_status status, int os_error, void *user_data)
{
    (void)os_error;
    *(enum tau_status *)user_data = status;
}

void check_rig_open_log(struct check_rig *rig, uint64_t from_position)
{
    struct taud_backend *backend = rig->store.local.backend;
    struct taud_log_report report;
    assert_int_equal(backend->log->open(backend, from_position, 0, take_group, NULL, &report,
                                        &rig->store.local.error),
                     TAU_STATUS_SUCCESS);
    rig->position = report.end_position;
    assert_int_equal(backend->log->start(backend, report.highest_epoch + 1, NULL),
                     TAU_STATUS_SUCCESS);
}

void check_rig_append(struct check_rig *rig, const void *records, size_t size)
{
    struct taud_backend *backend = rig->store.local.backend;
    const struct taud_log_operations *log = backend->log;
    struct taud_log_group group = {rig->position, records, size};
    struct taud_log_place *place;
    enum tau_status status = TAU_STATUS_INTERNAL_ERROR;
    if (log->needs_prepare(backend))
        assert_int_equal(log->prepare(backend), TAU_STATUS_SUCCESS);
    assert_int_equal(log->place(backend, &group, 1, true, true, &place), 1);
    log->append(backend, place, &group, 1, true, take_answer, &status);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    rig->position += size;
}

static void append_creates(struct check_rig *rig)
{
    uint8_t records[3 * TAUD_RECORD_CREATE_SERIES_BYTES] = {0};
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t *record = records + i * TAUD_RECORD_CREATE_SERIES_BYTES;
        taud_record_header(record, TAUD_RECORD_CREATE_SERIES, 0, 0);
        taud_store_u64(record + 8, (i + 1u) * 10u);
        snprintf((char *)record + 16, 32, "series.%u", i + 1u);
    }
    check_rig_append(rig, records, sizeof records);
}

static void append_points(struct check_rig *rig, uint32_t count, int64_t timestamp)
{
    static uint8_t record[TAUD_RECORD_HEADER_BYTES + BIG * TAUD_RECORD_POINT_BYTES];
    if (count == BIG) { // half as many bytes a point
        taud_record_header(record, TAUD_RECORD_COLUMNS, TAUD_COLUMNS_PLAIN, count);
        taud_store_u64(record + 8, 10);
        for (uint32_t i = 0; i < 2 * count; i++)
            taud_store_u64(record + 16 + i * 8, (uint64_t)timestamp + i);
        check_rig_append(rig, record, taud_record_columns_bytes(TAUD_COLUMNS_PLAIN, count));
        return;
    }
    taud_record_header(record, TAUD_RECORD_POINTS, 0, count);
    for (uint32_t i = 0; i < count; i++)
        taud_record_point(record + 8 + i * TAUD_RECORD_POINT_BYTES, 10 + i % 2 * 10, timestamp + i,
                          i / 8.0);
    check_rig_append(rig, record, 8 + (size_t)count * TAUD_RECORD_POINT_BYTES);
}

static void write_log(struct check_rig *rig)
{
    check_rig_open_log(rig, 0);
    append_creates(rig);
    rig->manifest.flush_position = rig->position;
    append_points(rig, 2, 1000);
    append_points(rig, BIG, 2000);
    append_points(rig, 1, 9000);
    append_points(rig, 3, 9500);
    rig->store.local.backend->log->close(rig->store.local.backend);
}

// --- the store --------------------------------------------------------------------------------

static void write_segments(struct check_rig *rig)
{
    for (size_t i = 0; i < CHECK_RIG_SEGMENTS; i++) {
        struct taud_segment_facts facts = store_rig_write(&rig->store, check_rig_shapes[i]);
        const struct taud_manifest_segment entry = taud_manifest_segment_of(&facts);
        assert_true(taud_manifest_add_segment(&rig->manifest, &entry));
    }
}

void check_rig_init(struct check_rig *rig)
{
    memset(rig, 0, sizeof *rig);
    store_rig_init(&rig->store);
    struct taud_backend *backend = rig->store.local.backend;
    taud_manifest_init(&rig->manifest, taud_allocator_system());
    rig->root.epoch = 1;
    assert_int_equal(taud_root_write(backend, &rig->root, NULL), TAU_STATUS_SUCCESS);
    write_log(rig);
    write_segments(rig);
    rig->manifest.next_identity = 40;
    rig->root.known_position = rig->position;
    assert_int_equal(taud_manifest_commit(backend, &rig->root, &rig->manifest, NULL),
                     TAU_STATUS_SUCCESS);
    backend->close(backend);
}

void check_rig_done(struct check_rig *rig)
{
    taud_manifest_done(&rig->manifest);
    store_rig_done(&rig->store);
}

// --- checks -----------------------------------------------------------------------------------

static void add_finding(const struct taud_finding *finding, void *user_data)
{
    static const char *const kinds[] = {"note", "damaged", "lost", "unknown"};
    struct check_rig_findings *found = user_data;
    size_t used = strlen(found->text);
    const struct taud_finding_points *points = finding->points;
    const struct tau_label *label = points ? points->first_label : NULL;
    snprintf(found->text + used, sizeof found->text - used, "%s %s %llu %llu: %s: %s%s%.32s\n",
             kinds[finding->kind], finding->place, (unsigned long long)finding->offset,
             (unsigned long long)finding->size, finding->problem, finding->loss,
             points ? " of " : "", label ? (const char *)label->bytes : "");
}

void check_rig_check(struct disk *disk, struct check_rig_findings *ret)
{
    struct taud_local_options local = {
        .directory = "data", .read_only = true, .io = disk_io(disk)};
    struct taud_backend *backend;
    memset(ret, 0, sizeof *ret);
    assert_int_equal(taud_local_backend_new(&local, &backend, &ret->error), TAU_STATUS_SUCCESS);
    ret->status = backend->open(backend, &ret->error);
    if (ret->status == TAU_STATUS_SUCCESS) {
        const struct taud_check_options options = {.backend = backend,
                                                   .allocator = taud_allocator_system(),
                                                   .finding = add_finding,
                                                   .user_data = ret};
        ret->status = taud_check(&options, &ret->report, &ret->error);
    }
    ret->damaged =
        ret->report.findings[TAUD_FINDING_DAMAGED] + ret->report.findings[TAUD_FINDING_LOST];
    backend->free(backend);
}
