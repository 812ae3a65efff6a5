/* SPDX-License-Identifier: MIT */
/*
 * A batch of one series travels as columns (BATCH_APPEND), a mixed one as rows (MULTI_APPEND). The
 * requests that create series stand in the same pipeline before the first batch that needs them.
 */
#include "import/sender.h"

#include <stdlib.h>
#include <string.h>

/* The most series that are remembered as created. */
#define CREATED_LIMIT 1000000

enum tau_status cli_sender_init(struct cli_sender *sender, struct tau_client *client,
                                cli_refused_callback *on_refused,
                                cli_batch_failed_callback *on_batch_failed, void *user_data)
{
    bool ok = true;
    *sender = (struct cli_sender){
        .client = client,
        .on_refused = on_refused,
        .on_batch_failed = on_batch_failed,
        .user_data = user_data,
        .timestamps = malloc(CLI_BATCH_ROWS * sizeof(int64_t)),
        .values = malloc(CLI_BATCH_ROWS * sizeof(double)),
    };
    cli_label_set_init(&sender->created, CREATED_LIMIT);
    for (size_t i = 0; i < CLI_BATCH_COUNT; i++) {
        sender->batches[i] = malloc(sizeof(*sender->batches[i]));
        if (sender->batches[i] == NULL) {
            ok = false;
            continue;
        }
        sender->batches[i]->sender = sender;
        sender->batches[i]->in_flight = false;
    }
    return ok && sender->timestamps != NULL && sender->values != NULL ? TAU_STATUS_SUCCESS
                                                                      : TAU_STATUS_NO_MEMORY;
}

void cli_sender_done(struct cli_sender *sender)
{
    for (size_t i = 0; i < CLI_BATCH_COUNT; i++) {
        free(sender->batches[i]);
        sender->batches[i] = NULL;
    }
    cli_label_set_done(&sender->created);
    free(sender->timestamps);
    free(sender->values);
}

/* --- answers --- */

static void batch_failed(struct cli_batch *batch, enum tau_status status,
                         const struct tau_error *error)
{
    struct cli_sender *sender = batch->sender;
    bool unknown = tau_status_is_outcome_unknown(status);
    *(unknown ? &sender->unknown : &sender->rejected) += batch->count;
    if (sender->failed == TAU_STATUS_SUCCESS) {
        sender->failed = status;
    }
    sender->on_batch_failed(sender->user_data, &batch->places[0], &batch->places[batch->count - 1],
                            batch->count, status, error);
}

static void batch_answered(struct cli_batch *batch, uint32_t accepted, struct tau_array refused)
{
    struct cli_sender *sender = batch->sender;
    sender->accepted += accepted;
    sender->rejected += refused.count;
    for (size_t i = 0; i < refused.count; i++) {
        struct tau_refused_row row = tau_refused_row_at(refused, i);
        if (row.row < batch->count) {
            sender->on_refused(sender->user_data, &batch->places[row.row], row.status);
        }
    }
}

static void on_columns_done(void *user_data, enum tau_status status,
                            const struct tau_batch_append_response *response,
                            const struct tau_error *error)
{
    struct cli_batch *batch = user_data;
    batch->in_flight = false;
    if (status == TAU_STATUS_SUCCESS) {
        batch_answered(batch, response->accepted, response->refused);
    } else {
        batch_failed(batch, status, error);
    }
}

static void on_rows_done(void *user_data, enum tau_status status,
                         const struct tau_multi_append_response *response,
                         const struct tau_error *error)
{
    struct cli_batch *batch = user_data;
    batch->in_flight = false;
    if (status == TAU_STATUS_SUCCESS) {
        batch_answered(batch, response->accepted, response->refused);
    } else {
        batch_failed(batch, status, error);
    }
}

/* A series that could not be created needs no word here: its rows are refused, each with a reason.
 */
static void on_created(void *user_data, enum tau_status status, const struct tau_error *error)
{
    (void)user_data;
    (void)status;
    (void)error;
}

/* --- requests --- */

/* Waits until fewer requests are outstanding. Returns false when that cannot be. */
static bool wait_for_room(struct cli_sender *sender)
{
    size_t outstanding = tau_async_outstanding(tau_client_pipeline(sender->client));
    return outstanding > 0 &&
           tau_client_wait(sender->client, outstanding - 1) == TAU_STATUS_SUCCESS;
}

static bool create(struct cli_sender *sender, const struct tau_label *label)
{
    struct tau_async *async = tau_client_pipeline(sender->client);
    struct tau_create_series_request request = {.label = *label};
    enum tau_status status = tau_async_create_series(async, &request, on_created, NULL);
    while (status == TAU_STATUS_WOULD_BLOCK && wait_for_room(sender)) {
        status = tau_async_create_series(async, &request, on_created, NULL);
    }
    if (status != TAU_STATUS_SUCCESS && sender->failed == TAU_STATUS_SUCCESS) {
        sender->failed = status;
    }
    return status == TAU_STATUS_SUCCESS;
}

static enum tau_status request_columns(struct cli_sender *sender, struct cli_batch *batch)
{
    struct tau_batch_append_request request = {
        .label = batch->rows[0].label,
        .count = (uint32_t)batch->count,
        .timestamps = {.data = sender->timestamps, .count = batch->count},
        .values = {.data = sender->values, .count = batch->count},
    };
    for (size_t i = 0; i < batch->count; i++) {
        sender->timestamps[i] = batch->rows[i].timestamp;
        memcpy(&sender->values[i], &batch->rows[i].value, sizeof(double));
    }
    return tau_async_batch_append(tau_client_pipeline(sender->client), &request, on_columns_done,
                                  batch);
}

static enum tau_status request_rows(struct cli_sender *sender, struct cli_batch *batch)
{
    struct tau_multi_append_request request = {
        .count = (uint32_t)batch->count,
        .rows = {.data = batch->rows, .count = batch->count},
    };
    return tau_async_multi_append(tau_client_pipeline(sender->client), &request, on_rows_done,
                                  batch);
}

/* Sends the batch that is being filled. */
static void send_batch(struct cli_sender *sender)
{
    struct cli_batch *batch = sender->filling;
    enum tau_status status;
    sender->filling = NULL;
    do {
        status = batch->one_series ? request_columns(sender, batch) : request_rows(sender, batch);
    } while (status == TAU_STATUS_WOULD_BLOCK && wait_for_room(sender));
    if (status != TAU_STATUS_SUCCESS) {
        batch_failed(batch, status, NULL);
        return;
    }
    batch->in_flight = true;
    tau_async_flush(tau_client_pipeline(sender->client));
}

/* Finds a batch to fill, waiting for answers if need be. */
static struct cli_batch *take_batch(struct cli_sender *sender)
{
    do {
        for (size_t i = 0; i < CLI_BATCH_COUNT; i++) {
            if (!sender->batches[i]->in_flight) {
                sender->batches[i]->count = 0;
                sender->batches[i]->one_series = true;
                return sender->batches[i];
            }
        }
    } while (wait_for_room(sender));
    return NULL;
}

bool cli_sender_add(struct cli_sender *sender, const struct tau_row *row,
                    const struct cli_place *place)
{
    if (sender->failed != TAU_STATUS_SUCCESS) {
        return false;
    }
    if (sender->filling == NULL) {
        sender->filling = take_batch(sender);
        if (sender->filling == NULL) {
            sender->failed = TAU_STATUS_CONNECTION_LOST;
            return false;
        }
    }
    struct cli_batch *batch = sender->filling;
    bool same = batch->count > 0 &&
                memcmp(&batch->rows[batch->count - 1].label, &row->label, sizeof(row->label)) == 0;
    if (!same && cli_label_set_add(&sender->created, &row->label) && !create(sender, &row->label)) {
        return false;
    }
    batch->one_series = batch->one_series && (same || batch->count == 0);
    batch->places[batch->count] = *place;
    batch->rows[batch->count++] = *row;
    if (batch->count == CLI_BATCH_ROWS) {
        send_batch(sender);
    }
    return sender->failed == TAU_STATUS_SUCCESS;
}

bool cli_sender_has_rows(const struct cli_sender *sender)
{
    return sender->filling != NULL && sender->filling->count > 0;
}

bool cli_sender_finish(struct cli_sender *sender)
{
    if (cli_sender_has_rows(sender)) {
        send_batch(sender);
    }
    if (tau_client_wait(sender->client, 0) != TAU_STATUS_SUCCESS &&
        sender->failed == TAU_STATUS_SUCCESS) {
        sender->failed = TAU_STATUS_CONNECTION_LOST;
    }
    return sender->failed == TAU_STATUS_SUCCESS;
}
