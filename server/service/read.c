// SPDX-License-Identifier: MIT
// The handlers that read points. They know the engine, and neither transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

void taud_handle_query_point(struct taud_context *context,
                             const struct tau_query_point_request *requests, size_t count,
                             struct tau_query_point_response *ret_responses,
                             enum tau_status *ret_statuses)
{
    taud_engine_query_points(context->engine, requests, count, ret_responses, ret_statuses);
}

enum tau_status taud_handle_query_latest(struct taud_context *context,
                                         const struct tau_query_latest_request *request,
                                         struct tau_query_latest_response *ret_response)
{
    return taud_engine_latest(context->engine, &request->label, ret_response);
}

// --- QUERY_RANGE -------------------------------------------------------------------------------

enum tau_status taud_open_query_range(struct taud_context *context,
                                      const struct tau_query_range_request *request,
                                      void **ret_stream)
{
    struct taud_range *range = NULL;
    enum tau_status status =
        taud_range_open(context->engine, &request->label, request->from, request->to,
                        request->limit, request->direction, &range);
    if (status == TAU_STATUS_SUCCESS)
        *ret_stream = range;
    return status;
}

enum tau_status taud_next_query_range(struct taud_context *context, void *stream,
                                      struct tau_query_range_response *ret_batch, bool *ret_end)
{
    enum { CAPACITY = TAU_LIMIT_RANGE_BATCH_POINTS };
    int64_t *timestamps = taud_context_take(context, CAPACITY * sizeof *timestamps);
    double *values = taud_context_take(context, CAPACITY * sizeof *values);
    if (timestamps == NULL || values == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    size_t count = 0;
    enum tau_status status =
        taud_range_next(stream, timestamps, values, CAPACITY, &count, ret_end);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    ret_batch->count = (uint32_t)count;
    ret_batch->timestamps = (struct tau_array){.data = timestamps, .count = count};
    ret_batch->values = (struct tau_array){.data = values, .count = count};
    return TAU_STATUS_SUCCESS;
}

void taud_close_query_range(void *stream)
{
    taud_range_close(stream);
}
