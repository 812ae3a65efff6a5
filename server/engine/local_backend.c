// SPDX-License-Identifier: MIT
// The local backend as a whole: its directory, the lock on it, and how a file is replaced.
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void taud_local_path(const struct taud_local *local, char out[TAUD_PATH_BYTES], const char *name)
{
    snprintf(out, TAUD_PATH_BYTES, "%s/%.200s", local->directory, name);
}

void taud_local_segment_path(const struct taud_local *local, char out[TAUD_PATH_BYTES],
                             uint64_t sequence)
{
    snprintf(out, TAUD_PATH_BYTES, "%s/log/%016llx.log", local->directory,
             (unsigned long long)sequence);
}

void taud_local_spare_path(const struct taud_local *local, char out[TAUD_PATH_BYTES],
                           uint64_t sequence)
{
    snprintf(out, TAUD_PATH_BYTES, "%s/log/%016llx.spare", local->directory,
             (unsigned long long)sequence);
}

static int write_new_file(struct taud_local *local, const char *path, const void *data, size_t size)
{
    const struct taud_io *io = local->io;
    int file = io->open(io->context, path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    if (file < 0)
        return file;
    int status = io->truncate(io->context, file, 0);
    if (status == 0)
        status = taud_io_write_all(io, file, data, size, 0);
    if (status == 0)
        status = io->sync(io->context, file);
    int closed = io->close(io->context, file);
    return status != 0 ? status : closed;
}

int taud_local_replace(struct taud_local *local, const char *name, const char *folder,
                       const void *data, size_t size)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES], temporary[TAUD_PATH_BYTES + 8], parent[TAUD_PATH_BYTES];
    taud_local_path(local, path, name);
    taud_local_path(local, parent, folder);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int status = write_new_file(local, temporary, data, size);
    if (status == 0)
        status = io->rename(io->context, temporary, path);
    if (status != 0) {
        io->unlink(io->context, temporary);
        return status;
    }
    return io->sync_directory(io->context, parent);
}

// Returns 0, -ENOENT, or another negative errno. A path may be of a file or a directory.
static int exists(struct taud_local *local, const char *path)
{
    const struct taud_io *io = local->io;
    int file = io->open(io->context, path, TAUD_IO_READ, 0);
    if (file < 0)
        return file;
    io->close(io->context, file);
    return 0;
}

static enum tau_status make_directories(struct taud_local *local, struct taud_error *error)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, "log");
    int status = io->make_directory(io->context, local->directory, 0700);
    if (status == 0)
        status = io->make_directory(io->context, path, 0700);
    if (status == 0)
        status = io->sync_directory(io->context, local->directory);
    if (status != 0)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, -status,
                              "cannot use the data directory %s", local->directory);
    return TAU_STATUS_SUCCESS;
}

static enum tau_status take_lock(struct taud_local *local, struct taud_error *error)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, "lock");
    local->lock_file = io->open(io->context, path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    if (local->lock_file < 0)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, -local->lock_file,
                              "cannot use the data directory %s", local->directory);
    int status = io->lock(io->context, local->lock_file);
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    io->close(io->context, local->lock_file);
    local->lock_file = -1;
    if (status == -EWOULDBLOCK)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "another server uses the data directory %s", local->directory);
    return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, -status,
                          "cannot lock the data directory %s", local->directory);
}

// That the storage is there, and that no server has it: without a lock file none ever had, or what
// holds it cannot be written to.
static enum tau_status share(struct taud_local *local, struct taud_error *error)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES];
    static const char *const signs[] = {"catalog", "log", "segments", "manifests"};
    int status = -ENOENT;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0] && status == -ENOENT; i++) {
        taud_local_path(local, path, signs[i]);
        status = exists(local, path);
    }
    if (status == -ENOENT)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0, "%s is no data directory",
                              local->directory);
    taud_local_path(local, path, "lock");
    if (status == 0)
        local->lock_file = io->open(io->context, path, TAUD_IO_READ, 0);
    if (status == 0 && local->lock_file >= 0)
        status = io->lock_shared(io->context, local->lock_file);
    else if (status == 0 && local->lock_file != -ENOENT)
        status = local->lock_file;
    if (status == -EWOULDBLOCK)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "a server uses the data directory %s", local->directory);
    if (status != 0)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, -status,
                              "cannot read the data directory %s", local->directory);
    return TAU_STATUS_SUCCESS;
}

static void local_close(struct taud_backend *backend)
{
    struct taud_local *local = taud_local_of(backend);
    if (local->lock_file >= 0)
        local->io->close(local->io->context, local->lock_file);
    local->lock_file = -1;
}

static enum tau_status local_open(struct taud_backend *backend, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    local->quarantined_count = 0;
    local->quarantined_bytes = 0;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (local->read_only)
        status = share(local, error);
    else
        status = make_directories(local, error);
    if (status == TAU_STATUS_SUCCESS && !local->read_only)
        status = take_lock(local, error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_local_catalog_check(local, error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_local_log_check(local, error);
    if (status != TAU_STATUS_SUCCESS)
        local_close(backend);
    return status;
}

static void local_free(struct taud_backend *backend)
{
    struct taud_local *local = taud_local_of(backend);
    local_close(backend);
    pthread_cond_destroy(&local->prepared);
    pthread_mutex_destroy(&local->mutex);
    local->allocator->release(local->allocator->context, local);
}

static enum tau_status local_snapshot(struct taud_backend *backend, const char *name,
                                      struct taud_backend **ret_snapshot,
                                      const char **ret_directory, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    const struct taud_io *io = local->io;
    char parent[TAUD_PATH_BYTES], path[TAUD_PATH_BYTES + TAUD_OBJECT_NAME_MAX + 2];
    struct taud_local_options options = {.directory = path,
                                         .segment_bytes = local->segment_bytes,
                                         .file_seed = local->file_seed,
                                         .io = io,
                                         .allocator = local->allocator};
    taud_local_path(local, parent, "snapshots");
    snprintf(path, sizeof path, "%s/%.*s", parent, TAUD_OBJECT_NAME_MAX, name);
    int status = io->make_directory(io->context, parent, 0700);
    if (status == 0)
        status = io->sync_directory(io->context, local->directory);
    if (status == 0)
        status = io->make_directory(io->context, path, 0700);
    if (status == 0)
        status = io->sync_directory(io->context, parent);
    if (status != 0)
        return taud_error_set(error,
                              status == -ENOSPC ? TAU_STATUS_STORAGE_FULL
                                                : TAU_STATUS_INTERNAL_ERROR,
                              -status, "cannot make the snapshot %s", path);
    enum tau_status made = taud_local_backend_new(&options, ret_snapshot, error);
    if (made == TAU_STATUS_SUCCESS)
        *ret_directory = taud_local_of(*ret_snapshot)->directory;
    return made == TAU_STATUS_INVALID_ARGUMENT ? TAU_STATUS_INTERNAL_ERROR : made;
}

static bool options_valid(const struct taud_local_options *options)
{
    uint64_t segment = options->segment_bytes;
    return options->directory && options->directory[0] != '\0' &&
           strlen(options->directory) < sizeof((struct taud_local *)0)->directory &&
           (segment == 0 || (segment >= TAUD_SEGMENT_BYTES_MIN && segment % TAUD_IO_BLOCK == 0 &&
                             segment <= UINT64_C(1) << 40));
}

enum tau_status taud_local_backend_new(const struct taud_local_options *options,
                                       struct taud_backend **ret_backend, struct taud_error *error)
{
    if (!options_valid(options))
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                              "the data directory or the size of log segments is not usable");
    const struct taud_allocator *allocator =
        options->allocator ? options->allocator : taud_allocator_system();
    struct taud_local *local = allocator->allocate(allocator->context, sizeof *local);
    if (!local)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for the storage backend");
    memset(local, 0, sizeof *local);
    local->backend = (struct taud_backend){
        .log = &taud_local_log,
        .objects = &taud_local_objects,
        .catalog = &taud_local_catalog,
        .open = local_open,
        .close = local_close,
        .free = local_free,
        .snapshot = local_snapshot,
    };
    local->io = options->io ? options->io : taud_io_posix();
    local->allocator = allocator;
    local->segment_bytes =
        options->segment_bytes ? options->segment_bytes : TAUD_SEGMENT_BYTES_DEFAULT;
    local->file_seed = options->file_seed;
    local->read_only = options->read_only;
    local->lock_file = -1;
    local->file = -1;
    local->direct_file = -1;
    strcpy(local->directory, options->directory);
    pthread_mutex_init(&local->mutex, NULL);
    pthread_cond_init(&local->prepared, NULL);
    *ret_backend = &local->backend;
    return TAU_STATUS_SUCCESS;
}
