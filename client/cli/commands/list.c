/* SPDX-License-Identifier: MIT */
/*
 * tau-cli list: prints the labels of all series, or of those that begin with a prefix.
 */
#include <string.h>

#include "arguments.h"
#include "interrupt.h"
#include "series.h"
#include "tau_cli_commands.h"

static const struct cli_argument typed[] = {
    {.name = "PREFIX", .doc = "only labels that begin with this", .optional = true},
};

const struct cli_syntax tau_command_list_syntax = {.arguments = typed, .argument_count = 1};

static const struct cli_column columns[] = {{"series", CLI_CELL_LABEL}};

struct list {
    struct cli_writer writer;
    bool begun;
};

static void begin(struct list *list)
{
    if (!list->begun) {
        cli_writer_begin(&list->writer, columns, 1);
        list->begun = true;
    }
}

static bool print_label(void *user_data, const struct tau_label *label)
{
    struct list *list = user_data;
    struct cli_cell cell = cli_cell_label(label);
    begin(list);
    cli_writer_row(&list->writer, &cell);
    return !ferror(list->writer.out) && !cli_interrupted();
}

int tau_command_list(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct list list = {.begun = false};
    struct tau_error error;
    struct tau_label prefix = {{0}};
    int code;
    if (!cli_arguments_read(cli, &tau_command_list_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (arguments.count > 0 && !cli_read_label(cli, "PREFIX", arguments.positionals[0], &prefix)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    cli_writer_open(cli, &list.writer);
    enum tau_status status =
        cli_series_each(cli->client, &prefix, UINT64_MAX, print_label, &list, &error);
    if (status == TAU_STATUS_SUCCESS) {
        begin(&list); /* even where there is nothing to list */
    }
    if (list.begun) {
        cli_writer_end(&list.writer);
    }
    cli_writer_done(&list.writer);
    return status == TAU_STATUS_SUCCESS ? CLI_OK : cli_failed(cli, NULL, status, &error);
}
