// SPDX-License-Identifier: MIT
// The handlers of the tests' specification.
#include "probe_handlers.h"

#include <stdlib.h>
#include <string.h>

struct probe probe;

void probe_reset(void)
{
    memset(&probe, 0, sizeof probe);
    probe.last_timestamp = INT64_MIN;
}

static void write_once(struct taud_context *context)
{
    context->log_position = ++probe.log_position;
}

enum tau_status taud_handle_specification(struct taud_context *context,
                                          struct tau_specification_response *ret_response)
{
    (void)context;
    (void)ret_response;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_create_series(struct taud_context *context,
                                          const struct tau_create_series_request *request)
{
    (void)request;
    probe.created++;
    write_once(context);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_drop_series(struct taud_context *context,
                                        const struct tau_drop_series_request *request)
{
    (void)context;
    (void)request;
    return TAU_STATUS_SERIES_NOT_FOUND;
}

enum tau_status taud_handle_list_series(struct taud_context *context,
                                        const struct tau_list_series_request *request,
                                        struct tau_list_series_response *ret_response)
{
    struct tau_label *labels =
        taud_context_take(context, request->limit * sizeof(struct tau_label));
    if (labels == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    memset(labels, 'x', request->limit * sizeof(struct tau_label));
    ret_response->labels = (struct tau_array){.data = labels, .count = request->limit};
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_describe_series(struct taud_context *context,
                                            const struct tau_describe_series_request *request,
                                            struct tau_describe_series_response *ret_response)
{
    (void)context;
    (void)request;
    ret_response->point_count = 1;
    return TAU_STATUS_SUCCESS;
}

void taud_handle_append(struct taud_context *context, const struct tau_append_request *requests,
                        size_t count, enum tau_status *ret_statuses)
{
    probe.append_calls++;
    probe.append_points += count;
    if (count > probe.largest_batch)
        probe.largest_batch = count;
    for (size_t index = 0; index < count; index++) {
        bool later = requests[index].timestamp > probe.last_timestamp;
        ret_statuses[index] = later ? TAU_STATUS_SUCCESS : TAU_STATUS_OUT_OF_ORDER;
        if (later)
            probe.last_timestamp = requests[index].timestamp;
    }
    write_once(context);
}

enum tau_status taud_handle_batch_append(struct taud_context *context,
                                         const struct tau_batch_append_request *request,
                                         struct tau_batch_append_response *ret_response)
{
    write_once(context);
    ret_response->accepted = request->count;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_multi_append(struct taud_context *context,
                                         const struct tau_multi_append_request *request,
                                         struct tau_multi_append_response *ret_response)
{
    write_once(context);
    ret_response->accepted = request->count;
    return TAU_STATUS_SUCCESS;
}

// Found where the timestamp is even.
void taud_handle_query_point(struct taud_context *context,
                             const struct tau_query_point_request *requests, size_t count,
                             struct tau_query_point_response *ret_responses,
                             enum tau_status *ret_statuses)
{
    (void)context;
    probe.queries += count;
    for (size_t index = 0; index < count; index++) {
        ret_statuses[index] = TAU_STATUS_SUCCESS;
        ret_responses[index] =
            (struct tau_query_point_response){.has_value = requests[index].timestamp % 2 == 0,
                                              .value = (double)requests[index].timestamp};
    }
}

enum tau_status taud_handle_query_latest(struct taud_context *context,
                                         const struct tau_query_latest_request *request,
                                         struct tau_query_latest_response *ret_response)
{
    (void)context;
    (void)request;
    ret_response->has_point = false;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_open_query_range(struct taud_context *context,
                                      const struct tau_query_range_request *request,
                                      void **ret_stream)
{
    (void)context;
    (void)request;
    (void)ret_stream;
    return TAU_STATUS_SERIES_NOT_FOUND;
}

enum tau_status taud_next_query_range(struct taud_context *context, void *stream,
                                      struct tau_query_range_response *ret_batch, bool *ret_end)
{
    (void)context;
    (void)stream;
    (void)ret_batch;
    *ret_end = true;
    return TAU_STATUS_SUCCESS;
}

void taud_close_query_range(void *stream)
{
    (void)stream;
}

enum tau_status taud_handle_create_lens(struct taud_context *context,
                                        const struct tau_create_lens_request *request)
{
    (void)request;
    write_once(context);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_drop_lens(struct taud_context *context,
                                      const struct tau_drop_lens_request *request)
{
    (void)request;
    write_once(context);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_handle_query_lens(struct taud_context *context,
                                       const struct tau_query_lens_request *request,
                                       struct tau_query_lens_response *ret_response)
{
    (void)context;
    (void)request;
    (void)ret_response;
    return TAU_STATUS_LENS_NOT_FOUND;
}

enum tau_status taud_handle_compose_lens(struct taud_context *context,
                                         const struct tau_compose_lens_request *request)
{
    (void)request;
    write_once(context);
    return TAU_STATUS_SUCCESS;
}

// So many that the reply is larger than the buffer in which replies are encoded.
enum tau_status taud_handle_list_lenses(struct taud_context *context,
                                        struct tau_list_lenses_response *ret_response)
{
    size_t size = TAU_LIMIT_LENSES * sizeof(struct tau_label);
    struct tau_label *labels = taud_context_take(context, size);
    if (labels == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    memset(labels, 'l', size);
    ret_response->labels = (struct tau_array){.data = labels, .count = TAU_LIMIT_LENSES};
    return TAU_STATUS_SUCCESS;
}

// --- what only the tests have ----------------------------------------------------------------

enum tau_status taud_handle_probe_later(struct taud_context *context,
                                        const struct tau_probe_later_request *request,
                                        struct tau_probe_later_response *ret_response)
{
    if (request->number == 0) { // at once
        ret_response->words = request->words;
        return TAU_STATUS_SUCCESS;
    }
    struct tau_probe_later_request copy;
    struct taud_pending *pending = taud_defer_probe_later(context, &copy);
    if (pending == NULL)
        return TAU_STATUS_LIMIT_EXCEEDED;
    size_t number = probe.later_count++;
    probe.later[number] = pending;
    probe.later_numbers[number] = copy.number;
    memcpy(probe.later_words[number], copy.words.data, copy.words.size < 63 ? copy.words.size : 63);
    return TAUD_PENDING;
}

enum tau_status taud_handle_probe_later_write(struct taud_context *context,
                                              const struct tau_probe_later_write_request *request)
{
    struct tau_probe_later_write_request copy;
    struct taud_pending *pending = taud_defer_probe_later_write(context, &copy);
    if (pending == NULL || copy.number != request->number)
        return TAU_STATUS_LIMIT_EXCEEDED;
    probe.later_numbers[probe.later_count] = copy.number;
    probe.later[probe.later_count++] = pending;
    return TAUD_PENDING;
}

struct counter {
    uint32_t next;
    uint32_t count;
    uint32_t fails_at;
    struct taud_alarm *alarm;
};

enum tau_status taud_open_probe_stream(struct taud_context *context,
                                       const struct tau_probe_stream_request *request,
                                       void **ret_stream)
{
    if (request->count == 0)
        return TAU_STATUS_LIMIT_EXCEEDED;
    struct counter *counter = malloc(sizeof *counter);
    if (counter == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    *counter = (struct counter){.count = request->count,
                                .fails_at = request->fails_at,
                                .alarm = taud_alarm_new(context)};
    probe.alarm = counter->alarm;
    probe.streams_open++;
    *ret_stream = counter;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_next_probe_stream(struct taud_context *context, void *stream,
                                       struct tau_probe_stream_response *ret_batch, bool *ret_end)
{
    struct counter *counter = stream;
    context->again_ms = probe.again_ms;
    if (probe.stream_waits)
        return TAUD_PENDING;
    if (counter->next == counter->fails_at)
        return TAU_STATUS_LIMIT_EXCEEDED;
    uint8_t *padding = taud_context_take(context, probe.padding + 1);
    if (padding == NULL)
        return TAU_STATUS_INTERNAL_ERROR;
    memset(padding, 'p', probe.padding);
    ret_batch->number = counter->next++;
    ret_batch->padding = (struct tau_slice){.data = padding, .size = probe.padding};
    *ret_end = counter->next == counter->count;
    return TAU_STATUS_SUCCESS;
}

void taud_close_probe_stream(void *stream)
{
    struct counter *counter = stream;
    probe.streams_closed++;
    taud_alarm_free(counter->alarm);
    free(counter);
}

enum tau_status taud_handle_probe_subscribe(struct taud_context *context)
{
    taud_session_reference_done(&probe.reference);
    probe.reference = taud_session_reference(context);
    return TAU_STATUS_SUCCESS;
}
