// SPDX-License-Identifier: MIT
// Group commit: one thread at a time hands everything that waits to the backend. A failed write or
// sync is never tried again: what was not yet durable has an unknown outcome from then on. A full
// disk is no failure: the groups stay, and come again.
#include "log.h"

#include <string.h>

enum { RETRY_MS = 100 };

static void on_completion(enum tau_status status, int os_error, uint64_t position, void *user_data)
{
    struct taud_log *log = user_data;
    pthread_mutex_lock(&log->mutex);
    log->completed = true;
    log->completed_status = status;
    log->completed_error = os_error;
    log->completed_position = position;
    pthread_cond_signal(&log->done);
    pthread_mutex_unlock(&log->mutex);
}

// Makes the active buffer the one to be written, unless there is still something left of that one.
static struct taud_log_buffer *take_buffer(struct taud_log *log)
{
    struct taud_log_buffer *writing = &log->buffers[log->active ^ 1];
    if (writing->written < writing->used)
        return writing;
    struct taud_log_buffer *full = &log->buffers[log->active];
    if (full->used == 0)
        return NULL;
    if (full->end_count == 0 || full->ends[full->end_count - 1] < full->used)
        full->ends[full->end_count++] = full->used;
    writing->position = full->position + full->used;
    writing->used = 0;
    writing->written = 0;
    writing->end_count = 0;
    writing->run = 0;
    log->active ^= 1;
    atomic_store_explicit(&log->active_used, 0, memory_order_release);
    return full;
}

static size_t list_groups(const struct taud_log_buffer *buffer, struct taud_log_group *ret_groups)
{
    size_t count = 0, start = buffer->written;
    for (size_t i = 0; i < buffer->end_count; i++) {
        if (buffer->ends[i] <= start)
            continue;
        ret_groups[count++] = (struct taud_log_group){
            .position = buffer->position + start,
            .data = buffer->data + start,
            .size = buffer->ends[i] - start,
        };
        start = buffer->ends[i];
    }
    return count;
}

static void fail(struct taud_log *log)
{
    atomic_store(&log->failure, log->completed_error);
    atomic_store(&log->failed, true);
    pthread_cond_broadcast(&log->room);
}

static void notify(struct taud_log *log)
{
    for (struct taud_log_listener *listener = atomic_load(&log->listeners); listener;
         listener = listener->next)
        listener->callback(listener->user_data);
}

// What an append led to, with the mutex. The durable position moves before anybody is told.
static void take_result(struct taud_log *log, struct taud_log_buffer *buffer)
{
    switch (log->completed_status) {
    case TAU_STATUS_SUCCESS:
        atomic_fetch_add(&log->commit_count, 1);
        atomic_fetch_add(&log->commit_bytes,
                         log->completed_position - (buffer->position + buffer->written));
        buffer->written = (size_t)(log->completed_position - buffer->position);
        atomic_store(&log->durable_position, log->completed_position);
        atomic_store(&log->disk_full, false);
        if (log->durability == TAUD_DURABILITY_INTERVAL && !log->unsynced)
            pthread_cond_signal(&log->work); // it has a time to keep from now on
        log->unsynced = log->durability != TAUD_DURABILITY_SYNC;
        break;
    case TAU_STATUS_STORAGE_FULL:
        atomic_store(&log->disk_full, true);
        log->retry_at_ns = log->clock->monotonic_ns(log->clock->context) + RETRY_MS * 1000000U;
        break;
    default:
        fail(log);
        break;
    }
}

void taud_log_write_pending(struct taud_log *log)
{
    struct taud_log_buffer *buffer = take_buffer(log);
    if (!buffer)
        return;
    struct taud_log_group groups[TAUD_LOG_GROUPS_MAX];
    size_t count = list_groups(buffer, groups);
    log->completed = false;
    pthread_cond_broadcast(&log->room);
    pthread_mutex_unlock(&log->mutex);

    log->backend->log->append(log->backend, groups, count,
                              log->durability == TAUD_DURABILITY_SYNC, on_completion, log);

    pthread_mutex_lock(&log->mutex);
    while (!log->completed)
        pthread_cond_wait(&log->done, &log->mutex);
    take_result(log, buffer);
    if (log->backend->log->needs_prepare(log->backend))
        pthread_cond_signal(&log->ahead);
    pthread_mutex_unlock(&log->mutex);
    notify(log);
    pthread_mutex_lock(&log->mutex);
}

void taud_log_commit(struct taud_log *log, uint64_t position, enum taud_commit_mode mode)
{
    if (atomic_load(&log->durable_position) >= position)
        return;
    pthread_mutex_lock(&log->mutex);
    if (position > log->wanted)
        log->wanted = position;
    if (mode == TAUD_COMMIT_BACKGROUND) {
        if (!log->committing)
            pthread_cond_signal(&log->work);
    } else if (!log->committing) {
        log->committing = true;
        while (!atomic_load(&log->failed) && !atomic_load(&log->disk_full) &&
               atomic_load(&log->durable_position) < position)
            taud_log_write_pending(log);
        log->committing = false;
        // What others asked for meanwhile is the commit thread's: this caller has its own work.
        if (atomic_load(&log->durable_position) < log->wanted)
            pthread_cond_signal(&log->work);
        pthread_cond_broadcast(&log->room);
    }
    pthread_mutex_unlock(&log->mutex);
}

static void wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000U),
                          .tv_nsec = (long)(at_ns % 1000000000U)};
    pthread_cond_timedwait(condition, mutex, &at);
}

// Syncs what was handed down without; with the mutex, `committing` set.
static void sync_now(struct taud_log *log)
{
    log->unsynced = false;
    log->completed = false;
    pthread_mutex_unlock(&log->mutex);
    log->backend->log->sync(log->backend, on_completion, log);
    pthread_mutex_lock(&log->mutex);
    while (!log->completed)
        pthread_cond_wait(&log->done, &log->mutex);
    if (log->completed_status != TAU_STATUS_SUCCESS)
        fail(log);
}

// One turn of the commit thread; returns without doing anything after having waited.
static void commit_turn(struct taud_log *log)
{
    uint64_t now = log->clock->monotonic_ns(log->clock->context);
    bool alive = !atomic_load(&log->failed);
    bool full = atomic_load(&log->disk_full);
    bool pending = alive && (atomic_load(&log->durable_position) < log->wanted || full);
    bool interval = alive && log->unsynced && log->durability == TAUD_DURABILITY_INTERVAL;
    if (interval && log->sync_at_ns == 0)
        log->sync_at_ns = now + log->sync_interval_ns;
    if (log->committing) {
        pthread_cond_wait(&log->room, &log->mutex);
        return;
    }
    log->committing = true;
    if (pending && (!full || now >= log->retry_at_ns || log->stopping)) {
        taud_log_write_pending(log);
    } else if (interval && now >= log->sync_at_ns) {
        log->sync_at_ns = 0;
        sync_now(log);
    } else {
        log->committing = false;
        if (interval && (!pending || log->sync_at_ns < log->retry_at_ns))
            wait_until(&log->work, &log->mutex, log->sync_at_ns);
        else if (pending)
            wait_until(&log->work, &log->mutex, log->retry_at_ns);
        else if (!log->stopping)
            pthread_cond_wait(&log->work, &log->mutex);
        return;
    }
    log->committing = false;
    pthread_cond_broadcast(&log->room);
}

static void *commit_main(void *user_data)
{
    struct taud_log *log = user_data;
    pthread_mutex_lock(&log->mutex);
    while (!log->stopping)
        commit_turn(log);
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

static void *prepare_main(void *user_data)
{
    struct taud_log *log = user_data;
    pthread_mutex_lock(&log->mutex);
    while (!log->stopping) {
        if (!log->backend->log->needs_prepare(log->backend)) {
            pthread_cond_wait(&log->ahead, &log->mutex);
            continue;
        }
        pthread_mutex_unlock(&log->mutex);
        enum tau_status status = log->backend->log->prepare(log->backend);
        pthread_mutex_lock(&log->mutex);
        atomic_store(&log->prepare_full, status == TAU_STATUS_STORAGE_FULL);
        if (status != TAU_STATUS_SUCCESS && !log->stopping) {
            uint64_t now = log->clock->monotonic_ns(log->clock->context);
            wait_until(&log->ahead, &log->mutex, now + RETRY_MS * 1000000U);
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

enum tau_status taud_log_start_threads(struct taud_log *log, struct taud_error *error)
{
    int status = pthread_create(&log->commit_thread, NULL, commit_main, log);
    if (status != 0)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, status, "cannot start the commit thread");
    status = pthread_create(&log->prepare_thread, NULL, prepare_main, log);
    if (status != 0) {
        pthread_mutex_lock(&log->mutex);
        log->stopping = true;
        pthread_cond_broadcast(&log->work);
        pthread_mutex_unlock(&log->mutex);
        pthread_join(log->commit_thread, NULL);
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, status, "cannot start a thread");
    }
    log->threads_running = true;
    return TAU_STATUS_SUCCESS;
}

void taud_log_stop_threads(struct taud_log *log)
{
    pthread_mutex_lock(&log->mutex);
    log->stopping = true;
    pthread_cond_broadcast(&log->work);
    pthread_cond_broadcast(&log->ahead);
    pthread_cond_broadcast(&log->room);
    pthread_mutex_unlock(&log->mutex);
    pthread_join(log->commit_thread, NULL);
    pthread_join(log->prepare_thread, NULL);
    log->threads_running = false;

    pthread_mutex_lock(&log->mutex);
    log->committing = true;
    atomic_store(&log->disk_full, false);
    while (!atomic_load(&log->failed) && !atomic_load(&log->disk_full) &&
           atomic_load(&log->durable_position) < atomic_load(&log->next_position))
        taud_log_write_pending(log);
    if (log->unsynced && !atomic_load(&log->failed))
        sync_now(log);
    log->committing = false;
    pthread_mutex_unlock(&log->mutex);
}
