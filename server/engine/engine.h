// SPDX-License-Identifier: MIT
// The time-series store: series in memory, every write in a log, nothing of sockets. This is the
// only header that the rest of the server includes, with backend.h and the seams to compose it.
//
// All functions may be called from any thread at any time between startup and stop, unless said
// otherwise. None of them but taud_engine_commit with TAUD_COMMIT_INLINE, and a write that finds
// the log's buffer full, waits for the disk.
//
// A write returns its position in the log, never a promise that it is synced: the reply may leave
// when taud_engine_outcome(position) says TAU_STATUS_SUCCESS. `position` arguments are raised to
// the write's position and never lowered, so one variable serves a whole batch.
#ifndef TAUD_ENGINE_ENGINE_H
#define TAUD_ENGINE_ENGINE_H

#include "allocator.h"
#include "backend.h"
#include "error.h"
#include "io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

struct taud_engine;
struct taud_range;

enum taud_durability {
    TAUD_DURABILITY_SYNC,     // an acknowledged write survives a power cut
    TAUD_DURABILITY_INTERVAL, // synced every `sync_interval_ms`; a power cut may take that much
    TAUD_DURABILITY_OS,       // survives a killed process, not a power cut
};

struct taud_engine_options {
    struct taud_backend *backend; // borrowed until taud_engine_free
    uint64_t memory_bytes;        // for points and catalog together; at least 1 MiB
    enum taud_durability durability;
    uint32_t sync_interval_ms;              // for TAUD_DURABILITY_INTERVAL, from 1
    uint32_t query_threads;                 // for queries over many series, to 256; 0: one
    uint8_t seed[32];                       // random and secret: keys the hash of labels
    const struct taud_allocator *allocator; // NULL: taud_allocator_system()
    const struct taud_clock *clock;         // NULL: taud_clock_system()
    bool stepped;                           // no threads: what they do is done by taud_engine_step
    uint64_t flush_log_bytes; // so much log makes a flush, which bounds a start; 0: 1 GiB
};

// What the engine does in the background, each in threads of its own.
enum taud_engine_task {
    TAUD_TASK_COMMIT,  // hands down what waits to become durable; the syncs of an interval
    TAUD_TASK_PREPARE, // prepares the log's next segment
    TAUD_TASK_STORE,   // flushes, compacts, and does what taud_engine_work_begin asked for
    TAUD_TASK_QUERY,   // does a part of a query over many series
    TAUD_TASK_COUNT,
};

// What the start found. Valid after taud_engine_startup succeeded.
struct taud_recovery {
    uint64_t epoch;             // number of this start
    uint64_t record_count;      // records replayed
    uint64_t point_count;       // points among them
    uint64_t series_count;      // series that exist now
    uint64_t lens_count;        // lenses that exist now
    uint64_t segment_count;     // segments that hold what was stored before
    uint64_t stored_points;     // points in them
    uint64_t stored_bytes;      // their size
    uint64_t lost_count;        // segments and objects of the catalog that are missing or damaged
    uint64_t log_bytes;         // of log that was read
    uint64_t cut_bytes;         // of torn tail that was cut, 0 for none
    uint64_t quarantined_count; // damaged pieces of the log copied to quarantine/
    uint64_t quarantined_bytes; // their size
    uint64_t refused_count; // records that no longer fit what is before them (only after damage)
};

// Makes an engine: memory only, no file, no thread.
// Returns SUCCESS, NO_MEMORY, INVALID_ARGUMENT (error says which option).
enum tau_status taud_engine_new(const struct taud_engine_options *options,
                                struct taud_engine **ret_engine, struct taud_error *error);

// Opens the backend, replays the log and starts the engine's threads where it has some. Once per
// engine.
// Returns SUCCESS; else the engine can only be freed and `error` holds one line: INTERNAL_ERROR
// (files; another server on the directory; a future format, left untouched), NO_MEMORY,
// STORAGE_FULL (disk or the memory bound too small for what is stored).
enum tau_status taud_engine_startup(struct taud_engine *engine, struct taud_recovery *ret_recovery,
                                    struct taud_error *error);

// For an engine that is stepped, whose caller decides what happens when: takes one step of a task,
// as its thread would, if one is due. Returns whether one was. Such an engine is called from one
// thread. It may be called from within the calls to its files that a step makes, as other threads
// would then, but not for a step of the same task.
bool taud_engine_step(struct taud_engine *engine, enum taud_engine_task task);

// Makes everything durable, ends the threads, closes the files. No other call may run or follow but
// taud_engine_free and taud_range_close.
void taud_engine_stop(struct taud_engine *engine);

// Frees everything; stops first where needed. All ranges must be closed. Accepts NULL.
void taud_engine_free(struct taud_engine *engine);

// --- writes -----------------------------------------------------------------------------------
// Every write may also return READ_ONLY (the log failed), STORAGE_FULL (memory bound or disk) with
// nothing changed.

// Returns also SERIES_ALREADY_EXISTS.
enum tau_status taud_engine_create_series(struct taud_engine *engine, const struct tau_label *label,
                                          uint64_t *position);

// Streams that are open finish on what they saw. Returns also SERIES_NOT_FOUND.
enum tau_status taud_engine_drop_series(struct taud_engine *engine, const struct tau_label *label,
                                        uint64_t *position);

// Another policy for equal and late timestamps, and another retention, in nanoseconds, 0: for ever.
// It counts for what is written from now on; what is too old goes by and by. Where retention took
// even the newest point, a later start judges what comes in order by the newest that is left: what
// it lets in is then too old to be kept. Returns also SERIES_NOT_FOUND.
enum tau_status taud_engine_set_policy(struct taud_engine *engine, const struct tau_label *label,
                                       enum tau_order_policy order, uint64_t retention,
                                       uint64_t *position);

// Deletes the points from `from` to `to`, both included. What comes in order is still judged by the
// newest point that the series ever had. Returns also SERIES_NOT_FOUND, INVALID_PAYLOAD (from >
// to).
enum tau_status taud_engine_delete_range(struct taud_engine *engine, const struct tau_label *label,
                                         int64_t from, int64_t to, uint64_t *position);

// Appends single points, each judged by itself and in the order given; any number of them. Several
// points of one series may be among them; those are logged in this order, but points of different
// series in any: a crash before any of them is acknowledged may keep a later one of another series.
// ret_statuses[i] is SUCCESS, SERIES_NOT_FOUND, OUT_OF_ORDER, STORAGE_FULL, INTERNAL_ERROR (what
// the policy has to know of a late point cannot be read) or READ_ONLY.
void taud_engine_append(struct taud_engine *engine, const struct tau_append_request *points,
                        size_t count, enum tau_status *ret_statuses, uint64_t *position);

// Appends two columns of equal count to one series, all that is accepted in one piece of the log.
// Rows are judged in order; refused ones (OUT_OF_ORDER, STORAGE_FULL, INTERNAL_ERROR: what the
// policy has to know of a late one cannot be read) go to ret_refused, with room for every row.
// Returns SUCCESS (also when every row was refused), SERIES_NOT_FOUND, INVALID_PAYLOAD (counts
// differ or above TAU_LIMIT_BATCH_POINTS), NO_MEMORY, STORAGE_FULL (none found memory), READ_ONLY;
// then no row was stored.
enum tau_status taud_engine_append_columns(struct taud_engine *engine,
                                           const struct tau_label *label,
                                           struct tau_array timestamps, struct tau_array values,
                                           struct tau_refused_row *ret_refused,
                                           size_t *ret_refused_count, uint64_t *position);

// Appends rows (struct tau_row) of many series: one log record. Rows are judged in order; refused
// ones (also SERIES_NOT_FOUND) go to ret_refused, with room for every row. Returns SUCCESS,
// INVALID_PAYLOAD (above TAU_LIMIT_MULTI_ROWS), NO_MEMORY, STORAGE_FULL, READ_ONLY; then no row was
// stored.
enum tau_status taud_engine_append_rows(struct taud_engine *engine, struct tau_array rows,
                                        struct tau_refused_row *ret_refused,
                                        size_t *ret_refused_count, uint64_t *position);

// Checks in this order: transform known (INVALID_PAYLOAD), label free (LENS_ALREADY_EXISTS), source
// among series, then lenses (SERIES_NOT_FOUND), 16 transforms and 131,072 lenses (LIMIT_EXCEEDED).
enum tau_status taud_engine_create_lens(struct taud_engine *engine,
                                        const struct tau_create_lens_request *request,
                                        uint64_t *position);

// Returns also LENS_NOT_FOUND.
enum tau_status taud_engine_drop_lens(struct taud_engine *engine, const struct tau_label *label,
                                      uint64_t *position);

// Checks: label free (LENS_ALREADY_EXISTS), both lenses (LENS_NOT_FOUND), then LIMIT_EXCEEDED.
enum tau_status taud_engine_compose_lens(struct taud_engine *engine,
                                         const struct tau_compose_lens_request *request,
                                         uint64_t *position);

// Makes a rule that keeps `target` up to date: for each bucket of time of `source` that is over
// (the source has, or had, a point behind it) and has points, it has a point at the bucket's start,
// whose value the function makes of them as AGGREGATE would. What the source has already counts,
// and so does what is written late or deleted: a bucket that became empty loses its point. That is
// done in the background, soon after the write that ends a bucket; what retention has taken from
// the source stays as it was computed. From now on the target's policy is `last`: others may still
// write to it, but what stands at the start of a bucket is the rule's. A target may be the source
// of rules. The rule ends with either series. Checks in this order: function, its parameter and the
// width (INVALID_PAYLOAD), both series (SERIES_NOT_FOUND), target without a rule
// (ROLLUP_ALREADY_EXISTS), target neither the source nor what that is made of (INVALID_PAYLOAD),
// rules and rules of the source (LIMIT_EXCEEDED). `settled` and `state` are not looked at.
enum tau_status taud_engine_create_rollup(struct taud_engine *engine,
                                          const struct tau_rollup *rollup, uint64_t *position);

// Ends the rule of a target, whose points stay. Returns also ROLLUP_NOT_FOUND.
enum tau_status taud_engine_drop_rollup(struct taud_engine *engine, const struct tau_label *target,
                                        uint64_t *position);

// --- reads ------------------------------------------------------------------------------------
// A read may see a point that is not yet acknowledged. Where points are not in memory it waits for
// the disk. What reads points may also return NO_MEMORY, and INTERNAL_ERROR where what is stored is
// damaged or cannot be read.

// ret_statuses[i] is SUCCESS or SERIES_NOT_FOUND; ret_responses[i] is untouched where there is no
// such series.
void taud_engine_query_points(struct taud_engine *engine,
                              const struct tau_query_point_request *points, size_t count,
                              struct tau_query_point_response *ret_responses,
                              enum tau_status *ret_statuses);

// Returns SUCCESS, LENS_NOT_FOUND, SERIES_NOT_FOUND (while the source is dropped).
enum tau_status taud_engine_query_lens(struct taud_engine *engine, const struct tau_label *label,
                                       int64_t timestamp, struct tau_query_lens_response *ret);

// Returns SUCCESS or SERIES_NOT_FOUND.
enum tau_status taud_engine_latest(struct taud_engine *engine, const struct tau_label *label,
                                   struct tau_query_latest_response *ret);

// Whether there is such a series now. Looks at nothing of it.
bool taud_engine_has_series(struct taud_engine *engine, const struct tau_label *label);

// Counts the points: that takes some nanoseconds for a chunk of 1,024, more where chunks overlap.
// Returns SUCCESS or SERIES_NOT_FOUND.
enum tau_status taud_engine_describe(struct taud_engine *engine, const struct tau_label *label,
                                     struct tau_describe_series_response *ret);

// Lists at most `limit` labels that begin with `prefix` and are behind `cursor` (NULL for none), in
// ascending order of bytes, into ret_labels. A series that exists throughout several pages is
// listed exactly once.
void taud_engine_list_series(struct taud_engine *engine, struct tau_slice prefix,
                             const struct tau_label *cursor, size_t limit,
                             struct tau_label *ret_labels, size_t *ret_count, bool *ret_more);

// As taud_engine_list_series without a prefix, for lenses. There are at most TAU_LIMIT_LENSES.
void taud_engine_list_lenses(struct taud_engine *engine, size_t limit, struct tau_label *ret_labels,
                             size_t *ret_count, bool *ret_more);

// Lists at most `limit` rules whose target is behind `cursor` (NULL for none), ascending by target,
// into ret. `settled`: all buckets that end at or before it are in the target, INT64_MIN for none;
// the state says whether something is to be computed.
void taud_engine_list_rollups(struct taud_engine *engine, const struct tau_label *cursor,
                              size_t limit, struct tau_rollup *ret, size_t *ret_count,
                              bool *ret_more);

// Opens a stream over the points from `from` to `to`, both included, at most `limit` of them (0: no
// limit). It shows the series as it is now, also after a drop. Must be closed before the engine is
// freed. Returns SUCCESS, SERIES_NOT_FOUND, NO_MEMORY.
enum tau_status taud_range_open(struct taud_engine *engine, const struct tau_label *label,
                                int64_t from, int64_t to, uint64_t limit,
                                enum tau_direction direction, struct taud_range **ret_range);

// Takes the next points, at most `capacity`, in native byte order. *ret_end says that no point is
// left; it comes together with the last ones. Waits for the disk where points are not in memory.
// One thread at a time. Returns SUCCESS, NO_MEMORY, INTERNAL_ERROR (what is stored there is damaged
// or cannot be read): after that nothing more comes.
enum tau_status taud_range_next(struct taud_range *range, int64_t *ret_timestamps,
                                double *ret_values, size_t capacity, size_t *ret_count,
                                bool *ret_end);

// Accepts NULL.
void taud_range_close(struct taud_range *range);

// --- durability -------------------------------------------------------------------------------

enum taud_commit_mode {
    TAUD_COMMIT_INLINE,     // write and sync here, unless another thread is at it
    TAUD_COMMIT_BACKGROUND, // wake the commit thread
};

// Everything up to here may be acknowledged under the chosen durability. One atomic load.
uint64_t taud_engine_durable_position(const struct taud_engine *engine);

// SUCCESS: may be acknowledged. WOULD_BLOCK: not yet. OUTCOME_UNKNOWN: the write or sync that would
// have covered it failed; it may or may not be there after the next start.
enum tau_status taud_engine_outcome(const struct taud_engine *engine, uint64_t position);

// Asks that everything up to `position` becomes durable. INLINE: when it returns, it is, or it has
// failed, or the engine's own threads see to it (another commit is underway, or the disk is full
// and tried again later) and the listeners will be called. BACKGROUND: returns at once.
void taud_engine_commit(struct taud_engine *engine, uint64_t position, enum taud_commit_mode mode);

// Called after the durable position moved, a flush or other work ended, the log failed or found no
// space for its next segment, on that thread, without any lock of the engine. It must be short,
// must not write to the engine, and usually wakes a worker.
typedef void taud_engine_durable_callback(void *user_data);

// Adds a listener, before startup or between startup and stop. Returns SUCCESS or NO_MEMORY.
enum tau_status taud_engine_on_durable(struct taud_engine *engine,
                                       taud_engine_durable_callback *callback, void *user_data);

// False while more is waiting to be written, or to be flushed, than is good: a worker then stops
// executing writes until a durable callback. Writes still work and may wait for the disk.
bool taud_engine_log_has_room(const struct taud_engine *engine);

// Whether that is so because of memory, which a flush frees: it comes without more writes or
// commits.
bool taud_engine_awaits_flush(struct taud_engine *engine);

// --- stored data ------------------------------------------------------------------------------

enum taud_work {
    TAUD_WORK_FLUSH,    // all that was written before is in segments, and the log holds none of it
    TAUD_WORK_COMPACT,  // a flush, and all segments become one, as small as can be
    TAUD_WORK_SNAPSHOT, // a flush, and snapshots/NAME of the data directory is a copy, by links
    TAUD_WORK_KINDS,
};

enum { TAUD_SNAPSHOT_NAME_MAX = 64 }; // letters, digits, '.', '-' and '_', not '.' first

// Asks for work; `name` is a snapshot's, or NULL. Returns SUCCESS, INVALID_ARGUMENT (no such name),
// READ_ONLY (nothing is stored any more), LIMIT_EXCEEDED (too much waits).
enum tau_status taud_engine_work_begin(struct taud_engine *engine, enum taud_work kind,
                                       const char *name, uint64_t *ret_ticket);

// What became of it. *ret_done of *ret_total tell how far it is. The listeners of
// taud_engine_on_durable are called when it ends. Returns WOULD_BLOCK while it is underway;
// SUCCESS; else what it ended with, which `error` (may be NULL) says in words: STORAGE_FULL,
// NO_MEMORY, READ_ONLY, INTERNAL_ERROR; INVALID_ARGUMENT: there is no such ticket, or it ended long
// ago.
enum tau_status taud_engine_work_state(struct taud_engine *engine, uint64_t ticket,
                                       uint64_t *ret_done, uint64_t *ret_total,
                                       struct taud_error *error);

// --- figures ----------------------------------------------------------------------------------

enum taud_engine_state {
    TAUD_ENGINE_WRITABLE,
    TAUD_ENGINE_DISK_FULL, // writes get STORAGE_FULL until there is space again
    TAUD_ENGINE_READ_ONLY, // the log failed; see failure
};

struct taud_engine_statistics {
    enum taud_engine_state state;
    int failure; // errno of what failed, 0 for nothing
    uint64_t memory_limit_bytes;
    uint64_t memory_used_bytes;
    uint64_t series_count;
    uint64_t lens_count;
    uint64_t log_position; // of the newest write
    uint64_t durable_position;
    uint64_t commit_count; // writes to the log
    uint64_t commit_bytes;
    bool storing_failed; // flushes are over until the next start; see taud_engine_failure
    bool storing_waits;  // the last flush found no space; it comes again
    uint64_t segment_count;
    uint64_t stored_bytes;    // of segments
    uint64_t stored_points;   // in them, with what is deleted and not yet gone
    uint64_t unflushed_bytes; // of memory, that a flush frees
    uint64_t index_bytes;     // of memory, for the indexes of segments
    uint64_t cache_bytes;     // of memory, for blocks of segments
    uint64_t cache_hits, cache_misses;
    uint64_t flush_count;
    uint64_t flush_bytes; // of segments that flushes wrote
    uint64_t compaction_count;
    uint64_t compaction_read_bytes, compaction_written_bytes;
    uint64_t damaged_count; // chunks and objects found damaged since the start
};

void taud_engine_statistics(const struct taud_engine *engine, struct taud_engine_statistics *ret);

// What is wrong at the moment, as bits. A few atomic loads.
enum taud_condition {
    TAUD_CONDITION_LOG_FAILED = 1,     // no write is taken until the next start
    TAUD_CONDITION_LOG_FULL = 2,       // none before there is space
    TAUD_CONDITION_STORING_FAILED = 4, // nothing is flushed until the next start
    TAUD_CONDITION_STORING_WAITS = 8,  // nothing before there is space
    TAUD_CONDITION_DAMAGED = 16,       // a read found that what is stored is damaged
};
unsigned taud_engine_conditions(const struct taud_engine *engine);

// What held up or ended the storing of what is in memory, in words. Returns false when nothing did.
bool taud_engine_failure(struct taud_engine *engine, struct taud_error *ret);

// The damage that a read found first since the start, in words. Returns false where none did.
bool taud_engine_damage(struct taud_engine *engine, struct taud_error *ret);

#endif
