/* SPDX-License-Identifier: MIT */
/*
 * tau-cli range: prints the points from one time to another, both included.
 */
#include "arguments.h"
#include "interrupt.h"
#include "pages.h"
#include "tau_cli_commands.h"

enum { OPTION_LIMIT, OPTION_REVERSE };

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "the series"},
    {.name = "FROM", .doc = "the earliest time (default: the first point)", .optional = true},
    {.name = "TO", .doc = "the latest time (default: the last point)", .optional = true},
};

static const struct cli_option options[] = {
    [OPTION_LIMIT] = {"limit", 'n', "N", "print at most N points"},
    [OPTION_REVERSE] = {"reverse", 'r', NULL, "print the latest points first"},
};

const struct cli_syntax tau_command_range_syntax = {
    .arguments = typed, .argument_count = 3, .options = options, .option_count = 2};

static const struct cli_column columns[] = {{"timestamp", CLI_CELL_TIME}, {"value", CLI_CELL_F64}};

/* Prints page after page. The end of the output, such as a closed pipe, ends it too. */
static int print_pages(struct cli *cli, struct cli_pages *pages)
{
    struct cli_writer writer;
    int code = cli_pages_next(cli, pages);
    if (code != CLI_OK) {
        return code;
    }
    cli_writer_open(cli, &writer);
    cli_writer_begin(&writer, columns, 2);
    while (code == CLI_OK && pages->count > 0 && !ferror(cli->out) && !cli_interrupted()) {
        for (size_t i = 0; i < pages->count; i++) {
            struct cli_cell cells[] = {cli_cell_time(pages->timestamps[i]),
                                       cli_cell_f64(pages->values[i])};
            cli_writer_row(&writer, cells);
        }
        code = cli_pages_next(cli, pages);
    }
    cli_writer_end(&writer);
    cli_writer_done(&writer);
    return code;
}

int tau_command_range(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_range range = {.limit = 0};
    struct cli_pages pages;
    int code;
    if (!cli_arguments_read(cli, &tau_command_range_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *limit = arguments.values[OPTION_LIMIT];
    if (!cli_read_label(cli, "SERIES", arguments.positionals[0], &range.label) ||
        !cli_range_read(cli, cli_positional(&arguments, 1), cli_positional(&arguments, 2),
                        &range) ||
        (limit != NULL && !cli_read_count(cli, "--limit", limit, 1, UINT64_MAX, &range.limit))) {
        return CLI_USAGE;
    }
    range.backward = arguments.values[OPTION_REVERSE] != NULL;
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_pages_init(&pages, &range) ? print_pages(cli, &pages)
                                          : cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    cli_pages_done(&pages);
    return code;
}
