// SPDX-License-Identifier: MIT
// The disk that fails: counts calls, breaks those that it is told to, and lets its store do the
// others. Every entry takes the one mutex: the engine calls from several threads.
#include "disk.h"

#include "disk_store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = 1024 };

struct open_file {
    struct node *node;
    bool direct, synced, has_lock, shares_lock;
};

struct disk {
    struct taud_io io;
    pthread_mutex_t mutex;
    bool direct, skip_syncs, cut, happened;
    uint64_t calls, capacity;
    struct disk_fault fault;
    disk_observer *observer;
    void *observer_data;
    const struct disk_call *underway; // that the observer is told of
    struct store store;
    struct open_file files[OPEN_MAX];
};

// --- faults -----------------------------------------------------------------------------------

static struct node *node_of(const struct disk *disk, int file)
{
    return file >= 0 && file < OPEN_MAX ? disk->files[file].node : NULL;
}

// Tells the observer, who may look at the disk, and call it.
static void tell(struct disk *disk, struct disk_call call, int file)
{
    if (!disk->observer)
        return;
    const struct node *node = node_of(disk, file);
    const struct disk_call *before = disk->underway;
    call.handle = file;
    call.file = node ? node->number : 0;
    disk->underway = &call;
    disk->observer(&call, disk->observer_data);
    disk->underway = before;
}

// Whether a call can find a disk full.
static bool takes_space(const struct disk_call *call)
{
    switch (call->kind) {
    case DISK_OPEN:
        return call->size & TAUD_IO_CREATE;
    case DISK_READ:
    case DISK_SIZE:
    case DISK_LOCK:
    case DISK_UNLINK:
    case DISK_LIST_DIRECTORY:
    case DISK_SPACE:
        return false;
    default:
        return true;
    }
}

// Whether the fault strikes at this call.
static bool strikes(const struct disk *disk, const struct disk_call *call)
{
    const struct disk_fault *fault = &disk->fault;
    if (fault->kind == DISK_FAULT_NONE || disk->calls < fault->at ||
        (disk->calls > fault->at && !fault->for_good))
        return false;
    bool error = fault->kind == DISK_FAULT_ERROR;
    if (fault->kind == DISK_FAULT_SHORT || (error && fault->error == EINTR))
        return call->kind == DISK_READ || call->kind == DISK_WRITE;
    return !error || fault->error != ENOSPC || takes_space(call);
}

// Counts the call. Returns 0, or the error that it has to fail with; *ret_partial says that it may
// still happen in part.
static int enter(struct disk *disk, struct disk_call call, int file,
                 enum disk_fault_kind *ret_partial)
{
    tell(disk, call, file);
    pthread_mutex_lock(&disk->mutex);
    *ret_partial = DISK_FAULT_NONE;
    disk->calls++;
    if (disk->cut)
        return -EIO;
    if (!strikes(disk, &call))
        return 0;
    disk->happened = true;
    switch (disk->fault.kind) {
    case DISK_FAULT_CUT:
        disk->cut = true;
        *ret_partial = DISK_FAULT_CUT;
        return -EIO;
    case DISK_FAULT_SHORT:
        *ret_partial = DISK_FAULT_SHORT;
        return 0;
    default:
        return -disk->fault.error;
    }
}

static int leave(struct disk *disk, int status)
{
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

// Whether a file can become larger by so much.
static bool has_space(const struct disk *disk, uint64_t bytes)
{
    return disk->capacity == 0 || store_used(&disk->store) + bytes <= disk->capacity;
}

// --- the seam ---------------------------------------------------------------------------------

static int open_node(struct disk *disk, struct node *node, unsigned flags)
{
    for (int i = 0; i < OPEN_MAX; i++) {
        if (disk->files[i].node)
            continue;
        disk->files[i] =
            (struct open_file){.node = node,
                               .direct = (flags & (TAUD_IO_DIRECT_SYNC | TAUD_IO_DIRECT)) != 0,
                               .synced = (flags & TAUD_IO_DIRECT_SYNC) != 0};
        node->opened++;
        return i;
    }
    return -EMFILE;
}

static int disk_open(void *context, const char *path, unsigned flags, unsigned mode)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    (void)mode;
    int status = enter(disk, (struct disk_call){.kind = DISK_OPEN, .path = path, .size = flags}, -1,
                       &partial);
    if (status != 0)
        return leave(disk, status);
    if ((flags & (TAUD_IO_DIRECT_SYNC | TAUD_IO_DIRECT)) && !disk->direct)
        return leave(disk, -EINVAL);
    struct node *node = store_find(&disk->store, path);
    if (node && (flags & TAUD_IO_CREATE) && (flags & TAUD_IO_EXCLUSIVE))
        return leave(disk, -EEXIST);
    if (!node && !(flags & TAUD_IO_CREATE))
        return leave(disk, -ENOENT);
    if (!node)
        node = store_add(&disk->store, path);
    return leave(disk, open_node(disk, node, flags));
}

// Closing always works: a program that is cut off would not come this far.
static int disk_close(void *context, int file)
{
    struct disk *disk = context;
    pthread_mutex_lock(&disk->mutex);
    struct node *node = node_of(disk, file);
    if (node) {
        node->locked = node->locked && !disk->files[file].has_lock;
        node->sharers -= disk->files[file].shares_lock;
        node->opened--;
        disk->files[file].node = NULL;
    }
    return leave(disk, 0);
}

static int64_t disk_read(void *context, int file, void *data, size_t size, uint64_t offset)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_READ, .offset = offset, .size = size},
                       file, &partial);
    if (status != 0)
        return leave(disk, status);
    const struct node *node = node_of(disk, file);
    uint64_t left = offset < node_size(node) ? node_size(node) - offset : 0;
    if (size > left)
        size = left;
    if (partial == DISK_FAULT_SHORT && size > 1)
        size = size / 2;
    node_read(node, offset, data, size);
    leave(disk, 0);
    return (int64_t)size;
}

// A write that would make the file larger than there is space for ends where the space does, at a
// block.
static size_t fit(const struct disk *disk, const struct node *node, size_t size, uint64_t offset)
{
    uint64_t end = node_size(node), used = store_used(&disk->store);
    if (disk->capacity == 0 || offset + size <= end)
        return size;
    uint64_t most = disk->capacity > used ? end + (disk->capacity - used) : end;
    most -= most % TAUD_IO_BLOCK;
    if (offset + size <= most)
        return size;
    return most > offset ? (size_t)(most - offset) : 0;
}

static int64_t disk_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    struct disk_call call = {.kind = DISK_WRITE, .offset = offset, .size = size, .data = data};
    int status = enter(disk, call, file, &partial);
    struct node *node = node_of(disk, file);
    if (status == 0 && !node)
        status = -EBADF;
    if (partial == DISK_FAULT_CUT && node)
        node_write_unseen(node, offset, data, size);
    if (status != 0)
        return leave(disk, status);
    bool direct = disk->files[file].direct;
    if (direct && ((uintptr_t)data | size | offset) % TAUD_IO_BLOCK != 0)
        return leave(disk, -EINVAL);
    if (partial == DISK_FAULT_SHORT && size > 1)
        size = size / 2 + 1;
    size_t fitting = fit(disk, node, size, offset);
    if (fitting == 0 && size > 0)
        return leave(disk, -ENOSPC);
    if (disk->files[file].synced && !disk->skip_syncs)
        node_write_through(node, offset, data, fitting);
    else
        node_write(node, offset, data, fitting);
    leave(disk, 0);
    return (int64_t)fitting;
}

static void disk_uncache(void *context, int file, uint64_t offset, uint64_t size)
{
    (void)context, (void)file, (void)offset, (void)size; // it has no cache that reads go through
}

static int disk_sync(void *context, int file)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_SYNC}, file, &partial);
    struct node *node = node_of(disk, file);
    if (status == 0 && !disk->skip_syncs)
        node_sync(node);
    else if (status != 0 && partial == DISK_FAULT_NONE && !disk->cut)
        node_forget_changes(node); // as Linux does: the pages are clean now, and lost
    return leave(disk, status);
}

static int disk_preallocate(void *context, int file, uint64_t size)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_PREALLOCATE, .size = size}, file,
                       &partial);
    struct node *node = node_of(disk, file);
    if (status == 0 && size > node_size(node)) {
        if (has_space(disk, size - node_size(node)))
            node_resize(node, size);
        else
            status = -ENOSPC;
    }
    return leave(disk, status);
}

static int disk_set_size(void *context, int file, uint64_t size)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status =
        enter(disk, (struct disk_call){.kind = DISK_TRUNCATE, .size = size}, file, &partial);
    if (status == 0)
        node_resize(node_of(disk, file), size);
    return leave(disk, status);
}

static int disk_size(void *context, int file, uint64_t *ret_size)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_SIZE}, file, &partial);
    if (status == 0)
        *ret_size = node_size(node_of(disk, file));
    return leave(disk, status);
}

static int disk_lock(void *context, int file)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_LOCK}, file, &partial);
    struct node *node = node_of(disk, file);
    if (status == 0 && (node->locked || node->sharers > 0))
        status = -EWOULDBLOCK;
    if (status == 0)
        node->locked = disk->files[file].has_lock = true;
    return leave(disk, status);
}

static int disk_lock_shared(void *context, int file)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_LOCK}, file, &partial);
    struct node *node = node_of(disk, file);
    if (status == 0 && node->locked)
        status = -EWOULDBLOCK;
    if (status == 0) {
        node->sharers++;
        disk->files[file].shares_lock = true;
    }
    return leave(disk, status);
}

static int disk_rename(void *context, const char *from, const char *to)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_RENAME, .path = from, .other = to}, -1,
                       &partial);
    if (status == 0 && !store_find(&disk->store, from))
        status = -ENOENT;
    if (status == 0)
        store_move(&disk->store, from, to);
    return leave(disk, status);
}

static int disk_link(void *context, const char *from, const char *to)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_LINK, .path = from, .other = to}, -1,
                       &partial);
    struct node *node = store_find(&disk->store, from);
    if (status == 0 && !node)
        status = -ENOENT;
    if (status == 0 && store_find(&disk->store, to))
        status = -EEXIST;
    if (status == 0)
        store_name(&disk->store, to, node);
    return leave(disk, status);
}

static int disk_unlink(void *context, const char *path)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_UNLINK, .path = path}, -1, &partial);
    if (status == 0 && !store_find(&disk->store, path))
        status = -ENOENT;
    if (status == 0)
        store_name(&disk->store, path, NULL);
    return leave(disk, status);
}

static int disk_make_directory(void *context, const char *path, unsigned mode)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    (void)mode;
    int status =
        enter(disk, (struct disk_call){.kind = DISK_MAKE_DIRECTORY, .path = path}, -1, &partial);
    if (status == 0 && !store_find(&disk->store, path))
        store_add(&disk->store, path)->directory = true;
    return leave(disk, status);
}

static int disk_sync_directory(void *context, const char *path)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status =
        enter(disk, (struct disk_call){.kind = DISK_SYNC_DIRECTORY, .path = path}, -1, &partial);
    if (status == 0 && !disk->skip_syncs)
        store_sync_folder(&disk->store, path);
    return leave(disk, status);
}

static int disk_list_directory(void *context, const char *path, taud_io_name_callback *callback,
                               void *user_data)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    unsigned count = 0;
    int status =
        enter(disk, (struct disk_call){.kind = DISK_LIST_DIRECTORY, .path = path}, -1, &partial);
    const struct names *seen = &disk->store.seen;
    char(*names)[STORE_PATH_BYTES] = calloc(seen->count + 1, sizeof *names);
    assert(names);
    for (unsigned i = 0; status == 0 && i < seen->count; i++) {
        if (store_is_in(seen->items[i].path, path))
            strcpy(names[count++], strrchr(seen->items[i].path, '/') + 1);
    }
    leave(disk, 0);
    for (unsigned i = 0; status == 0 && i < count; i++)
        status = callback(names[i], user_data);
    free(names);
    return status;
}

static int disk_space(void *context, const char *path, uint64_t *ret_bytes)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, (struct disk_call){.kind = DISK_SPACE, .path = path}, -1, &partial);
    uint64_t used = store_used(&disk->store);
    if (status == 0 && disk->capacity == 0)
        *ret_bytes = UINT64_MAX;
    else if (status == 0)
        *ret_bytes = disk->capacity > used ? disk->capacity - used : 0;
    return leave(disk, status);
}

// --- what tests do with it --------------------------------------------------------------------

struct disk *disk_new(bool direct)
{
    struct disk *disk = calloc(1, sizeof *disk);
    assert(disk);
    pthread_mutex_init(&disk->mutex, NULL);
    disk->direct = direct;
    disk->io = (struct taud_io){
        .context = disk,
        .open = disk_open,
        .close = disk_close,
        .read = disk_read,
        .uncache = disk_uncache,
        .write = disk_write,
        .sync = disk_sync,
        .preallocate = disk_preallocate,
        .truncate = disk_set_size,
        .size = disk_size,
        .lock = disk_lock,
        .lock_shared = disk_lock_shared,
        .rename = disk_rename,
        .link = disk_link,
        .unlink = disk_unlink,
        .make_directory = disk_make_directory,
        .sync_directory = disk_sync_directory,
        .list_directory = disk_list_directory,
        .space = disk_space,
    };
    return disk;
}

void disk_free(struct disk *disk)
{
    if (!disk)
        return;
    store_done(&disk->store);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

const struct taud_io *disk_io(struct disk *disk)
{
    return &disk->io;
}

void disk_set_fault(struct disk *disk, struct disk_fault fault)
{
    pthread_mutex_lock(&disk->mutex);
    disk->fault = fault;
    disk->calls = 0;
    disk->happened = false;
    pthread_mutex_unlock(&disk->mutex);
}

uint64_t disk_calls(struct disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t calls = disk->calls;
    pthread_mutex_unlock(&disk->mutex);
    return calls;
}

bool disk_fault_happened(struct disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    bool happened = disk->happened;
    pthread_mutex_unlock(&disk->mutex);
    return happened;
}

void disk_skip_syncs(struct disk *disk)
{
    disk->skip_syncs = true;
}

void disk_set_capacity(struct disk *disk, uint64_t bytes)
{
    disk->capacity = bytes;
}

uint64_t disk_used(struct disk *disk)
{
    return store_used(&disk->store);
}

void disk_observe(struct disk *disk, disk_observer *observer, void *user_data)
{
    disk->observer = observer;
    disk->observer_data = user_data;
}

void disk_halt(struct disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    disk->cut = true;
    pthread_mutex_unlock(&disk->mutex);
}

void disk_resume(struct disk *disk)
{
    for (int i = 0; i < OPEN_MAX; i++)
        disk_close(disk, i);
    disk->cut = false;
    disk->skip_syncs = false;
    disk->fault = (struct disk_fault){0};
    disk->calls = 0;
}

void disk_restart(struct disk *disk, uint64_t seed)
{
    struct store left;
    disk_resume(disk);
    store_cut(&disk->store, seed, &left);
    store_done(&disk->store);
    disk->store = left;
}

struct disk *disk_power_cut(struct disk *disk, uint64_t seed)
{
    struct disk *left = disk_new(disk->direct);
    const struct disk_call *call = disk->underway;
    struct node *node = call && call->kind == DISK_WRITE ? node_of(disk, call->handle) : NULL;
    if (node)
        node_write_unseen(node, call->offset, call->data, call->size);
    store_cut(&disk->store, seed, &left->store);
    if (node)
        node_forget_newest(node);
    left->capacity = disk->capacity;
    return left;
}

struct disk *disk_copy(struct disk *disk)
{
    struct disk *copy = disk_new(disk->direct);
    pthread_mutex_lock(&disk->mutex);
    store_copy(&disk->store, &copy->store);
    pthread_mutex_unlock(&disk->mutex);
    copy->capacity = disk->capacity;
    return copy;
}

uint8_t *disk_file(struct disk *disk, const char *path, uint64_t *ret_size)
{
    uint8_t *bytes = NULL;
    pthread_mutex_lock(&disk->mutex);
    struct node *node = store_find(&disk->store, path);
    if (node && !node->directory) {
        *ret_size = node_size(node);
        bytes = node_bytes(node);
    }
    pthread_mutex_unlock(&disk->mutex);
    return bytes;
}

const char *disk_file_name(struct disk *disk, unsigned number)
{
    for (unsigned i = 0; i < disk->store.seen.count; i++) {
        const struct entry *entry = &disk->store.seen.items[i];
        if (!entry->node->directory && number-- == 0)
            return entry->path;
    }
    return NULL;
}

void disk_truncate(struct disk *disk, const char *path, uint64_t size)
{
    struct node *node = store_find(&disk->store, path);
    if (!node)
        abort();
    node_damage(node, size);
}

void disk_remove(struct disk *disk, const char *path)
{
    store_name(&disk->store, path, NULL);
}

unsigned disk_count(struct disk *disk, const char *folder)
{
    unsigned count = 0;
    for (unsigned i = 0; i < disk->store.seen.count; i++)
        count += store_is_in(disk->store.seen.items[i].path, folder);
    return count;
}

uint64_t disk_digest(struct disk *disk, const char *prefix)
{
    return store_digest(&disk->store, prefix, false);
}

uint64_t disk_fingerprint(struct disk *disk)
{
    return store_digest(&disk->store, "", true);
}
