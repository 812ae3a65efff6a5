/* SPDX-License-Identifier: MIT */
/*
 * What commands that ask many series share: which series, and which of their points, as they are
 * typed, and how a stream of rows is printed.
 */
#ifndef TAU_CLI_MANY_H
#define TAU_CLI_MANY_H

#include "arguments.h"
#include "spool.h"

/* The series that are asked: those that are named, or all that begin with a prefix. */
struct cli_many {
    struct tau_label *labels;
    size_t count;
    struct tau_label prefix_label;
    size_t prefix_size;
};

/*
 * Reads the arguments from `first` on as SERIES, and `prefix`, which may be NULL. Complains and
 * returns the exit code if something is wrong with them. cli_many_done is called in any case.
 */
int cli_many_read(const struct cli *cli, const struct cli_arguments *arguments, size_t first,
                  const char *prefix, struct cli_many *ret_many);

void cli_many_done(struct cli_many *many);

/* As the fields of a request; borrowed. */
struct tau_array cli_many_labels(const struct cli_many *many);
struct tau_slice cli_many_prefix(const struct cli_many *many);

/* Which of the points. The options of a command that takes bounds begin with these. */
enum cli_bound {
    CLI_BOUND_FROM,
    CLI_BOUND_TO,
    CLI_BOUND_LOW,
    CLI_BOUND_HIGH,
    CLI_BOUND_LIMIT,
    CLI_BOUND_REVERSE,
    CLI_BOUND_COUNT
};

/* As the fields of a request have them. */
struct cli_bounds {
    int64_t from, to;
    double low, high;
    uint64_t limit;
    enum tau_direction direction;
};

/* What was not typed is no bound. Complains and returns false if something is wrong with one. */
bool cli_bounds_read(const struct cli *cli, const struct cli_arguments *arguments,
                     struct cli_bounds *ret_bounds);

/* Rows of a stream on their way to the output: cli->out is another file from init to end. */
struct cli_stream {
    struct cli *cli;
    FILE *out; /* what cli->out was */
    struct cli_spool *spool;
    const struct cli_column *columns; /* borrowed */
    size_t column_count;
    bool begun; /* the header was printed: not before the server has answered */
    struct cli_writer writer;
};

void cli_stream_init(struct cli_stream *stream, struct cli *cli, const struct cli_column *columns,
                     size_t column_count);

void cli_stream_row(struct cli_stream *stream, const struct cli_cell *cells);

/* Rows of points are these columns. */
enum { CLI_POINT_COLUMNS = 3 };
extern const struct cli_column cli_point_columns[CLI_POINT_COLUMNS];

/* The points of a series, a row each. */
void cli_stream_points(struct cli_stream *stream, const struct tau_label *label,
                       struct tau_array timestamps, struct tau_array values);

/* Whether the output still takes rows, and nobody has asked to stop. */
bool cli_stream_goes_on(const struct cli_stream *stream);

/* Ends the output, and says how the stream went. Returns the exit code. */
int cli_stream_end(struct cli_stream *stream, enum tau_status status,
                   const struct tau_error *error);

#endif
