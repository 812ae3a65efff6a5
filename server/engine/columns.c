// SPDX-License-Identifier: MIT
// Writing columns of one series that ascend, as they nearly always do. Of 256 rows and more each
// point is touched so often: its 16 bytes are swapped from the request into 16 KiB of stack, 1,024
// points at a time, where their order is seen and where they are compressed; what comes out, a
// tenth or so of it, is copied from the stack into memory and from there into the log. Fewer rows
// go through the head.
#include "columns.h"

#include "record.h"

#include <string.h>

enum {
    CHUNKED_MIN = 256, // rows that make chunks of their own
    CHUNKS_MAX = (TAU_LIMIT_BATCH_POINTS + TAUD_CHUNK_POINTS_MAX - 1) / TAUD_CHUNK_POINTS_MAX,
};

// Rows that go to one place: late ones, or those in order.
struct part {
    bool late;
    size_t begin, count;
    size_t stored;        // of them, from the first
    uint32_t chunk_count; // 0: they are few, and stand in the columns here
    struct taud_sealed *chunks[CHUNKS_MAX];
    int64_t timestamps[CHUNKED_MIN];
    double values[CHUNKED_MIN];
};

static bool steps_are_even(const int64_t *timestamps, size_t count)
{
    uint64_t step = count > 1 ? (uint64_t)timestamps[1] - (uint64_t)timestamps[0] : 0;
    bool even = count > 1;
    for (size_t i = 2; i < count; i++)
        even &= (uint64_t)timestamps[i] - (uint64_t)timestamps[i - 1] == step;
    return even;
}

// --- where rows belong ------------------------------------------------------------------------

// The first row that is later than the series, if rows ascend.
static size_t find_split(const struct taud_columns *columns)
{
    const struct tau_array timestamps = columns->timestamps;
    size_t low = 0, high = timestamps.count;
    if (high == 0 || taud_series_in_order(columns->series, tau_i64_at(timestamps, 0)))
        return 0;
    if (!taud_series_in_order(columns->series, tau_i64_at(timestamps, high - 1)))
        return high;
    while (high - low > 1) { // row `low` is late, row `high` is not
        size_t middle = low + (high - low) / 2;
        if (taud_series_in_order(columns->series, tau_i64_at(timestamps, middle)))
            high = middle;
        else
            low = middle;
    }
    return high;
}

// Of a strict series: the first row that is not refused, whatever the order of those before.
static size_t count_refused(const struct taud_columns *columns)
{
    size_t row = 0;
    while (row < columns->timestamps.count &&
           !taud_series_in_order(columns->series, tau_i64_at(columns->timestamps, row)))
        row++;
    return row;
}

// --- from the request into chunks -------------------------------------------------------------

// Takes few rows as they are. Returns whether they ascend.
static bool take_few(const struct taud_columns *columns, struct part *part)
{
    tau_i64_copy(columns->timestamps, part->begin, part->count, part->timestamps);
    tau_f64_copy(columns->values, part->begin, part->count, part->values);
    return taud_codec_ascending(columns->shard->codec, part->timestamps, part->count);
}

static void release_chunks(const struct taud_columns *columns, struct part *part, uint32_t from)
{
    for (uint32_t i = from; i < part->chunk_count; i++)
        taud_sealed_release(part->chunks[i], &columns->engine->arena);
    part->chunk_count = from;
}

// Makes chunks of many rows, as even as can be. Returns whether they ascend; where memory is at its
// bound there are fewer chunks.
static bool take_many(const struct taud_columns *columns, struct part *part)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    size_t chunks = (part->count + TAUD_CHUNK_POINTS_MAX - 1) / TAUD_CHUNK_POINTS_MAX;
    size_t row = part->begin;
    int64_t previous = 0;
    for (size_t i = 0; i < chunks; i++) {
        size_t end = part->begin + part->count * (i + 1) / chunks;
        tau_i64_copy(columns->timestamps, row, end - row, timestamps);
        if (!taud_codec_ascending(columns->shard->codec, timestamps, end - row) ||
            (i > 0 && timestamps[0] <= previous))
            return false;
        previous = timestamps[end - row - 1];
        tau_f64_copy(columns->values, row, end - row, values);
        struct taud_sealed *sealed =
            taud_sealed_encode(&columns->shard->pool, columns->shard->codec, timestamps, values,
                               (uint32_t)(end - row), &columns->series->hint);
        if (!sealed)
            return true;
        part->chunks[part->chunk_count++] = sealed;
        row = end;
    }
    return true;
}

static bool take(const struct taud_columns *columns, struct part *part)
{
    return part->count < CHUNKED_MIN ? take_few(columns, part) : take_many(columns, part);
}

// --- into memory ------------------------------------------------------------------------------

static void store(const struct taud_columns *columns, struct part *part)
{
    struct taud_series *series = columns->series;
    struct taud_series_memory memory = taud_shard_memory(columns->engine, columns->shard);
    if (part->count < CHUNKED_MIN) {
        part->stored = (part->late ? taud_series_append_late_columns : taud_series_append_columns)(
            series, &memory, part->timestamps, part->values, part->count);
        return;
    }
    uint32_t chunk = 0;
    while (chunk < part->chunk_count &&
           taud_series_append_sealed(series, &memory, part->chunks[chunk], part->late))
        part->stored += part->chunks[chunk++]->summary.count;
    release_chunks(columns, part, chunk);
}

static void tell_rollups(const struct taud_columns *columns, const struct part *part)
{
    if (part->stored > 0)
        taud_rollup_see(columns->engine, columns->series,
                        tau_i64_at(columns->timestamps, part->begin),
                        tau_i64_at(columns->timestamps, part->begin + part->stored - 1));
}

// --- into the log -----------------------------------------------------------------------------

// What the records are made of: chunks that the series has, or columns on the stack.
struct logged {
    uint64_t identity;
    const struct part *parts[2];
};

static size_t part_bytes(const struct part *part)
{
    size_t size = 0;
    if (part->stored == 0)
        return 0;
    if (part->chunk_count == 0)
        return taud_record_columns_bytes(steps_are_even(part->timestamps, part->stored)
                                             ? TAUD_COLUMNS_STEP
                                             : TAUD_COLUMNS_PLAIN,
                                         part->stored);
    for (uint32_t i = 0; i < part->chunk_count; i++)
        size += 4 + part->chunks[i]->size;
    return taud_record_chunks_bytes(size);
}

static uint8_t *encode_few(uint8_t *out, uint64_t identity, const struct part *part)
{
    bool even = steps_are_even(part->timestamps, part->stored);
    taud_record_header(out, TAUD_RECORD_COLUMNS, even ? TAUD_COLUMNS_STEP : TAUD_COLUMNS_PLAIN,
                       (uint32_t)part->stored);
    taud_store_u64(out + 8, identity);
    out += 16;
    if (even) {
        taud_store_u64(out, (uint64_t)part->timestamps[0]);
        taud_store_u64(out + 8, (uint64_t)part->timestamps[1] - (uint64_t)part->timestamps[0]);
        out += 16;
    } else {
        taud_copy_words(out, part->timestamps, part->stored);
        out += part->stored * 8;
    }
    taud_copy_words(out, part->values, part->stored);
    return out + part->stored * 8;
}

static uint8_t *encode_chunks(uint8_t *out, uint64_t identity, const struct part *part)
{
    uint8_t *begin = out;
    taud_record_header(out, TAUD_RECORD_CHUNKS,
                       part->late ? TAUD_CHUNKS_LATE : TAUD_CHUNKS_IN_ORDER, part->chunk_count);
    taud_store_u64(out + 8, identity);
    out += TAUD_RECORD_CHUNKS_HEADER_BYTES;
    for (uint32_t i = 0; i < part->chunk_count; i++) {
        const struct taud_sealed *sealed = part->chunks[i];
        taud_store_u32(out, sealed->size);
        memcpy(out + 4, sealed->bytes, sealed->size);
        out += 4 + sealed->size;
    }
    while ((size_t)(out - begin) % 8 != 0)
        *out++ = 0;
    return out;
}

static void encode_parts(uint8_t *out, const void *user_data)
{
    const struct logged *logged = user_data;
    for (size_t i = 0; i < 2; i++) {
        const struct part *part = logged->parts[i];
        if (part->stored > 0)
            out = part->chunk_count > 0 ? encode_chunks(out, logged->identity, part)
                                        : encode_few(out, logged->identity, part);
    }
}

size_t taud_columns_bound(size_t count)
{
    // Each part has its header and is filled up to 8; chunks are no larger than what is in them but
    // for their size and header.
    size_t chunks = count / TAUD_CHUNK_POINTS_MAX + 2;
    return count * 16 + chunks * (4 + TAUD_CHUNK_HEADER_BYTES) +
           2 * (TAUD_RECORD_CHUNKS_HEADER_BYTES + 16 + 8);
}

// --- all of it --------------------------------------------------------------------------------

bool taud_columns_place(const struct taud_columns *columns, bool judged,
                        struct taud_columns_placed *ret, uint64_t *position)
{
    struct taud_series *series = columns->series;
    bool strict = series->order == TAUD_ORDER_STRICT && !judged;
    size_t split = strict ? count_refused(columns) : find_split(columns);
    if (split > 0 && !judged && taud_order_asks(series->order))
        return false;
    // Not initialised as a whole: what is not counted is not read.
    struct part late, ordered;
    late.late = true;
    late.begin = strict ? split : 0;
    late.count = split - late.begin;
    ordered.late = false;
    ordered.begin = split;
    ordered.count = columns->timestamps.count - split;
    late.stored = ordered.stored = 0;
    late.chunk_count = ordered.chunk_count = 0;
    if (!take(columns, &late) || !take(columns, &ordered)) {
        release_chunks(columns, &late, 0);
        release_chunks(columns, &ordered, 0);
        return false;
    }
    store(columns, &late);
    store(columns, &ordered);
    struct logged logged = {series->identity, {&late, &ordered}};
    size_t size = part_bytes(&late) + part_bytes(&ordered);
    if (size > 0) {
        taud_shard_see(columns->shard, series->last_timestamp);
        tell_rollups(columns, &late);
        tell_rollups(columns, &ordered);
        taud_raise(position,
                   taud_log_append_record(&columns->engine->log, size, encode_parts, &logged));
    }
    *ret = (struct taud_columns_placed){
        .refused = late.begin,
        .late_stored = late.begin + late.stored,
        .late = split,
        .stored = split + ordered.stored,
    };
    return true;
}

static void refuse(size_t from, size_t to, enum tau_status status,
                   struct tau_refused_row *ret_refused, size_t *count)
{
    for (size_t row = from; row < to; row++)
        ret_refused[(*count)++] = (struct tau_refused_row){.row = (uint32_t)row, .status = status};
}

// Tells what became of rows that ascend.
static enum tau_status report(const struct taud_columns_placed *placed, size_t count,
                              struct tau_refused_row *ret_refused, size_t *ret_refused_count)
{
    bool full = placed->late_stored < placed->late || placed->stored < count;
    bool any = placed->late_stored > placed->refused || placed->stored > placed->late;
    if (full && !any)
        return TAU_STATUS_STORAGE_FULL;
    *ret_refused_count = 0;
    refuse(0, placed->refused, taud_order_refusal(TAUD_ORDER_STRICT), ret_refused,
           ret_refused_count);
    refuse(placed->late_stored, placed->late, TAU_STATUS_STORAGE_FULL, ret_refused,
           ret_refused_count);
    refuse(placed->stored, count, TAU_STATUS_STORAGE_FULL, ret_refused, ret_refused_count);
    return TAU_STATUS_SUCCESS;
}

static enum tau_status append_admitted(struct taud_engine *engine, const struct tau_label *label,
                                       struct tau_array timestamps, struct tau_array values,
                                       struct tau_refused_row *ret_refused,
                                       size_t *ret_refused_count, uint64_t *position)
{
    struct taud_columns columns = {.engine = engine, .timestamps = timestamps, .values = values};
    struct taud_columns_placed placed;
    columns.series = taud_engine_lock_series(engine, label, &columns.shard);
    if (!columns.series)
        return TAU_STATUS_SERIES_NOT_FOUND;
    bool begun = taud_policy_begin(engine, columns.shard, columns.series);
    bool done = begun && taud_columns_place(&columns, false, &placed, position);
    pthread_mutex_unlock(&columns.shard->mutex);
    if (!begun)
        return TAU_STATUS_STORAGE_FULL;
    if (done)
        return report(&placed, timestamps.count, ret_refused, ret_refused_count);
    return taud_columns_append_disorder(engine, label, timestamps, values, ret_refused,
                                        ret_refused_count, position);
}

enum tau_status taud_engine_append_columns(struct taud_engine *engine,
                                           const struct tau_label *label,
                                           struct tau_array timestamps, struct tau_array values,
                                           struct tau_refused_row *ret_refused,
                                           size_t *ret_refused_count, uint64_t *position)
{
    if (timestamps.count != values.count || timestamps.count > TAU_LIMIT_BATCH_POINTS)
        return TAU_STATUS_INVALID_PAYLOAD;
    size_t bound = taud_columns_bound(timestamps.count);
    enum tau_status status = taud_log_admit(&engine->log, bound, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = append_admitted(engine, label, timestamps, values, ret_refused, ret_refused_count,
                             position);
    taud_log_release(&engine->log, bound);
    return status;
}
