/* SPDX-License-Identifier: MIT */
/*
 * tau-cli rollup-list: prints the rules that keep series, page by page, and how far each is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "functions.h"
#include "interrupt.h"
#include "tau_cli_commands.h"

const struct cli_syntax tau_command_rollup_list_syntax = {
    .notes = "The target has all buckets that end at or before the time under `settled`, where\n"
             "nothing stands before the first. A `pending` rule has buckets yet to compute.",
};

static const struct cli_column columns[] = {
    {"target", CLI_CELL_LABEL},   {"source", CLI_CELL_LABEL}, {"function", CLI_CELL_TEXT},
    {"width", CLI_CELL_DURATION}, {"origin", CLI_CELL_TIME},  {"settled", CLI_CELL_TIME},
    {"state", CLI_CELL_TEXT},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

struct list {
    struct cli_writer writer;
    struct tau_rollup *page;
    bool begun;
};

static void begin(struct list *list)
{
    if (!list->begun) {
        cli_writer_begin(&list->writer, columns, COLUMNS);
        list->begun = true;
    }
}

static void print(struct list *list, const struct tau_rollup *rollup)
{
    char function[CLI_FUNCTION_TEXT_SIZE];
    struct tau_aggregate_column column = {rollup->function, rollup->parameter};
    cli_function_to_text(&column, function);
    struct cli_cell cells[COLUMNS] = {
        cli_cell_label(&rollup->target),
        cli_cell_label(&rollup->source),
        cli_cell_text(function),
        cli_cell_duration(rollup->width),
        cli_cell_time(rollup->origin),
        rollup->settled == INT64_MIN ? (struct cli_cell){.kind = CLI_CELL_NONE}
                                     : cli_cell_time(rollup->settled),
        cli_cell_text(tau_rollup_state_name(rollup->state)),
    };
    cli_writer_row(&list->writer, cells);
}

/* A server that does not go on behind the cursor would be asked without end. */
static bool is_ascending(const struct tau_list_rollups_request *request,
                         const struct tau_rollup *page, size_t count)
{
    const struct tau_label *last = request->has_cursor ? &request->cursor : NULL;
    for (size_t i = 0; i < count; i++) {
        if (last != NULL && memcmp(last->bytes, page[i].target.bytes, sizeof(last->bytes)) >= 0) {
            return false;
        }
        last = &page[i].target;
    }
    return true;
}

/* Reads a page and copies it, so that whoever reads the output may take their time. */
static enum tau_status read_page(struct tau_client *client,
                                 const struct tau_list_rollups_request *request,
                                 struct tau_rollup *ret_page, size_t *ret_count, bool *ret_more,
                                 struct tau_error *ret_error)
{
    struct tau_list_rollups_response response;
    enum tau_status status = tau_client_list_rollups(client, request, &response, ret_error);
    if (status == TAU_STATUS_CONNECTION_LOST &&
        tau_client_connect(client, ret_error) == TAU_STATUS_SUCCESS) {
        status = tau_client_list_rollups(client, request, &response, ret_error);
    }
    if (status != TAU_STATUS_SUCCESS) {
        return status;
    }
    tau_rollup_copy(response.rollups, 0, response.rollups.count, ret_page);
    if (!is_ascending(request, ret_page, response.rollups.count)) {
        *ret_error =
            (struct tau_error){.status = TAU_STATUS_PROTOCOL_ERROR, .field = TAU_FIELD_NONE};
        snprintf(ret_error->message, sizeof(ret_error->message), "%s",
                 "the server lists rules that are not in ascending order");
        return TAU_STATUS_PROTOCOL_ERROR;
    }
    *ret_count = response.rollups.count;
    *ret_more = response.more;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status print_all(struct tau_client *client, struct list *list,
                                 struct tau_error *ret_error)
{
    struct tau_list_rollups_request request = {.limit = TAU_LIMIT_LIST_PAGE};
    bool more = true;
    while (more) {
        size_t count = 0;
        enum tau_status status = read_page(client, &request, list->page, &count, &more, ret_error);
        if (status != TAU_STATUS_SUCCESS) {
            return status;
        }
        begin(list); /* even where there is nothing to list */
        for (size_t i = 0; i < count; i++) {
            print(list, &list->page[i]);
            if (ferror(list->writer.out) || cli_interrupted()) {
                return TAU_STATUS_SUCCESS;
            }
        }
        more = more && count > 0;
        if (more) {
            request.has_cursor = true;
            request.cursor = list->page[count - 1].target;
        }
    }
    return TAU_STATUS_SUCCESS;
}

int tau_command_rollup_list(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct list list = {.begun = false};
    struct tau_error error;
    int code;
    if (!cli_arguments_read(cli, &tau_command_rollup_list_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    list.page = malloc(TAU_LIMIT_LIST_PAGE * sizeof(*list.page));
    if (list.page == NULL) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    cli_writer_open(cli, &list.writer);
    enum tau_status status = print_all(cli->client, &list, &error);
    if (list.begun) {
        cli_writer_end(&list.writer);
    }
    cli_writer_done(&list.writer);
    free(list.page);
    return status == TAU_STATUS_SUCCESS ? CLI_OK : cli_failed(cli, NULL, status, &error);
}
