// SPDX-License-Identifier: MIT
// The handlers of lenses. They know the engine, and neither transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

// A lens may resolve to so many transforms, and a server may have so many lenses. `field` is what
// adds to the transforms.
static enum tau_status refuse_another(struct taud_context *context, struct taud_field field)
{
    field.expected = "a lens has at most " TAUD_DIGITS(
        TAU_LIMIT_LENS_TRANSFORMS) " transforms, those of what it is made of included, and there "
                                   "are at most " TAUD_DIGITS(TAU_LIMIT_LENSES) " lenses";
    return taud_context_refuse(context, TAU_STATUS_LIMIT_EXCEEDED, field);
}

enum tau_status taud_handle_create_lens(struct taud_context *context,
                                        const struct tau_create_lens_request *request)
{
    enum tau_status status =
        taud_engine_create_lens(context->engine, request, &context->log_position);
    // Labels may be anything, so this is the one field that can be wrong by itself.
    if (status == TAU_STATUS_INVALID_PAYLOAD)
        return taud_context_refuse(context, status, TAUD_FIELD_CREATE_LENS_TRANSFORM);
    if (status == TAU_STATUS_LIMIT_EXCEEDED)
        return refuse_another(context, TAUD_FIELD_CREATE_LENS_TRANSFORM);
    return status;
}

enum tau_status taud_handle_drop_lens(struct taud_context *context,
                                      const struct tau_drop_lens_request *request)
{
    return taud_engine_drop_lens(context->engine, &request->label, &context->log_position);
}

enum tau_status taud_handle_query_lens(struct taud_context *context,
                                       const struct tau_query_lens_request *request,
                                       struct tau_query_lens_response *ret_response)
{
    return taud_engine_query_lens(context->engine, &request->label, request->timestamp,
                                  ret_response);
}

enum tau_status taud_handle_compose_lens(struct taud_context *context,
                                         const struct tau_compose_lens_request *request)
{
    enum tau_status status =
        taud_engine_compose_lens(context->engine, request, &context->log_position);
    if (status == TAU_STATUS_LIMIT_EXCEEDED)
        return refuse_another(context, TAUD_FIELD_COMPOSE_LENS_SECOND);
    return status;
}

enum tau_status taud_handle_list_lenses(struct taud_context *context,
                                        struct tau_list_lenses_response *ret_response)
{
    struct taud_engine_statistics now;
    struct tau_label *labels;
    size_t count = 0;
    bool more = false;
    do { // once more where lenses were made in between
        taud_engine_statistics(context->engine, &now);
        size_t limit = (size_t)now.lens_count + 1;
        labels = taud_context_take(context, limit * sizeof *labels);
        if (labels == NULL)
            return TAU_STATUS_INTERNAL_ERROR;
        taud_engine_list_lenses(context->engine, limit, labels, &count, &more);
    } while (more);
    ret_response->labels = (struct tau_array){.data = labels, .count = count};
    return TAU_STATUS_SUCCESS;
}
