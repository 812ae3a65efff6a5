// SPDX-License-Identifier: MIT
// The disk that fails. Each file has what programs see and what is durable, and the list of writes in
// between. Every entry takes the one mutex: the engine calls from several threads.
#include "disk.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, FILES_MAX = 1024, OPEN_MAX = 64 };

struct change {
    struct change *next;
    bool resize;
    uint64_t offset, size;
    uint8_t data[];
};

struct image {
    uint8_t *data;
    uint64_t size;
};

struct node {
    struct image seen, durable;
    struct change *first, **last;
    bool directory, locked;
    unsigned sharers; // of the lock
};

struct entry {
    char path[120];
    struct node *node;
};

// A change of one or two names that is not durable yet.
struct rename_step {
    char path[2][120];
    struct node *node[2];
    unsigned count;
};

struct open_file {
    struct node *node;
    bool direct, has_lock, shares_lock;
};

struct disk {
    struct taud_io io;
    pthread_mutex_t mutex;
    bool direct, skip_syncs, cut, happened;
    uint64_t calls, random;
    struct disk_fault fault;
    struct entry seen[FILES_MAX], durable[FILES_MAX];
    unsigned seen_count, durable_count;
    struct rename_step steps[FILES_MAX];
    unsigned step_count;
    struct open_file files[OPEN_MAX];
    struct node *nodes[4096];
    unsigned node_count;
};

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void image_resize(struct image *image, uint64_t size)
{
    image->data = realloc(image->data, size ? size : 1);
    if (size > image->size)
        memset(image->data + image->size, 0, size - image->size);
    image->size = size;
}

static void image_write(struct image *image, uint64_t offset, const void *data, uint64_t size)
{
    if (offset + size > image->size)
        image_resize(image, offset + size);
    memcpy(image->data + offset, data, size);
}

static struct node *node_new(struct disk *disk)
{
    struct node *node = calloc(1, sizeof *node);
    node->last = &node->first;
    assert(disk->node_count < 4096);
    disk->nodes[disk->node_count++] = node;
    return node;
}

static void forget_changes(struct node *node)
{
    for (struct change *change = node->first, *next; change; change = next) {
        next = change->next;
        free(change);
    }
    node->first = NULL;
    node->last = &node->first;
}

static struct node **lookup(struct entry *entries, unsigned count, const char *path)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(entries[i].path, path) == 0)
            return &entries[i].node;
    }
    return NULL;
}

static void bind(struct entry *entries, unsigned *count, const char *path, struct node *node)
{
    struct node **place = lookup(entries, *count, path);
    if (!place) {
        assert(*count < FILES_MAX && strlen(path) < sizeof entries->path);
        strcpy(entries[*count].path, path);
        place = &entries[(*count)++].node;
    }
    *place = node;
}

static struct node *find(struct disk *disk, const char *path)
{
    struct node **place = lookup(disk->seen, disk->seen_count, path);
    return place ? *place : NULL;
}

static void apply_step(struct disk *disk, const struct rename_step *step)
{
    for (unsigned i = 0; i < step->count; i++)
        bind(disk->durable, &disk->durable_count, step->path[i], step->node[i]);
}

static void apply_steps(struct disk *disk, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        apply_step(disk, &disk->steps[i]);
    disk->step_count -= count;
    memmove(disk->steps, disk->steps + count, disk->step_count * sizeof *disk->steps);
}

static void add_step(struct disk *disk, struct rename_step step)
{
    for (unsigned i = 0; i < step.count; i++)
        bind(disk->seen, &disk->seen_count, step.path[i], step.node[i]);
    if (disk->step_count == FILES_MAX)
        apply_steps(disk, 1);
    disk->steps[disk->step_count++] = step;
}

static void bind_one(struct disk *disk, const char *path, struct node *node)
{
    struct rename_step step = {.node = {node}, .count = 1};
    snprintf(step.path[0], sizeof step.path[0], "%s", path);
    add_step(disk, step);
}

// --- faults -----------------------------------------------------------------------------------

// Counts the call. Returns 0, or the error that it has to fail with; *ret_partial says that it may
// still happen in part.
static int enter(struct disk *disk, bool moves_data, enum disk_fault_kind *ret_partial)
{
    pthread_mutex_lock(&disk->mutex);
    *ret_partial = DISK_FAULT_NONE;
    disk->calls++;
    if (disk->cut)
        return -EIO;
    const struct disk_fault *fault = &disk->fault;
    if (fault->kind == DISK_FAULT_NONE || disk->calls < fault->at ||
        (disk->calls > fault->at && !fault->for_good))
        return 0;
    if (fault->kind == DISK_FAULT_CUT) {
        disk->happened = true;
        disk->cut = true;
        *ret_partial = DISK_FAULT_CUT;
        return -EIO;
    }
    if (fault->kind == DISK_FAULT_SHORT) {
        disk->happened = disk->happened || moves_data;
        *ret_partial = moves_data ? DISK_FAULT_SHORT : DISK_FAULT_NONE;
        return 0;
    }
    if (fault->error == EINTR && !moves_data)
        return 0;
    disk->happened = true;
    return -fault->error;
}

static int leave(struct disk *disk, int status)
{
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

// --- the seam ---------------------------------------------------------------------------------

static int disk_open(void *context, const char *path, unsigned flags, unsigned mode)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    (void)mode;
    int status = enter(disk, false, &partial);
    if (status != 0)
        return leave(disk, status);
    if ((flags & TAUD_IO_DIRECT_SYNC) && !disk->direct)
        return leave(disk, -EINVAL);
    struct node *node = find(disk, path);
    if (node && (flags & TAUD_IO_CREATE) && (flags & TAUD_IO_EXCLUSIVE))
        return leave(disk, -EEXIST);
    if (!node && !(flags & TAUD_IO_CREATE))
        return leave(disk, -ENOENT);
    if (!node) {
        node = node_new(disk);
        bind_one(disk, path, node);
    }
    for (int i = 0; i < OPEN_MAX; i++) {
        if (!disk->files[i].node) {
            disk->files[i] =
                (struct open_file){.node = node, .direct = (flags & TAUD_IO_DIRECT_SYNC) != 0};
            return leave(disk, i);
        }
    }
    return leave(disk, -EMFILE);
}

// Closing always works: a program that is cut off would not come this far.
static int disk_close(void *context, int file)
{
    struct disk *disk = context;
    pthread_mutex_lock(&disk->mutex);
    if (file >= 0 && file < OPEN_MAX && disk->files[file].node) {
        if (disk->files[file].has_lock)
            disk->files[file].node->locked = false;
        if (disk->files[file].shares_lock)
            disk->files[file].node->sharers--;
        disk->files[file].node = NULL;
    }
    return leave(disk, 0);
}

static int64_t disk_read(void *context, int file, void *data, size_t size, uint64_t offset)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, true, &partial);
    if (status != 0)
        return leave(disk, status);
    const struct image *image = &disk->files[file].node->seen;
    uint64_t left = offset < image->size ? image->size - offset : 0;
    if (size > left)
        size = left;
    if (partial == DISK_FAULT_SHORT && size > 1)
        size = size / 2;
    if (size > 0)
        memcpy(data, image->data + offset, size);
    leave(disk, 0);
    return (int64_t)size;
}

static void remember_change(struct node *node, const void *data, uint64_t size, uint64_t offset)
{
    struct change *change = malloc(sizeof *change + size);
    *change = (struct change){.offset = offset, .size = size, .resize = data == NULL};
    if (data)
        memcpy(change->data, data, size);
    *node->last = change;
    node->last = &change->next;
}

// What a direct write passes in the cache is written out before it, and does not come behind it.
static void supersede_changes(struct node *node, const uint8_t *data, uint64_t size, uint64_t offset)
{
    for (struct change *change = node->first; change; change = change->next) {
        uint64_t end = offset + size, change_end = change->offset + change->size;
        uint64_t from = offset > change->offset ? offset : change->offset;
        uint64_t to = end < change_end ? end : change_end;
        if (!change->resize && from < to)
            memcpy(change->data + (from - change->offset), data + (from - offset), to - from);
    }
}

static int64_t disk_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, true, &partial);
    struct node *node = file >= 0 ? disk->files[file].node : NULL;
    if (status == 0 && node == NULL)
        status = -EBADF;
    if (status != 0) {
        if (partial == DISK_FAULT_CUT && node)
            remember_change(node, data, size, offset);
        return leave(disk, status);
    }
    bool direct = disk->files[file].direct;
    if (direct && ((uintptr_t)data | size | offset) % TAUD_IO_BLOCK != 0)
        return leave(disk, -EINVAL);
    if (partial == DISK_FAULT_SHORT && size > 1)
        size = size / 2 + 1;
    image_write(&node->seen, offset, data, size);
    if (direct && !disk->skip_syncs) {
        supersede_changes(node, data, size, offset);
        image_write(&node->durable, offset, data, size);
    } else {
        remember_change(node, data, size, offset);
    }
    leave(disk, 0);
    return (int64_t)size;
}

static void make_durable(struct node *node)
{
    for (struct change *change = node->first; change; change = change->next) {
        if (change->resize)
            image_resize(&node->durable, change->size);
        else
            image_write(&node->durable, change->offset, change->data, change->size);
    }
    forget_changes(node);
}

static int disk_sync(void *context, int file)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    struct node *node = disk->files[file].node;
    if (status == 0 && !disk->skip_syncs)
        make_durable(node);
    else if (status != 0 && partial == DISK_FAULT_NONE && !disk->cut)
        forget_changes(node); // as Linux does: the pages are clean now, and lost
    return leave(disk, status);
}

static int disk_resize(struct disk *disk, int file, uint64_t size, bool grow_only)
{
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    if (status != 0)
        return leave(disk, status);
    struct node *node = disk->files[file].node;
    if (!grow_only || size > node->seen.size) {
        image_resize(&node->seen, size);
        remember_change(node, NULL, size, 0);
    }
    return leave(disk, 0);
}

static int disk_preallocate(void *context, int file, uint64_t size)
{
    return disk_resize(context, file, size, true);
}

static int disk_set_size(void *context, int file, uint64_t size)
{
    return disk_resize(context, file, size, false);
}

static int disk_size(void *context, int file, uint64_t *ret_size)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    if (status == 0)
        *ret_size = disk->files[file].node->seen.size;
    return leave(disk, status);
}

static int disk_lock(void *context, int file)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    if (status == 0 && (disk->files[file].node->locked || disk->files[file].node->sharers > 0))
        status = -EWOULDBLOCK;
    if (status == 0)
        disk->files[file].node->locked = disk->files[file].has_lock = true;
    return leave(disk, status);
}

static int disk_lock_shared(void *context, int file)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    if (status == 0 && disk->files[file].node->locked)
        status = -EWOULDBLOCK;
    if (status == 0) {
        disk->files[file].node->sharers++;
        disk->files[file].shares_lock = true;
    }
    return leave(disk, status);
}

static int disk_rename(void *context, const char *from, const char *to)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    struct node *node = find(disk, from);
    if (status == 0 && !node)
        status = -ENOENT;
    if (status == 0) {
        struct rename_step step = {.node = {NULL, node}, .count = 2};
        snprintf(step.path[0], sizeof step.path[0], "%s", from);
        snprintf(step.path[1], sizeof step.path[1], "%s", to);
        add_step(disk, step);
    }
    return leave(disk, status);
}

static int disk_link(void *context, const char *from, const char *to)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    struct node *node = find(disk, from);
    if (status == 0 && !node)
        status = -ENOENT;
    if (status == 0 && find(disk, to))
        status = -EEXIST;
    if (status == 0)
        bind_one(disk, to, node);
    return leave(disk, status);
}

static int disk_unlink(void *context, const char *path)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    if (status == 0 && !find(disk, path))
        status = -ENOENT;
    if (status == 0)
        bind_one(disk, path, NULL);
    return leave(disk, status);
}

static int disk_make_directory(void *context, const char *path, unsigned mode)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    (void)mode;
    int status = enter(disk, false, &partial);
    if (status == 0 && !find(disk, path)) {
        struct node *node = node_new(disk);
        node->directory = true;
        bind_one(disk, path, node);
    }
    return leave(disk, status);
}

static bool in_folder(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (length >= 2 && strcmp(folder + length - 2, "/.") == 0)
        length -= 2;
    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           !strchr(path + length + 1, '/');
}

static int disk_sync_directory(void *context, const char *path)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    int status = enter(disk, false, &partial);
    unsigned count = 0;
    for (unsigned i = 0; status == 0 && i < disk->step_count; i++) {
        for (unsigned k = 0; k < disk->steps[i].count; k++) {
            if (in_folder(disk->steps[i].path[k], path))
                count = i + 1;
        }
    }
    if (!disk->skip_syncs)
        apply_steps(disk, count);
    return leave(disk, status);
}

static int disk_list_directory(void *context, const char *path, taud_io_name_callback *callback,
                               void *user_data)
{
    struct disk *disk = context;
    enum disk_fault_kind partial;
    char names[FILES_MAX][120];
    unsigned count = 0;
    int status = enter(disk, false, &partial);
    for (unsigned i = 0; status == 0 && i < disk->seen_count; i++) {
        if (disk->seen[i].node && in_folder(disk->seen[i].path, path))
            strcpy(names[count++], strrchr(disk->seen[i].path, '/') + 1);
    }
    leave(disk, 0);
    for (unsigned i = 0; status == 0 && i < count; i++)
        status = callback(names[i], user_data);
    return status;
}

struct disk *disk_new(bool direct)
{
    struct disk *disk = calloc(1, sizeof *disk);
    pthread_mutex_init(&disk->mutex, NULL);
    disk->direct = direct;
    disk->io = (struct taud_io){
        .context = disk,
        .open = disk_open,
        .close = disk_close,
        .read = disk_read,
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
    };
    return disk;
}

void disk_free(struct disk *disk)
{
    for (unsigned i = 0; i < disk->node_count; i++) {
        forget_changes(disk->nodes[i]);
        free(disk->nodes[i]->seen.data);
        free(disk->nodes[i]->durable.data);
        free(disk->nodes[i]);
    }
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

// --- after the cut ----------------------------------------------------------------------------

static bool keep(struct disk *disk, uint64_t seed)
{
    if (seed <= 1)
        return seed == 1;
    return next_random(&disk->random) & 1;
}

// Writes come down in any order, and each sector of them by itself.
static void settle(struct disk *disk, struct node *node, uint64_t seed)
{
    for (struct change *change = node->first; change; change = change->next) {
        if (change->resize) {
            if (keep(disk, seed))
                image_resize(&node->durable, change->size);
            continue;
        }
        for (uint64_t at = 0; at < change->size;) {
            uint64_t step = SECTOR - (change->offset + at) % SECTOR;
            if (step > change->size - at)
                step = change->size - at;
            if (keep(disk, seed))
                image_write(&node->durable, change->offset + at, change->data + at, step);
            at += step;
        }
    }
    forget_changes(node);
    image_resize(&node->seen, node->durable.size);
    if (node->durable.size > 0)
        memcpy(node->seen.data, node->durable.data, node->durable.size);
    node->locked = false;
    node->sharers = 0;
}

void disk_restart(struct disk *disk, uint64_t seed)
{
    disk->random = seed;
    unsigned steps = disk->step_count;
    if (seed == 0)
        steps = 0;
    else if (seed > 1 && steps > 0)
        steps = (unsigned)(next_random(&disk->random) % (steps + 1));
    apply_steps(disk, steps);
    disk->step_count = 0;
    for (unsigned i = 0; i < disk->node_count; i++)
        settle(disk, disk->nodes[i], seed);
    memcpy(disk->seen, disk->durable, sizeof disk->seen);
    disk->seen_count = disk->durable_count;
    memset(disk->files, 0, sizeof disk->files);
    disk->cut = false;
    disk->skip_syncs = false;
    disk->fault = (struct disk_fault){0};
    disk->calls = 0;
}

struct disk *disk_copy(struct disk *disk)
{
    struct disk *copy = disk_new(disk->direct);
    pthread_mutex_lock(&disk->mutex);
    for (unsigned i = 0; i < disk->seen_count; i++) {
        const struct node *node = disk->seen[i].node;
        if (!node)
            continue;
        struct node *twin = node_new(copy);
        twin->directory = node->directory;
        if (node->seen.size > 0) {
            image_write(&twin->seen, 0, node->seen.data, node->seen.size);
            image_write(&twin->durable, 0, node->seen.data, node->seen.size);
        }
        bind(copy->seen, &copy->seen_count, disk->seen[i].path, twin);
        bind(copy->durable, &copy->durable_count, disk->seen[i].path, twin);
    }
    pthread_mutex_unlock(&disk->mutex);
    return copy;
}

uint8_t *disk_file(struct disk *disk, const char *path, uint64_t *ret_size)
{
    struct node *node = find(disk, path);
    if (!node || node->directory)
        return NULL;
    *ret_size = node->seen.size;
    return node->seen.data;
}

void disk_truncate(struct disk *disk, const char *path, uint64_t size)
{
    struct node *node = find(disk, path);
    if (node == NULL)
        abort();
    image_resize(&node->seen, size);
}

void disk_remove(struct disk *disk, const char *path)
{
    bind(disk->seen, &disk->seen_count, path, NULL);
}

unsigned disk_count(struct disk *disk, const char *folder)
{
    unsigned count = 0;
    for (unsigned i = 0; i < disk->seen_count; i++)
        count += disk->seen[i].node && in_folder(disk->seen[i].path, folder);
    return count;
}

static bool all_zero(const struct image *image)
{
    return image->size == 0 ||
           (image->data[0] == 0 && memcmp(image->data, image->data + 1, image->size - 1) == 0);
}

static uint64_t fold(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

// In words, since fuzzing traces each comparison of a loop.
static uint64_t image_digest(const struct image *image, uint64_t hash)
{
    uint64_t at = 0, word;
    for (; image->size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, image->data + at, sizeof word);
        hash = fold(hash, word);
    }
    for (; at < image->size; at++)
        hash = fold(hash, image->data[at]);
    return hash;
}

uint64_t disk_digest(struct disk *disk, const char *prefix)
{
    uint64_t digest = 0;
    for (unsigned i = 0; i < disk->seen_count; i++) {
        const struct entry *entry = &disk->seen[i];
        if (!entry->node || strncmp(entry->path, prefix, strlen(prefix)) != 0 ||
            all_zero(&entry->node->seen))
            continue;
        uint64_t hash = UINT64_C(14695981039346656037);
        for (const char *c = entry->path; *c; c++)
            hash = fold(hash, (uint8_t)*c);
        hash = image_digest(&entry->node->seen, hash);
        digest += hash * 2654435761U + entry->node->seen.size;
    }
    return digest;
}
