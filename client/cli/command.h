/* SPDX-License-Identifier: MIT */
/*
 * What every command of tau-cli is given, and how it is described. The table of commands is
 * generated (tau_cli_commands.h); a command that is written by hand lies in commands/NAME.c and
 * brings its syntax, the others run through generic.c.
 */
#ifndef TAU_CLI_COMMAND_H
#define TAU_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <tau/client.h>

#include "format/writer.h"
#include "parse/time.h"
#include "terminal/terminal.h"

/* What tau-cli tells its caller. */
enum cli_exit {
    CLI_OK = 0,
    CLI_ERROR = 1,
    CLI_USAGE = 2,
    CLI_NO_CONNECTION = 3,
    CLI_REFUSED = 4,
    CLI_PARTIAL = 5
};

/* The options that every command takes. Strings are borrowed from argv or the environment. */
struct cli_options {
    const char *server;
    const char *certificate_file;
    uint32_t timeout_ms;
    enum cli_format format;
    bool format_given;
    enum cli_time_format time_format;
    enum cli_unit unit;
    bool trace; /* print the frames that are sent and got */
};

struct cli_trace;

struct cli {
    struct cli_options options;
    struct cli_terminal terminal;
    struct tau_client *client; /* NULL until cli_connect */
    struct cli_trace *trace;   /* of the client's frames; NULL where none is wanted */
    FILE *out;
    FILE *err;
    size_t spool_bytes;  /* of a stream's output that wait for a reader; 0: as many as is usual */
    const char *command; /* the command that runs, for its messages; NULL before one does */
    bool interactive;    /* whether commands are typed at the prompt */
};

/* An argument that has its place. Only the last may be repeated. */
struct cli_argument {
    const char *name; /* as it is shown: SERIES */
    const char *doc;
    bool optional;
    bool repeated;
    const char *const *choices; /* all that it may be, ended by NULL; or NULL */
};

/* An option of one command. */
struct cli_option {
    const char *name;  /* without its dashes */
    char letter;       /* its short form, or 0 */
    const char *value; /* what its value is called, or NULL for one without a value */
    const char *doc;
};

struct cli_syntax {
    const struct cli_argument *arguments;
    size_t argument_count;
    const struct cli_option *options;
    size_t option_count;
    const char *notes; /* more help, or NULL */
};

struct cli_operation;

/* One row of the generated table. */
struct cli_command {
    const char *name;
    const char *summary;
    const char *doc;       /* of the operation, or "" */
    const char *operation; /* its name in the protocol, or NULL */
    const struct cli_syntax *syntax;
    const struct cli_operation *generic;                /* how to run it, or NULL */
    int (*run)(struct cli *cli, int argc, char **argv); /* written by hand, or NULL */
};

/*
 * Connects, unless that is done already, and finds out whether the connection still lives. On
 * failure prints why and returns the exit code; CLI_OK with cli->client set.
 */
int cli_connect(struct cli *cli);

/* The options of a client of the server that the user means. Returns as cli_connect. */
int cli_client_options(struct cli *cli, struct tau_options *ret_options);

/* Prints a message on standard error, with the program's and the command's name before it. */
void cli_complain(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a remark on standard error that is no error. */
void cli_remark(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints why a call failed; `subject` names what it was about, or is NULL. Returns the exit code.
 */
int cli_failed(const struct cli *cli, const char *subject, enum tau_status status,
               const struct tau_error *error);

/* The exit code of a status. */
enum cli_exit cli_exit_of(enum tau_status status);

/* Makes the writer of the command's data, on cli->out in the format of the options. */
void cli_writer_open(const struct cli *cli, struct cli_writer *ret_writer);

/* Reads arguments; on failure prints what is wrong with them and returns false. */
bool cli_read_label(const struct cli *cli, const char *name, const char *text,
                    struct tau_label *ret_label);
bool cli_read_time(const struct cli *cli, const char *name, const char *text, int64_t *ret_ns);
bool cli_read_value(const struct cli *cli, const char *name, const char *text, double *ret_value);
bool cli_read_count(const struct cli *cli, const char *name, const char *text, uint64_t low,
                    uint64_t high, uint64_t *ret_count);
bool cli_read_duration(const struct cli *cli, const char *name, const char *text, int64_t low_ns,
                       int64_t *ret_ns);

/* The time of the day, and of a clock that never jumps, in nanoseconds. */
int64_t cli_now_ns(void);
int64_t cli_clock_ns(void);

#endif
