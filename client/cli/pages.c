/* SPDX-License-Identifier: MIT */
/*
 * Pages are streams that are limited to one page; a page that was cut off with its connection is
 * read again from its beginning, since none of it was handed out.
 */
#include "pages.h"

#include <stdlib.h>

bool cli_pages_init(struct cli_pages *pages, const struct cli_range *range)
{
    *pages = (struct cli_pages){
        .label = range->label,
        .from_ns = range->from_ns,
        .to_ns = range->to_ns,
        .limit = range->limit == 0 ? UINT64_MAX : range->limit,
        .backward = range->backward,
        .ended = range->from_ns > range->to_ns,
        .timestamps = malloc(CLI_PAGE_POINTS * sizeof(int64_t)),
        .values = malloc(CLI_PAGE_POINTS * sizeof(double)),
    };
    return pages->timestamps != NULL && pages->values != NULL;
}

void cli_pages_done(struct cli_pages *pages)
{
    free(pages->timestamps);
    free(pages->values);
    pages->timestamps = NULL;
    pages->values = NULL;
}

/* Takes one frame of the stream. A server that sends more than was asked for is cut short. */
static bool on_batch(void *user_data, const struct tau_query_range_response *batch)
{
    struct cli_pages *pages = user_data;
    size_t room = pages->asked - pages->count;
    size_t count = batch->timestamps.count < room ? batch->timestamps.count : room;
    tau_i64_copy(batch->timestamps, 0, count, pages->timestamps + pages->count);
    tau_f64_copy(batch->values, 0, count, pages->values + pages->count);
    pages->count += count;
    return count == batch->timestamps.count;
}

/* Moves the bounds behind the page, and notes when nothing can follow it. */
static void move_on(struct cli_pages *pages)
{
    if (pages->count < pages->asked) {
        pages->ended = true;
        return;
    }
    int64_t last = pages->timestamps[pages->count - 1];
    pages->limit -= pages->limit == UINT64_MAX ? 0 : pages->count;
    pages->ended = pages->limit == 0 || last == (pages->backward ? pages->from_ns : pages->to_ns);
    if (!pages->ended && pages->backward) {
        pages->to_ns = last - 1;
    } else if (!pages->ended) {
        pages->from_ns = last + 1;
    }
}

enum tau_status cli_pages_fetch(struct cli *cli, struct cli_pages *pages,
                                struct tau_error *ret_error)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    pages->asked = pages->limit < CLI_PAGE_POINTS ? (size_t)pages->limit : CLI_PAGE_POINTS;
    struct tau_query_range_request request = {
        .label = pages->label,
        .from = pages->from_ns,
        .to = pages->to_ns,
        .limit = pages->asked,
        .direction = pages->backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
    };
    pages->count = 0;
    if (pages->ended) {
        return TAU_STATUS_SUCCESS;
    }
    for (int try = 0; try < 2; try++) {
        pages->count = 0;
        status = tau_client_query_range(cli->client, &request, on_batch, pages, ret_error);
        if (status != TAU_STATUS_CONNECTION_LOST ||
            tau_client_connect(cli->client, ret_error) != TAU_STATUS_SUCCESS) {
            break;
        }
    }
    if (status == TAU_STATUS_SUCCESS) {
        move_on(pages);
    } else {
        pages->count = 0;
    }
    return status;
}

int cli_pages_next(struct cli *cli, struct cli_pages *pages)
{
    struct tau_error error;
    char name[TAU_LABEL_TEXT_SIZE];
    enum tau_status status = cli_pages_fetch(cli, pages, &error);
    if (status != TAU_STATUS_SUCCESS) {
        tau_label_to_text(&pages->label, name);
        return cli_failed(cli, name, status, &error);
    }
    return CLI_OK;
}

bool cli_range_read(const struct cli *cli, const char *from, const char *to,
                    struct cli_range *ret_range)
{
    ret_range->from_ns = INT64_MIN;
    ret_range->to_ns = INT64_MAX;
    return (from == NULL || cli_read_time(cli, "FROM", from, &ret_range->from_ns)) &&
           (to == NULL || cli_read_time(cli, "TO", to, &ret_range->to_ns));
}
