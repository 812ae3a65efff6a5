/* SPDX-License-Identifier: MIT */
/*
 * tau-cli export: prints all points of series. As CSV, which is its default, import reads it back
 * to the same labels, timestamps and bits.
 */
#include "arguments.h"
#include "interrupt.h"
#include "pages.h"
#include "tau_cli_commands.h"

enum { OPTION_FROM, OPTION_TO };

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "a series", .repeated = true},
};

static const struct cli_option options[] = {
    [OPTION_FROM] = {"from", 0, "TIME", "the earliest time (default: the first point)"},
    [OPTION_TO] = {"to", 0, "TIME", "the latest time (default: the last point)"},
};

const struct cli_syntax tau_command_export_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .options = options,
    .option_count = 2,
    .notes =
        "The format is csv unless --format says otherwise. To read numbers back that were printed\n"
        "with --time s, ms, us or ns, give import the same --unit.",
};

static const struct cli_column columns[] = {
    {"series", CLI_CELL_LABEL}, {"timestamp", CLI_CELL_TIME}, {"value", CLI_CELL_F64}};

static int export_series(struct cli *cli, struct cli_writer *writer, struct cli_pages *pages)
{
    int code = cli_pages_next(cli, pages);
    while (code == CLI_OK && pages->count > 0 && !ferror(cli->out) && !cli_interrupted()) {
        for (size_t i = 0; i < pages->count; i++) {
            struct cli_cell cells[] = {cli_cell_label(&pages->label),
                                       cli_cell_time(pages->timestamps[i]),
                                       cli_cell_f64(pages->values[i])};
            cli_writer_row(writer, cells);
        }
        code = cli_pages_next(cli, pages);
    }
    return code;
}

/* Prints one series after the other; one that fails does not keep the others from being printed. */
static int export_all(struct cli *cli, const struct cli_arguments *arguments,
                      struct cli_range *range)
{
    struct cli_writer writer;
    int code = CLI_OK;
    cli_writer_open(cli, &writer);
    cli_writer_begin(&writer, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < arguments->count && code != CLI_NO_CONNECTION; i++) {
        struct cli_pages pages;
        int one = CLI_USAGE;
        if (cli_read_label(cli, "SERIES", arguments->positionals[i], &range->label)) {
            one = cli_pages_init(&pages, range) ? export_series(cli, &writer, &pages)
                                                : cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
            cli_pages_done(&pages);
        }
        code = one != CLI_OK ? one : code;
    }
    cli_writer_end(&writer);
    cli_writer_done(&writer);
    return code;
}

int tau_command_export(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_range range = {.limit = 0};
    int code;
    if (!cli_arguments_read(cli, &tau_command_export_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!cli->options.format_given) {
        cli->options.format = CLI_FORMAT_CSV;
    }
    if (!cli_range_read(cli, arguments.values[OPTION_FROM], arguments.values[OPTION_TO], &range)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    return code == CLI_OK ? export_all(cli, &arguments, &range) : code;
}
