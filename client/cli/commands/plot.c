/* SPDX-License-Identifier: MIT */
/*
 * tau-cli plot: draws a series in the terminal.
 */
#include <inttypes.h>
#include <unistd.h>

#include "arguments.h"
#include "interrupt.h"
#include "pages.h"
#include "plot/chart.h"
#include "plot/title.h"
#include "tau_cli_commands.h"

#define DEFAULT_WIDTH  80
#define DEFAULT_HEIGHT 20
#define SIZE_LIMIT     1000

/* Rows of the terminal that the chart leaves free: its title, and the next prompt. */
#define SPARE_ROWS 4

enum { OPTION_ASCII, OPTION_WIDTH, OPTION_HEIGHT };

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "the series"},
    {.name = "FROM", .doc = "the earliest time (default: the first point)", .optional = true},
    {.name = "TO", .doc = "the latest time (default: the last point)", .optional = true},
};

static const struct cli_option options[] = {
    [OPTION_ASCII] = {"ascii", 0, NULL, "draw with ASCII instead of braille"},
    [OPTION_WIDTH] = {"width", 0, "N", "characters across (default: the terminal's, or 80)"},
    [OPTION_HEIGHT] = {"height", 0, "N", "lines down (default: 20, or what the terminal has)"},
};

const struct cli_syntax tau_command_plot_syntax = {
    .arguments = typed, .argument_count = 3, .options = options, .option_count = 3};

/* What is to be drawn, and how large. */
struct plot {
    const char *name;
    struct cli_range range;
    uint64_t width;
    uint64_t height;
    bool braille;
};

/* Narrows the range to the points that are there, so that the chart has no empty margins. */
static int narrow(struct cli *cli, struct plot *plot)
{
    struct tau_describe_series_request request = {.label = plot->range.label};
    struct tau_describe_series_response series;
    struct tau_error error;
    enum tau_status status = tau_client_describe_series(cli->client, &request, &series, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, plot->name, status, &error);
    }
    if (plot->range.from_ns < series.first_timestamp) {
        plot->range.from_ns = series.first_timestamp;
    }
    if (plot->range.to_ns > series.last_timestamp) {
        plot->range.to_ns = series.last_timestamp;
    }
    if (series.point_count == 0 || plot->range.from_ns > plot->range.to_ns) {
        cli_complain(cli, "%s has no point %s", plot->name,
                     series.point_count == 0 ? "yet" : "in this time");
        return CLI_ERROR;
    }
    return CLI_OK;
}

static int read_points(struct cli *cli, const struct plot *plot, struct cli_chart *chart)
{
    struct cli_pages pages;
    int code = cli_pages_init(&pages, &plot->range)
                   ? cli_pages_next(cli, &pages)
                   : cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    while (code == CLI_OK && pages.count > 0 && !cli_interrupted()) {
        for (size_t i = 0; i < pages.count; i++) {
            cli_chart_add(chart, pages.timestamps[i], pages.values[i]);
        }
        code = cli_pages_next(cli, &pages);
    }
    cli_pages_done(&pages);
    return code;
}

static int print(struct cli *cli, const struct plot *plot, const struct cli_chart *chart)
{
    char from[CLI_TIME_TEXT_SIZE];
    char to[CLI_TIME_TEXT_SIZE];
    if (chart->point_count == 0 || chart->point_count == chart->skipped_count) {
        cli_complain(cli, "%s has no finite value in this time", plot->name);
        return CLI_ERROR;
    }
    cli_time_to_text(plot->range.from_ns, cli->options.time_format, from);
    cli_time_to_text(plot->range.to_ns, cli->options.time_format, to);
    struct cli_title title = {
        .name = plot->name, .point_count = chart->point_count, .from = from, .to = to};
    cli_title_print(&title, chart->width, !plot->braille, cli->out);
    if (!cli_chart_print(chart, cli->out)) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    if (chart->skipped_count > 0) {
        cli_remark(cli, "%" PRIu64 " points are infinite or NaN and were not drawn",
                   chart->skipped_count);
    }
    return CLI_OK;
}

static int draw(struct cli *cli, struct plot *plot)
{
    struct cli_chart chart;
    int code = narrow(cli, plot);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_chart_init(&chart, (size_t)plot->width, (size_t)plot->height, plot->braille,
                       plot->range.from_ns, plot->range.to_ns)) {
        chart.colour = cli->terminal.colour && cli->terminal.out;
        code = read_points(cli, plot, &chart);
    } else {
        code = cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    if (code == CLI_OK) {
        code = print(cli, plot, &chart);
    }
    cli_chart_done(&chart);
    return code;
}

static void set_default_size(struct plot *plot)
{
    unsigned columns;
    unsigned rows;
    cli_terminal_size(STDOUT_FILENO, DEFAULT_WIDTH, DEFAULT_HEIGHT + SPARE_ROWS, &columns, &rows);
    plot->width = columns;
    plot->height = rows < DEFAULT_HEIGHT + SPARE_ROWS && rows > SPARE_ROWS ? rows - SPARE_ROWS
                                                                           : DEFAULT_HEIGHT;
}

int tau_command_plot(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct plot plot = {.range = {.limit = 0}};
    int code;
    if (!cli_arguments_read(cli, &tau_command_plot_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *width = arguments.values[OPTION_WIDTH];
    const char *height = arguments.values[OPTION_HEIGHT];
    set_default_size(&plot);
    plot.name = arguments.positionals[0];
    plot.braille = cli->terminal.utf8 && arguments.values[OPTION_ASCII] == NULL;
    if (!cli_read_label(cli, "SERIES", plot.name, &plot.range.label) ||
        !cli_range_read(cli, cli_positional(&arguments, 1), cli_positional(&arguments, 2),
                        &plot.range) ||
        (width != NULL &&
         !cli_read_count(cli, "--width", width, CLI_CHART_LEAST_WIDTH, SIZE_LIMIT, &plot.width)) ||
        (height != NULL && !cli_read_count(cli, "--height", height, CLI_CHART_LEAST_HEIGHT,
                                           SIZE_LIMIT, &plot.height))) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    return code == CLI_OK ? draw(cli, &plot) : code;
}
