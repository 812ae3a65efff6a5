/* SPDX-License-Identifier: MIT */
/*
 * tau-cli watch: prints the points of a series as they arrive, every one of them. It asks again and
 * again what has come behind the last point that it has printed, so a point is never missed between
 * two looks, nor while the server is started again.
 */
#include <inttypes.h>

#include "arguments.h"
#include "interrupt.h"
#include "pages.h"
#include "tau_cli_commands.h"

#define DEFAULT_INTERVAL_NS INT64_C(200000000)
#define RETRY_NS            CLI_NS_PER_SECOND

enum { OPTION_INTERVAL, OPTION_LAST, OPTION_FROM, OPTION_LIMIT };

static const struct cli_argument typed[] = {{.name = "SERIES", .doc = "the series"}};

static const struct cli_option options[] = {
    [OPTION_INTERVAL] = {"interval", 'i', "DURATION", "how often to look (default 200ms)"},
    [OPTION_LAST] = {"last", 0, "N", "begin with the N latest points (default 0)"},
    [OPTION_FROM] = {"from", 0, "TIME", "begin with the points from this time on"},
    [OPTION_LIMIT] = {"limit", 'n', "N", "end after N points"},
};

const struct cli_syntax tau_command_watch_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .options = options,
    .option_count = 4,
    .notes = "It runs until Ctrl-C. When the connection is lost it connects again and goes on.",
};

static const struct cli_column columns[] = {{"timestamp", CLI_CELL_TIME}, {"value", CLI_CELL_F64}};

struct watch {
    struct cli *cli;
    const char *name;
    struct cli_pages pages;
    struct cli_writer writer;
    uint64_t identity; /* of the series that is watched */
    int64_t interval_ns;
    uint64_t left; /* points until the end */
    bool lost;     /* whether the connection is known to be lost */
};

/* Sets the watch to begin with the points behind the last one that is there. */
static void begin_behind(struct watch *watch, const struct tau_describe_series_response *series)
{
    bool at_end = series->point_count > 0 && series->last_timestamp == INT64_MAX;
    watch->identity = series->identity;
    watch->pages.to_ns = INT64_MAX;
    watch->pages.ended = at_end;
    watch->pages.from_ns = series->point_count == 0 ? INT64_MIN
                           : at_end                 ? INT64_MAX
                                                    : series->last_timestamp + 1;
}

static void print_page(struct watch *watch)
{
    for (size_t i = 0; i < watch->pages.count && watch->left > 0; i++, watch->left--) {
        struct cli_cell cells[] = {cli_cell_time(watch->pages.timestamps[i]),
                                   cli_cell_f64(watch->pages.values[i])};
        cli_writer_row(&watch->writer, cells);
    }
    cli_writer_flush(&watch->writer);
}

/* Prints all that has come. The pages end each time; the next look begins behind the last point. */
static enum tau_status print_new(struct watch *watch, struct tau_error *ret_error)
{
    struct cli_pages *pages = &watch->pages;
    enum tau_status status;
    do {
        status = cli_pages_fetch(watch->cli, pages, ret_error);
        if (status != TAU_STATUS_SUCCESS || pages->count == 0) {
            break;
        }
        print_page(watch);
        int64_t last = pages->timestamps[pages->count - 1];
        if (last == INT64_MAX) {
            pages->ended = true;
            return status;
        }
        pages->from_ns = last + 1;
    } while (!pages->ended && watch->left > 0 && !cli_interrupted());
    pages->ended = false;
    return status;
}

/* Looks once. A series that was dropped and created again is watched from its beginning. */
static enum tau_status look(struct watch *watch, struct tau_error *ret_error)
{
    struct tau_describe_series_request request = {.label = watch->pages.label};
    struct tau_describe_series_response series;
    enum tau_status status =
        tau_client_describe_series(watch->cli->client, &request, &series, ret_error);
    if (status != TAU_STATUS_SUCCESS) {
        return status;
    }
    if (series.identity != watch->identity) {
        cli_remark(watch->cli, "%s was created anew", watch->name);
        watch->identity = series.identity;
        watch->pages.from_ns = INT64_MIN;
        watch->pages.ended = false;
    }
    bool any = series.point_count > 0 && !watch->pages.ended &&
               series.last_timestamp >= watch->pages.from_ns;
    return any ? print_new(watch, ret_error) : TAU_STATUS_SUCCESS;
}

static bool is_lost(enum tau_status status)
{
    return cli_exit_of(status) == CLI_NO_CONNECTION;
}

/* Connects again after a pause. Every failure but that of the connection ends the watch. */
static enum tau_status connect_again(struct watch *watch, struct tau_error *ret_error)
{
    if (!watch->lost) {
        cli_remark(watch->cli, "the connection is lost; trying again");
        watch->lost = true;
    }
    if (!cli_sleep_ns(RETRY_NS)) {
        return TAU_STATUS_SUCCESS;
    }
    enum tau_status status = tau_client_connect(watch->cli->client, ret_error);
    if (status == TAU_STATUS_SUCCESS) {
        cli_remark(watch->cli, "connected again");
        watch->lost = false;
    }
    return is_lost(status) ? TAU_STATUS_SUCCESS : status;
}

static int run(struct watch *watch)
{
    struct tau_error error;
    enum tau_status status = TAU_STATUS_SUCCESS;
    while (status == TAU_STATUS_SUCCESS && watch->left > 0 && !cli_interrupted() &&
           !ferror(watch->cli->out)) {
        status = watch->lost ? TAU_STATUS_CONNECTION_LOST : look(watch, &error);
        if (is_lost(status)) {
            status = connect_again(watch, &error);
        } else if (status == TAU_STATUS_SUCCESS && watch->left > 0) {
            cli_sleep_ns(watch->interval_ns);
        }
    }
    return status == TAU_STATUS_SUCCESS ? CLI_OK
                                        : cli_failed(watch->cli, watch->name, status, &error);
}

/* Prints the latest points that were asked for; they are read backwards, so one page at most. */
static int print_last(struct watch *watch, uint64_t count, int64_t to_ns)
{
    struct cli_range range = {.label = watch->pages.label,
                              .from_ns = INT64_MIN,
                              .to_ns = to_ns,
                              .limit = count,
                              .backward = true};
    struct cli_pages pages;
    int code = cli_pages_init(&pages, &range)
                   ? cli_pages_next(watch->cli, &pages)
                   : cli_failed(watch->cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    for (size_t i = pages.count; code == CLI_OK && i > 0 && watch->left > 0; i--, watch->left--) {
        struct cli_cell cells[] = {cli_cell_time(pages.timestamps[i - 1]),
                                   cli_cell_f64(pages.values[i - 1])};
        cli_writer_row(&watch->writer, cells);
    }
    cli_pages_done(&pages);
    return code;
}

/* Finds out where to begin, and prints what is there already if that was asked for. */
static int begin(struct watch *watch, uint64_t last, const int64_t *from_ns)
{
    struct tau_describe_series_request request = {.label = watch->pages.label};
    struct tau_describe_series_response series;
    struct tau_error error;
    enum tau_status status =
        tau_client_describe_series(watch->cli->client, &request, &series, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(watch->cli, watch->name, status, &error);
    }
    begin_behind(watch, &series);
    if (from_ns != NULL) {
        watch->pages.from_ns = *from_ns;
        watch->pages.ended = false;
        return CLI_OK;
    }
    return last > 0 && series.point_count > 0 ? print_last(watch, last, series.last_timestamp)
                                              : CLI_OK;
}

static int watch_series(struct watch *watch, const struct cli_range *range, uint64_t last,
                        const int64_t *from_ns)
{
    struct cli_interrupt interrupt;
    if (!cli_pages_init(&watch->pages, range)) {
        cli_pages_done(&watch->pages);
        return cli_failed(watch->cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    cli_interrupt_begin(&interrupt);
    cli_writer_open(watch->cli, &watch->writer);
    cli_writer_begin(&watch->writer, columns, 2);
    int code = begin(watch, last, from_ns);
    if (code == CLI_OK) {
        cli_writer_flush(&watch->writer);
        code = run(watch);
        cli_writer_end(&watch->writer);
    }
    cli_writer_done(&watch->writer);
    cli_pages_done(&watch->pages);
    cli_interrupt_end(&interrupt);
    return code;
}

int tau_command_watch(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_range range = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
    struct watch watch = {.cli = cli, .interval_ns = DEFAULT_INTERVAL_NS, .left = UINT64_MAX};
    uint64_t last = 0;
    int64_t from_ns = 0;
    int code;
    if (!cli_arguments_read(cli, &tau_command_watch_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *const *values = arguments.values;
    watch.name = arguments.positionals[0];
    if (!cli_read_label(cli, "SERIES", watch.name, &range.label) ||
        (values[OPTION_INTERVAL] != NULL &&
         !cli_read_duration(cli, "--interval", values[OPTION_INTERVAL], 1000000,
                            &watch.interval_ns)) ||
        (values[OPTION_LAST] != NULL &&
         !cli_read_count(cli, "--last", values[OPTION_LAST], 0, CLI_PAGE_POINTS, &last)) ||
        (values[OPTION_FROM] != NULL &&
         !cli_read_time(cli, "--from", values[OPTION_FROM], &from_ns)) ||
        (values[OPTION_LIMIT] != NULL &&
         !cli_read_count(cli, "--limit", values[OPTION_LIMIT], 1, UINT64_MAX, &watch.left))) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    return watch_series(&watch, &range, last, values[OPTION_FROM] != NULL ? &from_ns : NULL);
}
