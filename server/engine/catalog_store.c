// SPDX-License-Identifier: MIT
// The bytes of catalog objects are those of FORMAT.md: a header, then blocks, each with its size
// and checksum. An object is read and written through one block of memory. It must not know what a
// record says: only that its size is a multiple of 8.
#include "catalog_store.h"

#include "bytes.h"
#include "crc32c.h"
#include "store/manifest_store.h"

#include <string.h>

enum {
    CATALOG_VERSION = 1,
    HEAD_BYTES = 32,
    FRAME_BYTES = 8,            // of a block: size and checksum
    BLOCK_BYTES_MAX = 64 << 10, // that are read; those that are written are a little smaller
};

static const char magic[8] = {'T', 'A', 'U', 'C', 'T', 'L', '\r', '\n'};

// --- what waits -------------------------------------------------------------------------------

void taud_catalog_delta_init(struct taud_catalog_delta *delta,
                             const struct taud_allocator *allocator, uint64_t limit)
{
    *delta = (struct taud_catalog_delta){.allocator = allocator, .limit = limit};
    pthread_mutex_init(&delta->mutex, NULL);
}

void taud_catalog_blocks_free(const struct taud_allocator *allocator,
                              struct taud_catalog_block *blocks)
{
    while (blocks) {
        struct taud_catalog_block *next = blocks->next;
        allocator->release(allocator->context, blocks);
        blocks = next;
    }
}

void taud_catalog_delta_done(struct taud_catalog_delta *delta)
{
    taud_catalog_blocks_free(delta->allocator, delta->first);
    pthread_mutex_destroy(&delta->mutex);
}

// The block that has room for so much. With the mutex.
static struct taud_catalog_block *block_for(struct taud_catalog_delta *delta, size_t size)
{
    const struct taud_allocator *allocator = delta->allocator;
    if (delta->last && delta->last->used + size <= TAUD_CATALOG_BLOCK_BYTES)
        return delta->last;
    struct taud_catalog_block *block = allocator->allocate(allocator->context, sizeof *block);
    if (!block)
        return NULL;
    block->next = NULL;
    block->used = 0;
    if (delta->last)
        delta->last->next = block;
    else
        delta->first = block;
    delta->last = block;
    return block;
}

bool taud_catalog_delta_add(struct taud_catalog_delta *delta, const void *record, size_t size)
{
    pthread_mutex_lock(&delta->mutex);
    uint64_t bytes = atomic_load_explicit(&delta->bytes, memory_order_relaxed) + size;
    struct taud_catalog_block *block = bytes > delta->limit ? NULL : block_for(delta, size);
    if (block) {
        memcpy(block->bytes + block->used, record, size);
        block->used += (uint32_t)size;
        atomic_store_explicit(&delta->bytes, bytes, memory_order_relaxed);
    }
    pthread_mutex_unlock(&delta->mutex);
    return block != NULL;
}

struct taud_catalog_block *taud_catalog_delta_take(struct taud_catalog_delta *delta)
{
    pthread_mutex_lock(&delta->mutex);
    struct taud_catalog_block *first = delta->first;
    delta->first = delta->last = NULL;
    atomic_store_explicit(&delta->bytes, 0, memory_order_relaxed);
    pthread_mutex_unlock(&delta->mutex);
    return first;
}

// --- writing ----------------------------------------------------------------------------------

// Of a header, without the place where it stands.
static uint32_t head_check(const uint8_t head[HEAD_BYTES])
{
    return taud_crc32c(taud_crc32c(0, head, 12), head + 16, HEAD_BYTES - 16);
}

static uint64_t content_size(const struct taud_catalog_block *blocks)
{
    uint64_t size = 0;
    for (; blocks; blocks = blocks->next)
        size += blocks->used > 0 ? FRAME_BYTES + (uint64_t)blocks->used : 0;
    return size;
}

static enum tau_status write_blocks(struct taud_backend *backend, struct taud_object_writer *writer,
                                    const struct taud_catalog_block *blocks,
                                    struct taud_error *error)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (; blocks && status == TAU_STATUS_SUCCESS; blocks = blocks->next) {
        uint8_t frame[FRAME_BYTES];
        if (blocks->used == 0)
            continue;
        taud_store_u32(frame, blocks->used);
        taud_store_u32(frame + 4, taud_crc32c(0, blocks->bytes, blocks->used));
        status = backend->objects->write(writer, frame, sizeof frame, error);
        if (status == TAU_STATUS_SUCCESS)
            status = backend->objects->write(writer, blocks->bytes, blocks->used, error);
    }
    return status;
}

enum tau_status taud_catalog_write(const struct taud_store *store, uint64_t number,
                                   const struct taud_catalog_block *blocks,
                                   struct taud_manifest_catalog *ret, struct taud_error *error)
{
    struct taud_backend *backend = store->backend;
    struct taud_object_writer *writer;
    char name[TAUD_NUMBER_NAME_BYTES];
    uint8_t head[HEAD_BYTES] = {0};
    uint64_t size = content_size(blocks);
    taud_catalog_object_name(number, name);
    memcpy(head, magic, sizeof magic);
    taud_store_u32(head + 8, CATALOG_VERSION);
    taud_store_u64(head + 16, number);
    taud_store_u64(head + 24, size);
    taud_store_u32(head + 12, head_check(head));
    enum tau_status status = backend->objects->begin(backend, name, &writer, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = backend->objects->write(writer, head, sizeof head, error);
    if (status == TAU_STATUS_SUCCESS)
        status = write_blocks(backend, writer, blocks, error);
    if (status != TAU_STATUS_SUCCESS) {
        backend->objects->abandon(writer);
        return status;
    }
    status = backend->objects->finish(writer, error);
    if (status == TAU_STATUS_SUCCESS)
        *ret = (struct taud_manifest_catalog){.number = number, .size = HEAD_BYTES + size};
    else
        (void)!backend->objects->remove(backend, name, NULL);
    return status;
}

// --- reading ----------------------------------------------------------------------------------

struct reading {
    struct taud_backend *backend;
    struct taud_object *object;
    const struct taud_manifest_catalog *entry;
    uint8_t *block; // BLOCK_BYTES_MAX
    taud_catalog_callback *callback;
    void *user_data;
    enum taud_catalog_fault *ret_fault;
    struct taud_error *error;
    char name[TAUD_NUMBER_NAME_BYTES];
};

static enum tau_status refuse(struct reading *reading, enum taud_catalog_fault fault)
{
    static const char *const words[] = {
        [TAUD_CATALOG_NO_FAULT] = "cannot be read",
        [TAUD_CATALOG_MISSING] = "is missing",
        [TAUD_CATALOG_DAMAGED] = "is damaged",
        [TAUD_CATALOG_FUTURE] = "is of a later format than this server knows; it was not touched",
    };
    *reading->ret_fault = fault;
    return taud_error_set(reading->error, TAU_STATUS_INTERNAL_ERROR, 0, "%s %s", reading->name,
                          words[fault]);
}

static enum tau_status read_head(struct reading *reading)
{
    uint8_t head[HEAD_BYTES];
    const struct taud_objects_operations *objects = reading->backend->objects;
    if (objects->size(reading->object) < sizeof head)
        return refuse(reading, TAUD_CATALOG_DAMAGED);
    enum tau_status status = objects->read(reading->object, head, sizeof head, 0, reading->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (memcmp(head, magic, sizeof magic) != 0 || taud_load_u32(head + 12) != head_check(head))
        return refuse(reading, TAUD_CATALOG_DAMAGED);
    if (taud_load_u32(head + 8) > CATALOG_VERSION)
        return refuse(reading, TAUD_CATALOG_FUTURE);
    if (taud_load_u32(head + 8) != CATALOG_VERSION ||
        taud_load_u64(head + 16) != reading->entry->number ||
        taud_load_u64(head + 24) != reading->entry->size - HEAD_BYTES ||
        objects->size(reading->object) != reading->entry->size)
        return refuse(reading, TAUD_CATALOG_DAMAGED);
    return TAU_STATUS_SUCCESS;
}

// Reads the block at *offset and moves that behind it.
static enum tau_status read_block(struct reading *reading, uint64_t *offset)
{
    uint8_t frame[FRAME_BYTES];
    const struct taud_objects_operations *objects = reading->backend->objects;
    uint64_t left = reading->entry->size - *offset;
    if (left < sizeof frame)
        return refuse(reading, TAUD_CATALOG_DAMAGED);
    enum tau_status status =
        objects->read(reading->object, frame, sizeof frame, *offset, reading->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    uint32_t size = taud_load_u32(frame);
    if (size == 0 || size % 8 != 0 || size > BLOCK_BYTES_MAX || size > left - sizeof frame)
        return refuse(reading, TAUD_CATALOG_DAMAGED);
    status = objects->read(reading->object, reading->block, size, *offset + sizeof frame,
                           reading->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    *offset += sizeof frame + size;
    if (taud_crc32c(0, reading->block, size) == taud_load_u32(frame + 4))
        return reading->callback(reading->block, size, reading->user_data);
    (void)!refuse(reading, TAUD_CATALOG_DAMAGED); // and goes on behind it
    return TAU_STATUS_SUCCESS;
}

static enum tau_status read_all(struct reading *reading)
{
    enum tau_status status = read_head(reading);
    for (uint64_t offset = HEAD_BYTES;
         status == TAU_STATUS_SUCCESS && offset < reading->entry->size;)
        status = read_block(reading, &offset);
    if (status == TAU_STATUS_SUCCESS && *reading->ret_fault != TAUD_CATALOG_NO_FAULT)
        status = refuse(reading, *reading->ret_fault);
    return status;
}

enum tau_status taud_catalog_read(const struct taud_store *store,
                                  const struct taud_manifest_catalog *object,
                                  taud_catalog_callback *callback, void *user_data,
                                  enum taud_catalog_fault *ret_fault, struct taud_error *error)
{
    const struct taud_allocator *allocator = store->allocator;
    struct reading reading = {.backend = store->backend,
                              .entry = object,
                              .callback = callback,
                              .user_data = user_data,
                              .ret_fault = ret_fault,
                              .error = error};
    *ret_fault = TAUD_CATALOG_NO_FAULT;
    taud_catalog_object_name(object->number, reading.name);
    enum tau_status status =
        store->backend->objects->open(store->backend, reading.name, &reading.object, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (!reading.object)
        return refuse(&reading, TAUD_CATALOG_MISSING);
    reading.block = allocator->allocate(allocator->context, BLOCK_BYTES_MAX);
    status = reading.block ? read_all(&reading)
                           : taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to read %s",
                                            reading.name);
    allocator->release(allocator->context, reading.block);
    store->backend->objects->close(reading.object);
    return status;
}
