// SPDX-License-Identifier: MIT
// The handlers that ask many series at once, all of them streams that may have to wait. They know
// the engine, and neither transports nor sockets.
#include "engine/query/query.h"
#include "taud_handlers.h"
#include "wire/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

// A query of any of these kinds, and what wakes its session.
struct asked {
    struct taud_alarm *alarm;
    uint64_t told_ms; // when the last frame was sent
    union {
        struct taud_aggregate_query *aggregate;
        struct taud_scan *scan;
        struct taud_latest *latest;
    } query;
};

static void wake(void *user_data)
{
    taud_alarm_ring(user_data);
}

static struct asked *ask(struct taud_context *context)
{
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        return NULL;
    asked->alarm = taud_alarm_new(context);
    asked->told_ms = context->now_ms;
    if (asked->alarm != NULL)
        return asked;
    free(asked);
    return NULL;
}

static void forget(struct asked *asked)
{
    taud_alarm_free(asked->alarm);
    free(asked);
}

// The end of opening: the stream, or what was made for it is given back.
static enum tau_status opened(struct asked *asked, enum tau_status status, void **ret_stream)
{
    if (status == TAU_STATUS_SUCCESS) {
        *ret_stream = asked;
        return status;
    }
    forget(asked);
    return status;
}

// Where in the payload something stands that was read from it.
static uint32_t place_of(const struct taud_context *context, const void *data)
{
    return data ? (uint32_t)((const uint8_t *)data - context->payload.data) : 0;
}

// Tells which series is not there, for who asked for many: by its name, and where it stands.
static enum tau_status refuse_missing(struct taud_context *context, struct tau_array labels,
                                      struct taud_field field)
{
    static const char words[] = "There is no series `";
    for (size_t i = 0; i < labels.count; i++) {
        struct tau_label label;
        tau_label_copy(labels, i, 1, &label);
        if (taud_engine_has_series(context->engine, &label))
            continue;
        const uint8_t *at = (const uint8_t *)labels.data + i * sizeof label;
        char *text = taud_context_take(
            context, sizeof words + TAU_UTF8_ESCAPED_SIZE(sizeof label.bytes) + sizeof "`.");
        if (text == NULL)
            break;
        memcpy(text, words, sizeof words - 1);
        size_t length = tau_utf8_escape(label.bytes, sizeof label.bytes, text + sizeof words - 1);
        memcpy(text + sizeof words - 1 + length, "`.", sizeof "`.");
        field.offset = place_of(context, at);
        field.expected = text;
        return taud_context_refuse(context, TAU_STATUS_SERIES_NOT_FOUND, field);
    }
    return TAU_STATUS_SERIES_NOT_FOUND; // it is there again
}

// What a status that is no batch means for the stream. While there is none for long an empty frame
// goes out: it tells the client that the server is at work, and the server that the client is
// there.
static enum tau_status outcome(struct taud_context *context, struct asked *asked,
                               enum tau_status status)
{
    if (status != TAU_STATUS_WOULD_BLOCK)
        return status;
    if (context->now_ms < asked->told_ms + PATIENCE_MS) {
        context->again_ms = asked->told_ms + PATIENCE_MS;
        return TAUD_PENDING;
    }
    asked->told_ms = context->now_ms;
    return TAU_STATUS_SUCCESS;
}

// --- AGGREGATE ---------------------------------------------------------------------------------

// The one limit that a good request can be beyond: only where its points lie may show it.
static enum tau_status refuse_buckets(struct taud_context *context)
{
    struct taud_field width = TAUD_FIELD_AGGREGATE_WIDTH;
    width.expected = "width: so wide that there are at most " TAUD_DIGITS(
        TAU_LIMIT_AGGREGATE_BUCKETS) " buckets from the first to the last";
    return taud_context_refuse(context, TAU_STATUS_LIMIT_EXCEEDED, width);
}

static enum tau_status refuse_functions(struct taud_context *context)
{
    struct taud_field functions = TAUD_FIELD_AGGREGATE_FUNCTIONS;
    functions.expected =
        "functions: those of this server, of quantile with a parameter from 0 to 1";
    return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD, functions);
}

// Either there are labels beside a prefix, or their groups are not theirs.
static enum tau_status refuse_series(struct taud_context *context,
                                     const struct tau_aggregate_request *request)
{
    struct taud_field prefix = TAUD_FIELD_AGGREGATE_PREFIX;
    struct taud_field sizes = TAUD_FIELD_AGGREGATE_GROUP_SIZES;
    prefix.offset = place_of(context, request->prefix.data) - 1; // where its length is
    if (request->prefix.size > 0 && request->labels.count > 0)
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD, prefix);
    sizes.offset = place_of(context, request->group_sizes.data);
    sizes.expected =
        "group_sizes: with the grouping `sized` sizes from 1 that are together as many "
        "as there are labels, else none";
    return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD, sizes);
}

// One who sends many small queries behind each other would keep the connections beside him waiting.
static void share_out(struct taud_context *context, struct taud_aggregate_query *query)
{
    if (!taud_aggregate_query_is_small(query))
        return;
    if (context->small_left > 0)
        context->small_left--;
    else
        taud_aggregate_query_hand_over(query);
}

enum tau_status taud_open_aggregate(struct taud_context *context,
                                    const struct tau_aggregate_request *request, void **ret_stream)
{
    struct asked *asked = ask(context);
    if (asked == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status = taud_aggregate_query_open(context->engine, request, wake, asked->alarm,
                                                       &asked->query.aggregate);
    if (status == TAU_STATUS_SUCCESS)
        share_out(context, asked->query.aggregate);
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        status = refuse_series(context, request);
    if (status == TAU_STATUS_INVALID_ARGUMENT)
        status = refuse_functions(context);
    if (status == TAU_STATUS_LIMIT_EXCEEDED)
        status = refuse_buckets(context);
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        status = refuse_missing(context, request->labels, TAUD_FIELD_AGGREGATE_LABELS);
    return opened(asked, status, ret_stream);
}

enum tau_status taud_next_aggregate(struct taud_context *context, void *stream,
                                    struct tau_aggregate_response *ret_batch, bool *ret_end)
{
    struct asked *asked = stream;
    int64_t *starts = taud_context_take(context, TAU_LIMIT_AGGREGATE_BATCH_ROWS * sizeof *starts);
    double *values = taud_context_take(context, TAU_LIMIT_AGGREGATE_BATCH_VALUES * sizeof *values);
    if (starts == NULL || values == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    struct taud_aggregate_batch batch;
    enum tau_status status =
        taud_aggregate_query_next(asked->query.aggregate, &batch, starts, values, ret_end);
    if (status == TAU_STATUS_LIMIT_EXCEEDED)
        return refuse_buckets(context);
    if (status != TAU_STATUS_SUCCESS)
        return outcome(context, asked, status);
    asked->told_ms = context->now_ms;
    ret_batch->group = batch.group;
    ret_batch->label = batch.label;
    ret_batch->row_count = (uint32_t)batch.row_count;
    ret_batch->starts = (struct tau_array){.data = starts, .count = batch.row_count};
    ret_batch->value_count = (uint32_t)batch.value_count;
    ret_batch->values = (struct tau_array){.data = values, .count = batch.value_count};
    return TAU_STATUS_SUCCESS;
}

void taud_close_aggregate(void *stream)
{
    struct asked *asked = stream;
    taud_aggregate_query_close(asked->query.aggregate);
    forget(asked);
}

// --- MULTI_RANGE -------------------------------------------------------------------------------

enum tau_status taud_open_multi_range(struct taud_context *context,
                                      const struct tau_multi_range_request *request,
                                      void **ret_stream)
{
    if (isnan(request->low))
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD, TAUD_FIELD_MULTI_RANGE_LOW);
    if (isnan(request->high))
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD,
                                   TAUD_FIELD_MULTI_RANGE_HIGH);
    struct asked *asked = ask(context);
    if (asked == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status =
        taud_scan_open(context->engine, request, wake, asked->alarm, &asked->query.scan);
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        status = taud_context_refuse(context, status, TAUD_FIELD_MULTI_RANGE_PREFIX);
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        status = refuse_missing(context, request->labels, TAUD_FIELD_MULTI_RANGE_LABELS);
    return opened(asked, status, ret_stream);
}

enum tau_status taud_next_multi_range(struct taud_context *context, void *stream,
                                      struct tau_multi_range_response *ret_batch, bool *ret_end)
{
    struct asked *asked = stream;
    struct taud_scan_batch batch;
    enum tau_status status = taud_scan_next(asked->query.scan, &batch, ret_end);
    if (status != TAU_STATUS_SUCCESS)
        return outcome(context, asked, status);
    asked->told_ms = context->now_ms;
    ret_batch->label = batch.label;
    ret_batch->count = (uint32_t)batch.count;
    ret_batch->timestamps = (struct tau_array){.data = batch.timestamps, .count = batch.count};
    ret_batch->values = (struct tau_array){.data = batch.values, .count = batch.count};
    return TAU_STATUS_SUCCESS;
}

void taud_close_multi_range(void *stream)
{
    struct asked *asked = stream;
    taud_scan_close(asked->query.scan);
    forget(asked);
}

// --- MULTI_RANGE_WHERE -------------------------------------------------------------------------

enum tau_status taud_open_multi_range_where(struct taud_context *context,
                                            const struct tau_multi_range_where_request *request,
                                            void **ret_stream)
{
    if (isnan(request->low))
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD,
                                   TAUD_FIELD_MULTI_RANGE_WHERE_LOW);
    if (isnan(request->high))
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD,
                                   TAUD_FIELD_MULTI_RANGE_WHERE_HIGH);
    if (request->labels.count % request->group_size != 0)
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD,
                                   TAUD_FIELD_MULTI_RANGE_WHERE_GROUP_SIZE);
    struct asked *asked = ask(context);
    if (asked == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status =
        taud_scan_open_where(context->engine, request, wake, asked->alarm, &asked->query.scan);
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        status = refuse_missing(context, request->labels, TAUD_FIELD_MULTI_RANGE_WHERE_LABELS);
    return opened(asked, status, ret_stream);
}

enum tau_status taud_next_multi_range_where(struct taud_context *context, void *stream,
                                            struct tau_multi_range_where_response *ret_batch,
                                            bool *ret_end)
{
    struct tau_multi_range_response found = {.count = 0};
    enum tau_status status = taud_next_multi_range(context, stream, &found, ret_end);
    ret_batch->label = found.label;
    ret_batch->count = found.count;
    ret_batch->timestamps = found.timestamps;
    ret_batch->values = found.values;
    return status;
}

void taud_close_multi_range_where(void *stream)
{
    taud_close_multi_range(stream);
}

// --- MULTI_LATEST ------------------------------------------------------------------------------

enum tau_status taud_open_multi_latest(struct taud_context *context,
                                       const struct tau_multi_latest_request *request,
                                       void **ret_stream)
{
    struct asked *asked = ask(context);
    if (asked == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status =
        taud_latest_open(context->engine, request, wake, asked->alarm, &asked->query.latest);
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        status = taud_context_refuse(context, status, TAUD_FIELD_MULTI_LATEST_PREFIX);
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        status = refuse_missing(context, request->labels, TAUD_FIELD_MULTI_LATEST_LABELS);
    return opened(asked, status, ret_stream);
}

enum tau_status taud_next_multi_latest(struct taud_context *context, void *stream,
                                       struct tau_multi_latest_response *ret_batch, bool *ret_end)
{
    struct asked *asked = stream;
    const struct tau_row *rows = NULL;
    size_t count = 0;
    enum tau_status status = taud_latest_next(asked->query.latest, &rows, &count, ret_end);
    if (status != TAU_STATUS_SUCCESS)
        return outcome(context, asked, status);
    asked->told_ms = context->now_ms;
    ret_batch->count = (uint32_t)count;
    ret_batch->rows = (struct tau_array){.data = rows, .count = count};
    return TAU_STATUS_SUCCESS;
}

void taud_close_multi_latest(void *stream)
{
    struct asked *asked = stream;
    taud_latest_close(asked->query.latest);
    forget(asked);
}
