// SPDX-License-Identifier: MIT
// Writing columns of one series. They are swapped from the wire straight into the chunks behind the
// last point, judged there, copied from there into the log, and then published.
#include "state.h"

#include "record.h"

#include <string.h>

void taud_columns_examine(const struct taud_series *series, uint64_t count, bool *ret_ascending,
                          bool *ret_even)
{
    uint64_t first = series->point_count, done = 0;
    bool ascending = true, even = true;
    int64_t previous = series->last_timestamp;
    bool any = first > 0;
    uint64_t step = 0;
    while (done < count) {
        struct taud_span span = taud_series_span(series, first + done);
        uint64_t piece = count - done < span.count ? count - done : span.count;
        for (uint64_t i = 0; i < piece; i++) {
            int64_t timestamp = span.timestamps[i];
            uint64_t distance = (uint64_t)timestamp - (uint64_t)previous;
            ascending &= (!any) | (timestamp > previous);
            if (done + i == 1)
                step = distance;
            even &= (done + i < 2) | (distance == step);
            previous = timestamp;
            any = true;
        }
        done += piece;
    }
    *ret_ascending = ascending;
    *ret_even = even && count > 1;
}

struct columns {
    const struct taud_series *series;
    uint64_t count;
    enum taud_columns_mode mode;
};

static uint8_t *encode_column(uint8_t *out, const struct columns *columns, bool values)
{
    for (uint64_t done = 0; done < columns->count;) {
        struct taud_span span =
            taud_series_span(columns->series, columns->series->point_count + done);
        uint64_t left = columns->count - done;
        size_t piece = left < span.count ? (size_t)left : span.count;
        if (values)
            taud_copy_words(out, span.values, piece);
        else
            taud_copy_words(out, span.timestamps, piece);
        out += piece * 8;
        done += piece;
    }
    return out;
}

static void encode_columns(uint8_t *out, const void *user_data)
{
    const struct columns *columns = user_data;
    uint64_t first = columns->series->point_count;
    taud_record_header(out, TAUD_RECORD_COLUMNS, columns->mode, (uint32_t)columns->count);
    taud_store_u64(out + 8, columns->series->identity);
    out += 16;
    if (columns->mode == TAUD_COLUMNS_STEP) {
        int64_t start = *taud_series_span(columns->series, first).timestamps;
        int64_t second = *taud_series_span(columns->series, first + 1).timestamps;
        taud_store_u64(out, (uint64_t)start);
        taud_store_u64(out + 8, (uint64_t)second - (uint64_t)start);
        out += 16;
    } else {
        out = encode_column(out, columns, false);
    }
    encode_column(out, columns, true);
}

static void place_timestamps(struct taud_series *series, struct tau_array timestamps)
{
    for (size_t done = 0; done < timestamps.count;) {
        struct taud_span span = taud_series_span(series, series->point_count + done);
        size_t left = timestamps.count - done;
        size_t piece = left < span.count ? left : span.count;
        tau_i64_copy(timestamps, done, piece, span.timestamps);
        done += piece;
    }
}

static void place_values(struct taud_series *series, struct tau_array values)
{
    for (size_t done = 0; done < values.count;) {
        struct taud_span span = taud_series_span(series, series->point_count + done);
        size_t left = values.count - done;
        size_t piece = left < span.count ? left : span.count;
        tau_f64_copy(values, done, piece, span.values);
        done += piece;
    }
}

// Judges row by row; what is accepted moves down over what was refused. Returns how many are.
static uint64_t place_accepted(struct taud_series *series, struct tau_array timestamps,
                               struct tau_array values, struct tau_refused_row *ret_refused,
                               size_t *ret_refused_count)
{
    uint64_t accepted = 0;
    size_t refused = 0;
    bool any = series->point_count > 0;
    int64_t last = series->last_timestamp;
    for (size_t i = 0; i < timestamps.count; i++) {
        int64_t timestamp;
        tau_i64_copy(timestamps, i, 1, &timestamp);
        if (any && timestamp <= last) {
            ret_refused[refused++] = (struct tau_refused_row){
                .row = (uint32_t)i,
                .status = TAU_STATUS_OUT_OF_ORDER,
            };
            continue;
        }
        struct taud_span span = taud_series_span(series, series->point_count + accepted);
        *span.timestamps = timestamp;
        tau_f64_copy(values, i, 1, span.values);
        last = timestamp;
        any = true;
        accepted++;
    }
    *ret_refused_count = refused;
    return accepted;
}

static enum tau_status append_locked(struct taud_engine *engine, struct taud_series *series,
                                     struct tau_array timestamps, struct tau_array values,
                                     struct tau_refused_row *ret_refused,
                                     size_t *ret_refused_count, uint64_t *position)
{
    uint64_t count = timestamps.count;
    if (!taud_series_reserve(series, &engine->arena, count)) {
        taud_series_trim(series, &engine->arena);
        return TAU_STATUS_STORAGE_FULL;
    }
    bool ascending, even;
    place_timestamps(series, timestamps);
    taud_columns_examine(series, count, &ascending, &even);
    *ret_refused_count = 0;
    if (ascending) {
        place_values(series, values);
    } else {
        count = place_accepted(series, timestamps, values, ret_refused, ret_refused_count);
        taud_columns_examine(series, count, &ascending, &even);
    }
    if (count > 0) {
        struct columns columns = {series, count, even ? TAUD_COLUMNS_STEP : TAUD_COLUMNS_PLAIN};
        taud_raise(position, taud_log_append_record(
                                 &engine->log,
                                 taud_record_columns_bytes(columns.mode, (size_t)count),
                                 encode_columns, &columns));
        taud_series_publish(series, count);
    }
    taud_series_trim(series, &engine->arena);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_append_columns(struct taud_engine *engine, const struct tau_label *label,
                                           struct tau_array timestamps, struct tau_array values,
                                           struct tau_refused_row *ret_refused,
                                           size_t *ret_refused_count, uint64_t *position)
{
    if (timestamps.count != values.count || timestamps.count > TAU_LIMIT_BATCH_POINTS)
        return TAU_STATUS_INVALID_PAYLOAD;
    size_t bound = taud_record_columns_bytes(TAUD_COLUMNS_PLAIN, timestamps.count) + 16;
    enum tau_status status = taud_log_admit(&engine->log, bound, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_shard *shard;
    struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (series) {
        status = append_locked(engine, series, timestamps, values, ret_refused, ret_refused_count,
                               position);
        pthread_mutex_unlock(&shard->mutex);
    }
    taud_log_release(&engine->log, bound);
    return series ? status : TAU_STATUS_SERIES_NOT_FOUND;
}
