// SPDX-License-Identifier: MIT
// The objects of the local backend: a file each. It is written in the folder `unfinished` under a
// number, synced, and only then moved to its name, so that a name never stands for half an object;
// what a crash leaves is in that one folder. Large ones are written past the system's cache: their
// pages would cost more than the writing, and push out what is read. It must not know what objects
// hold.
#include "local.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char unfinished_folder[] = "unfinished", quarantine_folder[] = "quarantine";

enum { NOT_YET = -1, NEVER = -2 };        // a file past the cache: opened, possible
enum { PAST_CACHE_BYTES_MIN = 64 << 10 }; // of a piece; smaller ones are cheaper through it

struct taud_object_writer {
    struct taud_local *local;
    int file;
    int direct_file; // or one of those
    int failure; // the first one, a negative errno
    uint64_t size;
    uint64_t number;
    char name[TAUD_OBJECT_NAME_MAX + 1];
};

struct taud_object {
    struct taud_local *local;
    int file;
    uint64_t size;
    char name[TAUD_OBJECT_NAME_MAX + 1];
};

static enum tau_status refuse(const struct taud_local *local, int status, const char *what,
                              const char *name, struct taud_error *error)
{
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    return taud_error_set(error,
                          status == -ENOSPC || status == -EDQUOT ? TAU_STATUS_STORAGE_FULL
                                                                 : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot %s %s in %s", what, name, local->directory);
}

static enum tau_status no_memory(const struct taud_local *local, const char *name,
                                 struct taud_error *error)
{
    return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for %s in %s", name,
                          local->directory);
}

// Whether `length` bytes are a name without a folder, and none of the directory's own.
static bool part_is_valid(const char *name, size_t length)
{
    return length > 0 && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") >=
               length;
}

// The path of an object. Returns 0, or a negative errno where that is no name of one.
static int object_path(const struct taud_local *local, const char *name, char out[TAUD_PATH_BYTES])
{
    const char *slash = strchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    if (strlen(name) > TAUD_OBJECT_NAME_MAX || !part_is_valid(last, strlen(last)) ||
        (slash && !part_is_valid(name, (size_t)(slash - name))))
        return -EINVAL;
    taud_local_path(local, out, name);
    return 0;
}

// The folder of a name; "." for none.
static void folder_of(const char *name, char out[TAUD_OBJECT_NAME_MAX + 1])
{
    const char *slash = strchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) : 1;
    memcpy(out, slash ? name : ".", length);
    out[length] = '\0';
}

static int sync_folder(struct taud_local *local, const char *folder)
{
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, folder);
    return local->io->sync_directory(local->io->context, path);
}

// Makes up to two folders below the directory, for good.
static int make_folders(struct taud_local *local, const char *first, const char *second)
{
    const struct taud_io *io = local->io;
    const char *folders[2] = {first, second};
    int status = 0;
    for (int i = 0; i < 2 && status == 0; i++) {
        char path[TAUD_PATH_BYTES];
        taud_local_path(local, path, folders[i]);
        if (strcmp(folders[i], ".") != 0)
            status = io->make_directory(io->context, path, 0700);
    }
    return status != 0 ? status : io->sync_directory(io->context, local->directory);
}

// --- writing ----------------------------------------------------------------------------------

static void unfinished_path(const struct taud_object_writer *writer, char out[TAUD_PATH_BYTES])
{
    char name[sizeof unfinished_folder + 20];
    snprintf(name, sizeof name, "%s/%016llx", unfinished_folder,
             (unsigned long long)writer->number);
    taud_local_path(writer->local, out, name);
}

static int open_unfinished(struct taud_object_writer *writer)
{
    const struct taud_io *io = writer->local->io;
    char folder[TAUD_OBJECT_NAME_MAX + 1], path[TAUD_PATH_BYTES];
    folder_of(writer->name, folder);
    int status = make_folders(writer->local, unfinished_folder, folder);
    if (status != 0)
        return status;
    unfinished_path(writer, path);
    writer->file = io->open(io->context, path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    if (writer->file < 0)
        return writer->file;
    return io->truncate(io->context, writer->file, 0);
}

static void close_direct(struct taud_object_writer *writer)
{
    const struct taud_io *io = writer->local->io;
    if (writer->direct_file >= 0)
        io->close(io->context, writer->direct_file);
    writer->direct_file = NEVER;
}

static void close_files(struct taud_object_writer *writer)
{
    close_direct(writer);
    writer->local->io->close(writer->local->io->context, writer->file);
}

static void objects_abandon(struct taud_object_writer *writer)
{
    if (!writer)
        return;
    struct taud_local *local = writer->local;
    const struct taud_io *io = local->io;
    if (writer->file >= 0) {
        char path[TAUD_PATH_BYTES];
        close_files(writer);
        unfinished_path(writer, path);
        io->unlink(io->context, path);
    }
    local->allocator->release(local->allocator->context, writer);
}

static enum tau_status objects_begin(struct taud_backend *backend, const char *name,
                                     struct taud_object_writer **ret_writer,
                                     struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    char path[TAUD_PATH_BYTES];
    int status = object_path(local, name, path);
    if (status != 0)
        return refuse(local, status, "store", name, error);
    struct taud_object_writer *writer =
        local->allocator->allocate(local->allocator->context, sizeof *writer);
    if (!writer)
        return no_memory(local, name, error);
    *writer = (struct taud_object_writer){.local = local, .file = -1, .direct_file = NOT_YET};
    writer->number = atomic_fetch_add(&local->unfinished_count, 1);
    snprintf(writer->name, sizeof writer->name, "%s", name);
    status = open_unfinished(writer);
    if (status != 0) {
        objects_abandon(writer);
        return refuse(local, status, "store", name, error);
    }
    *ret_writer = writer;
    return TAU_STATUS_SUCCESS;
}

// Writes whole blocks past the cache. Returns how many bytes that were, 0 where it is not possible,
// or a negative errno.
static int64_t write_blocks(struct taud_object_writer *writer, const void *data, size_t size)
{
    const struct taud_io *io = writer->local->io;
    size -= size % TAUD_IO_BLOCK;
    if (size < PAST_CACHE_BYTES_MIN || ((uintptr_t)data | writer->size) % TAUD_IO_BLOCK != 0)
        return 0;
    if (writer->direct_file == NOT_YET) {
        char path[TAUD_PATH_BYTES];
        unfinished_path(writer, path);
        writer->direct_file = io->open(io->context, path, TAUD_IO_WRITE | TAUD_IO_DIRECT, 0600);
    }
    if (writer->direct_file < 0) {
        writer->direct_file = NEVER;
        return 0;
    }
    int status = taud_io_write_all(io, writer->direct_file, data, size, writer->size);
    if (status != -EINVAL)
        return status < 0 ? status : (int64_t)size;
    close_direct(writer); // some file systems tell only now
    return 0;
}

static int write_piece(struct taud_object_writer *writer, const uint8_t *data, size_t size)
{
    int64_t written = write_blocks(writer, data, size);
    if (written < 0)
        return (int)written;
    size_t done = (size_t)written;
    return taud_io_write_all(writer->local->io, writer->file, data + done, size - done,
                             writer->size + done);
}

static enum tau_status objects_write(struct taud_object_writer *writer, const void *data,
                                     size_t size, struct taud_error *error)
{
    if (writer->failure == 0)
        writer->failure = write_piece(writer, data, size);
    writer->size += size;
    return refuse(writer->local, writer->failure, "store", writer->name, error);
}

static int give_name(struct taud_object_writer *writer)
{
    const struct taud_io *io = writer->local->io;
    char from[TAUD_PATH_BYTES], to[TAUD_PATH_BYTES];
    int status = io->sync(io->context, writer->file);
    if (status != 0)
        return status;
    unfinished_path(writer, from);
    taud_local_path(writer->local, to, writer->name);
    return io->rename(io->context, from, to);
}

static enum tau_status objects_finish(struct taud_object_writer *writer, struct taud_error *error)
{
    struct taud_local *local = writer->local;
    char folder[TAUD_OBJECT_NAME_MAX + 1];
    int status = writer->failure != 0 ? writer->failure : give_name(writer);
    if (status != 0) {
        enum tau_status result = refuse(local, status, "store", writer->name, error);
        objects_abandon(writer);
        return result;
    }
    close_files(writer);
    folder_of(writer->name, folder);
    status = sync_folder(local, folder);
    enum tau_status result = refuse(local, status, "store", writer->name, error);
    local->allocator->release(local->allocator->context, writer);
    return result;
}

static enum tau_status objects_put(struct taud_backend *backend, const char *name, const void *data,
                                   size_t size, struct taud_error *error)
{
    struct taud_object_writer *writer = NULL;
    enum tau_status status = objects_begin(backend, name, &writer, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    assert(writer);
    (void)!objects_write(writer, data, size, NULL); // finish tells
    return objects_finish(writer, error);
}

// --- reading ----------------------------------------------------------------------------------

// Opens a file for reading. Returns it, or a negative errno.
static int open_file(struct taud_local *local, const char *name, uint64_t *ret_size)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES];
    int status = object_path(local, name, path);
    if (status != 0)
        return status;
    int file = io->open(io->context, path, TAUD_IO_READ, 0);
    if (file < 0)
        return file;
    status = io->size(io->context, file, ret_size);
    if (status == 0)
        return file;
    io->close(io->context, file);
    return status;
}

static enum tau_status objects_open(struct taud_backend *backend, const char *name,
                                    struct taud_object **ret_object, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    const struct taud_allocator *allocator = local->allocator;
    uint64_t size;
    int file = open_file(local, name, &size);
    if (file == -ENOENT) {
        *ret_object = NULL;
        return TAU_STATUS_SUCCESS;
    }
    if (file < 0)
        return refuse(local, file, "open", name, error);
    struct taud_object *object = allocator->allocate(allocator->context, sizeof *object);
    if (!object) {
        local->io->close(local->io->context, file);
        return no_memory(local, name, error);
    }
    *object = (struct taud_object){.local = local, .file = file, .size = size};
    snprintf(object->name, sizeof object->name, "%s", name);
    *ret_object = object;
    return TAU_STATUS_SUCCESS;
}

static uint64_t objects_size(const struct taud_object *object)
{
    return object->size;
}

static enum tau_status objects_read(struct taud_object *object, void *data, size_t size,
                                    uint64_t offset, struct taud_error *error)
{
    struct taud_local *local = object->local;
    int64_t count = taud_io_read_all(local->io, object->file, data, size, offset);
    if (count < 0)
        return refuse(local, (int)count, "read", object->name, error);
    if ((uint64_t)count < size)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "%s in %s ends at %llu, not behind %llu", object->name,
                              local->directory, (unsigned long long)(offset + (uint64_t)count),
                              (unsigned long long)(offset + size));
    return TAU_STATUS_SUCCESS;
}

static void objects_forget(struct taud_object *object, size_t size, uint64_t offset)
{
    const struct taud_io *io = object->local->io;
    io->uncache(io->context, object->file, offset, size);
}

static void objects_close(struct taud_object *object)
{
    if (!object)
        return;
    struct taud_local *local = object->local;
    local->io->close(local->io->context, object->file);
    local->allocator->release(local->allocator->context, object);
}

// --- names ------------------------------------------------------------------------------------

struct listing {
    taud_object_name_callback *callback;
    void *user_data;
    enum tau_status status;
};

static int list_name(const char *name, void *user_data)
{
    struct listing *listing = user_data;
    listing->status = listing->callback(name, listing->user_data);
    return listing->status == TAU_STATUS_SUCCESS ? 0 : -ECANCELED;
}

static enum tau_status objects_list(struct taud_backend *backend, const char *folder,
                                    taud_object_name_callback *callback, void *user_data,
                                    struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    struct listing listing = {callback, user_data, TAU_STATUS_SUCCESS};
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, folder);
    int status = local->io->list_directory(local->io->context, path, list_name, &listing);
    if (listing.status != TAU_STATUS_SUCCESS)
        return listing.status;
    return refuse(local, status == -ENOENT ? 0 : status, "list", folder, error);
}

static enum tau_status objects_remove(struct taud_backend *backend, const char *name,
                                      struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    char path[TAUD_PATH_BYTES];
    int status = object_path(local, name, path);
    if (status == 0)
        status = local->io->unlink(local->io->context, path);
    return refuse(local, status == -ENOENT ? 0 : status, "remove", name, error);
}

// Finds a path in quarantine that nothing has: folder and name, and a number where that was there.
static int free_path(struct taud_local *local, const char *name, char out[TAUD_PATH_BYTES])
{
    const struct taud_io *io = local->io;
    for (unsigned i = 1; i < 10000; i++) {
        char free_name[TAUD_OBJECT_NAME_MAX + 80];
        int length = snprintf(free_name, sizeof free_name, "%s/%s", quarantine_folder, name);
        char *slash = strchr(free_name + sizeof quarantine_folder, '/');
        if (slash)
            *slash = '-';
        if (i > 1)
            snprintf(free_name + length, sizeof free_name - (size_t)length, "-%u", i);
        taud_local_path(local, out, free_name);
        int file = io->open(io->context, out, TAUD_IO_READ, 0);
        if (file == -ENOENT)
            return 0;
        if (file < 0)
            return file;
        io->close(io->context, file);
    }
    return -EEXIST;
}

static enum tau_status objects_quarantine(struct taud_backend *backend, const char *name,
                                          struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    const struct taud_io *io = local->io;
    char from[TAUD_PATH_BYTES], to[TAUD_PATH_BYTES], folder[TAUD_OBJECT_NAME_MAX + 1];
    uint64_t size = 0;
    int file = open_file(local, name, &size);
    int status = file < 0 ? file : object_path(local, name, from);
    if (file >= 0)
        io->close(io->context, file);
    folder_of(name, folder);
    if (status == 0)
        status = make_folders(local, quarantine_folder, ".");
    if (status == 0)
        status = free_path(local, name, to);
    if (status == 0)
        status = io->rename(io->context, from, to);
    if (status == 0)
        status = sync_folder(local, quarantine_folder);
    if (status == 0)
        status = sync_folder(local, folder);
    if (status != 0)
        return refuse(local, status, "move to quarantine", name, error);
    local->quarantined_count++;
    local->quarantined_bytes += size;
    return TAU_STATUS_SUCCESS;
}

// Copies a range of the object, in pieces.
static enum tau_status copy_range(struct taud_object *object, struct taud_object_writer *writer,
                                  uint64_t offset, uint64_t size, struct taud_error *error)
{
    uint8_t piece[16 << 10];
    enum tau_status status = TAU_STATUS_SUCCESS;
    while (size > 0 && status == TAU_STATUS_SUCCESS) {
        size_t step = size < sizeof piece ? (size_t)size : sizeof piece;
        status = objects_read(object, piece, step, offset, error);
        if (status == TAU_STATUS_SUCCESS)
            status = objects_write(writer, piece, step, error);
        offset += step;
        size -= step;
    }
    return status;
}

// Copies it to an object of that name, which there is not.
static enum tau_status copy_to(struct taud_object *object, const char *name, uint64_t offset,
                               uint64_t size, struct taud_error *error)
{
    struct taud_object_writer *writer = NULL;
    enum tau_status status = objects_begin(&object->local->backend, name, &writer, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    assert(writer);
    status = copy_range(object, writer, offset, size, error);
    if (status == TAU_STATUS_SUCCESS)
        return objects_finish(writer, error);
    objects_abandon(writer);
    return status;
}

static enum tau_status objects_preserve(struct taud_backend *backend, const char *name,
                                        uint64_t offset, uint64_t size, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    struct taud_object *object;
    char wanted[TAUD_OBJECT_NAME_MAX + 40], path[TAUD_PATH_BYTES];
    snprintf(wanted, sizeof wanted, "%s-%010llx-%08llx", name, (unsigned long long)offset,
             (unsigned long long)size);
    enum tau_status status = objects_open(backend, name, &object, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    int found = object ? free_path(local, wanted, path) : -ENOENT;
    status = refuse(local, found, "copy to quarantine", name, error);
    if (status == TAU_STATUS_SUCCESS)
        status = copy_to(object, path + strlen(local->directory) + 1, offset, size, error);
    objects_close(object);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    local->quarantined_count++;
    local->quarantined_bytes += size;
    return status;
}

static int link_below(struct taud_local *local, const char *name, const char *directory)
{
    const struct taud_io *io = local->io;
    char from[TAUD_PATH_BYTES], to[TAUD_PATH_BYTES], parent[TAUD_PATH_BYTES];
    char folder[TAUD_OBJECT_NAME_MAX + 1];
    int status = object_path(local, name, from);
    if (status != 0 || strlen(directory) >= sizeof local->directory)
        return status != 0 ? status : -ENAMETOOLONG;
    folder_of(name, folder);
    snprintf(to, sizeof to, "%s/%s", directory, name);
    snprintf(parent, sizeof parent, "%s/%s", directory, folder);
    status = io->make_directory(io->context, directory, 0700);
    if (status == 0 && strcmp(folder, ".") != 0)
        status = io->make_directory(io->context, parent, 0700);
    if (status == 0)
        status = io->link(io->context, from, to);
    if (status == 0)
        status = io->sync_directory(io->context, parent);
    return status != 0 ? status : io->sync_directory(io->context, directory);
}

static enum tau_status objects_link(struct taud_backend *backend, const char *name,
                                    const char *directory, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    int status = link_below(local, name, directory);
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    char what[TAUD_OBJECT_NAME_MAX + 100];
    snprintf(what, sizeof what, "%s into %.80s", name, directory);
    return refuse(local, status, "link", what, error);
}

struct sweep {
    struct taud_backend *backend;
    struct taud_error *error;
};

static enum tau_status sweep_name(const char *name, void *user_data)
{
    const struct sweep *sweep = user_data;
    char object[TAUD_OBJECT_NAME_MAX + 1];
    snprintf(object, sizeof object, "%s/%.80s", unfinished_folder, name);
    return objects_remove(sweep->backend, object, sweep->error);
}

static enum tau_status objects_sweep(struct taud_backend *backend, struct taud_error *error)
{
    struct sweep sweep = {backend, error};
    return objects_list(backend, unfinished_folder, sweep_name, &sweep, error);
}

const struct taud_objects_operations taud_local_objects = {
    .put = objects_put,
    .begin = objects_begin,
    .write = objects_write,
    .finish = objects_finish,
    .abandon = objects_abandon,
    .open = objects_open,
    .size = objects_size,
    .read = objects_read,
    .forget = objects_forget,
    .close = objects_close,
    .list = objects_list,
    .remove = objects_remove,
    .quarantine = objects_quarantine,
    .preserve = objects_preserve,
    .link = objects_link,
    .sweep = objects_sweep,
};
