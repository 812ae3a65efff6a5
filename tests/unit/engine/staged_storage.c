// SPDX-License-Identifier: MIT
// The stage replaces functions in the tables of a backend that is real otherwise; where a call
// moves points it knows not even its shape. The tables lie in the stage, so that each finds its
// stage.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "staged_storage.h"

#include <errno.h>
#include <string.h>

static struct staged_storage *stage_of(struct taud_backend *backend)
{
    const char *table = (const char *)backend->log;
    return (struct staged_storage *)(uintptr_t)(table - offsetof(struct staged_storage, log));
}

static enum tau_status refuse(enum tau_status status, const char *call, struct taud_error *error)
{
    return taud_error_set(error, status, EIO, "%s failed", call);
}

static enum tau_status stage_open(struct taud_backend *backend, struct taud_error *error)
{
    struct staged_storage *storage = stage_of(backend);
    assert_false(storage->is_open);
    if (storage->answers.open != TAU_STATUS_SUCCESS)
        return refuse(storage->answers.open, "open", error);
    enum tau_status status = storage->local_open(backend, error);
    storage->is_open = status == TAU_STATUS_SUCCESS;
    return status;
}

static void stage_close(struct taud_backend *backend)
{
    struct staged_storage *storage = stage_of(backend);
    assert_true(storage->is_open && !storage->log_is_open);
    storage->is_open = false;
    storage->local_close(backend);
}

static enum tau_status stage_log_open(struct taud_backend *backend, uint64_t from_position,
                                      uint64_t known_position, taud_log_replay_callback *callback,
                                      void *user_data, struct taud_log_report *ret_report,
                                      struct taud_error *error)
{
    struct staged_storage *storage = stage_of(backend);
    storage->known_position = known_position;
    storage->log_is_open = true; // it is to be closed whatever comes
    enum tau_status status = storage->local_log->open(backend, from_position, known_position,
                                                      callback, user_data, ret_report, error);
    for (size_t i = 0; i < storage->group_count && status == TAU_STATUS_SUCCESS; i++)
        status = callback(&storage->groups[i], true, user_data);
    if (status == TAU_STATUS_SUCCESS && storage->report.highest_epoch > 0) {
        storage->report.end_position = ret_report->end_position;
        *ret_report = storage->report;
    }
    if (status == TAU_STATUS_SUCCESS && storage->answers.log_open != TAU_STATUS_SUCCESS)
        return refuse(storage->answers.log_open, "log open", error);
    return status;
}

static enum tau_status stage_log_start(struct taud_backend *backend, uint64_t epoch,
                                       struct taud_error *error)
{
    struct staged_storage *storage = stage_of(backend);
    storage->epoch = epoch;
    if (storage->answers.start != TAU_STATUS_SUCCESS)
        return refuse(storage->answers.start, "log start", error);
    return storage->local_log->start(backend, epoch, error);
}

static enum tau_status stage_log_prepare(struct taud_backend *backend)
{
    struct staged_storage *storage = stage_of(backend);
    return storage->no_preparation ? TAU_STATUS_STORAGE_FULL : storage->local_log->prepare(backend);
}

static bool stage_log_needs_prepare(struct taud_backend *backend)
{
    struct staged_storage *storage = stage_of(backend);
    return storage->no_preparation || storage->local_log->needs_prepare(backend);
}

static uint64_t stage_log_room(struct taud_backend *backend)
{
    struct staged_storage *storage = stage_of(backend);
    return storage->no_preparation ? storage->room : storage->local_log->room(backend);
}

static void stage_log_close(struct taud_backend *backend)
{
    struct staged_storage *storage = stage_of(backend);
    assert_true(storage->log_is_open);
    storage->log_is_open = false;
    storage->local_log->close(backend);
}

static enum tau_status stage_read(struct taud_backend *backend, uint64_t *ret_version,
                                  void *ret_data, size_t capacity, size_t *ret_size,
                                  struct taud_error *error)
{
    struct staged_storage *storage = stage_of(backend);
    if (storage->answers.read != TAU_STATUS_SUCCESS)
        return refuse(storage->answers.read, "catalog read", error);
    return storage->local_catalog->read(backend, ret_version, ret_data, capacity, ret_size, error);
}

static enum tau_status stage_swap(struct taud_backend *backend, uint64_t expected, const void *data,
                                  size_t size, struct taud_error *error)
{
    struct staged_storage *storage = stage_of(backend);
    storage->swaps++;
    if (storage->answers.swap != TAU_STATUS_SUCCESS)
        return refuse(storage->answers.swap, "catalog swap", error);
    assert_true(size <= sizeof storage->content);
    memcpy(storage->content, data, size);
    storage->content_size = size;
    return storage->local_catalog->swap(backend, expected, data, size, error);
}

static struct taud_backend *make_local(struct disk *disk)
{
    struct taud_local_options options = {.directory = "data", .io = disk_io(disk), .file_seed = 7};
    struct taud_backend *backend = NULL;
    struct taud_error error;
    options.segment_bytes = 1 << 20;
    assert_int_equal(taud_local_backend_new(&options, &backend, &error), TAU_STATUS_SUCCESS);
    return backend;
}

void staged_storage_init(struct staged_storage *storage)
{
    memset(storage, 0, sizeof *storage);
    storage->disk = disk_new(true);
    struct taud_backend *backend = storage->backend = make_local(storage->disk);
    storage->local_log = backend->log;
    storage->local_catalog = backend->catalog;
    storage->local_open = backend->open;
    storage->local_close = backend->close;
    storage->log = *backend->log;
    storage->log.open = stage_log_open;
    storage->log.start = stage_log_start;
    storage->log.prepare = stage_log_prepare;
    storage->log.needs_prepare = stage_log_needs_prepare;
    storage->log.room = stage_log_room;
    storage->log.close = stage_log_close;
    storage->catalog = *backend->catalog;
    storage->catalog.read = stage_read;
    storage->catalog.swap = stage_swap;
    backend->log = &storage->log;
    backend->catalog = &storage->catalog;
    backend->open = stage_open;
    backend->close = stage_close;
}

void staged_storage_done(struct staged_storage *storage)
{
    assert_false(storage->is_open || storage->log_is_open);
    storage->backend->free(storage->backend);
    disk_free(storage->disk);
}

void staged_storage_break(struct staged_storage *storage, int error)
{
    struct disk_fault fault = {.kind = error ? DISK_FAULT_ERROR : DISK_FAULT_NONE,
                               .at = 1,
                               .for_good = true,
                               .error = error};
    disk_set_fault(storage->disk, fault);
}

struct reading {
    uint64_t position;
    uint8_t *to;
    size_t size, capacity;
};

static enum tau_status read_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    struct reading *reading = user_data;
    assert_false(damaged_before);
    if (group->position + group->size <= reading->position)
        return TAU_STATUS_SUCCESS;
    size_t skip =
        reading->position > group->position ? (size_t)(reading->position - group->position) : 0;
    size_t piece = group->size - skip;
    assert_true(piece <= reading->capacity - reading->size);
    memcpy(reading->to + reading->size, group->data + skip, piece);
    reading->size += piece;
    return TAU_STATUS_SUCCESS;
}

size_t staged_storage_logged(struct staged_storage *storage, uint64_t position, uint8_t *ret,
                             size_t capacity)
{
    struct disk *disk = disk_copy(storage->disk);
    struct taud_backend *backend = make_local(disk);
    struct reading reading = {.position = position, .to = ret, .capacity = capacity};
    struct taud_log_report report;
    struct taud_error error;
    assert_int_equal(backend->open(backend, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(backend->log->open(backend, 0, 0, read_group, &reading, &report, &error),
                     TAU_STATUS_SUCCESS);
    backend->log->close(backend);
    backend->close(backend);
    backend->free(backend);
    disk_free(disk);
    return reading.size;
}
