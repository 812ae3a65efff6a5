// SPDX-License-Identifier: MIT
// Group commit: a thread hands everything that waits to the backend, and while that is underway a
// second thread may do the same with what came since. Results count in the order of the log. A
// failed write or sync is never tried again: what was not yet durable has an unknown outcome from
// then on. A full disk is no failure: the groups stay, and come again.
#include "log.h"

#include <assert.h>
#include <string.h>

enum { RETRY_MS = 100 };

static void on_completion(enum tau_status status, int os_error, void *user_data)
{
    struct taud_log_result *result = user_data;
    struct taud_log *log = result->log;
    pthread_mutex_lock(&log->mutex);
    result->done = true;
    result->status = status;
    result->os_error = os_error;
    pthread_cond_broadcast(&log->done);
    pthread_mutex_unlock(&log->mutex);
}

static unsigned next_buffer(unsigned number)
{
    return (number + 1) % TAUD_LOG_BUFFERS;
}

static uint64_t buffer_end(const struct taud_log_buffer *buffer)
{
    return buffer->position + buffer->used;
}

// Ends the active buffer's last group and goes on in the next buffer, which is free: a buffer that
// is closed and placed as a whole has an append underway, of which another one can begin.
static void close_active(struct taud_log *log)
{
    struct taud_log_buffer *closed = &log->buffers[log->active];
    if (closed->end_count == 0 || closed->ends[closed->end_count - 1] < closed->used)
        closed->ends[closed->end_count++] = closed->used;
    log->active = next_buffer(log->active);
    assert(log->active != log->oldest);
    struct taud_log_buffer *fresh = &log->buffers[log->active];
    fresh->position = buffer_end(closed);
    fresh->used = 0;
    fresh->end_count = 0;
    fresh->run = 0;
    atomic_store_explicit(&log->active_used, 0, memory_order_release);
    pthread_cond_broadcast(&log->room);
}

// The buffer with the first bytes that are not placed, the active one too; NULL when there are
// none.
static const struct taud_log_buffer *waiting_buffer(const struct taud_log *log)
{
    for (unsigned i = log->oldest; i != log->active; i = next_buffer(i)) {
        if (log->placed_position < buffer_end(&log->buffers[i]))
            return &log->buffers[i];
    }
    return log->buffers[log->active].used > 0 ? &log->buffers[log->active] : NULL;
}

static struct taud_log_group group_of(const struct taud_log_buffer *buffer, size_t start,
                                      size_t end)
{
    return (struct taud_log_group){
        .position = buffer->position + start, .data = buffer->data + start, .size = end - start};
}

// The groups that are not placed; the last may still be open.
static size_t list_groups(const struct taud_log *log, const struct taud_log_buffer *buffer,
                          struct taud_log_group *ret_groups)
{
    size_t count = 0, start = (size_t)(log->placed_position - buffer->position);
    for (size_t i = 0; i < buffer->end_count; i++) {
        if (buffer->ends[i] <= start)
            continue;
        ret_groups[count++] = group_of(buffer, start, buffer->ends[i]);
        start = buffer->ends[i];
    }
    if (start < buffer->used)
        ret_groups[count++] = group_of(buffer, start, buffer->used);
    return count;
}

static void fail(struct taud_log *log, int os_error)
{
    atomic_store(&log->failure, os_error);
    atomic_store(&log->failed, true);
    pthread_cond_broadcast(&log->room);
}

void taud_log_notify(struct taud_log *log)
{
    for (struct taud_log_listener *listener = atomic_load(&log->listeners); listener;
         listener = listener->next)
        listener->callback(listener->user_data);
}

static void advance(struct taud_log *log, const struct taud_log_append *append)
{
    atomic_fetch_add(&log->commit_count, 1);
    atomic_fetch_add(&log->commit_bytes, append->end - append->start);
    atomic_store(&log->durable_position, append->end);
    atomic_store(&log->disk_full, false);
    while (log->oldest != log->active && buffer_end(&log->buffers[log->oldest]) <= append->end)
        log->oldest = next_buffer(log->oldest);
    if (log->durability == TAUD_DURABILITY_INTERVAL && !log->unsynced)
        pthread_cond_signal(&log->work); // it has a time to keep from now on
    log->unsynced = log->durability != TAUD_DURABILITY_SYNC;
}

// What an append led to, all before it being told. The durable position moves before anybody hears.
static void take_result(struct taud_log *log, const struct taud_log_append *append)
{
    if (atomic_load(&log->failed))
        return;
    switch (append->result.status) {
    case TAU_STATUS_SUCCESS:
        if (!log->taken_back)
            advance(log, append);
        break;
    case TAU_STATUS_STORAGE_FULL:
        log->taken_back = true;
        atomic_store(&log->disk_full, true);
        log->retry_at_ns = log->clock->monotonic_ns(log->clock->context) + RETRY_MS * 1000000U;
        break;
    default:
        fail(log, append->result.os_error);
        break;
    }
}

// Something that was underway has ended. Whoever noticed may have other work than what waits.
static void tell_end(struct taud_log *log)
{
    if (log->placed_position < log->wanted)
        pthread_cond_signal(&log->work);
    pthread_cond_broadcast(&log->room);
}

static void take_results(struct taud_log *log)
{
    while (log->ended < log->begun) {
        struct taud_log_append *append = &log->appends[log->ended % TAUD_LOG_APPENDS_MAX];
        if (!append->result.done)
            break;
        take_result(log, append);
        log->ended++;
    }
    if (log->taken_back && log->ended == log->begun) {
        log->taken_back = false;
        log->placed_position = atomic_load(&log->durable_position);
    }
    tell_end(log);
}

// Whether an append may begin now.
static bool may_begin(const struct taud_log *log)
{
    if (!taud_log_is_busy(log))
        return !log->sync_due;
    uint64_t waiting = atomic_load(&log->next_position) - log->placed_position;
    return !log->syncing && log->begun - log->ended < TAUD_LOG_APPENDS_MAX && !log->taken_back &&
           log->durability == TAUD_DURABILITY_SYNC && waiting >= TAUD_LOG_JOIN_BYTES &&
           !atomic_load(&log->failed) && !atomic_load(&log->prepare_full);
}

// Places what waits. Returns how many groups it is, 0 when nothing can be placed now.
static size_t place(struct taud_log *log, struct taud_log_group groups[TAUD_LOG_GROUPS_MAX],
                    struct taud_log_place **ret_place)
{
    const struct taud_log_buffer *buffer = may_begin(log) ? waiting_buffer(log) : NULL;
    if (!buffer)
        return 0;
    bool is_active = buffer == &log->buffers[log->active];
    size_t count = log->backend->log->place(
        log->backend, groups, list_groups(log, buffer, groups),
        log->durability == TAUD_DURABILITY_SYNC, !taud_log_is_busy(log), ret_place);
    if (count == 0)
        return 0;
    if (is_active)
        close_active(log);
    log->placed_position = groups[count - 1].position + groups[count - 1].size;
    return count;
}

bool taud_log_write_pending(struct taud_log *log)
{
    struct taud_log_group groups[TAUD_LOG_GROUPS_MAX];
    struct taud_log_place *place_taken;
    size_t count = place(log, groups, &place_taken);
    if (count == 0)
        return false;
    uint64_t number = log->begun++;
    struct taud_log_append *append = &log->appends[number % TAUD_LOG_APPENDS_MAX];
    *append = (struct taud_log_append){
        .result.log = log, .start = groups[0].position, .end = log->placed_position};
    pthread_mutex_unlock(&log->mutex);

    log->backend->log->append(log->backend, place_taken, groups, count,
                              log->durability == TAUD_DURABILITY_SYNC, on_completion,
                              &append->result);

    pthread_mutex_lock(&log->mutex);
    // Once it has ended, by the thread of another one, its slot may belong to a later append.
    while (number >= log->ended && !append->result.done)
        pthread_cond_wait(&log->done, &log->mutex);
    take_results(log);
    if (log->backend->log->needs_prepare(log->backend))
        pthread_cond_signal(&log->ahead);
    pthread_mutex_unlock(&log->mutex);
    taud_log_notify(log);
    pthread_mutex_lock(&log->mutex);
    return true;
}

void taud_log_commit(struct taud_log *log, uint64_t position, enum taud_commit_mode mode)
{
    if (atomic_load(&log->durable_position) >= position)
        return;
    pthread_mutex_lock(&log->mutex);
    if (position > log->wanted)
        log->wanted = position;
    bool written = mode == TAUD_COMMIT_INLINE;
    while (written && log->placed_position < position && !atomic_load(&log->failed) &&
           !atomic_load(&log->disk_full))
        written = taud_log_write_pending(log);
    if (log->placed_position < position && may_begin(log)) // else the end of what is underway tells
        pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->mutex);
}

static void wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000U),
                          .tv_nsec = (long)(at_ns % 1000000000U)};
    pthread_cond_timedwait(condition, mutex, &at);
}

// Syncs what was handed down without; with the mutex, nothing underway.
static void sync_now(struct taud_log *log)
{
    struct taud_log_result result = {.log = log};
    log->unsynced = false;
    log->sync_due = false;
    log->sync_at_ns = 0;
    log->syncing = true;
    pthread_mutex_unlock(&log->mutex);
    log->backend->log->sync(log->backend, on_completion, &result);
    pthread_mutex_lock(&log->mutex);
    while (!result.done)
        pthread_cond_wait(&log->done, &log->mutex);
    log->syncing = false;
    if (result.status != TAU_STATUS_SUCCESS)
        fail(log, result.os_error);
    tell_end(log);
    pthread_mutex_unlock(&log->mutex);
    // Of a failure; a success is no news: what it covers was told when it was written.
    taud_log_notify(log);
    pthread_mutex_lock(&log->mutex);
}

bool taud_log_sync(struct taud_log *log)
{
    pthread_mutex_lock(&log->mutex);
    while ((log->unsynced || log->syncing) && taud_log_is_busy(log) && !atomic_load(&log->failed)) {
        log->sync_due |= log->unsynced;
        pthread_cond_wait(&log->room, &log->mutex);
    }
    if (log->unsynced && !atomic_load(&log->failed))
        sync_now(log);
    bool synced = !atomic_load(&log->failed);
    pthread_mutex_unlock(&log->mutex);
    return synced;
}

// What a commit thread has to do.
enum duty {
    DUTY_NONE,  // nothing until it is told
    DUTY_LATER, // something at a time
    DUTY_WRITE, // what waits
    DUTY_SYNC,  // what was handed down, once nothing is underway
};

static enum duty next_duty(struct taud_log *log, uint64_t *ret_at_ns)
{
    uint64_t now = log->clock->monotonic_ns(log->clock->context);
    bool alive = !atomic_load(&log->failed);
    bool full = atomic_load(&log->disk_full);
    bool pending = alive && (log->placed_position < log->wanted || full);
    bool interval = alive && log->unsynced && log->durability == TAUD_DURABILITY_INTERVAL;
    if (interval && log->sync_at_ns == 0)
        log->sync_at_ns = now + log->sync_interval_ns;
    if (interval && now >= log->sync_at_ns) {
        log->sync_due = true; // goes first: nothing more begins until it is done
        return DUTY_SYNC;
    }
    if (pending && (!full || now >= log->retry_at_ns || log->stopping))
        return DUTY_WRITE;
    if (!interval && !pending)
        return DUTY_NONE;
    bool sync_first = interval && (!pending || log->sync_at_ns < log->retry_at_ns);
    *ret_at_ns = sync_first ? log->sync_at_ns : log->retry_at_ns;
    return DUTY_LATER;
}

// One turn of a commit thread; returns without having done anything after having waited.
static void commit_turn(struct taud_log *log)
{
    uint64_t at_ns;
    switch (next_duty(log, &at_ns)) {
    case DUTY_SYNC:
        if (taud_log_is_busy(log))
            pthread_cond_wait(&log->room, &log->mutex);
        else
            sync_now(log);
        break;
    case DUTY_WRITE:
        if (!taud_log_write_pending(log) && taud_log_is_busy(log))
            // More may come, or what is underway may end.
            pthread_cond_wait(&log->work, &log->mutex);
        break;
    case DUTY_LATER:
        wait_until(&log->work, &log->mutex, at_ns);
        break;
    case DUTY_NONE:
        if (!log->stopping)
            pthread_cond_wait(&log->work, &log->mutex);
        break;
    }
}

bool taud_log_step_commit(struct taud_log *log)
{
    uint64_t at_ns;
    bool done = false;
    pthread_mutex_lock(&log->mutex);
    enum duty duty = next_duty(log, &at_ns);
    if (duty == DUTY_SYNC && !taud_log_is_busy(log)) {
        sync_now(log);
        done = true;
    } else if (duty == DUTY_WRITE) {
        done = taud_log_write_pending(log);
    }
    pthread_mutex_unlock(&log->mutex);
    return done;
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

// Prepares what is needed, but not for a while after it failed. With the mutex, not held meanwhile.
// Returns false when there is nothing to do; *ret_at_ns is then when there will be, 0 for not until
// told.
static bool prepare_once(struct taud_log *log, uint64_t *ret_at_ns)
{
    *ret_at_ns = 0;
    if (!log->backend->log->needs_prepare(log->backend))
        return false;
    *ret_at_ns = log->prepare_at_ns;
    if (log->clock->monotonic_ns(log->clock->context) < log->prepare_at_ns)
        return false;
    log->preparing = true;
    pthread_mutex_unlock(&log->mutex);
    enum tau_status status = log->backend->log->prepare(log->backend);
    atomic_store(&log->prepare_full, status == TAU_STATUS_STORAGE_FULL);
    if (status == TAU_STATUS_STORAGE_FULL)
        taud_log_notify(log); // a flush may give it space, and nobody commits where all is refused
    pthread_mutex_lock(&log->mutex);
    log->preparing = false;
    log->prepare_count++;
    pthread_cond_broadcast(&log->room);
    if (status != TAU_STATUS_SUCCESS)
        log->prepare_at_ns =
            log->clock->monotonic_ns(log->clock->context) + RETRY_MS * 1000000U;
    return true;
}

bool taud_log_step_prepare(struct taud_log *log)
{
    uint64_t at_ns;
    pthread_mutex_lock(&log->mutex);
    bool done = prepare_once(log, &at_ns);
    pthread_mutex_unlock(&log->mutex);
    return done;
}

void taud_log_await_preparation(struct taud_log *log)
{
    uint64_t at_ns;
    pthread_mutex_lock(&log->mutex);
    uint64_t count = log->prepare_count;
    if (log->stepped)
        (void)!prepare_once(log, &at_ns);
    else if (log->backend->log->needs_prepare(log->backend))
        pthread_cond_signal(&log->ahead);
    while (!log->stepped && log->prepare_count == count && !log->stopping &&
           !atomic_load(&log->failed) &&
           (log->preparing || log->backend->log->needs_prepare(log->backend)))
        pthread_cond_wait(&log->room, &log->mutex);
    pthread_mutex_unlock(&log->mutex);
}

static void *prepare_main(void *user_data)
{
    struct taud_log *log = user_data;
    uint64_t at_ns;
    pthread_mutex_lock(&log->mutex);
    while (!log->stopping) {
        if (prepare_once(log, &at_ns))
            continue;
        if (at_ns != 0)
            wait_until(&log->ahead, &log->mutex, at_ns);
        else
            pthread_cond_wait(&log->ahead, &log->mutex);
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

// Ends the first `count` commit threads.
static void end_commit_threads(struct taud_log *log, size_t count)
{
    pthread_mutex_lock(&log->mutex);
    log->stopping = true;
    pthread_cond_broadcast(&log->work);
    pthread_cond_broadcast(&log->ahead);
    pthread_cond_broadcast(&log->room);
    pthread_mutex_unlock(&log->mutex);
    for (size_t i = 0; i < count; i++)
        pthread_join(log->commit_threads[i], NULL);
}

enum tau_status taud_log_start_threads(struct taud_log *log, struct taud_error *error)
{
    int status = 0;
    size_t count = 0;
    while (count < TAUD_LOG_APPENDS_MAX && status == 0) {
        status = pthread_create(&log->commit_threads[count], NULL, commit_main, log);
        count += status == 0;
    }
    if (status == 0)
        status = pthread_create(&log->prepare_thread, NULL, prepare_main, log);
    if (status != 0) {
        end_commit_threads(log, count);
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, status,
                              "cannot start a thread of the log");
    }
    return TAU_STATUS_SUCCESS;
}

void taud_log_end_threads(struct taud_log *log)
{
    end_commit_threads(log, TAUD_LOG_APPENDS_MAX);
    pthread_join(log->prepare_thread, NULL);
}

void taud_log_drain(struct taud_log *log)
{
    pthread_mutex_lock(&log->mutex);
    atomic_store(&log->disk_full, false);
    log->sync_due = false;
    while (!atomic_load(&log->failed) && !atomic_load(&log->disk_full) &&
           taud_log_write_pending(log))
        continue;
    if (log->unsynced && !atomic_load(&log->failed))
        sync_now(log);
    pthread_mutex_unlock(&log->mutex);
}
