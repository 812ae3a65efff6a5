/* SPDX-License-Identifier: MIT */
/*
 * tau-cli ping: asks the server for a sign of life and prints how long each took.
 */
#include "arguments.h"
#include "interrupt.h"
#include "tau_cli_commands.h"

enum { OPTION_COUNT, OPTION_INTERVAL };

static const struct cli_option options[] = {
    [OPTION_COUNT] = {"count", 'c', "N", "how many times (default 1)"},
    [OPTION_INTERVAL] = {"interval", 'i', "DURATION", "the pause between two (default 1s)"},
};

const struct cli_syntax tau_command_ping_syntax = {.options = options, .option_count = 2};

static const struct cli_column columns[] = {
    {"server", CLI_CELL_TEXT}, {"name", CLI_CELL_TEXT}, {"round_trip_us", CLI_CELL_F64}};

static int ping_once(struct cli *cli, struct cli_writer *writer)
{
    struct tau_ping_request request = {.ignored = {.size = 0}};
    struct tau_error error;
    int64_t began_ns = cli_clock_ns();
    enum tau_status status = tau_client_ping(cli->client, &request, &error);
    double took_us = (double)((cli_clock_ns() - began_ns) / 100) / 10;
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, cli->options.server, status, &error);
    }
    struct cli_cell cells[] = {cli_cell_text(cli->options.server),
                               cli_cell_text(tau_client_server(cli->client)->name),
                               cli_cell_f64(took_us)};
    cli_writer_row(writer, cells);
    cli_writer_flush(writer);
    return CLI_OK;
}

int tau_command_ping(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_interrupt interrupt;
    struct cli_writer writer;
    uint64_t count = 1;
    int64_t interval_ns = CLI_NS_PER_SECOND;
    int code;
    if (!cli_arguments_read(cli, &tau_command_ping_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *count_text = arguments.values[OPTION_COUNT];
    const char *interval_text = arguments.values[OPTION_INTERVAL];
    if ((count_text != NULL &&
         !cli_read_count(cli, "--count", count_text, 1, UINT32_MAX, &count)) ||
        (interval_text != NULL &&
         !cli_read_duration(cli, "--interval", interval_text, 0, &interval_ns))) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    cli_interrupt_begin(&interrupt);
    cli_writer_open(cli, &writer);
    cli_writer_begin(&writer, columns, sizeof(columns) / sizeof(columns[0]));
    for (uint64_t i = 0; i < count && code == CLI_OK; i++) {
        if (i > 0 && !cli_sleep_ns(interval_ns)) {
            break;
        }
        code = ping_once(cli, &writer);
    }
    cli_writer_end(&writer);
    cli_writer_done(&writer);
    cli_interrupt_end(&interrupt);
    return code;
}
