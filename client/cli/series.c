/* SPDX-License-Identifier: MIT */
/*
 * Pages of LIST_SERIES: each begins behind the last label of the one before.
 */
#include "series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t length_of(const struct tau_label *label)
{
    size_t length = sizeof(label->bytes);
    while (length > 0 && label->bytes[length - 1] == 0) {
        length--;
    }
    return length;
}

static enum tau_status fail(struct tau_error *ret_error, enum tau_status status, const char *words)
{
    *ret_error = (struct tau_error){.status = status, .field = TAU_FIELD_NONE};
    snprintf(ret_error->message, sizeof(ret_error->message), "%s", words);
    return status;
}

/* A server that does not go on behind the cursor would be asked without end. */
static bool is_ascending(const struct tau_list_series_request *request,
                         const struct tau_label *labels, size_t count)
{
    const struct tau_label *last = request->has_cursor ? &request->cursor : NULL;
    for (size_t i = 0; i < count; i++) {
        if (last != NULL && memcmp(last->bytes, labels[i].bytes, sizeof(last->bytes)) >= 0) {
            return false;
        }
        last = &labels[i];
    }
    return true;
}

static enum tau_status read_page(struct tau_client *client,
                                 const struct tau_list_series_request *request,
                                 struct tau_label *ret_labels, size_t *ret_count, bool *ret_more,
                                 struct tau_error *ret_error)
{
    struct tau_list_series_response response;
    enum tau_status status = tau_client_list_series(client, request, &response, ret_error);
    if (status == TAU_STATUS_CONNECTION_LOST &&
        tau_client_connect(client, ret_error) == TAU_STATUS_SUCCESS) {
        status = tau_client_list_series(client, request, &response, ret_error);
    }
    if (status == TAU_STATUS_SUCCESS) {
        *ret_count = response.labels.count;
        *ret_more = response.more;
        tau_label_copy(response.labels, 0, response.labels.count, ret_labels);
        if (!is_ascending(request, ret_labels, *ret_count)) {
            *ret_count = 0;
            status = fail(ret_error, TAU_STATUS_PROTOCOL_ERROR,
                          "the server lists series that are not in ascending order");
        }
    }
    return status;
}

enum tau_status cli_series_each(struct tau_client *client, const struct tau_label *prefix,
                                uint64_t limit, cli_series_callback *callback, void *user_data,
                                struct tau_error *ret_error)
{
    struct tau_label *labels = malloc(TAU_LIMIT_LIST_PAGE * sizeof(*labels));
    struct tau_list_series_request request = {
        .prefix = {.data = prefix->bytes, .size = length_of(prefix)}};
    enum tau_status status = labels != NULL ? TAU_STATUS_SUCCESS
                                            : fail(ret_error, TAU_STATUS_NO_MEMORY,
                                                   tau_status_text(TAU_STATUS_NO_MEMORY));
    bool more = true;
    while (status == TAU_STATUS_SUCCESS && more && limit > 0) {
        size_t count = 0;
        request.limit = (uint32_t)(limit < TAU_LIMIT_LIST_PAGE ? limit : TAU_LIMIT_LIST_PAGE);
        status = read_page(client, &request, labels, &count, &more, ret_error);
        for (size_t i = 0; i < count; i++) {
            if (!callback(user_data, &labels[i])) {
                more = false;
                break;
            }
        }
        more = more && count > 0;
        if (more) {
            request.has_cursor = true;
            request.cursor = labels[count - 1];
            limit -= count;
        }
    }
    free(labels);
    return status;
}
