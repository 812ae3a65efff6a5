// SPDX-License-Identifier: MIT
// The engine's aggregates behind a pipe, for a test that computes them again. Standard input brings
// cases as words of hexadecimal digits, each the 64 bits of an integer or an f64:
//
//   from, to, width, origin, fill, fill value, columns, {function, parameter}...,
//   way, capacity of windows, rows at a time, series,
//   {has prior, its timestamp, its value, timestamp of the last point of all,
//    pieces, {points, {timestamp}..., {value}...}...}...
//
// and standard output has a line of such words for each: status, needs, rows, {start,
// {value}...}... `way` 0 streams through small windows, 1 gives each piece a window of its own and
// appends.
#include "engine/aggregate/emission.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct piece {
    size_t count;
    int64_t *timestamps;
    double *values;
};

struct series {
    struct taud_aggregate_series known;
    size_t piece_count;
    struct piece *pieces;
    size_t piece, point; // how far the streaming way has come
};

struct input {
    struct taud_aggregate_plan plan;
    enum tau_status status;
    uint64_t way;
    uint32_t capacity;
    size_t rows_capacity;
    size_t series_count;
    struct series *series;
};

static struct taud_aggregate_memory memory;

static bool take(uint64_t *word)
{
    char digits[17];
    if (scanf("%16s", digits) != 1)
        return false;
    *word = strtoull(digits, NULL, 16);
    return true;
}

static uint64_t take_word(void)
{
    uint64_t word;
    if (!take(&word))
        exit(2);
    return word;
}

static double take_value(void)
{
    uint64_t word = take_word();
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static void *allocate(size_t size)
{
    void *block = malloc(size > 0 ? size : 1);
    if (!block)
        exit(2);
    return block;
}

static void expect(bool good)
{
    if (!good)
        exit(3);
}

static void expect_success(enum tau_status status)
{
    expect(status == TAU_STATUS_SUCCESS);
}

static void put(uint64_t word)
{
    printf("%" PRIx64 " ", word);
}

static void put_value(double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    put(word);
}

// --- input ------------------------------------------------------------------------------------

static struct piece take_piece(void)
{
    struct piece piece = {.count = (size_t)take_word()};
    piece.timestamps = allocate(piece.count * sizeof *piece.timestamps);
    piece.values = allocate(piece.count * sizeof *piece.values);
    for (size_t i = 0; i < piece.count; i++)
        piece.timestamps[i] = (int64_t)take_word();
    for (size_t i = 0; i < piece.count; i++)
        piece.values[i] = take_value();
    return piece;
}

static struct series take_series(void)
{
    struct series series = {.known.has_prior = take_word() != 0};
    series.known.prior_timestamp = (int64_t)take_word();
    series.known.prior = take_value();
    series.known.end = (int64_t)take_word();
    series.piece_count = (size_t)take_word();
    series.pieces = allocate(series.piece_count * sizeof *series.pieces);
    for (size_t i = 0; i < series.piece_count; i++)
        series.pieces[i] = take_piece();
    return series;
}

static bool take_input(struct input *input)
{
    uint64_t from;
    struct taud_aggregate_column columns[32];
    if (!take(&from))
        return false;
    struct taud_aggregate_options options = {.from = (int64_t)from, .columns = columns};
    options.to = (int64_t)take_word();
    options.width = take_word();
    options.origin = (int64_t)take_word();
    options.fill = (enum taud_aggregate_fill)take_word();
    options.fill_value = take_value();
    options.column_count = (size_t)take_word();
    for (size_t i = 0; i < options.column_count; i++) {
        columns[i].function = (enum taud_aggregate_function)take_word();
        columns[i].parameter = take_value();
    }
    input->status = taud_aggregate_plan_init(&input->plan, &options);
    input->way = take_word();
    input->capacity = (uint32_t)take_word();
    input->rows_capacity = (size_t)take_word();
    input->series_count = (size_t)take_word();
    input->series = allocate(input->series_count * sizeof *input->series);
    for (size_t i = 0; i < input->series_count; i++)
        input->series[i] = take_series();
    return true;
}

static void free_input(struct input *input)
{
    for (size_t i = 0; i < input->series_count; i++) {
        for (size_t k = 0; k < input->series[i].piece_count; k++) {
            free(input->series[i].pieces[k].timestamps);
            free(input->series[i].pieces[k].values);
        }
        free(input->series[i].pieces);
    }
    free(input->series);
}

// --- work -------------------------------------------------------------------------------------

static struct taud_chunk_summary summary_of(const struct piece *piece)
{
    struct taud_chunk_summary summary = {
        .count = (uint32_t)piece->count,
        .first_timestamp = piece->timestamps[0],
        .last_timestamp = piece->timestamps[piece->count - 1],
        .first = piece->values[0],
        .last = piece->values[piece->count - 1],
    };
    for (size_t i = 0; i < piece->count; i++) {
        double value = piece->values[i];
        if (isnan(value))
            continue;
        summary.low = summary.number_count == 0 || value < summary.low ? value : summary.low;
        summary.high = summary.number_count == 0 || value > summary.high ? value : summary.high;
        summary.sum += value;
        summary.number_count++;
    }
    if (summary.number_count == 0)
        summary.low = summary.high = NAN;
    return summary;
}

// Gives a piece in the form that asks for the least. Returns how many points were dealt with.
static size_t give(struct taud_aggregate_window *window, const struct piece *piece, size_t from)
{
    size_t used = 0;
    struct taud_chunk_summary summary;
    if (piece->count == 0)
        return 0;
    int64_t first = piece->timestamps[0], last = piece->timestamps[piece->count - 1];
    switch (taud_aggregate_window_wants(window, first, last)) {
    case TAUD_AGGREGATE_FORM_LATER:
        return 0;
    case TAUD_AGGREGATE_FORM_SUMMARY:
        summary = summary_of(piece);
        taud_aggregate_window_add_summary(window, &summary);
        break;
    case TAUD_AGGREGATE_FORM_VALUES:
        expect_success(
            taud_aggregate_window_add_values(window, first, last, piece->values, piece->count));
        break;
    case TAUD_AGGREGATE_FORM_COLUMNS:
        expect_success(taud_aggregate_window_add(window, piece->timestamps + from,
                                                 piece->values + from, piece->count - from, &used));
        return from + used;
    default:
        break;
    }
    return piece->count;
}

static bool stream(struct taud_aggregate_window *window, struct series *series)
{
    while (series->piece < series->piece_count) {
        const struct piece *piece = &series->pieces[series->piece];
        series->point = give(window, piece, series->point);
        if (series->point < piece->count)
            return true;
        series->piece++;
        series->point = 0;
    }
    return false;
}

struct result {
    size_t count, room;
    int64_t *starts;
    double *columns[TAUD_AGGREGATE_COLUMNS_MAX];
};

static void emit(struct taud_aggregate_emission *emission, struct input *input,
                 const struct taud_aggregate_window *window, bool last, struct result *result)
{
    size_t touched = window->used_end - window->used_first;
    struct taud_aggregate_rows rows = {
        .starts = allocate(touched * sizeof *rows.starts),
        .values = allocate(touched * input->plan.column_count * sizeof *rows.values),
    };
    taud_aggregate_read(window, &rows);
    for (bool more = true; more;) {
        double *columns[TAUD_AGGREGATE_COLUMNS_MAX];
        expect(result->count + input->rows_capacity <= result->room);
        for (size_t i = 0; i < input->plan.column_count; i++)
            columns[i] = result->columns[i] + result->count;
        result->count += taud_aggregate_emit(emission, &rows, last, result->starts + result->count,
                                             columns, input->rows_capacity, &more);
    }
    free(rows.starts);
    free(rows.values);
}

// All series through one small window after the other.
static void work_in_stream(struct input *input, struct result *result)
{
    struct taud_aggregate_plan *plan = &input->plan;
    struct taud_aggregate_window group, own;
    struct taud_aggregate_emission emission;
    bool order = (plan->needs & TAUD_AGGREGATE_NEEDS_ORDER) != 0;
    taud_aggregate_emission_init(&emission, plan);
    expect_success(taud_aggregate_window_init(&group, plan, &memory, input->capacity));
    expect_success(taud_aggregate_window_init(&own, plan, &memory, input->capacity));
    for (uint32_t first = 0; first < plan->bucket_count; first = group.end) {
        taud_aggregate_window_place(&group, first);
        for (size_t i = 0; i < input->series_count; i++) {
            struct series *series = &input->series[i];
            if (!order) {
                stream(&group, series);
                continue;
            }
            taud_aggregate_window_place(&own, first);
            stream(&own, series);
            taud_aggregate_window_close(&own, &series->known);
            expect_success(taud_aggregate_window_combine(&group, &own));
        }
        emit(&emission, input, &group, group.end == plan->bucket_count, result);
    }
    taud_aggregate_window_done(&own);
    taud_aggregate_window_done(&group);
}

// Each piece into a window of its own, appended from the last to the first, the series combined in
// that order too.
static void work_in_pieces(struct input *input, struct result *result)
{
    struct taud_aggregate_plan *plan = &input->plan;
    struct taud_aggregate_window group, own, later;
    struct taud_aggregate_emission emission;
    taud_aggregate_emission_init(&emission, plan);
    expect_success(taud_aggregate_window_init(&group, plan, &memory, TAUD_AGGREGATE_BUCKETS_MAX));
    for (size_t i = input->series_count; i-- > 0;) {
        struct series *series = &input->series[i];
        expect_success(
            taud_aggregate_window_init(&later, plan, &memory, TAUD_AGGREGATE_BUCKETS_MAX));
        for (size_t k = series->piece_count; k-- > 0;) {
            expect_success(
                taud_aggregate_window_init(&own, plan, &memory, TAUD_AGGREGATE_BUCKETS_MAX));
            give(&own, &series->pieces[k], 0);
            expect_success(taud_aggregate_window_append(&own, &later));
            taud_aggregate_window_done(&later);
            later = own;
        }
        taud_aggregate_window_close(&later, &series->known);
        expect_success(taud_aggregate_window_combine(&group, &later));
        taud_aggregate_window_done(&later);
    }
    emit(&emission, input, &group, true, result);
    taud_aggregate_window_done(&group);
}

static void answer(struct input *input)
{
    struct result result = {.room = input->plan.bucket_count + 2 * input->rows_capacity};
    put(input->status);
    if (input->status == TAU_STATUS_SUCCESS) {
        result.starts = allocate(result.room * sizeof *result.starts);
        for (size_t i = 0; i < input->plan.column_count; i++)
            result.columns[i] = allocate(result.room * sizeof *result.columns[i]);
        (input->way == 0 ? work_in_stream : work_in_pieces)(input, &result);
        put(input->plan.needs);
        put(result.count);
        for (size_t row = 0; row < result.count; row++) {
            put((uint64_t)result.starts[row]);
            for (size_t i = 0; i < input->plan.column_count; i++)
                put_value(result.columns[i][row]);
        }
        for (size_t i = 0; i < input->plan.column_count; i++)
            free(result.columns[i]);
        free(result.starts);
    }
    putchar('\n');
    expect(memory.used_bytes == 0);
}

int main(void)
{
    struct input input;
    memory = (struct taud_aggregate_memory){taud_allocator_system(), UINT64_C(1) << 32, 0};
    while (take_input(&input)) {
        answer(&input);
        free_input(&input);
    }
    return 0;
}
