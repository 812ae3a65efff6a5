/* SPDX-License-Identifier: MIT */
/*
 * tau-cli collect: samples this machine again and again into series, until it is stopped. It goes
 * on through restarts of the server: it connects again and sends what it has sampled in the
 * meantime.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "collect/backlog.h"
#include "collect/samples.h"
#include "interrupt.h"
#include "tau_cli_commands.h"

#define PROC_BYTES ((size_t)1 << 18)

/* A sample that waits longer for the server would hold up the ones after it. */
#define CALL_TIMEOUT_MS 5000

enum { OPTION_INTERVAL, OPTION_PREFIX, OPTION_COUNT };

static const struct cli_option options[] = {
    [OPTION_INTERVAL] = {"interval", 'i', "DURATION", "how often (default 1s)"},
    [OPTION_PREFIX] = {"prefix", 0, "TEXT", "what stands before every series, such as `web1.`"},
    [OPTION_COUNT] = {"count", 'c', "N", "end after N samples"},
};

const struct cli_syntax tau_command_collect_syntax = {
    .options = options,
    .option_count = 3,
    .notes =
        "Series: cpu.* in percent of all processors, load.1, load.5, load.15, mem.* in bytes, and\n"
        "disk.NAME.* and net.NAME.*, which are counters that only grow. Missing series are\n"
        "created. Ctrl-C or SIGTERM ends it.",
};

struct collect {
    struct cli *cli;
    const char *prefix;
    int64_t interval_ns;
    uint64_t left;
    bool lost;         /* whether the connection is known to be lost */
    bool told_skipped; /* what was said once and is not said again */
    enum tau_status told;
    int64_t last_ns;
    struct cli_cpu_times cpu;
    struct cli_samples samples;
    struct cli_backlog backlog;
    char text[PROC_BYTES];
};

/* Reads a file of /proc whole. Returns an empty text if that cannot be. */
static const char *read_proc(struct collect *collect, const char *path)
{
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && size < PROC_BYTES - 1) {
        ssize_t count = read(fd, collect->text + size, PROC_BYTES - 1 - size);
        if (count <= 0 && !(count < 0 && errno == EINTR)) {
            break;
        }
        size += count > 0 ? (size_t)count : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    collect->text[size] = '\0';
    return collect->text;
}

/* Whole disks count, their partitions would count twice. */
static bool is_disk(const char *name)
{
    char path[128];
    if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0) {
        return false;
    }
    snprintf(path, sizeof(path), "/sys/block/%s", name);
    return access(path, F_OK) == 0 || access("/sys/block", F_OK) != 0;
}

static void sample(struct collect *collect, int64_t now_ns)
{
    struct cli_samples *samples = &collect->samples;
    cli_samples_begin(samples, collect->prefix, now_ns);
    cli_collect_cpu(read_proc(collect, "/proc/stat"), &collect->cpu, samples);
    cli_collect_load(read_proc(collect, "/proc/loadavg"), samples);
    cli_collect_memory(read_proc(collect, "/proc/meminfo"), samples);
    cli_collect_disk(read_proc(collect, "/proc/diskstats"), is_disk, samples);
    cli_collect_network(read_proc(collect, "/proc/net/dev"), samples);
    if (samples->skipped > 0 && !collect->told_skipped) {
        cli_remark(collect->cli, "%zu series have names of over 32 bytes and are left out",
                   samples->skipped);
        collect->told_skipped = true;
    }
    cli_backlog_add(&collect->backlog, samples->rows, samples->count);
}

/* Says why rows wait, unless that was the last thing said. */
static void tell(struct collect *collect, enum tau_status status, const struct tau_error *error)
{
    if (collect->told != status) {
        cli_remark(collect->cli, "%s (%s); the samples wait",
                   error->message[0] != '\0' ? error->message : tau_status_text(status),
                   tau_status_name(status));
        collect->told = status;
    }
}

/* Sends what waits, on a new connection if the old one is lost. */
static enum tau_status send(struct collect *collect)
{
    struct tau_error error = {.message = ""};
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (collect->lost) {
        status = tau_client_connect(collect->cli->client, &error);
        if (status == TAU_STATUS_SUCCESS) {
            cli_remark(collect->cli, "connected again");
            collect->lost = false;
        }
    }
    if (status == TAU_STATUS_SUCCESS) {
        status = cli_backlog_send(&collect->backlog, collect->cli->client, &error);
    }
    if (status != TAU_STATUS_SUCCESS) {
        collect->lost = cli_exit_of(status) == CLI_NO_CONNECTION || collect->lost;
        tell(collect, status, &error);
    } else {
        collect->told = TAU_STATUS_SUCCESS;
    }
    return status;
}

/* Whether trying again is of no use: the server is there and will not have what this client sends.
 */
static bool is_hopeless(enum tau_status status)
{
    return status == TAU_STATUS_AUTH_FAILED || status == TAU_STATUS_NOT_SUPPORTED;
}

static int run(struct collect *collect)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    int64_t next_ns = cli_clock_ns();
    /* Percent of the processors needs a first look. */
    cli_samples_begin(&collect->samples, collect->prefix, 0);
    cli_collect_cpu(read_proc(collect, "/proc/stat"), &collect->cpu, &collect->samples);
    while (collect->left > 0) {
        next_ns += collect->interval_ns;
        int64_t wait_ns = next_ns - cli_clock_ns();
        if (wait_ns < 0) {
            next_ns -= wait_ns;
            wait_ns = 0;
        }
        if (!cli_sleep_ns(wait_ns)) {
            break;
        }
        int64_t now_ns = cli_now_ns();
        if (now_ns > collect->last_ns) {
            /* A clock that was put back would only give rows that are refused. */
            sample(collect, now_ns);
            collect->last_ns = now_ns;
            collect->left--;
        }
        status = send(collect);
        if (is_hopeless(status)) {
            return (int)cli_exit_of(status);
        }
    }
    if (collect->backlog.count > 0) {
        status = send(collect);
    }
    return status == TAU_STATUS_SUCCESS ? CLI_OK : (int)cli_exit_of(status);
}

static void tell_end(const struct collect *collect)
{
    const struct cli_backlog *backlog = &collect->backlog;
    cli_remark(collect->cli, "%" PRIu64 " points stored", backlog->accepted);
    if (backlog->refused > 0) {
        cli_remark(collect->cli, "%" PRIu64 " points refused, the last one: %s", backlog->refused,
                   tau_status_text(backlog->refusal));
    }
    if (backlog->dropped + backlog->count > 0) {
        cli_remark(collect->cli, "%" PRIu64 " points lost", backlog->dropped + backlog->count);
    }
}

static int collect_until_stopped(struct collect *collect)
{
    struct cli_interrupt interrupt;
    uint32_t timeout_ms = collect->cli->options.timeout_ms;
    tau_client_set_timeout_ms(collect->cli->client, timeout_ms == 0 || timeout_ms > CALL_TIMEOUT_MS
                                                        ? CALL_TIMEOUT_MS
                                                        : timeout_ms);
    cli_interrupt_begin(&interrupt);
    cli_remark(collect->cli, "sampling; Ctrl-C ends it");
    int code = run(collect);
    cli_interrupt_end(&interrupt);
    tell_end(collect);
    return code;
}

int tau_command_collect(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    int code;
    if (!cli_arguments_read(cli, &tau_command_collect_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *interval = arguments.values[OPTION_INTERVAL];
    const char *count = arguments.values[OPTION_COUNT];
    const char *prefix = arguments.values[OPTION_PREFIX];
    struct collect *collect = calloc(1, sizeof(*collect));
    if (collect == NULL) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    collect->cli = cli;
    collect->prefix = prefix != NULL ? prefix : "";
    collect->interval_ns = CLI_NS_PER_SECOND;
    collect->left = UINT64_MAX;
    if ((interval != NULL &&
         !cli_read_duration(cli, "--interval", interval, 10000000, &collect->interval_ns)) ||
        (count != NULL && !cli_read_count(cli, "--count", count, 1, UINT64_MAX, &collect->left))) {
        code = CLI_USAGE;
    } else {
        code = cli_connect(cli);
    }
    if (code == CLI_OK) {
        code = collect_until_stopped(collect);
    }
    free(collect);
    return code;
}
