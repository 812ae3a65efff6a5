// SPDX-License-Identifier: MIT
// The handlers of work on stored data: streams that begin it and tell how far it is. They know the
// engine, and neither transports nor sockets.
#include "engine/engine.h"
#include "taud_handlers.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 20,   // how often one looks whether the work is done
    TELL_MS = 1000, // and tells how far it is
};

struct work {
    uint64_t ticket;
    bool named; // by the request, so that the name may be wrong
    bool told;  // a frame was sent, the last one at
    uint64_t told_ms;
    struct taud_error error; // what it ended with
};

static enum tau_status begin(struct taud_context *context, enum taud_work kind, const char *name,
                             void **ret_stream)
{
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    enum tau_status status = taud_engine_work_begin(context->engine, kind, name, &work->ticket);
    if (status != TAU_STATUS_SUCCESS) {
        free(work);
        return status;
    }
    work->named = name != NULL;
    *ret_stream = work;
    return TAU_STATUS_SUCCESS;
}

// That somebody has it can be told once all before it is stored.
static enum tau_status refuse_name(struct taud_context *context)
{
    struct taud_field name = TAUD_FIELD_SNAPSHOT_NAME;
    name.expected = "name: there is a snapshot of that name already";
    return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD, name);
}

static enum tau_status look(struct taud_context *context, struct work *work, uint64_t *ret_done,
                            uint64_t *ret_total, bool *ret_end)
{
    enum tau_status status =
        taud_engine_work_state(context->engine, work->ticket, ret_done, ret_total, &work->error);
    *ret_end = status == TAU_STATUS_SUCCESS;
    if (status == TAU_STATUS_INVALID_ARGUMENT && work->named)
        return refuse_name(context);
    if (status == TAU_STATUS_INVALID_ARGUMENT) // it ended so long ago that nobody knows how
        return TAU_STATUS_INTERNAL_ERROR;
    if (status == TAU_STATUS_SUCCESS)
        return status;
    if (status != TAU_STATUS_WOULD_BLOCK)
        return taud_context_explain(context, status, work->error.text);
    if (work->told && context->now_ms < work->told_ms + TELL_MS) {
        context->again_ms = context->now_ms + LOOK_MS;
        return TAUD_PENDING;
    }
    work->told = true;
    work->told_ms = context->now_ms;
    return TAU_STATUS_SUCCESS;
}

// --- FLUSH_DATA --------------------------------------------------------------------------------

enum tau_status taud_open_flush_data(struct taud_context *context, void **ret_stream)
{
    return begin(context, TAUD_WORK_FLUSH, NULL, ret_stream);
}

enum tau_status taud_next_flush_data(struct taud_context *context, void *stream,
                                     struct tau_flush_data_response *ret_batch, bool *ret_end)
{
    return look(context, stream, &ret_batch->done, &ret_batch->total, ret_end);
}

void taud_close_flush_data(void *stream)
{
    free(stream);
}

// --- COMPACT -----------------------------------------------------------------------------------

enum tau_status taud_open_compact(struct taud_context *context, void **ret_stream)
{
    return begin(context, TAUD_WORK_COMPACT, NULL, ret_stream);
}

enum tau_status taud_next_compact(struct taud_context *context, void *stream,
                                  struct tau_compact_response *ret_batch, bool *ret_end)
{
    return look(context, stream, &ret_batch->done, &ret_batch->total, ret_end);
}

void taud_close_compact(void *stream)
{
    free(stream);
}

// --- SNAPSHOT ----------------------------------------------------------------------------------

enum tau_status taud_open_snapshot(struct taud_context *context,
                                   const struct tau_snapshot_request *request, void **ret_stream)
{
    char name[TAU_LIMIT_NAME_BYTES + 1];
    memcpy(name, request->name.data, request->name.size);
    name[request->name.size] = '\0';
    enum tau_status status = TAU_STATUS_INVALID_ARGUMENT;
    if (strlen(name) == request->name.size)
        status = begin(context, TAUD_WORK_SNAPSHOT, name, ret_stream);
    if (status == TAU_STATUS_INVALID_ARGUMENT)
        return taud_context_refuse(context, TAU_STATUS_INVALID_PAYLOAD, TAUD_FIELD_SNAPSHOT_NAME);
    return status;
}

enum tau_status taud_next_snapshot(struct taud_context *context, void *stream,
                                   struct tau_snapshot_response *ret_batch, bool *ret_end)
{
    return look(context, stream, &ret_batch->done, &ret_batch->total, ret_end);
}

void taud_close_snapshot(void *stream)
{
    free(stream);
}
