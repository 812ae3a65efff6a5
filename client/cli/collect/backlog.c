/* SPDX-License-Identifier: MIT */
/*
 * The backlog is an array that is sent from its front. Rows of missing series are sent once more
 * after their series were created; a second refusal counts.
 */
#include "collect/backlog.h"

#include <string.h>

/* The most rows of one request: the answer to it may wait for a slow disk. */
#define REQUEST_ROWS 8192

static void drop_front(struct cli_backlog *backlog, size_t count)
{
    backlog->count -= count;
    memmove(backlog->rows, backlog->rows + count, backlog->count * sizeof(backlog->rows[0]));
}

void cli_backlog_add(struct cli_backlog *backlog, const struct tau_row *rows, size_t count)
{
    if (count > CLI_BACKLOG_ROWS) {
        backlog->dropped += count - CLI_BACKLOG_ROWS;
        rows += count - CLI_BACKLOG_ROWS;
        count = CLI_BACKLOG_ROWS;
    }
    if (backlog->count + count > CLI_BACKLOG_ROWS) {
        size_t excess = backlog->count + count - CLI_BACKLOG_ROWS;
        drop_front(backlog, excess);
        backlog->dropped += excess;
    }
    memcpy(backlog->rows + backlog->count, rows, count * sizeof(*rows));
    backlog->count += count;
}

static enum tau_status create(struct tau_client *client, const struct tau_label *label,
                              struct tau_error *ret_error)
{
    struct tau_create_series_request request = {.label = *label};
    enum tau_status status = tau_client_create_series(client, &request, ret_error);
    return status == TAU_STATUS_SERIES_ALREADY_EXISTS ? TAU_STATUS_SUCCESS : status;
}

/*
 * Sends the first `count` rows. Moves those of missing series to the front, and counts them in
 * *ret_missing; on failure nothing is moved.
 */
static enum tau_status send_rows(struct cli_backlog *backlog, struct tau_client *client,
                                 size_t count, size_t *ret_missing, struct tau_error *ret_error)
{
    struct tau_multi_append_response response;
    struct tau_multi_append_request request = {
        .count = (uint32_t)count,
        .rows = {.data = backlog->rows, .count = count},
    };
    enum tau_status status = tau_client_multi_append(client, &request, &response, ret_error);
    if (status != TAU_STATUS_SUCCESS) {
        return status;
    }
    size_t missing = 0;
    backlog->accepted += response.accepted;
    for (size_t i = 0; i < response.refused.count; i++) {
        struct tau_refused_row refused = tau_refused_row_at(response.refused, i);
        if (refused.row >= count) {
            continue;
        }
        if (refused.status == TAU_STATUS_SERIES_NOT_FOUND) {
            backlog->rows[missing++] = backlog->rows[refused.row];
        } else {
            backlog->refused++;
            backlog->refusal = refused.status;
        }
    }
    *ret_missing = missing;
    return TAU_STATUS_SUCCESS;
}

/* Creates the series of the first rows, each once: rows of one series need not stand together. */
static enum tau_status create_missing(struct cli_backlog *backlog, struct tau_client *client,
                                      size_t count, struct tau_error *ret_error)
{
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++) {
            seen = memcmp(&backlog->rows[i].label, &backlog->rows[j].label,
                          sizeof(backlog->rows[i].label)) == 0;
        }
        enum tau_status status =
            seen ? TAU_STATUS_SUCCESS : create(client, &backlog->rows[i].label, ret_error);
        if (status != TAU_STATUS_SUCCESS) {
            return status;
        }
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status cli_backlog_send(struct cli_backlog *backlog, struct tau_client *client,
                                 struct tau_error *ret_error)
{
    while (backlog->count > 0) {
        size_t count = backlog->count < REQUEST_ROWS ? backlog->count : REQUEST_ROWS;
        size_t missing = 0;
        enum tau_status status = send_rows(backlog, client, count, &missing, ret_error);
        if (status != TAU_STATUS_SUCCESS) {
            return status;
        }
        /* The missing ones now stand at the front; what lies between them and the rest is done. */
        memmove(backlog->rows + missing, backlog->rows + count,
                (backlog->count - count) * sizeof(backlog->rows[0]));
        backlog->count -= count - missing;
        if (missing > 0) {
            status = create_missing(backlog, client, missing, ret_error);
        }
        if (status != TAU_STATUS_SUCCESS) {
            return status;
        }
    }
    return TAU_STATUS_SUCCESS;
}
