/* SPDX-License-Identifier: MIT */
/*
 * tau-cli aggregate: prints functions over buckets of time, for each series or for all together.
 */
#include <string.h>

#include "functions.h"
#include "many.h"
#include "tau_cli_commands.h"

enum {
    OPTION_FROM,
    OPTION_TO,
    OPTION_EVERY,
    OPTION_ORIGIN,
    OPTION_FUNCTIONS,
    OPTION_FILL,
    OPTION_PREFIX,
    OPTION_COMBINE,
    OPTION_COUNT
};

static const struct cli_argument typed[] = {
    {.name = "SERIES",
     .doc = "the series (default: those of --prefix, or all)",
     .optional = true,
     .repeated = true},
};

static const struct cli_option options[] = {
    [OPTION_FROM] = {"from", 0, "TIME", "the earliest time (default: the first point)"},
    [OPTION_TO] = {"to", 0, "TIME", "the latest time (default: the last point)"},
    [OPTION_EVERY] = {"every", 'e', "DURATION", "the width of a bucket (default: one for all)"},
    [OPTION_ORIGIN] = {"origin", 0, "TIME", "where a bucket starts (default: 1970-01-01)"},
    [OPTION_FUNCTIONS] = {"functions", 'F', "LIST",
                          "what to compute (default: count,min,mean,max)"},
    [OPTION_FILL] = {"fill", 0, "HOW",
                     "fill buckets without points: none, previous, linear or a number"},
    [OPTION_PREFIX] = {"prefix", 'p', "TEXT", "every series whose label begins with this"},
    [OPTION_COMBINE] = {"combine", 0, NULL, "one result of all series together"},
};

const struct cli_syntax tau_command_aggregate_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "Functions: count, sum, min, max, mean, first, last, stddev, stddev_population,\n"
             "time_weighted_average, rate, increase; quantiles as p50, p99.9 or quantile=0.5.\n"
             "A fill reaches from --from to --to.",
};

struct aggregate {
    struct tau_aggregate_request request;
    struct cli_functions functions;
    struct cli_many many;
    struct cli_stream stream;
    struct cli_column columns[2 + TAU_LIMIT_AGGREGATE_FUNCTIONS];
    bool miscounted; /* the server's rows and values do not go together */
};

_Static_assert(2 + TAU_LIMIT_AGGREGATE_FUNCTIONS <= CLI_COLUMN_LIMIT, "columns fit a writer");

static bool read_fill(const struct cli *cli, const char *text,
                      struct tau_aggregate_request *request)
{
    if (tau_aggregate_fill_from_name(text, &request->fill) &&
        request->fill != TAU_AGGREGATE_FILL_VALUE) {
        return true;
    }
    request->fill = TAU_AGGREGATE_FILL_VALUE;
    return cli_read_value(cli, "--fill", text, &request->fill_value);
}

static bool read_request(const struct cli *cli, const struct cli_arguments *arguments,
                         struct aggregate *aggregate)
{
    struct tau_aggregate_request *request = &aggregate->request;
    const char *const *values = arguments->values;
    const char *functions = values[OPTION_FUNCTIONS];
    int64_t width_ns = 0;
    *request = (struct tau_aggregate_request){.from = INT64_MIN, .to = INT64_MAX};
    if ((values[OPTION_FROM] != NULL &&
         !cli_read_time(cli, "--from", values[OPTION_FROM], &request->from)) ||
        (values[OPTION_TO] != NULL &&
         !cli_read_time(cli, "--to", values[OPTION_TO], &request->to)) ||
        (values[OPTION_EVERY] != NULL &&
         !cli_read_duration(cli, "--every", values[OPTION_EVERY], 1, &width_ns)) ||
        (values[OPTION_ORIGIN] != NULL &&
         !cli_read_time(cli, "--origin", values[OPTION_ORIGIN], &request->origin)) ||
        (values[OPTION_FILL] != NULL && !read_fill(cli, values[OPTION_FILL], request)) ||
        !cli_functions_read(cli, functions != NULL ? functions : "count,min,mean,max",
                            &aggregate->functions)) {
        return false;
    }
    request->width = (uint64_t)width_ns;
    request->grouping =
        values[OPTION_COMBINE] != NULL ? TAU_AGGREGATE_GROUPING_ALL : TAU_AGGREGATE_GROUPING_EACH;
    request->functions = (struct tau_array){.data = aggregate->functions.columns,
                                            .count = aggregate->functions.count};
    return true;
}

/* The columns: the series, unless all have one result, the start of the bucket, the functions. */
static size_t name_columns(struct aggregate *aggregate)
{
    size_t count = 0;
    if (aggregate->request.grouping == TAU_AGGREGATE_GROUPING_EACH) {
        aggregate->columns[count++] = (struct cli_column){"series", CLI_CELL_LABEL};
    }
    aggregate->columns[count++] = (struct cli_column){"timestamp", CLI_CELL_TIME};
    for (size_t i = 0; i < aggregate->functions.count; i++) {
        aggregate->columns[count++] =
            (struct cli_column){aggregate->functions.names[i], CLI_CELL_F64};
    }
    return count;
}

/* A single bucket without a beginning begins at no time that anybody wants to know. */
static struct cli_cell start_of(const struct tau_aggregate_request *request, int64_t start_ns)
{
    bool endless = request->width == 0 && request->from == INT64_MIN;
    return endless ? (struct cli_cell){.kind = CLI_CELL_NONE} : cli_cell_time(start_ns);
}

static bool on_batch(void *user_data, const struct tau_aggregate_response *batch)
{
    struct aggregate *aggregate = user_data;
    size_t rows = batch->starts.count;
    aggregate->miscounted = batch->values.count != rows * aggregate->functions.count;
    if (aggregate->miscounted) {
        return false;
    }
    for (size_t row = 0; row < rows; row++) {
        struct cli_cell cells[2 + TAU_LIMIT_AGGREGATE_FUNCTIONS];
        size_t count = 0;
        if (aggregate->request.grouping == TAU_AGGREGATE_GROUPING_EACH) {
            cells[count++] = cli_cell_label(&batch->label);
        }
        cells[count++] = start_of(&aggregate->request, tau_i64_at(batch->starts, row));
        for (size_t i = 0; i < aggregate->functions.count; i++) {
            cells[count++] = cli_cell_f64(tau_f64_at(batch->values, i * rows + row));
        }
        cli_stream_row(&aggregate->stream, cells);
    }
    return cli_stream_goes_on(&aggregate->stream);
}

static int ask(struct cli *cli, struct aggregate *aggregate)
{
    struct tau_error error;
    int code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    aggregate->request.labels = cli_many_labels(&aggregate->many);
    aggregate->request.prefix = cli_many_prefix(&aggregate->many);
    cli_stream_init(&aggregate->stream, cli, aggregate->columns, name_columns(aggregate));
    enum tau_status status =
        tau_client_aggregate(cli->client, &aggregate->request, on_batch, aggregate, &error);
    status = aggregate->miscounted ? TAU_STATUS_PROTOCOL_ERROR : status;
    return cli_stream_end(&aggregate->stream, status, &error);
}

int tau_command_aggregate(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct aggregate aggregate = {.miscounted = false};
    int code;
    if (!cli_arguments_read(cli, &tau_command_aggregate_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!read_request(cli, &arguments, &aggregate)) {
        return CLI_USAGE;
    }
    code = cli_many_read(cli, &arguments, 0, arguments.values[OPTION_PREFIX], &aggregate.many);
    if (code == CLI_OK) {
        code = ask(cli, &aggregate);
    }
    cli_many_done(&aggregate.many);
    return code;
}
