// SPDX-License-Identifier: MIT
// The buffers of the log: admission, records, groups. Admission keeps a sum of what is in the
// active buffer and what was promised to writers under the buffer's size; the order of the updates
// (a promise is taken back after its bytes are counted) makes the sum never too small.
#include "log.h"

#include "record.h"

#include <assert.h>
#include <string.h>

static void release_buffers(struct taud_log *log)
{
    const struct taud_allocator *allocator = log->allocator;
    for (int i = 0; i < TAUD_LOG_BUFFERS; i++) {
        if (log->buffers[i].data)
            allocator->unreserve(allocator->context, log->buffers[i].data, TAUD_LOG_BUFFER_BYTES);
        log->buffers[i].data = NULL;
    }
}

bool taud_log_init(struct taud_log *log, const struct taud_engine_options *options)
{
    memset(log, 0, sizeof *log);
    log->backend = options->backend;
    log->allocator = options->allocator;
    log->clock = options->clock;
    log->durability = options->durability;
    log->sync_interval_ns = (uint64_t)options->sync_interval_ms * 1000000U;
    log->stepped = options->stepped;
    for (int i = 0; i < TAUD_LOG_BUFFERS; i++) {
        log->buffers[i].data = log->allocator->reserve(log->allocator->context,
                                                       TAUD_LOG_BUFFER_BYTES);
        if (!log->buffers[i].data) {
            release_buffers(log);
            return false;
        }
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&log->mutex, NULL);
    pthread_cond_init(&log->work, &attributes);
    pthread_cond_init(&log->room, &attributes);
    pthread_cond_init(&log->done, &attributes);
    pthread_cond_init(&log->ahead, &attributes);
    pthread_condattr_destroy(&attributes);
    return true;
}

void taud_log_done(struct taud_log *log)
{
    const struct taud_allocator *allocator = log->allocator;
    release_buffers(log);
    for (struct taud_log_listener *listener = log->listeners, *next; listener; listener = next) {
        next = listener->next;
        allocator->release(allocator->context, listener);
    }
    pthread_cond_destroy(&log->ahead);
    pthread_cond_destroy(&log->done);
    pthread_cond_destroy(&log->room);
    pthread_cond_destroy(&log->work);
    pthread_mutex_destroy(&log->mutex);
}

enum tau_status taud_log_start(struct taud_log *log, uint64_t position, struct taud_error *error)
{
    atomic_store(&log->next_position, position);
    atomic_store(&log->durable_position, position);
    log->placed_position = position;
    log->wanted = position;
    log->buffers[log->active].position = position;
    enum tau_status status = log->stepped ? TAU_STATUS_SUCCESS : taud_log_start_threads(log, error);
    log->running = status == TAU_STATUS_SUCCESS;
    return status;
}

void taud_log_stop(struct taud_log *log)
{
    if (!log->running)
        return;
    log->running = false;
    if (!log->stepped)
        taud_log_end_threads(log);
    taud_log_drain(log);
}

// Whether what waits, what was promised and so much more fits into what is prepared. Blocks that
// are not full take some; the rest of the reserve is for writes that make space elsewhere.
static bool fits(const struct taud_log *log, size_t bytes, bool frees)
{
    uint64_t waiting = atomic_load(&log->next_position) - atomic_load(&log->durable_position);
    uint64_t needed = waiting + atomic_load(&log->in_flight) + bytes;
    return needed + (frees ? TAUD_IO_BLOCK : TAUD_LOG_RESERVE_BYTES) <=
           log->backend->log->room(log->backend);
}

// Whether the disk is known to be unable to take this much more. What is promised must not find
// that out later: nobody could be told. So where it may be so, a preparation that is due comes
// first.
static bool disk_refuses(struct taud_log *log, size_t bytes, bool frees)
{
    if (atomic_load_explicit(&log->disk_full, memory_order_relaxed))
        return true;
    if (fits(log, bytes, frees))
        return false;
    if (!atomic_load_explicit(&log->prepare_full, memory_order_relaxed))
        taud_log_await_preparation(log);
    return atomic_load(&log->prepare_full) && !fits(log, bytes, frees);
}

// Commits, or waits for the end of what is underway.
static void wait_for_room(struct taud_log *log)
{
    pthread_mutex_lock(&log->mutex);
    if (!atomic_load(&log->failed) && !atomic_load(&log->disk_full) &&
        !taud_log_write_pending(log) && taud_log_is_busy(log))
        pthread_cond_wait(&log->room, &log->mutex);
    pthread_mutex_unlock(&log->mutex);
}

enum tau_status taud_log_admit(struct taud_log *log, size_t bytes, bool frees)
{
    for (;;) {
        if (atomic_load_explicit(&log->failed, memory_order_relaxed))
            return TAU_STATUS_READ_ONLY;
        if (disk_refuses(log, bytes, frees))
            return TAU_STATUS_STORAGE_FULL;
        size_t promised = atomic_fetch_add(&log->in_flight, bytes) + bytes;
        if (promised + atomic_load(&log->active_used) <= TAUD_LOG_BUFFER_BYTES)
            return TAU_STATUS_SUCCESS;
        atomic_fetch_sub(&log->in_flight, bytes);
        wait_for_room(log);
    }
}

void taud_log_release(struct taud_log *log, size_t bytes)
{
    atomic_fetch_sub(&log->in_flight, bytes);
}

// Ends the group when it is large enough, and tells the new positions. With the mutex.
static uint64_t finish_append(struct taud_log *log, struct taud_log_buffer *buffer)
{
    size_t start = buffer->end_count > 0 ? buffer->ends[buffer->end_count - 1] : 0;
    assert(buffer->used <= TAUD_LOG_BUFFER_BYTES);
    if (buffer->used - start >= TAUD_LOG_GROUP_BYTES) {
        buffer->ends[buffer->end_count++] = buffer->used;
        buffer->run = buffer->used;
    }
    uint64_t position = buffer->position + buffer->used;
    atomic_store_explicit(&log->active_used, buffer->used, memory_order_release);
    atomic_store_explicit(&log->next_position, position, memory_order_release);
    return position;
}

uint64_t taud_log_append_points(struct taud_log *log, const uint8_t *points, size_t count)
{
    pthread_mutex_lock(&log->mutex);
    struct taud_log_buffer *buffer = &log->buffers[log->active];
    if (buffer->run < buffer->used) {
        uint8_t *header = buffer->data + buffer->run;
        taud_store_u32(header + 4, taud_load_u32(header + 4) + (uint32_t)count);
    } else {
        buffer->run = buffer->used;
        taud_record_header(buffer->data + buffer->used, TAUD_RECORD_POINTS, 0, (uint32_t)count);
        buffer->used += TAUD_RECORD_HEADER_BYTES;
    }
    memcpy(buffer->data + buffer->used, points, count * TAUD_RECORD_POINT_BYTES);
    buffer->used += count * TAUD_RECORD_POINT_BYTES;
    uint64_t position = finish_append(log, buffer);
    pthread_mutex_unlock(&log->mutex);
    return position;
}

uint64_t taud_log_append_record(struct taud_log *log, size_t size, taud_log_encode *encode,
                                const void *user_data)
{
    pthread_mutex_lock(&log->mutex);
    struct taud_log_buffer *buffer = &log->buffers[log->active];
    encode(buffer->data + buffer->used, user_data);
    buffer->used += size;
    buffer->run = buffer->used;
    uint64_t position = finish_append(log, buffer);
    pthread_mutex_unlock(&log->mutex);
    return position;
}

enum tau_status taud_log_add_listener(struct taud_log *log, taud_engine_durable_callback *callback,
                                      void *user_data)
{
    struct taud_log_listener *listener =
        log->allocator->allocate(log->allocator->context, sizeof *listener);
    if (!listener)
        return TAU_STATUS_NO_MEMORY;
    listener->callback = callback;
    listener->user_data = user_data;
    pthread_mutex_lock(&log->mutex);
    listener->next = atomic_load(&log->listeners);
    atomic_store(&log->listeners, listener);
    pthread_mutex_unlock(&log->mutex);
    return TAU_STATUS_SUCCESS;
}
