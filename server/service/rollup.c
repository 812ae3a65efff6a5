// SPDX-License-Identifier: MIT
// The handlers of rules that keep series of others: create, drop, list. They know the engine, and
// neither transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

static bool exists(struct taud_context *context, const struct tau_label *label)
{
    struct tau_slice whole = {.data = label->bytes, .size = sizeof label->bytes};
    struct tau_label found;
    size_t count = 0;
    bool more = false;
    taud_engine_list_series(context->engine, whole, NULL, 1, &found, &count, &more);
    return count > 0;
}

// The field that made the engine refuse a rule. A later version may have functions that this
// server does not know; with a good one and a good parameter it is the source that may not be.
static struct taud_field refused_field(const struct tau_create_rollup_request *request)
{
    if (request->function > TAU_AGGREGATE_FUNCTION_INCREASE)
        return TAUD_FIELD_CREATE_ROLLUP_FUNCTION;
    if (request->function == TAU_AGGREGATE_FUNCTION_QUANTILE &&
        !(request->parameter >= 0 && request->parameter <= 1))
        return TAUD_FIELD_CREATE_ROLLUP_PARAMETER;
    return TAUD_FIELD_CREATE_ROLLUP_SOURCE;
}

// Which of the two series there is not. The target is looked for first.
static enum tau_status refuse_missing(struct taud_context *context,
                                      const struct tau_create_rollup_request *request)
{
    struct taud_field field = TAUD_FIELD_CREATE_ROLLUP_TARGET;
    field.expected = "target: there is no series of this label";
    if (exists(context, &request->target)) {
        field = TAUD_FIELD_CREATE_ROLLUP_SOURCE;
        field.expected = "source: there is no series of this label";
    }
    return taud_context_refuse(context, TAU_STATUS_SERIES_NOT_FOUND, field);
}

// A series may be read by so many rules, and a server may have so many.
static enum tau_status refuse_another(struct taud_context *context)
{
    struct taud_field source = TAUD_FIELD_CREATE_ROLLUP_SOURCE;
    source.expected = "source: at most " TAUD_DIGITS(TAU_LIMIT_SOURCE_ROLLUPS) " rules read the "
                      "same series, and there are at most " TAUD_DIGITS(TAU_LIMIT_ROLLUPS);
    return taud_context_refuse(context, TAU_STATUS_LIMIT_EXCEEDED, source);
}

enum tau_status taud_handle_create_rollup(struct taud_context *context,
                                          const struct tau_create_rollup_request *request)
{
    struct tau_rollup rollup = {
        .target = request->target,
        .source = request->source,
        .width = request->width,
        .origin = request->origin,
        .function = request->function,
        .parameter = request->parameter,
    };
    enum tau_status status =
        taud_engine_create_rollup(context->engine, &rollup, &context->log_position);
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        return taud_context_refuse(context, status, refused_field(request));
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        return refuse_missing(context, request);
    if (status == TAU_STATUS_LIMIT_EXCEEDED)
        return refuse_another(context);
    return status;
}

enum tau_status taud_handle_drop_rollup(struct taud_context *context,
                                        const struct tau_drop_rollup_request *request)
{
    return taud_engine_drop_rollup(context->engine, &request->target, &context->log_position);
}

enum tau_status taud_handle_list_rollups(struct taud_context *context,
                                         const struct tau_list_rollups_request *request,
                                         struct tau_list_rollups_response *ret_response)
{
    struct tau_rollup *rollups = taud_context_take(context, request->limit * sizeof *rollups);
    if (rollups == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    size_t count = 0;
    bool more = false;
    taud_engine_list_rollups(context->engine, request->has_cursor ? &request->cursor : NULL,
                             request->limit, rollups, &count, &more);
    ret_response->more = more;
    ret_response->rollups = (struct tau_array){.data = rollups, .count = count};
    return TAU_STATUS_SUCCESS;
}
