/* SPDX-License-Identifier: MIT */
/*
 * Series and bounds of a command line, and rows of a stream. A script that asks for what is not
 * there gets no header for it: the header waits for the first row, or for a good end.
 */
#include "many.h"

#include <math.h>
#include <stdlib.h>

#include "interrupt.h"

static size_t length_of(const struct tau_label *label)
{
    size_t length = sizeof(label->bytes);
    while (length > 0 && label->bytes[length - 1] == 0) {
        length--;
    }
    return length;
}

int cli_many_read(const struct cli *cli, const struct cli_arguments *arguments, size_t first,
                  const char *prefix, struct cli_many *ret_many)
{
    size_t count = arguments->count > first ? arguments->count - first : 0;
    *ret_many = (struct cli_many){.count = count};
    if (count > 0 && prefix != NULL) {
        cli_complain(cli, "there is both a SERIES and --prefix; expected one of them");
        return CLI_USAGE;
    }
    if (count > TAU_LIMIT_REQUEST_LABELS) {
        cli_complain(cli, "there are %zu SERIES; expected at most %d", count,
                     TAU_LIMIT_REQUEST_LABELS);
        return CLI_USAGE;
    }
    if (prefix != NULL && !cli_read_label(cli, "--prefix", prefix, &ret_many->prefix_label)) {
        return CLI_USAGE;
    }
    ret_many->prefix_size = length_of(&ret_many->prefix_label);
    if (count == 0) {
        return CLI_OK;
    }
    ret_many->labels = malloc(count * sizeof(*ret_many->labels));
    if (ret_many->labels == NULL) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        if (!cli_read_label(cli, "SERIES", arguments->positionals[first + i],
                            &ret_many->labels[i])) {
            return CLI_USAGE;
        }
    }
    return CLI_OK;
}

void cli_many_done(struct cli_many *many)
{
    free(many->labels);
    many->labels = NULL;
}

struct tau_array cli_many_labels(const struct cli_many *many)
{
    return (struct tau_array){.data = many->labels, .count = many->count};
}

struct tau_slice cli_many_prefix(const struct cli_many *many)
{
    return (struct tau_slice){.data = many->prefix_label.bytes, .size = many->prefix_size};
}

bool cli_bounds_read(const struct cli *cli, const struct cli_arguments *arguments,
                     struct cli_bounds *ret_bounds)
{
    const char *const *values = arguments->values;
    bool backward = values[CLI_BOUND_REVERSE] != NULL;
    *ret_bounds = (struct cli_bounds){
        .from = INT64_MIN,
        .to = INT64_MAX,
        .low = -INFINITY,
        .high = INFINITY,
        .direction = backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
    };
    return (values[CLI_BOUND_FROM] == NULL ||
            cli_read_time(cli, "--from", values[CLI_BOUND_FROM], &ret_bounds->from)) &&
           (values[CLI_BOUND_TO] == NULL ||
            cli_read_time(cli, "--to", values[CLI_BOUND_TO], &ret_bounds->to)) &&
           (values[CLI_BOUND_LOW] == NULL ||
            cli_read_value(cli, "--low", values[CLI_BOUND_LOW], &ret_bounds->low)) &&
           (values[CLI_BOUND_HIGH] == NULL ||
            cli_read_value(cli, "--high", values[CLI_BOUND_HIGH], &ret_bounds->high)) &&
           (values[CLI_BOUND_LIMIT] == NULL ||
            cli_read_count(cli, "--limit", values[CLI_BOUND_LIMIT], 1, UINT64_MAX,
                           &ret_bounds->limit));
}

/* --- rows ------------------------------------------------------------------------------------ */

void cli_stream_init(struct cli_stream *stream, struct cli *cli, const struct cli_column *columns,
                     size_t column_count)
{
    *stream = (struct cli_stream){
        .cli = cli, .out = cli->out, .columns = columns, .column_count = column_count};
    size_t limit = cli->spool_bytes > 0 ? cli->spool_bytes : CLI_SPOOL_BYTES;
    stream->spool = cli_spool_begin(cli->out, limit, &cli->out);
    cli_writer_open(cli, &stream->writer);
}

static void begin(struct cli_stream *stream)
{
    if (!stream->begun) {
        cli_writer_begin(&stream->writer, stream->columns, stream->column_count);
        stream->begun = true;
    }
}

void cli_stream_row(struct cli_stream *stream, const struct cli_cell *cells)
{
    begin(stream);
    cli_writer_row(&stream->writer, cells);
}

const struct cli_column cli_point_columns[] = {
    {"series", CLI_CELL_LABEL}, {"timestamp", CLI_CELL_TIME}, {"value", CLI_CELL_F64}};

void cli_stream_points(struct cli_stream *stream, const struct tau_label *label,
                       struct tau_array timestamps, struct tau_array values)
{
    for (size_t i = 0; i < timestamps.count; i++) {
        struct cli_cell cells[] = {cli_cell_label(label), cli_cell_time(tau_i64_at(timestamps, i)),
                                   cli_cell_f64(tau_f64_at(values, i))};
        cli_stream_row(stream, cells);
    }
}

bool cli_stream_goes_on(const struct cli_stream *stream)
{
    return !ferror(stream->cli->out) && !cli_interrupted();
}

int cli_stream_end(struct cli_stream *stream, enum tau_status status, const struct tau_error *error)
{
    bool stopped = status == TAU_STATUS_CANCELLED && !cli_stream_goes_on(stream);
    if (status == TAU_STATUS_SUCCESS || stopped) {
        begin(stream);
    }
    if (stream->begun) {
        cli_writer_end(&stream->writer);
    }
    cli_writer_done(&stream->writer);
    bool waited = cli_spool_end(stream->spool);
    stream->cli->out = stream->out;
    if (status == TAU_STATUS_SUCCESS || stopped) {
        return CLI_OK;
    }
    int code = cli_failed(stream->cli, NULL, status, error);
    if (status == TAU_STATUS_CONNECTION_LOST && waited) {
        cli_remark(stream->cli,
                   "the reader of the output took nothing for so long that the server, from "
                   "which nothing was taken then, ended the connection; let the output go to a "
                   "file, or ask for less with --from and --to");
    }
    return code;
}
