// SPDX-License-Identifier: MIT
// The write-ahead log above the backend: what was written in memory waits here in order until a
// commit hands it down, and the durable position tells how far that got. It must not know series,
// nor files.
//
//   writer:   admit -> (shard lock: append, append, ...) -> release
//   commit:   close the active buffer -> place -> append -> durable position -> listeners
//
// While one append is underway a second may begin with what was written since; the durable position
// moves in order. Three positions tell how far things are: durable <= placed <= next.
#ifndef TAUD_ENGINE_LOG_H
#define TAUD_ENGINE_LOG_H

#include "backend.h"
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    TAUD_LOG_BUFFER_BYTES = 16 << 20, // admitted writes never find it full
    TAUD_LOG_GROUP_BYTES = 256 << 10, // a group ends at the first record boundary behind this
    TAUD_LOG_GROUPS_MAX = TAUD_LOG_BUFFER_BYTES / TAUD_LOG_GROUP_BYTES + 2,
    TAUD_LOG_RESERVE_BYTES = 64 << 10, // of disk for drops and deletions, but for a block
    TAUD_LOG_BUFFERS = TAUD_LOG_APPENDS_MAX + 1,
    // A second append begins a block of its own, and the rest of the one before stays empty: worth
    // it from half a block on. With less, what waits goes out when the first is done.
    TAUD_LOG_JOIN_BYTES = TAUD_IO_BLOCK / 2,
};

struct taud_log_buffer {
    uint8_t *data;
    uint64_t position; // of data[0]
    size_t used;
    size_t ends[TAUD_LOG_GROUPS_MAX];  // of closed groups
    size_t end_count;
    size_t run; // offset of the record of points that ends the buffer; used for none
};

// What the backend says of an append or a sync.
struct taud_log_result {
    struct taud_log *log;
    bool done;
    enum tau_status status;
    int os_error;
};

// An append that is underway, or done before another that began earlier.
struct taud_log_append {
    struct taud_log_result result;
    uint64_t start, end; // positions
};

struct taud_log_listener {
    struct taud_log_listener *next;
    taud_engine_durable_callback *callback;
    void *user_data;
};

struct taud_log {
    struct taud_backend *backend;
    const struct taud_allocator *allocator;
    const struct taud_clock *clock;
    enum taud_durability durability;
    uint64_t sync_interval_ns;
    bool stepped; // no threads: the caller takes their steps
    bool running;

    pthread_mutex_t mutex; // of all that follows and is not atomic
    pthread_cond_t work;   // for the commit threads
    pthread_cond_t room;   // for those that wait for room, the end of an append or a preparation
    pthread_cond_t done;   // of the backend's completions
    pthread_cond_t ahead;  // for the preparing thread
    struct taud_log_buffer buffers[TAUD_LOG_BUFFERS]; // a ring: oldest .. active
    unsigned oldest, active;
    struct taud_log_append appends[TAUD_LOG_APPENDS_MAX]; // number n at n % TAUD_LOG_APPENDS_MAX
    uint64_t begun, ended;    // how many
    bool taken_back;          // one found the disk full: those behind it do not count either
    bool syncing;             // without an append
    bool sync_due;            // and it is time for that: nothing begins before it
    uint64_t placed_position;
    uint64_t wanted;          // the position that somebody waits for
    bool unsynced;   // something was handed down without a sync
    uint64_t sync_at_ns;
    uint64_t retry_at_ns;
    bool preparing;
    uint64_t prepare_count; // how often it was tried
    uint64_t prepare_at_ns; // not before, after a failure
    bool stopping;
    pthread_t commit_threads[TAUD_LOG_APPENDS_MAX];
    pthread_t prepare_thread;

    _Atomic uint64_t next_position;
    _Atomic uint64_t durable_position;
    _Atomic size_t active_used;
    _Atomic size_t in_flight;  // admitted and not yet released
    _Atomic bool failed;
    _Atomic bool disk_full;    // the last append found no space
    _Atomic bool prepare_full; // the last preparation found none
    _Atomic int failure;
    _Atomic uint64_t commit_count;
    _Atomic uint64_t commit_bytes;
    _Atomic(struct taud_log_listener *) listeners;
};

// Memory only. Returns false when there is none.
bool taud_log_init(struct taud_log *log, const struct taud_engine_options *options);
void taud_log_done(struct taud_log *log);

// Begins at `position`, the end of what the backend has, and starts the threads where it has some.
enum tau_status taud_log_start(struct taud_log *log, uint64_t position, struct taud_error *error);

// Hands everything down, syncs it in every durability, ends the threads.
void taud_log_stop(struct taud_log *log);

// Asks for room for records of at most `bytes`; waits for a commit when the buffer is full. `frees`
// says that the write makes space elsewhere and may use the reserve of the disk. Never with a lock
// of the engine held. Returns SUCCESS (then release must follow), STORAGE_FULL, READ_ONLY.
enum tau_status taud_log_admit(struct taud_log *log, size_t bytes, bool frees);
void taud_log_release(struct taud_log *log, size_t bytes);

// Appends `count` points, encoded, all in one group; joins a record of points before them. Returns
// the position to wait for. Within admit and release.
uint64_t taud_log_append_points(struct taud_log *log, const uint8_t *points, size_t count);

// Appends one record of `size` bytes, a multiple of 8, that `encode` writes under the log's mutex.
typedef void taud_log_encode(uint8_t *out, const void *user_data);
uint64_t taud_log_append_record(struct taud_log *log, size_t size, taud_log_encode *encode,
                                const void *user_data);

void taud_log_commit(struct taud_log *log, uint64_t position, enum taud_commit_mode mode);

// Makes what is at the durable position outlive a power cut, whatever the durability; waits for the
// disk. Returns false when the log failed.
bool taud_log_sync(struct taud_log *log);

enum tau_status taud_log_add_listener(struct taud_log *log, taud_engine_durable_callback *callback,
                                      void *user_data);

// In commit.c: hands groups that wait down, once, and returns when they are stored or not. With the
// mutex, not held meanwhile. Returns false when there is nothing to do, or not before something
// that is underway has ended.
bool taud_log_write_pending(struct taud_log *log);

// Waits for a preparation that is due or underway, once; where there is no thread for it, does it.
// Without a lock.
void taud_log_await_preparation(struct taud_log *log);

// Calls the listeners. Without a lock.
void taud_log_notify(struct taud_log *log);

// Whether an append or a sync is underway. With the mutex.
static inline bool taud_log_is_busy(const struct taud_log *log)
{
    return log->begun > log->ended || log->syncing;
}

// In commit.c too. One step of what a commit thread does, and of what the preparing thread does,
// without waiting. Returns false when nothing is due.
bool taud_log_step_commit(struct taud_log *log);
bool taud_log_step_prepare(struct taud_log *log);

enum tau_status taud_log_start_threads(struct taud_log *log, struct taud_error *error);
void taud_log_end_threads(struct taud_log *log);

// Hands down and syncs all that waits, as far as the disk takes it. After the threads have ended.
void taud_log_drain(struct taud_log *log);

#endif
