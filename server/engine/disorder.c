// SPDX-License-Identifier: MIT
// Batches whose rows do not ascend, or of which late ones have to know what is there. A strict
// series takes them row by row. Under the other policies a row matters to those of its timestamp
// alone, so rows are sorted, those of one timestamp become one point, and all of them ascend: the
// sorting, and the reading of what may be needed from segments, before the lock is taken.
#include "arrange.h"
#include "columns.h"

#include "read/lookup.h"

#include <string.h>

_Static_assert(TAU_STATUS_SUCCESS == 0, "statuses are made by clearing them");

enum { KEPT_BYTES = 1 << 20 };

// Memory for a batch, all in one piece. The engine keeps one, with the order that its rows were put
// into: what a host measures comes as a batch for each metric, and all of one moment have the same
// times.
struct taud_disorder {
    size_t capacity; // rows
    size_t count;
    int64_t *timestamps; // as they came
    double *values;
    struct taud_arranged *rows;
    bool arranged;
    struct taud_arranged *spare; // to arrange them; then the judged columns are here
    int64_t *judged_timestamps;  // what is to be stored, ascending
    double *judged_values;
    size_t judged_count;
    bool told;                 // else every row is stored
    enum tau_status *statuses; // of each row
};

_Static_assert(sizeof(struct taud_arranged) == sizeof(int64_t) + sizeof(double),
               "the judged columns are where rows were arranged");

static size_t bytes_of(size_t capacity)
{
    const struct taud_disorder *batch = NULL;
    return sizeof *batch + capacity * (sizeof *batch->timestamps + sizeof *batch->values +
                                       2 * sizeof *batch->rows + sizeof *batch->statuses);
}

static void lay_out(struct taud_disorder *batch, size_t capacity, size_t count)
{
    *batch = (struct taud_disorder){.capacity = capacity, .count = count};
    batch->timestamps = (int64_t *)(void *)(batch + 1);
    batch->values = (double *)(void *)(batch->timestamps + count);
    batch->rows = (struct taud_arranged *)(void *)(batch->values + count);
    batch->spare = batch->rows + count;
    batch->judged_timestamps = (int64_t *)(void *)batch->spare;
    batch->judged_values = (double *)(void *)(batch->judged_timestamps + count);
    batch->statuses = (enum tau_status *)(void *)(batch->spare + count);
}

// Takes timestamps over. Whether they are those that were there is seen on the way.
static void take_timestamps(struct taud_disorder *batch, struct tau_array timestamps)
{
    enum { PIECE = 512 };
    int64_t piece[PIECE];
    bool same = batch->arranged;
    for (size_t done = 0, count; done < batch->count; done += count) {
        count = batch->count - done < PIECE ? batch->count - done : PIECE;
        tau_i64_copy(timestamps, done, count, piece);
        same = same && memcmp(batch->timestamps + done, piece, count * sizeof *piece) == 0;
        if (!same)
            memcpy(batch->timestamps + done, piece, count * sizeof *piece);
    }
    batch->arranged = same;
}

static struct taud_disorder *take_batch(struct taud_engine *engine, struct tau_array timestamps,
                                        struct tau_array values)
{
    const struct taud_allocator *allocator = engine->allocator;
    size_t count = timestamps.count;
    struct taud_disorder *batch = atomic_exchange(&engine->disorder, NULL);
    if (batch && batch->capacity < count) {
        allocator->release(allocator->context, batch);
        batch = NULL;
    }
    if (batch && batch->count != count)
        lay_out(batch, batch->capacity, count);
    if (!batch) {
        batch = allocator->allocate(allocator->context, bytes_of(count));
        if (!batch)
            return NULL;
        lay_out(batch, count, count);
    }
    batch->judged_count = 0;
    batch->told = false;
    take_timestamps(batch, timestamps);
    tau_f64_copy(values, 0, count, batch->values);
    return batch;
}

static void give_batch(struct taud_engine *engine, struct taud_disorder *batch)
{
    const struct taud_allocator *allocator = engine->allocator;
    if (bytes_of(batch->capacity) <= KEPT_BYTES)
        batch = atomic_exchange(&engine->disorder, batch);
    allocator->release(allocator->context, batch);
}

void taud_columns_forget_disorder(struct taud_engine *engine)
{
    const struct taud_allocator *allocator = engine->allocator;
    allocator->release(allocator->context, atomic_exchange(&engine->disorder, NULL));
}

static void arrange(struct taud_disorder *batch)
{
    if (batch->arranged)
        return;
    taud_arrange(batch->timestamps, batch->count, batch->rows, batch->spare);
    batch->arranged = true;
}

// --- before the lock --------------------------------------------------------------------------

// Asks for the late timestamps, as anybody may, so that what is stored of them is in the cache.
static void bring_near(struct taud_engine *engine, const struct tau_label *label,
                       const struct taud_disorder *batch, int64_t last)
{
    enum { PIECE = 64 };
    struct tau_query_point_request asked[PIECE];
    struct tau_query_point_response answers[PIECE];
    enum tau_status statuses[PIECE];
    size_t done = 0;
    while (done < batch->count && batch->rows[done].timestamp <= last) {
        size_t count = 0;
        for (; count < PIECE && done < batch->count && batch->rows[done].timestamp <= last; done++)
            asked[count++] =
                (struct tau_query_point_request){*label, batch->rows[done].timestamp};
        taud_engine_query_points(engine, asked, count, answers, statuses);
    }
}

static bool prepare(struct taud_engine *engine, const struct tau_label *label,
                    struct taud_disorder *batch)
{
    struct taud_shard *shard;
    const struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (!series)
        return false;
    unsigned order = series->order;
    int64_t last = series->last_timestamp;
    bool stored = series->any && series->stored;
    pthread_mutex_unlock(&shard->mutex);
    if (order != TAUD_ORDER_STRICT)
        arrange(batch);
    if (stored && taud_order_asks(order))
        bring_near(engine, label, batch, last);
    return true;
}

// --- judging ----------------------------------------------------------------------------------

static void add_point(struct taud_disorder *batch, int64_t timestamp, double value)
{
    batch->judged_timestamps[batch->judged_count] = timestamp;
    batch->judged_values[batch->judged_count++] = value;
}

// Of a strict series: each row has to be later than all before it.
static void judge_strict(struct taud_disorder *batch, const struct taud_series *series)
{
    batch->told = true;
    int64_t last = series->last_timestamp;
    bool any = series->any;
    for (size_t i = 0; i < batch->count; i++) {
        int64_t timestamp = batch->timestamps[i];
        if (any && timestamp <= last) {
            batch->statuses[i] = taud_order_refusal(TAUD_ORDER_STRICT);
            continue;
        }
        batch->statuses[i] = TAU_STATUS_SUCCESS;
        add_point(batch, timestamp, batch->values[i]);
        last = timestamp;
        any = true;
    }
}

// Rows `from` to `to` - 1 of those in order of time have one timestamp: what they make of it.
static void judge_group(const struct taud_columns *columns, struct taud_disorder *batch,
                        size_t from, size_t to)
{
    const struct taud_series *series = columns->series;
    int64_t timestamp = batch->rows[from].timestamp;
    bool found = false, changed = false;
    double value = 0;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (taud_order_asks(series->order) && !taud_series_in_order(series, timestamp))
        status = taud_lookup(columns->engine, columns->shard, series, timestamp, &found, &value);
    for (size_t i = from; i < to; i++) {
        uint32_t row = batch->rows[i].row;
        double given = batch->values[row];
        batch->statuses[row] = status;
        if (status != TAU_STATUS_SUCCESS)
            continue;
        enum taud_order_verdict verdict = TAUD_ORDER_STORE;
        if (found)
            verdict = taud_order_fold(series->order, value, given, &given);
        if (verdict == TAUD_ORDER_REFUSE)
            batch->statuses[row] = taud_order_refusal(series->order);
        if (verdict != TAUD_ORDER_STORE)
            continue;
        value = given;
        found = changed = true;
    }
    if (changed)
        add_point(batch, timestamp, value);
}

// Where the last point of a timestamp stays, none is refused and nothing has to be looked up.
static void judge_last(struct taud_disorder *batch)
{
    int64_t *timestamps = batch->judged_timestamps;
    double *values = batch->judged_values;
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) { // one that has a later one gives its place to that
        const struct taud_arranged *row = &batch->rows[i];
        count -= i > 0 && row[-1].timestamp == row->timestamp;
        timestamps[count] = row->timestamp;
        values[count++] = batch->values[row->row];
    }
    batch->judged_count = count;
}

static void judge(const struct taud_columns *columns, struct taud_disorder *batch)
{
    if (columns->series->order == TAUD_ORDER_STRICT) {
        judge_strict(batch, columns->series);
        return;
    }
    arrange(batch);
    if (columns->series->order == TAUD_ORDER_LAST) {
        judge_last(batch);
        return;
    }
    batch->told = true;
    for (size_t i = 0, end; i < batch->count; i = end) {
        end = i + 1;
        while (end < batch->count && batch->rows[end].timestamp == batch->rows[i].timestamp)
            end++;
        judge_group(columns, batch, i, end);
    }
}

// --- what became of them ----------------------------------------------------------------------

// Rows whose timestamps are among the judged ones from `from` to `to` - 1 found no memory.
static void mark_full(struct taud_disorder *batch, size_t from, size_t to)
{
    if (from == to)
        return;
    if (!batch->told)
        memset(batch->statuses, 0, batch->count * sizeof *batch->statuses);
    batch->told = true;
    int64_t first = batch->judged_timestamps[from], last = batch->judged_timestamps[to - 1];
    for (size_t i = 0; i < batch->count; i++) {
        int64_t timestamp = batch->timestamps[i];
        if (timestamp >= first && timestamp <= last && batch->statuses[i] == TAU_STATUS_SUCCESS)
            batch->statuses[i] = TAU_STATUS_STORAGE_FULL;
    }
}

static enum tau_status report(const struct taud_disorder *batch,
                              struct tau_refused_row *ret_refused, size_t *ret_refused_count)
{
    size_t refused = 0;
    bool full = false;
    for (size_t i = 0; i < batch->count && batch->told; i++) {
        if (batch->statuses[i] == TAU_STATUS_SUCCESS)
            continue;
        full |= batch->statuses[i] == TAU_STATUS_STORAGE_FULL;
        ret_refused[refused++] =
            (struct tau_refused_row){.row = (uint32_t)i, .status = batch->statuses[i]};
    }
    if (full && refused == batch->count)
        return TAU_STATUS_STORAGE_FULL;
    *ret_refused_count = refused;
    return TAU_STATUS_SUCCESS;
}

// With the lock. Returns false when memory is at its bound before anything is done.
static bool append_locked(struct taud_columns *columns, struct taud_disorder *batch,
                          uint64_t *position)
{
    struct taud_columns_placed placed;
    if (!taud_policy_begin(columns->engine, columns->shard, columns->series))
        return false;
    judge(columns, batch);
    columns->timestamps = (struct tau_array){batch->judged_timestamps, batch->judged_count, false};
    columns->values = (struct tau_array){batch->judged_values, batch->judged_count, false};
    if (!taud_columns_place(columns, true, &placed, position))
        return false; // never: they ascend
    mark_full(batch, placed.late_stored, placed.late);
    mark_full(batch, placed.stored, batch->judged_count);
    // Rows that keep what is there rely on it to be durable.
    if (taud_order_asks(columns->series->order))
        taud_raise(position, atomic_load(&columns->engine->log.next_position));
    return true;
}

enum tau_status taud_columns_append_disorder(struct taud_engine *engine,
                                             const struct tau_label *label,
                                             struct tau_array timestamps, struct tau_array values,
                                             struct tau_refused_row *ret_refused,
                                             size_t *ret_refused_count, uint64_t *position)
{
    struct taud_disorder *batch = take_batch(engine, timestamps, values);
    if (!batch)
        return TAU_STATUS_NO_MEMORY;
    struct taud_columns columns = {.engine = engine};
    enum tau_status status = TAU_STATUS_SERIES_NOT_FOUND;
    if (prepare(engine, label, batch))
        columns.series = taud_engine_lock_series(engine, label, &columns.shard);
    if (columns.series) {
        bool done = append_locked(&columns, batch, position);
        pthread_mutex_unlock(&columns.shard->mutex);
        status = done ? report(batch, ret_refused, ret_refused_count) : TAU_STATUS_STORAGE_FULL;
    }
    give_batch(engine, batch);
    return status;
}
