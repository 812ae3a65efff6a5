// SPDX-License-Identifier: MIT
// What turns memory into segments and segments into fewer: one thread (or whoever steps the engine)
// that cuts a generation, flushes it, commits the manifest, trims the log, compacts, and applies
// retention. It must not know requests.
//
//   writers          | storage thread
//   generation g     |
//   generation g + 1 | cut: g is what the log says before P, and does not change any more
//                    | flush: g into a segment and a catalog object -> manifest names them, and P
//                    | view with the segment -> memory of g goes -> log before P goes
//
// A cut holds every shard's lock for an instant: in it the generation rises and the position of the
// log is taken, so that a segment holds exactly the points that the log says between two cuts. What
// is decided behind a cut (a drop, a delete) is in nothing that the flush of it stores, unless the
// log has it for good and the disk is full: whatever becomes of the power, the next start finds the
// state after one of the writes, and no mixture.
#ifndef TAUD_ENGINE_STORAGE_H
#define TAUD_ENGINE_STORAGE_H

#include "catalog_store.h"
#include "engine.h"
#include "log.h"
#include "reserve.h"
#include "store/manifest_store.h"
#include "view.h"

struct taud_engine;

enum {
    TAUD_STORAGE_TICKETS = 64,    // pieces of work that wait or whose end may still be asked for
    TAUD_STORAGE_RETRY_MS = 1000, // after a full disk or full memory
    TAUD_STORAGE_COMPACT_RETRY_MS = 60000,
    TAUD_STORAGE_LOG_BYTES = 1 << 30,
};

// A generation that is no longer written to and not yet stored. Of the storage thread alone.
struct taud_cut {
    bool pending;
    bool committed;      // only the view and what is in memory are left to be done
    uint32_t generation; // what belongs to it
    uint64_t sequence;   // of its segment
    // What was dropped or deleted since, for want of space: once the log has that for good.
    bool leaves_removed;
    uint64_t position;  // of the log
    uint64_t next_identity;
    struct taud_catalog_block *catalog; // what became of the catalog since the cut before
    struct taud_segment *segment;       // what was written; NULL without points
};

// Work that somebody asked for.
struct taud_ticket {
    uint64_t number; // 0: free
    enum taud_work kind;
    enum tau_status status; // WOULD_BLOCK while it is underway
    uint64_t position;      // of the log: what is before it has to be stored first
    uint64_t done, total;   // bytes of segments, for whoever watches
    struct taud_error error;
    char directory[TAUD_SNAPSHOT_NAME_MAX + 1];
};

// A deleted range that no manifest names yet.
struct taud_pending_tombstone {
    struct taud_tombstone tombstone;
    uint32_t generation; // in which it was deleted: the flush of it brings it into the manifest
};

struct taud_storage_figures {
    _Atomic uint64_t segment_count, stored_bytes, stored_points, index_bytes;
    _Atomic uint64_t flush_count, flush_bytes;
    _Atomic uint64_t compaction_count, compaction_read_bytes, compaction_written_bytes;
    _Atomic uint64_t damaged_count; // chunks and objects that turned out to be damaged
};

struct taud_storage {
    struct taud_store store;
    struct taud_views views;
    const struct taud_clock *clock;
    uint64_t flush_log_bytes; // so much log since a cut makes the next one

    // Of the storage thread alone, or of the start before there is one.
    struct taud_manifest manifest;
    struct taud_root *root;
    struct taud_codec *codec;            // of flushes
    struct taud_codec *compaction_codec; // a flush may come in between
    struct taud_cut cut;
    uint64_t file_seed, file_count; // from which numbers of files are made
    uint64_t retry_at_ns;           // no flush before, after a failure
    uint64_t flushed_at_ns;         // when the last flush ended
    uint64_t trim_at_ns;            // memory is looked through, not before
    uint64_t compact_at_ns;         // no compaction before, after a failure
    uint64_t retention_at_ns;       // when segments are next looked through for what is too old
    uint64_t relied_position;       // of the log: something was left out that it says before that
    bool something_lost; // what the manifest does not name may be all that is left of something
    bool catalog_lost;   // an object of it is damaged: who is not known may still be somebody
    uint64_t removals_seen; // when segments were looked through
    bool garbage_known;  // nothing was dropped or deleted since segments were looked through for it
    bool has_retention;  // a series then had one
    bool collects;       // a segment has much garbage
    unsigned compactions;   // that are underway, one in the middle of another
    unsigned compact_depth; // the same, from before their segments are chosen
    struct taud_reserve reserve; // of the disk
    bool others_first;      // this turn begins with what is no flush

    // Under any shard's lock; changed with all of them.
    _Atomic uint32_t generation;   // of heads and what is being sealed, from 1
    uint64_t flush_sequence;       // taken at the last cut
    _Atomic uint64_t cut_position; // of the log, of the last cut
    _Atomic uint64_t cut_drops;    // drop_count at the last cut

    struct taud_catalog_delta catalog; // since the last cut, with a lock of its own

    pthread_mutex_t mutex; // of what follows and is not atomic
    pthread_cond_t due;
    bool stepped, running, woken;
    pthread_t thread;
    struct taud_pending_tombstone *tombstones;
    uint32_t tombstone_count, tombstone_room;
    struct taud_ticket tickets[TAUD_STORAGE_TICKETS];
    uint64_t next_ticket;
    struct taud_error failure; // of what stopped flushes for good, or held the last one up
    struct taud_error damage;  // that a read found first

    _Atomic uint64_t drop_count;   // of series
    _Atomic uint64_t delete_count; // of ranges that something stored may lie in
    _Atomic bool stopping;
    _Atomic bool failed;             // for good: nothing is stored any more
    _Atomic bool full;               // the last flush found no space
    _Atomic bool damaged;            // a read found damage
    _Atomic bool damage_is_news;     // of which listeners are yet to be told
    _Atomic bool flushing;           // a cut is not yet stored
    _Atomic bool asked;              // somebody waits for work
    _Atomic uint64_t asked_position; // of the log, up to which they want it stored
    struct taud_storage_figures figures;
};

// --- life -------------------------------------------------------------------------------------

// Memory only. Returns false when there is none.
bool taud_storage_init(struct taud_engine *engine, const struct taud_engine_options *options);
void taud_storage_done(struct taud_engine *engine);

// Starts the thread, unless the engine is stepped. Ends it; what it is at is given up, and is done
// again by the next start where it has to be.
enum tau_status taud_storage_start(struct taud_engine *engine, struct taud_error *error);
void taud_storage_stop(struct taud_engine *engine);

// In start.c: reads what is stored into an engine without threads, up to where the log goes on:
// finds the manifest, opens the segments, reads the catalog. Changes nothing. Returns SUCCESS,
// NO_MEMORY, STORAGE_FULL, INTERNAL_ERROR.
enum tau_status taud_storage_load(struct taud_engine *engine, struct taud_recovery *recovery,
                                  struct taud_error *error);

// Then, once the log is read too: removes what is left over, and puts aside what is damaged.
enum tau_status taud_storage_tidy(struct taud_engine *engine, struct taud_error *error);

// --- work -------------------------------------------------------------------------------------

// Does one piece of work that is due. Returns whether there was one.
bool taud_storage_turn(struct taud_engine *engine);

// Wakes the thread where something has to be flushed. From any thread.
void taud_storage_consider(struct taud_engine *engine);

// Wakes the thread. From any thread, with any lock.
void taud_storage_wake(struct taud_engine *engine);

// Counts what a read found to be damaged; the thread tells the listeners of the first. Any lock of
// the engine may be held.
void taud_storage_note_damage(struct taud_engine *engine, const struct taud_error *error);

// In budget.c: whether memory, the log or the disk ask for a flush; whether writers had better wait
// for one; and how much of memory it frees, as far as that is known.
bool taud_storage_needs_flush(const struct taud_engine *engine);
bool taud_storage_is_pressed(const struct taud_engine *engine);

// Whether the disk has no space for the log or the last flush.
bool taud_storage_is_short_of_disk(const struct taud_engine *engine);
uint64_t taud_storage_unflushed(const struct taud_engine *engine);

// Divides memory between points and the indexes of segments, which take so many bytes.
void taud_storage_divide(struct taud_engine *engine, uint64_t index_bytes);

// For what takes long: flushes where that is due, and computes a piece of what rollups are due to
// have, which get no more than half of the time that flushes leave. Returns false when the thread
// has to end.
bool taud_storage_pause(struct taud_engine *engine);

// Makes a view of the manifest's segments, which `segments` are, and of all tombstones the present
// one. Returns false when there is no memory.
bool taud_storage_publish(struct taud_engine *engine, uint32_t generation,
                          struct taud_segment *const *segments, uint32_t count);

// A view without segments, of all tombstones the present one. *ret_by_log: that the log alone has
// some of them. NULL when there is no memory.
struct taud_view *taud_storage_tombstones(struct taud_engine *engine, bool *ret_by_log);

// How often something was dropped or deleted, for whose space segments are to be looked through.
static inline uint64_t taud_storage_removals(struct taud_storage *storage)
{
    return atomic_load(&storage->drop_count) + atomic_load(&storage->delete_count);
}

// Names an open segment in a manifest. Returns false when there is no memory.
bool taud_storage_name_segment(struct taud_manifest *manifest, const struct taud_segment *segment);

// Waits, not for long, until the log has all for good that was decided so far. Returns whether it
// has.
bool taud_storage_await_log(struct taud_engine *engine);

// A number for a new object's file.
uint64_t taud_storage_file_id(struct taud_storage *storage);

// Notes what held something up, in words.
void taud_storage_note(struct taud_storage *storage, const struct taud_error *error);

// Nothing can be stored any more, until the next start.
void taud_storage_fail(struct taud_storage *storage, const struct taud_error *error);

static inline bool taud_storage_is_stopping(const struct taud_storage *storage)
{
    return atomic_load_explicit(&storage->stopping, memory_order_relaxed);
}

// In flush.c: goes on with the cut that is pending, or makes one. Returns SUCCESS when it is
// stored.
enum tau_status taud_flush(struct taud_engine *engine, struct taud_error *error);

// In compaction.c: merges what is worth it; for a ticket, all there is. *ret_done: there was
// something. Returns SUCCESS, WOULD_BLOCK (the end of the server), STORAGE_FULL, NO_MEMORY,
// INTERNAL_ERROR.
enum tau_status taud_compact(struct taud_engine *engine, uint64_t ticket, bool *ret_done,
                             struct taud_error *error);

// How far the work of a ticket is; nothing for ticket 0.
void taud_storage_progress(struct taud_storage *storage, uint64_t ticket, uint64_t done,
                           uint64_t total);

// In snapshot_copy.c: makes a snapshot of what the manifest names. Returns also INVALID_ARGUMENT:
// there is one of that name.
enum tau_status taud_snapshot_copy(struct taud_engine *engine, const char *name,
                                   struct taud_error *error);

// --- for readers and writers ------------------------------------------------------------------

// The sequence of the segment that a generation is or will be in; UINT64_MAX for the present one,
// which no tombstone hides. Under a shard's lock.
static inline uint64_t taud_storage_sequence(const struct taud_storage *storage,
                                             uint32_t generation)
{
    bool present = generation == atomic_load_explicit(&storage->generation, memory_order_relaxed);
    return present ? UINT64_MAX : storage->flush_sequence;
}

#endif
