// SPDX-License-Identifier: MIT
// The handlers that store points: one by one in batches of requests, a column, rows of many series.
// They know the engine, and neither transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

void taud_handle_append(struct taud_context *context, const struct tau_append_request *requests,
                        size_t count, enum tau_status *ret_statuses)
{
    taud_engine_append(context->engine, requests, count, ret_statuses, &context->log_position);
}

enum tau_status taud_handle_batch_append(struct taud_context *context,
                                         const struct tau_batch_append_request *request,
                                         struct tau_batch_append_response *ret_response)
{
    struct tau_refused_row *refused =
        taud_context_take(context, request->count * sizeof(struct tau_refused_row));
    if (refused == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    size_t refused_count = 0;
    enum tau_status status = taud_engine_append_columns(
        context->engine, &request->label, request->timestamps, request->values, refused,
        &refused_count, &context->log_position);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    ret_response->accepted = request->count - (uint32_t)refused_count;
    ret_response->refused_count = (uint32_t)refused_count;
    ret_response->refused = (struct tau_array){.data = refused, .count = refused_count};
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_multi_append(struct taud_context *context,
                                         const struct tau_multi_append_request *request,
                                         struct tau_multi_append_response *ret_response)
{
    struct tau_refused_row *refused =
        taud_context_take(context, request->count * sizeof(struct tau_refused_row));
    if (refused == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    size_t refused_count = 0;
    enum tau_status status = taud_engine_append_rows(context->engine, request->rows, refused,
                                                     &refused_count, &context->log_position);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    ret_response->accepted = request->count - (uint32_t)refused_count;
    ret_response->refused_count = (uint32_t)refused_count;
    ret_response->refused = (struct tau_array){.data = refused, .count = refused_count};
    return TAU_STATUS_SUCCESS;
}
