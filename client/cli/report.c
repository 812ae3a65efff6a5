/* SPDX-License-Identifier: MIT */
/*
 * What commands say on standard error, what their failures mean for the exit code, and how their
 * arguments are read. Data never goes this way.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "format/number.h"
#include "format/plain.h"

#define RED   "\033[31m"
#define RESET "\033[0m"

static bool is_coloured(const struct cli *cli)
{
    return cli->terminal.colour && cli->terminal.err;
}

/* One line, whatever the arguments hold: names that the user wrote, words of a server. */
static void print_words(FILE *out, const char *format, va_list arguments)
{
    char *words = NULL;
    int length = vasprintf(&words, format, arguments);
    if (length < 0) {
        fputs(strerror(ENOMEM), out);
        return;
    }
    cli_plain_print(out, (struct cli_text){.data = words, .size = (size_t)length}, "");
    free(words);
}

static void say(const struct cli *cli, bool error, const char *format, va_list arguments)
{
    fflush(cli->out);
    fputs(error && is_coloured(cli) ? RED : "", cli->err);
    if (!cli->interactive) {
        fputs("tau-cli: ", cli->err);
    }
    if (cli->command != NULL) {
        fprintf(cli->err, "%s: ", cli->command);
    }
    print_words(cli->err, format, arguments);
    fputs(error && is_coloured(cli) ? RESET "\n" : "\n", cli->err);
    fflush(cli->err);
}

void cli_complain(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(cli, true, format, arguments);
    va_end(arguments);
}

void cli_remark(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(cli, false, format, arguments);
    va_end(arguments);
}

enum cli_exit cli_exit_of(enum tau_status status)
{
    switch (status) {
    case TAU_STATUS_SUCCESS:
        return CLI_OK;
    case TAU_STATUS_CONNECTION_FAILED:
    case TAU_STATUS_CONNECTION_LOST:
    case TAU_STATUS_TIMEOUT:
    case TAU_STATUS_OUTCOME_UNKNOWN: /* the answer never came: that is no refusal */
        return CLI_NO_CONNECTION;
    default:
        return (unsigned)status < TAU_STATUS_TIMEOUT ? CLI_REFUSED : CLI_ERROR;
    }
}

int cli_failed(const struct cli *cli, const char *subject, enum tau_status status,
               const struct tau_error *error)
{
    const char *words = tau_status_text(status);
    if (error != NULL && error->status == status && error->message[0] != '\0') {
        words = error->message;
    }
    const char *advice = status == TAU_STATUS_LAYOUT_MISMATCH
                             ? "; upgrade tau-cli, or use `tau-cli call`"
                             : "";
    cli_complain(cli, "%s%s%s (%s)%s", subject != NULL ? subject : "", subject != NULL ? ": " : "",
                 words, tau_status_name(status), advice);
    return (int)cli_exit_of(status);
}

void cli_writer_open(const struct cli *cli, struct cli_writer *ret_writer)
{
    cli_writer_init(ret_writer, cli->out, cli->options.format, cli->options.time_format,
                    cli->terminal.colour && cli->terminal.out);
}

bool cli_read_label(const struct cli *cli, const char *name, const char *text,
                    struct tau_label *ret_label)
{
    if (tau_label_from_text(text, ret_label) == TAU_STATUS_SUCCESS) {
        return true;
    }
    cli_complain(
        cli,
        "%s: `%s` is not a label: at most %zu bytes of UTF-8, other bytes and the backslash "
        "written \\xHH",
        name, text, sizeof(ret_label->bytes));
    return false;
}

bool cli_read_time(const struct cli *cli, const char *name, const char *text, int64_t *ret_ns)
{
    struct cli_time_rules rules = {
        .unit = cli->options.unit, .relative = true, .now_ns = cli_now_ns()};
    const char *reason = cli_time_from_text(text, &rules, ret_ns);
    if (reason != NULL) {
        cli_complain(cli, "%s: `%s`: %s", name, text, reason);
    }
    return reason == NULL;
}

bool cli_read_value(const struct cli *cli, const char *name, const char *text, double *ret_value)
{
    const char *reason = cli_f64_from_text(text, ret_value);
    if (reason != NULL) {
        cli_complain(cli, "%s: `%s`: %s", name, text, reason);
    }
    return reason == NULL;
}

bool cli_read_count(const struct cli *cli, const char *name, const char *text, uint64_t low,
                    uint64_t high, uint64_t *ret_count)
{
    bool ok = cli_u64_from_text(text, low, high, ret_count);
    if (!ok) {
        cli_complain(cli, "%s: `%s` is not a whole number from %llu to %llu", name, text,
                     (unsigned long long)low, (unsigned long long)high);
    }
    return ok;
}

bool cli_read_duration(const struct cli *cli, const char *name, const char *text, int64_t low_ns,
                       int64_t *ret_ns)
{
    int64_t duration_ns;
    char low[CLI_TIME_TEXT_SIZE];
    const char *reason = cli_duration_from_text(text, &duration_ns);
    if (reason != NULL) {
        cli_complain(cli, "%s: `%s`: %s", name, text, reason);
        return false;
    }
    if (duration_ns < low_ns) {
        cli_duration_to_text(low_ns, low);
        cli_complain(cli, "%s: `%s` is too short: at least %s", name, text, low);
        return false;
    }
    *ret_ns = duration_ns;
    return true;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * CLI_NS_PER_SECOND + now.tv_nsec;
}

int64_t cli_now_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t cli_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
