// SPDX-License-Identifier: MIT
// A piece that reaches behind a window is used in part, and goes on as columns. A chunk that lies
// in a window is folded into what each bucket has of it.
#include "reader.h"

#include <string.h>

// A chunk comes in no more parts: smaller ones are had faster as columns.
enum { PARTS = 32 };

enum tau_status taud_reader_open(struct taud_reader *reader, struct taud_engine *engine,
                                 const struct tau_label *label,
                                 const struct taud_aggregate_plan *plan, int64_t from, int64_t to,
                                 struct taud_points_bounds *ret_bounds)
{
    const struct taud_points_options options = {
        .from = from, .to = to, .prior = (plan->needs & TAUD_AGGREGATE_NEEDS_ORDER) != 0};
    memset(reader, 0, sizeof *reader);
    return taud_points_open(engine, label, &options, &reader->points, ret_bounds);
}

void taud_reader_close(struct taud_reader *reader)
{
    taud_points_close(reader->points);
    memset(reader, 0, sizeof *reader);
}

// Sees to it that there is a piece, if there is any.
static enum tau_status advance(struct taud_reader *reader)
{
    if (reader->has_piece)
        return TAU_STATUS_SUCCESS;
    enum tau_status status = taud_points_next(reader->points, &reader->piece);
    reader->has_piece = status == TAU_STATUS_SUCCESS && reader->piece.count > 0;
    reader->used = 0;
    return status;
}

enum tau_status taud_reader_peek(struct taud_reader *reader, int64_t *ret_timestamp, bool *ret_any)
{
    enum tau_status status = advance(reader);
    *ret_any = reader->has_piece;
    if (reader->has_piece)
        *ret_timestamp =
            reader->used > 0 ? reader->piece.timestamps[reader->used] : reader->piece.first;
    return status;
}

static enum tau_status add_columns(struct taud_reader *reader, struct taud_aggregate_window *window)
{
    struct taud_points_piece *piece = &reader->piece;
    enum tau_status status = taud_points_decode(reader->points, piece, true);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    size_t used = 0;
    status =
        taud_aggregate_window_add(window, piece->timestamps + reader->used,
                                  piece->values + reader->used, piece->count - reader->used, &used);
    reader->used += used;
    reader->has_piece = reader->used < piece->count;
    return status;
}

static enum tau_status add_values(struct taud_reader *reader, struct taud_aggregate_window *window)
{
    struct taud_points_piece *piece = &reader->piece;
    enum tau_status status = taud_points_decode(reader->points, piece, false);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_aggregate_window_add_values(window, piece->first, piece->last, piece->values,
                                                  piece->count);
    reader->has_piece = false;
    return status;
}

// Gives a chunk that was not decoded to the window in parts, where it may come so.
static enum tau_status add_parts(struct taud_reader *reader, struct taud_aggregate_window *window,
                                 bool *ret_done)
{
    const struct taud_points_piece *piece = &reader->piece;
    struct taud_chunk_part parts[PARTS];
    int64_t ends[PARTS];
    unsigned wanted;
    uint32_t count = 0;
    *ret_done = false;
    if (reader->used > 0 || piece->timestamps || piece->values)
        return TAU_STATUS_SUCCESS;
    uint32_t end_count =
        taud_aggregate_window_ends(window, piece->first, piece->last, ends, PARTS, &wanted);
    if (end_count == 0)
        return TAU_STATUS_SUCCESS;
    enum tau_status status =
        taud_points_fold(reader->points, wanted, ends, end_count, parts, &count);
    for (uint32_t i = 0; i < count && status == TAU_STATUS_SUCCESS; i++)
        taud_aggregate_window_add_part(window, &parts[i]);
    reader->has_piece = false;
    *ret_done = true;
    return status;
}

// Gives the piece to the window; afterwards it is used up, or reaches behind the window.
static enum tau_status add_piece(struct taud_reader *reader, struct taud_aggregate_window *window)
{
    const struct taud_points_piece *piece = &reader->piece;
    enum taud_aggregate_form form =
        reader->used > 0 ? TAUD_AGGREGATE_FORM_COLUMNS
                         : taud_aggregate_window_wants(window, piece->first, piece->last);
    if (form == TAUD_AGGREGATE_FORM_SUMMARY && !piece->summary)
        form = TAUD_AGGREGATE_FORM_VALUES;
    if (form == TAUD_AGGREGATE_FORM_VALUES || form == TAUD_AGGREGATE_FORM_COLUMNS) {
        bool done;
        enum tau_status status = add_parts(reader, window, &done);
        if (done)
            return status;
    }
    switch (form) {
    case TAUD_AGGREGATE_FORM_NOTHING:
        reader->has_piece = false;
        break;
    case TAUD_AGGREGATE_FORM_SUMMARY:
        taud_aggregate_window_add_summary(window, piece->summary);
        reader->has_piece = false;
        break;
    case TAUD_AGGREGATE_FORM_VALUES:
        return add_values(reader, window);
    case TAUD_AGGREGATE_FORM_COLUMNS:
        return add_columns(reader, window);
    case TAUD_AGGREGATE_FORM_LATER:
        break;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_reader_fill(struct taud_reader *reader, struct taud_aggregate_window *window,
                                 taud_reader_check *check, void *user_data, bool *ret_more)
{
    enum tau_status status = taud_points_begin(reader->points);
    if (status == TAU_STATUS_SUCCESS)
        status = advance(reader);
    while (status == TAU_STATUS_SUCCESS && reader->has_piece) {
        status = check(user_data) ? add_piece(reader, window) : TAU_STATUS_CANCELLED;
        if (reader->has_piece)
            break;
        if (status == TAU_STATUS_SUCCESS)
            status = advance(reader);
    }
    taud_points_pause(reader->points);
    *ret_more = reader->has_piece;
    return status;
}
