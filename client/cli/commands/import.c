/* SPDX-License-Identifier: MIT */
/*
 * tau-cli import: reads CSV files of any size and appends their points. Lines that are wrong and
 * rows that the server refuses are reported by file and line; the rest is stored.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "csv/reader.h"
#include "import/layout.h"
#include "import/sender.h"
#include "interrupt.h"
#include "tau_cli_commands.h"
#include "terminal/progress.h"

#define READ_BYTES         ((size_t)1 << 18)
#define DEFAULT_MAX_ERRORS 1000

/* A slow input, such as a pipe that is still being written: how long rows wait to be sent. */
#define LINGER_NS INT64_C(500000000)
#define LINGER_MS 500

enum { OPTION_SERIES, OPTION_MAX_ERRORS };

static const struct cli_argument typed[] = {
    {.name = "FILE", .doc = "a CSV file, or - for standard input", .repeated = true},
};

static const struct cli_option options[] = {
    [OPTION_SERIES] = {"series", 'S', "SERIES",
                       "the series of lines that name none (default: the file's name, without its "
                       "extension)"},
    [OPTION_MAX_ERRORS] = {"max-errors", 'm', "N",
                           "give up after N lines that are wrong or refused; 0 for never (default "
                           "1000)"},
};

const struct cli_syntax tau_command_import_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .options = options,
    .option_count = 2,
    .notes =
        "Lines are `timestamp,value` or `series,timestamp,value`; fields may be quoted. A first\n"
        "line whose time holds no digit and whose value is no number is a header. Times are\n"
        "RFC 3339, `YYYY-MM-DD HH:MM:SS[.fraction]` in UTC, or numbers that count --unit. A\n"
        "series that is missing is created. The exit code is 5 when some lines were not stored.",
};

/* One import: all files, one sender. */
struct import {
    struct cli *cli;
    char **files;
    uint32_t file; /* the one that is being read */
    struct tau_label series;
    bool has_series; /* whether rows without a series have one: --series or the file's name */
    const char *series_option;
    uint64_t max_errors;
    uint64_t errors;
    uint64_t bad_lines;
    bool failed; /* a file could not be read at all */
    bool stopped;
    struct cli_time_rules rules;
    struct cli_layout layout;
    struct cli_csv_reader reader;
    struct cli_sender sender;
    struct cli_progress progress;
    uint64_t bytes_done;
    int64_t sent_ns; /* when nothing was left to send */
};

static const char *shown_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "<stdin>" : file;
}

/* Counts an error that was reported; the last that is allowed stops the import. */
static void count_error(struct import *import)
{
    import->errors++;
    if (import->max_errors > 0 && import->errors == import->max_errors) {
        cli_complain(import->cli, "giving up after %" PRIu64 " errors (--max-errors)",
                     import->errors);
        import->stopped = true;
    }
}

static bool reports(const struct import *import)
{
    return import->max_errors == 0 || import->errors < import->max_errors;
}

static void report_line(struct import *import, const struct cli_place *place, const char *reason)
{
    if (!reports(import)) {
        return;
    }
    cli_progress_clear(&import->progress);
    fprintf(import->cli->err, "%s:%" PRIu64 ": %s\n", shown_name(import->files[place->file]),
            place->line, reason);
    count_error(import);
}

static void on_refused(void *user_data, const struct cli_place *place, enum tau_status status)
{
    char reason[256];
    snprintf(reason, sizeof(reason), "%s (%s)", tau_status_text(status), tau_status_name(status));
    report_line(user_data, place, reason);
}

static void on_batch_failed(void *user_data, const struct cli_place *first,
                            const struct cli_place *last, size_t row_count, enum tau_status status,
                            const struct tau_error *error)
{
    struct import *import = user_data;
    cli_progress_clear(&import->progress);
    fprintf(import->cli->err, "%s:%" PRIu64 " to %s:%" PRIu64 ": %zu rows: %s (%s)\n",
            shown_name(import->files[first->file]), first->line,
            shown_name(import->files[last->file]), last->line, row_count,
            error != NULL && error->message[0] != '\0' ? error->message : tau_status_text(status),
            tau_status_name(status));
    import->stopped = true;
}

static bool bad_line(struct import *import, const struct cli_place *place, const char *reason)
{
    import->bad_lines++;
    report_line(import, place, reason);
    return !import->stopped;
}

/* Finds the series of rows that name none. Complains and returns false if the file has none. */
static bool find_series(struct import *import)
{
    const char *file = import->files[import->file];
    const char *slash = strrchr(file, '/');
    const char *stem = slash != NULL ? slash + 1 : file;
    const char *dot = strrchr(stem, '.');
    size_t length = dot != NULL && dot != stem ? (size_t)(dot - stem) : strlen(stem);
    if (import->series_option != NULL) {
        import->has_series = true; /* read before the first file */
    } else if (strcmp(file, "-") == 0) {
        cli_complain(import->cli, "standard input names no series: give --series");
    } else if (tau_label_from_bytes(stem, length, &import->series) != TAU_STATUS_SUCCESS) {
        cli_complain(import->cli,
                     "%s: `%.*s` has %zu bytes, a label has at most %zu: give --series", file,
                     (int)length, stem, length, sizeof(import->series.bytes));
    } else {
        import->has_series = true;
    }
    import->failed = import->failed || !import->has_series;
    return import->has_series;
}

static bool on_record(void *user_data, const struct cli_csv_record *record)
{
    struct import *import = user_data;
    struct cli_place place = {.file = import->file, .line = record->line};
    struct tau_row row;
    const char *reason = record->error;
    bool is_header = false;
    if (reason == NULL && !import->layout.known) {
        reason = cli_layout_learn(&import->layout, record, &is_header);
        if (reason == NULL && import->layout.series == CLI_NO_COLUMN && !find_series(import)) {
            return false;
        }
    }
    if (is_header) {
        return true;
    }
    row.label = import->series;
    if (reason == NULL) {
        reason = cli_layout_read(&import->layout, record, &import->rules, &row);
    }
    if (reason != NULL) {
        return bad_line(import, &place, reason);
    }
    return cli_sender_add(&import->sender, &row, &place) && !import->stopped;
}

/* Sends what was read, or stops the import. The server may have closed the connection in a pause:
 * then a new one takes its place before anything is sent. */
static void send_now(struct import *import)
{
    if (cli_sender_has_rows(&import->sender)) {
        cli_progress_clear(&import->progress);
        if (cli_connect(import->cli) != CLI_OK) {
            import->sender.failed = TAU_STATUS_CONNECTION_FAILED;
        }
    }
    if (import->sender.failed != TAU_STATUS_SUCCESS || !cli_sender_finish(&import->sender)) {
        import->stopped = true;
    }
    import->sent_ns = cli_clock_ns();
}

/* Whether nothing is there to be read for a while. What was asked for already, such as new series,
 * leaves before the wait. */
static bool is_pause(const struct import *import, struct pollfd *watched)
{
    if (poll(watched, 1, 0) != 0) {
        return false;
    }
    tau_async_flush(tau_client_pipeline(import->cli->client));
    return poll(watched, 1, LINGER_MS) == 0;
}

/* Waits for more to read, and sends what was read when that takes long. */
static void wait_for_input(struct import *import, int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    bool paused = false;
    while (!import->stopped && !cli_interrupted() && is_pause(import, &watched)) {
        paused = true;
        send_now(import);
    }
    if (cli_interrupted()) {
        import->stopped = true;
    }
    if (paused) {
        cli_progress_clear(&import->progress);
    }
    if (paused && !import->stopped && cli_connect(import->cli) != CLI_OK) {
        import->sender.failed = TAU_STATUS_CONNECTION_FAILED;
        import->stopped = true;
    }
}

/* Rows that trickle in never fill a batch soon. */
static void send_when_late(struct import *import)
{
    if (cli_clock_ns() - import->sent_ns >= LINGER_NS) {
        send_now(import);
    }
}

/* Feeds the reader until the end of the file, or until it is stopped. Returns false with errno. */
static bool read_bytes(struct import *import, int fd, char *buffer)
{
    for (;;) {
        wait_for_input(import, fd);
        ssize_t count = import->stopped ? 0 : read(fd, buffer, READ_BYTES);
        if (cli_interrupted()) {
            import->stopped = true;
        }
        if (import->stopped) {
            return true;
        }
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            cli_csv_finish(&import->reader);
            return count == 0;
        }
        if (!cli_csv_feed(&import->reader, buffer, (size_t)count)) {
            return true;
        }
        send_when_late(import);
        import->bytes_done += (uint64_t)count;
        cli_progress_update(&import->progress, import->bytes_done, import->sender.accepted,
                            cli_clock_ns());
    }
}

static void import_file(struct import *import, uint32_t number, char *buffer)
{
    const char *file = import->files[number];
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    import->file = number;
    import->has_series = false;
    import->layout = (struct cli_layout){.known = false};
    cli_csv_init(&import->reader, on_record, import);
    if (fd < 0 || !read_bytes(import, fd, buffer)) {
        cli_progress_clear(&import->progress);
        cli_complain(import->cli, "%s: %s", file, strerror(errno));
        import->failed = true;
    }
    if (fd >= 0 && !is_stdin) {
        close(fd);
    }
}

/* The bytes of all files, or 0 if one of them is no plain file. */
static uint64_t total_bytes(char **files, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        bool found = strcmp(files[i], "-") == 0 ? fstat(STDIN_FILENO, &status) == 0
                                                : stat(files[i], &status) == 0;
        if (found && !S_ISREG(status.st_mode)) {
            return 0;
        }
        total += found ? (uint64_t)status.st_size : 0;
    }
    return total;
}

static void print_sum(const struct import *import, int64_t took_ns)
{
    static const struct cli_column columns[] = {{"accepted", CLI_CELL_U64},
                                                {"rejected", CLI_CELL_U64},
                                                {"unknown", CLI_CELL_U64},
                                                {"seconds", CLI_CELL_F64},
                                                {"points_per_second", CLI_CELL_U64}};
    const struct cli_sender *sender = &import->sender;
    double seconds = (double)(took_ns / 1000000) / 1e3;
    double rate = (double)sender->accepted / ((double)took_ns / 1e9);
    uint64_t rejected = sender->rejected + import->bad_lines;
    struct cli_writer writer;
    if (import->cli->options.format == CLI_FORMAT_TABLE) {
        fprintf(import->cli->out, "%" PRIu64 " accepted, %" PRIu64 " rejected, ", sender->accepted,
                rejected);
        if (sender->unknown > 0) {
            fprintf(import->cli->out, "%" PRIu64 " unknown, ", sender->unknown);
        }
        fprintf(import->cli->out, "%.3f seconds, %.0f points/s\n", seconds, rate);
        return;
    }
    struct cli_cell cells[] = {cli_cell_u64(sender->accepted), cli_cell_u64(rejected),
                               cli_cell_u64(sender->unknown), cli_cell_f64(seconds),
                               cli_cell_u64((uint64_t)rate)};
    cli_writer_open(import->cli, &writer);
    cli_writer_record(&writer, columns, cells, 5, CLI_MAIN_NONE);
    cli_writer_done(&writer);
}

static int exit_code(const struct import *import)
{
    const struct cli_sender *sender = &import->sender;
    int failed = (int)cli_exit_of(sender->failed);
    bool partial = sender->rejected + import->bad_lines > 0 || import->stopped;
    if (failed != CLI_OK && (failed != CLI_REFUSED || sender->accepted == 0)) {
        return failed;
    }
    if (partial || (import->failed && sender->accepted > 0)) {
        return CLI_PARTIAL;
    }
    return import->failed ? CLI_ERROR : CLI_OK;
}

static int run(struct import *import, size_t file_count)
{
    struct cli_interrupt interrupt;
    char *buffer = malloc(READ_BYTES);
    int64_t began_ns = cli_clock_ns();
    import->sent_ns = began_ns;
    if (buffer == NULL || cli_sender_init(&import->sender, import->cli->client, on_refused,
                                          on_batch_failed, import) != TAU_STATUS_SUCCESS) {
        free(buffer);
        cli_sender_done(&import->sender);
        return cli_failed(import->cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    cli_progress_init(&import->progress, import->cli->err, import->cli->terminal.err,
                      total_bytes(import->files, file_count), began_ns);
    cli_interrupt_begin(&interrupt);
    for (size_t i = 0;
         i < file_count && !import->stopped && import->sender.failed == TAU_STATUS_SUCCESS; i++) {
        import_file(import, (uint32_t)i, buffer);
    }
    cli_sender_finish(&import->sender);
    cli_interrupt_end(&interrupt);
    cli_progress_clear(&import->progress);
    print_sum(import, cli_clock_ns() - began_ns);
    int code = exit_code(import);
    cli_sender_done(&import->sender);
    free(buffer);
    return code;
}

int tau_command_import(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    int code;
    if (!cli_arguments_read(cli, &tau_command_import_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    struct import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    const char *max_errors = arguments.values[OPTION_MAX_ERRORS];
    import->cli = cli;
    import->files = arguments.positionals;
    import->max_errors = DEFAULT_MAX_ERRORS;
    import->rules = (struct cli_time_rules){.unit = cli->options.unit};
    import->series_option = arguments.values[OPTION_SERIES];
    if ((import->series_option != NULL &&
         !cli_read_label(cli, "--series", import->series_option, &import->series)) ||
        (max_errors != NULL &&
         !cli_read_count(cli, "--max-errors", max_errors, 0, UINT64_MAX, &import->max_errors))) {
        code = CLI_USAGE;
    } else {
        code = cli_connect(cli);
    }
    if (code == CLI_OK) {
        code = run(import, arguments.count);
    }
    free(import);
    return code;
}
