// SPDX-License-Identifier: MIT
// The handlers that store points, one by one in batches of requests, a column, rows of many series,
// and that delete them. They know the engine, and neither transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

void taud_handle_append(struct taud_context *context, const struct tau_append_request *requests,
                        size_t count, enum tau_status *ret_statuses)
{
    taud_engine_append(context->engine, requests, count, ret_statuses, &context->log_position);
}

// Which rows of a request were refused. Each of them may be, so there is room for all.
struct refusals {
    struct tau_refused_row *rows;
    size_t count;
};

static bool take_refusals(struct taud_context *context, uint32_t row_count,
                          struct refusals *ret_refusals)
{
    ret_refusals->rows = taud_context_take(context, row_count * sizeof(struct tau_refused_row));
    ret_refusals->count = 0;
    return ret_refusals->rows != NULL;
}

// Fills in a response, whose fields are the same in both operations.
static void report(uint32_t row_count, const struct refusals *refusals, uint32_t *ret_accepted,
                   uint32_t *ret_refused_count, struct tau_array *ret_refused)
{
    *ret_accepted = row_count - (uint32_t)refusals->count;
    *ret_refused_count = (uint32_t)refusals->count;
    *ret_refused = (struct tau_array){.data = refusals->rows, .count = refusals->count};
}

enum tau_status taud_handle_batch_append(struct taud_context *context,
                                         const struct tau_batch_append_request *request,
                                         struct tau_batch_append_response *ret_response)
{
    struct refusals refusals;
    if (!take_refusals(context, request->count, &refusals))
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status = taud_engine_append_columns(
        context->engine, &request->label, request->timestamps, request->values, refusals.rows,
        &refusals.count, &context->log_position);
    if (status == TAU_STATUS_SUCCESS)
        report(request->count, &refusals, &ret_response->accepted, &ret_response->refused_count,
               &ret_response->refused);
    return status;
}

enum tau_status taud_handle_multi_append(struct taud_context *context,
                                         const struct tau_multi_append_request *request,
                                         struct tau_multi_append_response *ret_response)
{
    struct refusals refusals;
    if (!take_refusals(context, request->count, &refusals))
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status = taud_engine_append_rows(context->engine, request->rows, refusals.rows,
                                                     &refusals.count, &context->log_position);
    if (status == TAU_STATUS_SUCCESS)
        report(request->count, &refusals, &ret_response->accepted, &ret_response->refused_count,
               &ret_response->refused);
    return status;
}

enum tau_status taud_handle_delete_range(struct taud_context *context,
                                         const struct tau_delete_range_request *request)
{
    enum tau_status status =
        taud_engine_delete_range(context->engine, &request->label, request->from, request->to,
                                 &context->log_position);
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        return taud_context_refuse(context, status, TAUD_FIELD_DELETE_RANGE_TO);
    return status;
}
