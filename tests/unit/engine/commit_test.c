// SPDX-License-Identifier: MIT
// Group commit over a backend that the test plays by hand: it sees what is handed down and decides
// when, in which order and how each append ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/log.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CALLS_MAX = 256, PATIENCE_MS = 10000, STILL_MS = 30, SYNC_INTERVAL_MS = 300 };

struct call {
    uint64_t position;
    size_t size;
    size_t group_count;
    bool is_sync; // a sync of its own
    taud_log_completion *completion;
    void *user_data;
};

struct stage {
    struct taud_backend backend; // first
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct call calls[CALLS_MAX];
    size_t count;
    bool placed_alone[CALLS_MAX];
    size_t placed_count;
    bool refuses_company; // as a backend that is about to begin a segment
    bool at_once;         // appends succeed before they return
    enum tau_status answer; // to appends at once, and to what is prepared
    bool unprepared;
    unsigned prepared_count;
    struct taud_clock clock; // of a log that is stepped
    uint64_t now_ns;
    _Atomic unsigned told;
    struct taud_log log;
};

static struct stage *stage_of(struct taud_backend *backend)
{
    return (struct stage *)(void *)backend;
}

static size_t stage_place(struct taud_backend *backend, const struct taud_log_group *groups,
                          size_t count, bool sync, bool alone, struct taud_log_place **ret_place)
{
    (void)groups, (void)sync;
    struct stage *stage = stage_of(backend);
    *ret_place = NULL;
    pthread_mutex_lock(&stage->mutex);
    bool placed = alone || !stage->refuses_company;
    if (placed)
        stage->placed_alone[stage->placed_count++] = alone;
    pthread_mutex_unlock(&stage->mutex);
    return placed ? count : 0;
}

static void take_call(struct stage *stage, struct call call)
{
    pthread_mutex_lock(&stage->mutex);
    assert_true(stage->count < CALLS_MAX);
    stage->calls[stage->count++] = call;
    bool at_once = stage->at_once;
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->mutex);
    if (at_once)
        call.completion(stage->answer, 0, call.user_data);
}

static void stage_append(struct taud_backend *backend, struct taud_log_place *place,
                         const struct taud_log_group *groups, size_t count, bool sync,
                         taud_log_completion *completion, void *user_data)
{
    (void)place, (void)sync;
    struct call call = {.position = groups[0].position, .group_count = count,
                        .completion = completion, .user_data = user_data};
    for (size_t i = 0; i < count; i++)
        call.size += groups[i].size;
    take_call(stage_of(backend), call);
}

static void stage_sync(struct taud_backend *backend, taud_log_completion *completion,
                       void *user_data)
{
    take_call(stage_of(backend), (struct call){.is_sync = true, .completion = completion,
                                               .user_data = user_data});
}

static bool stage_needs_prepare(struct taud_backend *backend)
{
    return stage_of(backend)->unprepared;
}

static enum tau_status stage_prepare(struct taud_backend *backend)
{
    struct stage *stage = stage_of(backend);
    stage->prepared_count++;
    stage->unprepared = stage->answer != TAU_STATUS_SUCCESS;
    return stage->answer;
}

static uint64_t stage_room(struct taud_backend *backend)
{
    (void)backend;
    return UINT64_MAX;
}

static const struct taud_log_operations stage_operations = {
    .place = stage_place,
    .append = stage_append,
    .sync = stage_sync,
    .prepare = stage_prepare,
    .needs_prepare = stage_needs_prepare,
    .room = stage_room,
};

static void on_durable(void *user_data)
{
    struct stage *stage = user_data;
    atomic_fetch_add(&stage->told, 1);
}

static uint64_t stage_now(void *context)
{
    const struct stage *stage = context;
    return stage->now_ns;
}

static struct stage *stage_begin_options(enum taud_durability durability, bool stepped)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct taud_error error;
    assert_non_null(stage);
    stage->clock = (struct taud_clock){.context = stage, .monotonic_ns = stage_now};
    stage->now_ns = 1000;
    stage->at_once = stepped;
    stage->backend.log = &stage_operations;
    pthread_mutex_init(&stage->mutex, NULL);
    pthread_cond_init(&stage->changed, NULL);
    struct taud_engine_options options = {
        .backend = &stage->backend,
        .durability = durability,
        .sync_interval_ms = SYNC_INTERVAL_MS,
        .allocator = taud_allocator_system(),
        .clock = stepped ? &stage->clock : taud_clock_system(),
        .stepped = stepped,
    };
    assert_true(taud_log_init(&stage->log, &options));
    assert_int_equal(taud_log_add_listener(&stage->log, on_durable, stage), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_log_start(&stage->log, 0, &error), TAU_STATUS_SUCCESS);
    return stage;
}

static struct stage *stage_begin(enum taud_durability durability)
{
    return stage_begin_options(durability, false);
}

static void stage_end(struct stage *stage)
{
    pthread_mutex_lock(&stage->mutex);
    stage->at_once = true;
    stage->answer = TAU_STATUS_SUCCESS;
    pthread_mutex_unlock(&stage->mutex);
    taud_log_stop(&stage->log);
    taud_log_done(&stage->log);
    pthread_cond_destroy(&stage->changed);
    pthread_mutex_destroy(&stage->mutex);
    free(stage);
}

static struct timespec in_ms(unsigned ms)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += (long)ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

// Waits until `count` calls came; false when they do not within `ms`.
static bool came(struct stage *stage, size_t count, unsigned ms)
{
    struct timespec at = in_ms(ms);
    int status = 0;
    pthread_mutex_lock(&stage->mutex);
    while (stage->count < count && status == 0)
        status = pthread_cond_timedwait(&stage->changed, &stage->mutex, &at);
    bool enough = stage->count >= count;
    pthread_mutex_unlock(&stage->mutex);
    return enough;
}

static void finish(struct stage *stage, size_t number, enum tau_status status, int os_error)
{
    struct call call = stage->calls[number];
    call.completion(status, os_error, call.user_data);
}

// Waits until the listener was told so often.
static void await_told(struct stage *stage, unsigned count)
{
    for (unsigned i = 0; i < PATIENCE_MS && atomic_load(&stage->told) < count; i++)
        usleep(1000);
    assert_true(atomic_load(&stage->told) >= count);
}

// Waits until the interval is over and a sync is to go before everything else.
static void await_sync_due(struct stage *stage)
{
    bool due = false;
    for (unsigned i = 0; i < PATIENCE_MS && !due; i++) {
        usleep(1000);
        pthread_mutex_lock(&stage->log.mutex);
        due = stage->log.sync_due;
        pthread_mutex_unlock(&stage->log.mutex);
    }
    assert_true(due);
}

static uint64_t durable(struct stage *stage)
{
    return atomic_load(&stage->log.durable_position);
}

struct filler {
    size_t size;
};

static void fill(uint8_t *out, const void *user_data)
{
    const struct filler *filler = user_data;
    memset(out, 0x5a, filler->size);
}

static uint64_t write_record(struct stage *stage, size_t size)
{
    struct filler filler = {size};
    assert_int_equal(taud_log_admit(&stage->log, size, false), TAU_STATUS_SUCCESS);
    uint64_t position = taud_log_append_record(&stage->log, size, fill, &filler);
    taud_log_release(&stage->log, size);
    return position;
}

static void commit_record(struct stage *stage, size_t size)
{
    taud_log_commit(&stage->log, write_record(stage, size), TAUD_COMMIT_BACKGROUND);
}

static void one_append_takes_all_that_waits(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    for (unsigned i = 0; i < 10; i++)
        write_record(stage, 64);
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    assert_int_equal(stage->calls[0].size, 11 * 64);
    assert_int_equal(durable(stage), 0);
    assert_int_equal(atomic_load(&stage->told), 0);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 1);
    assert_int_equal(durable(stage), 11 * 64);
    assert_false(came(stage, 2, STILL_MS));
    stage_end(stage);
}

static void a_second_begins_when_enough_waits(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    commit_record(stage, TAUD_LOG_JOIN_BYTES - 8);
    assert_false(came(stage, 2, STILL_MS));
    commit_record(stage, 8);
    assert_true(came(stage, 2, PATIENCE_MS));
    assert_int_equal(stage->calls[1].position, 64);
    assert_int_equal(stage->calls[1].size, TAUD_LOG_JOIN_BYTES);
    assert_true(stage->placed_alone[0] && !stage->placed_alone[1]);
    commit_record(stage, 1 << 20); // TAUD_LOG_APPENDS_MAX are underway
    assert_false(came(stage, 3, STILL_MS));
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 3, PATIENCE_MS));
    assert_false(stage->placed_alone[2]);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    finish(stage, 2, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 3);
    assert_int_equal(durable(stage), 64 + TAUD_LOG_JOIN_BYTES + (1 << 20));
    stage_end(stage);
}

static void what_is_too_little_for_a_second_goes_out_behind_the_first(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    commit_record(stage, 32);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 2, PATIENCE_MS));
    assert_true(stage->placed_alone[1]);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 2);
    assert_int_equal(durable(stage), 96);
    stage_end(stage);
}

static void a_second_waits_where_the_backend_wants_to_be_alone(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    stage->refuses_company = true;
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    commit_record(stage, 8192);
    assert_false(came(stage, 2, STILL_MS));
    write_record(stage, 64); // goes with those that were refused
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 2, PATIENCE_MS));
    assert_int_equal(stage->calls[1].size, 8192 + 64);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 2);
    stage_end(stage);
}

static void begin_two(struct stage *stage)
{
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    commit_record(stage, 4096);
    assert_true(came(stage, 2, PATIENCE_MS));
}

static void the_second_counts_only_behind_the_first(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    begin_two(stage);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 1); // a listener may be told of nothing new
    assert_int_equal(durable(stage), 0);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 2);
    assert_int_equal(durable(stage), 64 + 4096);
    assert_int_equal(atomic_load(&stage->log.commit_count), 2);
    assert_int_equal(atomic_load(&stage->log.commit_bytes), 64 + 4096);
    stage_end(stage);
}

static void nothing_counts_behind_a_failure(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    begin_two(stage);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    finish(stage, 0, TAU_STATUS_INTERNAL_ERROR, EIO);
    await_told(stage, 2);
    assert_int_equal(durable(stage), 0);
    assert_true(atomic_load(&stage->log.failed));
    assert_int_equal(atomic_load(&stage->log.failure), EIO);
    assert_int_equal(taud_log_admit(&stage->log, 8, true), TAU_STATUS_READ_ONLY);
    assert_false(came(stage, 3, STILL_MS)); // never tried again
    stage_end(stage);
}

static void a_failure_behind_a_full_disk_is_a_failure(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    begin_two(stage);
    finish(stage, 0, TAU_STATUS_STORAGE_FULL, ENOSPC);
    finish(stage, 1, TAU_STATUS_INTERNAL_ERROR, EIO);
    await_told(stage, 2);
    assert_true(atomic_load(&stage->log.failed));
    usleep(150 * 1000); // longer than until a full disk is tried again
    assert_int_equal(stage->count, 2);
    stage_end(stage);
}

static void what_was_stored_before_a_failure_stays_so(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    begin_two(stage);
    finish(stage, 1, TAU_STATUS_INTERNAL_ERROR, EIO);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 2);
    assert_int_equal(durable(stage), 64);
    assert_true(atomic_load(&stage->log.failed));
    stage_end(stage);
}

// Two appends that begin together on two threads reach the backend in any order: puts the calls
// `first` and the one behind it into the order of the log.
static void order_calls(struct stage *stage, size_t first)
{
    pthread_mutex_lock(&stage->mutex);
    struct call *calls = stage->calls + first;
    if (calls[0].position > calls[1].position) {
        struct call later = calls[0];
        calls[0] = calls[1];
        calls[1] = later;
    }
    pthread_mutex_unlock(&stage->mutex);
}

static void behind_a_full_disk_all_comes_again(void **state)
{
    (void)state;
    for (size_t first = 0; first < 2; first++) {
        struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
        begin_two(stage);
        for (size_t i = 0; i < 2; i++) {
            bool full = (i == 0 ? first : 1 - first) == 0;
            finish(stage, full ? 0 : 1, full ? TAU_STATUS_STORAGE_FULL : TAU_STATUS_SUCCESS, 0);
        }
        await_told(stage, 2);
        assert_int_equal(durable(stage), 0);
        assert_int_equal(taud_log_admit(&stage->log, 8, true), TAU_STATUS_STORAGE_FULL);
        assert_true(came(stage, 4, PATIENCE_MS)); // one buffer each
        order_calls(stage, 2);
        assert_int_equal(stage->calls[2].position, 0);
        assert_int_equal(stage->calls[3].position, 64);
        finish(stage, 2, TAU_STATUS_SUCCESS, 0);
        finish(stage, 3, TAU_STATUS_SUCCESS, 0);
        await_told(stage, 4);
        assert_int_equal(durable(stage), 64 + 4096);
        assert_int_equal(write_record(stage, 8), 64 + 4096 + 8);
        stage_end(stage);
    }
}

static void nothing_joins_what_will_come_again(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    begin_two(stage);
    write_record(stage, 8192);
    finish(stage, 0, TAU_STATUS_STORAGE_FULL, ENOSPC);
    await_told(stage, 1);
    taud_log_commit(&stage->log, 64 + 4096 + 8192, TAUD_COMMIT_INLINE);
    usleep(150 * 1000); // longer than until a full disk is tried again
    assert_int_equal(stage->count, 2);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 4, PATIENCE_MS));
    order_calls(stage, 2);
    assert_int_equal(stage->calls[2].position, 0);
    assert_int_equal(stage->calls[3].position, 64);
    finish(stage, 2, TAU_STATUS_SUCCESS, 0);
    finish(stage, 3, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 5, PATIENCE_MS));
    finish(stage, 4, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 5);
    assert_int_equal(durable(stage), 64 + 4096 + 8192);
    stage_end(stage);
}

static void a_full_disk_behind_the_first_keeps_the_first(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    begin_two(stage);
    finish(stage, 1, TAU_STATUS_STORAGE_FULL, ENOSPC);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 2);
    assert_int_equal(durable(stage), 64);
    assert_true(came(stage, 3, PATIENCE_MS));
    assert_int_equal(stage->calls[2].position, 64);
    assert_int_equal(stage->calls[2].size, 4096);
    finish(stage, 2, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 3);
    assert_int_equal(durable(stage), 64 + 4096);
    stage_end(stage);
}

struct inline_commit {
    struct stage *stage;
    uint64_t position;
    _Atomic bool returned;
};

static void *commit_inline(void *user_data)
{
    struct inline_commit *commit = user_data;
    taud_log_commit(&commit->stage->log, commit->position, TAUD_COMMIT_INLINE);
    atomic_store(&commit->returned, true);
    return NULL;
}

static void inline_returns_when_its_own_append_has_ended(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    struct inline_commit commit = {.stage = stage, .position = write_record(stage, 64)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, commit_inline, &commit), 0);
    assert_true(came(stage, 1, PATIENCE_MS));
    usleep(STILL_MS * 1000);
    assert_false(atomic_load(&commit.returned));
    // Another one with little to write does not wait for it.
    taud_log_commit(&stage->log, write_record(stage, 8), TAUD_COMMIT_INLINE);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    pthread_join(thread, NULL);
    assert_true(came(stage, 2, PATIENCE_MS)); // by a thread of the log
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    await_told(stage, 2);
    assert_int_equal(durable(stage), 72);
    taud_log_commit(&stage->log, 72, TAUD_COMMIT_INLINE); // there already
    assert_false(came(stage, 3, STILL_MS));
    stage_end(stage);
}

static void *fill_buffers(void *user_data)
{
    struct inline_commit *commit = user_data;
    for (unsigned i = 0; i < 3 * (TAUD_LOG_BUFFER_BYTES >> 20) + 1; i++)
        commit->position = write_record(commit->stage, 1 << 20);
    atomic_store(&commit->returned, true);
    return NULL;
}

// Two buffers are underway and the third is full: the writer waits, and no buffer grows.
static void a_writer_waits_when_all_buffers_are_full(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_SYNC);
    struct inline_commit writer = {.stage = stage};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fill_buffers, &writer), 0);
    // The writer itself is in the first append; another thread makes the second.
    assert_true(came(stage, 1, PATIENCE_MS));
    assert_int_equal(stage->calls[0].size, TAUD_LOG_BUFFER_BYTES);
    assert_int_equal(stage->calls[0].group_count, TAUD_LOG_BUFFER_BYTES >> 20);
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 2, PATIENCE_MS));
    commit_record(stage, 8); // the third buffer: one byte run short of being full from here on
    usleep(STILL_MS * 1000);
    assert_false(atomic_load(&writer.returned));
    for (size_t i = 1; !atomic_load(&writer.returned) || came(stage, i + 1, STILL_MS); i++) {
        if (came(stage, i + 1, STILL_MS))
            finish(stage, i, TAU_STATUS_SUCCESS, 0);
        else
            i--;
    }
    pthread_join(thread, NULL);
    assert_int_equal(writer.position, 3 * (uint64_t)TAUD_LOG_BUFFER_BYTES + (1 << 20) + 8);
    stage_end(stage);
}

static void without_sync_one_at_a_time_and_a_sync_of_its_own(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_INTERVAL);
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    commit_record(stage, 1 << 20);
    assert_false(came(stage, 2, STILL_MS));
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 2, PATIENCE_MS));
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 3, PATIENCE_MS));
    assert_true(stage->calls[2].is_sync);
    commit_record(stage, 1 << 20); // waits for the sync
    assert_false(came(stage, 4, STILL_MS));
    assert_int_equal(atomic_load(&stage->told), 2);
    finish(stage, 2, TAU_STATUS_INTERNAL_ERROR, EIO);
    await_told(stage, 3); // who waits behind the sync hears of its failure
    assert_true(atomic_load(&stage->log.failed));
    stage_end(stage);
}

static void a_sync_that_is_due_goes_before_further_appends(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_INTERVAL);
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    commit_record(stage, 64);
    assert_true(came(stage, 2, PATIENCE_MS));
    await_sync_due(stage);
    commit_record(stage, 64);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 3, PATIENCE_MS));
    assert_true(stage->calls[2].is_sync);
    assert_false(came(stage, 4, STILL_MS));
    finish(stage, 2, TAU_STATUS_SUCCESS, 0);
    assert_true(came(stage, 4, PATIENCE_MS));
    assert_int_equal(stage->calls[3].position, 128);
    finish(stage, 3, TAU_STATUS_SUCCESS, 0);
    stage_end(stage);
}

static void stopping_hands_everything_down_and_syncs_it(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_OS);
    write_record(stage, 64);
    stage->at_once = true;
    taud_log_stop(&stage->log);
    assert_int_equal(stage->count, 2);
    assert_int_equal(stage->calls[0].size, 64);
    assert_true(stage->calls[1].is_sync);
    assert_int_equal(durable(stage), 64);
    stage_end(stage);
}

static void *stop(void *user_data)
{
    struct stage *stage = user_data;
    taud_log_stop(&stage->log);
    return NULL;
}

// The threads end while a sync is due: what was written must still go out before it.
static void stopping_with_a_sync_due_leaves_nothing_behind(void **state)
{
    (void)state;
    struct stage *stage = stage_begin(TAUD_DURABILITY_INTERVAL);
    pthread_t thread;
    commit_record(stage, 64);
    assert_true(came(stage, 1, PATIENCE_MS));
    finish(stage, 0, TAU_STATUS_SUCCESS, 0);
    commit_record(stage, 64);
    assert_true(came(stage, 2, PATIENCE_MS));
    await_sync_due(stage);
    write_record(stage, 64);
    pthread_mutex_lock(&stage->mutex);
    stage->at_once = true;
    pthread_mutex_unlock(&stage->mutex);
    assert_int_equal(pthread_create(&thread, NULL, stop, stage), 0);
    usleep(STILL_MS * 1000);
    finish(stage, 1, TAU_STATUS_SUCCESS, 0);
    pthread_join(thread, NULL);
    assert_int_equal(durable(stage), 3 * 64);
    assert_true(stage->calls[stage->count - 1].is_sync);
    stage_end(stage);
}

// --- stepped by its caller --------------------------------------------------------------------

static void nothing_happens_but_in_a_step(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_options(TAUD_DURABILITY_SYNC, true);
    assert_false(taud_log_step_commit(&stage->log));
    commit_record(stage, 64);
    write_record(stage, 64);
    assert_false(came(stage, 1, STILL_MS));
    assert_true(taud_log_step_commit(&stage->log));
    assert_int_equal(durable(stage), 2 * 64);
    assert_int_equal(stage->count, 1);
    assert_int_equal(atomic_load(&stage->told), 1);
    assert_false(taud_log_step_commit(&stage->log));
    write_record(stage, 64); // that nobody waits for
    assert_false(taud_log_step_commit(&stage->log));
    taud_log_stop(&stage->log);
    assert_int_equal(durable(stage), 3 * 64);
    stage_end(stage);
}

static void a_step_keeps_to_the_clock(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_options(TAUD_DURABILITY_INTERVAL, true);
    commit_record(stage, 64);
    assert_true(taud_log_step_commit(&stage->log));
    assert_false(taud_log_step_commit(&stage->log)); // the interval begins
    stage->now_ns += SYNC_INTERVAL_MS * 1000000 - 1;
    assert_false(taud_log_step_commit(&stage->log));
    stage->now_ns += 1;
    assert_true(taud_log_step_commit(&stage->log));
    assert_int_equal(stage->count, 2);
    assert_true(stage->calls[1].is_sync);
    assert_false(taud_log_step_commit(&stage->log));
    stage_end(stage);
}

static void a_step_tries_a_full_disk_again_in_time(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_options(TAUD_DURABILITY_SYNC, true);
    stage->answer = TAU_STATUS_STORAGE_FULL;
    commit_record(stage, 64);
    assert_true(taud_log_step_commit(&stage->log));
    stage->answer = TAU_STATUS_SUCCESS;
    stage->now_ns += 100 * 1000000 - 1;
    assert_false(taud_log_step_commit(&stage->log));
    assert_int_equal(durable(stage), 0);
    stage->now_ns += 1;
    assert_true(taud_log_step_commit(&stage->log));
    assert_int_equal(durable(stage), 64);
    stage_end(stage);
}

// Listeners are told of it: a flush may give space, and nobody commits where all is refused.
static void what_cannot_be_prepared_is_tried_again_in_time(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_options(TAUD_DURABILITY_SYNC, true);
    assert_false(taud_log_step_prepare(&stage->log));
    stage->unprepared = true;
    stage->answer = TAU_STATUS_STORAGE_FULL;
    assert_true(taud_log_step_prepare(&stage->log));
    assert_true(atomic_load(&stage->log.prepare_full));
    assert_int_equal(atomic_load(&stage->told), 1);
    stage->answer = TAU_STATUS_SUCCESS;
    stage->now_ns += 100 * 1000000 - 1;
    assert_false(taud_log_step_prepare(&stage->log));
    assert_int_equal(stage->prepared_count, 1);
    stage->now_ns += 1;
    assert_true(taud_log_step_prepare(&stage->log));
    assert_int_equal(stage->prepared_count, 2);
    assert_false(atomic_load(&stage->log.prepare_full));
    assert_false(taud_log_step_prepare(&stage->log));
    stage_end(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_append_takes_all_that_waits),
        cmocka_unit_test(a_second_begins_when_enough_waits),
        cmocka_unit_test(what_is_too_little_for_a_second_goes_out_behind_the_first),
        cmocka_unit_test(a_second_waits_where_the_backend_wants_to_be_alone),
        cmocka_unit_test(the_second_counts_only_behind_the_first),
        cmocka_unit_test(nothing_counts_behind_a_failure),
        cmocka_unit_test(a_failure_behind_a_full_disk_is_a_failure),
        cmocka_unit_test(what_was_stored_before_a_failure_stays_so),
        cmocka_unit_test(behind_a_full_disk_all_comes_again),
        cmocka_unit_test(nothing_joins_what_will_come_again),
        cmocka_unit_test(a_full_disk_behind_the_first_keeps_the_first),
        cmocka_unit_test(inline_returns_when_its_own_append_has_ended),
        cmocka_unit_test(a_writer_waits_when_all_buffers_are_full),
        cmocka_unit_test(without_sync_one_at_a_time_and_a_sync_of_its_own),
        cmocka_unit_test(a_sync_that_is_due_goes_before_further_appends),
        cmocka_unit_test(stopping_with_a_sync_due_leaves_nothing_behind),
        cmocka_unit_test(stopping_hands_everything_down_and_syncs_it),
        cmocka_unit_test(nothing_happens_but_in_a_step),
        cmocka_unit_test(a_step_keeps_to_the_clock),
        cmocka_unit_test(a_step_tries_a_full_disk_again_in_time),
        cmocka_unit_test(what_cannot_be_prepared_is_tried_again_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
