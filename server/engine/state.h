// SPDX-License-Identifier: MIT
// The engine's state and its locks. Only the files of the engine and their tests include it.
//
// Lock order: a thread that holds one takes only those below it.
//
//   | lock             | of                                        | held over                    |
//   |------------------|-------------------------------------------|------------------------------|
//   | lens_lock (rw)   | lenses: table, index, count               | validate, log, apply         |
//   | rollups.mutex    | rules that come and go; their targets     | validate, log, apply         |
//   | shard.mutex      | series of the shard and their points,     | validate, log, apply         |
//   |                  |   what rules of a source have to compute  |                              |
//   |                  |   several: ascending (append_rows)        |                              |
//   | feed.mutex       | a query's steps and who waits for them    | preparing, submitting a step |
//   | work.mutex       | a step of a group: parts and their window | a page; a join of windows    |
//   | index_mutex      | the ordered index of series               | one insert, remove or page   |
//   | log.mutex        | the log's buffers and its commit state    | a copy; quick backend calls  |
//   | local.mutex      | local backend: places, prepared segment   | a few assignments            |
//   | rollups' queue   | which rules are due                       | a few assignments            |
//   | catalog.mutex    | what became of the catalog since the cut  | a copy of a record           |
//   | storage.mutex    | tombstones, tickets                       | a copy of the tombstones     |
//   | identities.mutex | who has which identity                    | a look                       |
//   | views.mutex      | which view is the present one             | a few assignments            |
//   | arena.mutex      | slabs                                     | a few assignments            |
//   | crew.mutex       | tasks of queries                          | a few assignments            |
//   | cache's shards   | blocks of segments: buckets and the ring  | a look, an insert, evictions |
//
// A cut takes lens_lock, rollups.mutex and every shard.mutex, ascending; else the storage thread
// takes one shard.mutex at a time. log.mutex and arena.mutex are never held together, nor is any of
// them while the kernel is called. Of the backend only place and needs_prepare are called under
// log.mutex: both take local.mutex alone.
#ifndef TAUD_ENGINE_STATE_H
#define TAUD_ENGINE_STATE_H

#include "arena.h"
#include "engine.h"
#include "hash.h"
#include "identities.h"
#include "index.h"
#include "log.h"
#include "query/crew.h"
#include "read/codecs.h"
#include "rollup.h"
#include "series.h"
#include "storage.h"
#include "store/root.h"
#include "table.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    TAUD_SHARDS = 16, // a batch's run in one shard is then long enough to pay for its two locks
    TAUD_SHARD_BITS = 4,
    TAUD_BATCH = 256, // points that are sorted by shard together
    TAUD_CACHE_LINES = 128,
    TAUD_CACHE_SHARE = 8, // of all memory, for blocks of segments
};

struct taud_shard {
    _Alignas(TAUD_CACHE_LINES) pthread_mutex_t mutex;
    struct taud_table table;
    struct taud_pool pool; // of what is sealed in the present generation
    struct taud_codec *codec;
    _Atomic int64_t newest; // the greatest timestamp that was ever accepted; written with the mutex
};

struct taud_disorder;

struct taud_lens {
    struct taud_named named;
    struct tau_label source;
    uint8_t transform_count;
    uint8_t transforms[TAU_LIMIT_LENS_TRANSFORMS];
};

struct taud_engine {
    struct taud_backend *backend;
    const struct taud_allocator *allocator;
    struct taud_hash_key hash_key;
    struct taud_crew *crew; // of queries over many series
    struct taud_arena arena;
    struct taud_log log;
    enum {
        TAUD_STAGE_NEW,
        TAUD_STAGE_BACKEND,
        TAUD_STAGE_LOG,
        TAUD_STAGE_RUNNING,
        TAUD_STAGE_STOPPED,
    } stage;
    struct taud_root root;
    uint64_t memory_bytes;
    _Atomic uint64_t next_identity;
    _Atomic uint64_t series_count;
    struct taud_identities identities;
    struct taud_storage storage;
    struct taud_codecs codecs; // of readers
    struct taud_rollups rollups;
    _Atomic(struct taud_disorder *) disorder; // the last batch that did not ascend; NULL while used

    struct taud_shard shards[TAUD_SHARDS];
    _Alignas(TAUD_CACHE_LINES) pthread_mutex_t index_mutex;
    struct taud_index index;
    pthread_rwlock_t lens_lock;
    struct taud_table lenses;
    struct taud_index lens_index;
};

_Static_assert(sizeof(struct taud_lens) <= 128, "a lens fits its block");

static inline unsigned taud_shard_number(uint64_t hash)
{
    return (unsigned)(hash >> (64 - TAUD_SHARD_BITS));
}

static inline uint64_t taud_engine_hash(const struct taud_engine *engine,
                                        const struct tau_label *label)
{
    return taud_hash_label(&engine->hash_key, label->bytes);
}

static inline void taud_raise(uint64_t *position, uint64_t to)
{
    if (*position < to)
        *position = to;
}

// Notes the greatest timestamp of what was accepted. With the shard's lock.
static inline void taud_shard_see(struct taud_shard *shard, int64_t timestamp)
{
    if (timestamp > atomic_load_explicit(&shard->newest, memory_order_relaxed))
        atomic_store_explicit(&shard->newest, timestamp, memory_order_relaxed);
}

// Counts what a read found to be damaged, but not what could not be read at all. Returns the
// status.
static inline enum tau_status taud_engine_count_damage(struct taud_engine *engine,
                                                       enum tau_status status,
                                                       const struct taud_error *error)
{
    if (status == TAU_STATUS_INTERNAL_ERROR && error->os_error == 0)
        taud_storage_note_damage(engine, error);
    return status;
}

static inline struct taud_series *taud_shard_find(const struct taud_shard *shard, uint64_t hash,
                                                  const struct tau_label *label)
{
    return (struct taud_series *)(void *)taud_table_find(&shard->table, hash, label);
}

// Locks the label's shard and finds the series; NULL with the lock released when there is none.
struct taud_series *taud_engine_lock_series(struct taud_engine *engine,
                                            const struct tau_label *label,
                                            struct taud_shard **ret_shard);

// A batch of requests that begin with their label, sorted by shard.
struct taud_batch {
    uint64_t hashes[TAUD_BATCH];
    uint16_t starts[TAUD_SHARDS + 1]; // where each shard's run begins in `order`
    uint8_t order[TAUD_BATCH];        // places of requests, by shard, then as they were given
};

// Sorts at most TAUD_BATCH requests, each `stride` bytes, and brings their series near.
void taud_batch_sort(const struct taud_engine *engine, const void *requests, size_t stride,
                     size_t count, struct taud_batch *ret);

// Puts a series into table and index, in the present generation. With its shard's lock. Returns
// false when memory is at its bound. Its identity is for taud_identities_append or
// taud_identities_add.
bool taud_catalog_add(struct taud_engine *engine, struct taud_shard *shard,
                      struct taud_series *series);

// Takes it out of both. It keeps its identity, and what a flush that is underway has to store of
// it, until a flush has stored that it is gone. With its shard's lock. The caller then gives the
// run, which may be NULL, to taud_run_release without the lock.
void taud_catalog_drop(struct taud_engine *engine, struct taud_shard *shard,
                       struct taud_series *series, struct taud_run **ret_run);

// The same, where it is stored that it is gone, or was never stored that it was there: nothing is
// left of it. Before there are threads, or with its shard's lock.
void taud_catalog_forget(struct taud_engine *engine, struct taud_shard *shard,
                         struct taud_series *series);

// Notes a record of the catalog for the next flush. With the lock under which it is logged, and
// before that. Returns false when it cannot be kept: then it must not happen.
static inline bool taud_catalog_note(struct taud_engine *engine, const void *record, size_t size)
{
    return taud_catalog_delta_add(&engine->storage.catalog, record, size);
}

// Deletes a range of a series: takes it out of what memory has of the present generation, and hides
// it in all that is or will be stored of those before. With the shard's lock. Returns false when
// memory is at its bound; then nothing is changed. In delete.c.
bool taud_storage_delete(struct taud_engine *engine, struct taud_shard *shard,
                         struct taud_series *series, int64_t from, int64_t to);

// The same as a write: in the log, too. Returns SUCCESS, STORAGE_FULL.
enum tau_status taud_delete_locked(struct taud_engine *engine, struct taud_shard *shard,
                                   struct taud_series *series, int64_t from, int64_t to,
                                   uint64_t *position);

// What a series with this retention has before it is too old to be seen: INT64_MIN for none.
// Neither a clock that jumps nor a point from the future makes it early.
int64_t taud_storage_edge(struct taud_engine *engine, uint64_t retention);

// The same for lenses, with the lens lock for writing. Adding copies the lens.
bool taud_lens_add(struct taud_engine *engine, const struct taud_lens *lens);
void taud_lens_remove(struct taud_engine *engine, struct taud_lens *lens);

// Whether this server has every transform of a lens that the log holds.
bool taud_lens_known(const struct taud_lens *lens);

// Applies records of the catalog that are in one block of an object: nothing of them is noted
// again, and a drop leaves nothing. Returns SUCCESS, STORAGE_FULL, NO_MEMORY, INTERNAL_ERROR (a
// record that only a later version can have written). In replay.c; before any thread is there.
enum tau_status taud_engine_replay_catalog(struct taud_engine *engine, const uint8_t *records,
                                           size_t size, struct taud_recovery *recovery,
                                           struct taud_error *error);

// Reads what the log says behind `from_position` into the engine. In replay.c; before any thread is
// there.
enum tau_status taud_engine_replay(struct taud_engine *engine, uint64_t from_position,
                                   uint64_t known_position, struct taud_recovery *recovery,
                                   struct taud_log_report *ret_report, struct taud_error *error);

#endif
