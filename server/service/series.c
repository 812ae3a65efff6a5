// SPDX-License-Identifier: MIT
// The handlers of series: create, drop, policy, list, describe. They know the engine, and neither
// transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

enum tau_status taud_handle_create_series(struct taud_context *context,
                                          const struct tau_create_series_request *request)
{
    return taud_engine_create_series(context->engine, &request->label, &context->log_position);
}

enum tau_status taud_handle_drop_series(struct taud_context *context,
                                        const struct tau_drop_series_request *request)
{
    return taud_engine_drop_series(context->engine, &request->label, &context->log_position);
}

enum tau_status taud_handle_set_policy(struct taud_context *context,
                                       const struct tau_set_policy_request *request)
{
    enum tau_status status =
        taud_engine_set_policy(context->engine, &request->label, request->order,
                               request->retention, &context->log_position);
    // A later version may have policies that this server does not know.
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        return taud_context_refuse(context, status, TAUD_FIELD_SET_POLICY_ORDER);
    return status;
}

enum tau_status taud_handle_list_series(struct taud_context *context,
                                        const struct tau_list_series_request *request,
                                        struct tau_list_series_response *ret_response)
{
    struct tau_label *labels =
        taud_context_take(context, request->limit * sizeof(struct tau_label));
    if (labels == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    size_t count = 0;
    bool more = false;
    taud_engine_list_series(context->engine, request->prefix,
                            request->has_cursor ? &request->cursor : NULL, request->limit, labels,
                            &count, &more);
    ret_response->more = more;
    ret_response->labels = (struct tau_array){.data = labels, .count = count};
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_describe_series(struct taud_context *context,
                                            const struct tau_describe_series_request *request,
                                            struct tau_describe_series_response *ret_response)
{
    return taud_engine_describe(context->engine, &request->label, ret_response);
}
