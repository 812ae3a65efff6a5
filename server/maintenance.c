// SPDX-License-Identifier: MIT
// Opens the directory for as long as the command takes, and shows on a terminal how far it is, on a
// line of its own that goes before anything else is written.
#include "maintenance.h"

#include "engine/check/repair.h"
#include "findings.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_MS = 200 };

struct maintenance {
    const struct taud_command *command;
    struct taud_findings findings;
    FILE *messages;
    bool terminal;  // of the messages
    bool line;      // how far it is stands there
    uint64_t shown_ms; // when
    uint64_t file_seed;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void clear_line(struct maintenance *maintenance)
{
    if (maintenance->line)
        fputs("\r\033[K", maintenance->messages);
    maintenance->line = false;
    fflush(maintenance->messages);
}

static void show_progress(uint64_t done_bytes, uint64_t total_bytes, void *user_data)
{
    struct maintenance *maintenance = user_data;
    uint64_t now = now_ms();
    if (!maintenance->terminal || now - maintenance->shown_ms < PROGRESS_MS)
        return;
    maintenance->shown_ms = now;
    maintenance->line = true;
    fprintf(maintenance->messages, "\r\033[K%s: %llu of %llu MiB, %u %%",
            maintenance->command->directory, (unsigned long long)(done_bytes >> 20),
            (unsigned long long)(total_bytes >> 20),
            total_bytes > 0 ? (unsigned)((double)done_bytes * 100 / (double)total_bytes) : 0);
    fflush(maintenance->messages);
}

static void show_finding(const struct taud_finding *finding, void *user_data)
{
    struct maintenance *maintenance = user_data;
    clear_line(maintenance);
    taud_findings_add(&maintenance->findings, finding);
}

static void show_done(const char *place, const char *what, const char *loss, void *user_data)
{
    struct maintenance *maintenance = user_data;
    clear_line(maintenance);
    taud_findings_done(&maintenance->findings, place, what, loss);
}

// --- the directory ----------------------------------------------------------------------------

static enum tau_status open_directory(const struct maintenance *maintenance, bool read_only,
                                      struct taud_backend **ret_backend, struct taud_error *error)
{
    const struct taud_local_options options = {.directory = maintenance->command->directory,
                                               .read_only = read_only,
                                               .file_seed = maintenance->file_seed};
    struct taud_backend *backend = NULL;
    enum tau_status status = taud_local_backend_new(&options, &backend, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = backend->open(backend, error);
    if (status == TAU_STATUS_SUCCESS)
        *ret_backend = backend;
    else
        backend->free(backend);
    return status;
}

static void close_directory(struct taud_backend *backend)
{
    backend->log->close(backend);
    backend->close(backend);
    backend->free(backend);
}

static enum tau_status check(struct maintenance *maintenance, struct taud_check_report *report,
                             struct taud_error *error)
{
    struct taud_backend *backend = NULL;
    enum tau_status status = open_directory(maintenance, true, &backend, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    const struct taud_check_options options = {.backend = backend,
                                               .allocator = taud_allocator_system(),
                                               .finding = show_finding,
                                               .progress = show_progress,
                                               .user_data = maintenance};
    status = taud_check(&options, report, error);
    close_directory(backend);
    return status;
}

static bool is_damaged(const struct taud_check_report *report)
{
    return report->findings[TAUD_FINDING_DAMAGED] + report->findings[TAUD_FINDING_LOST] > 0;
}

// Repairs what was found, and checks once more.
static enum tau_status repair(struct maintenance *maintenance, struct taud_check_report *report,
                              struct taud_error *error)
{
    struct taud_backend *backend = NULL;
    if (report->findings[TAUD_FINDING_UNKNOWN] > 0)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "%s has something that cannot be checked; nothing was changed",
                              maintenance->command->directory);
    if (!is_damaged(report))
        return TAU_STATUS_SUCCESS;
    enum tau_status status = open_directory(maintenance, false, &backend, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    const struct taud_repair_options options = {.backend = backend,
                                                .allocator = taud_allocator_system(),
                                                .file_seed = maintenance->file_seed,
                                                .done = show_done,
                                                .user_data = maintenance};
    status = taud_repair(&options, error);
    close_directory(backend);
    return status == TAU_STATUS_SUCCESS ? check(maintenance, report, error) : status;
}

static enum taud_maintenance_result judge(const struct taud_check_report *report,
                                          enum tau_status status)
{
    if (status != TAU_STATUS_SUCCESS || report->findings[TAUD_FINDING_UNKNOWN] > 0)
        return TAUD_MAINTENANCE_FAILED;
    return is_damaged(report) ? TAUD_MAINTENANCE_DAMAGED : TAUD_MAINTENANCE_GOOD;
}

// --- the command ------------------------------------------------------------------------------

static const char *failure_text(const struct taud_error *error, char text[], size_t size)
{
    if (error->os_error != 0)
        snprintf(text, size, "%s: %s", error->text, strerror(error->os_error));
    else
        snprintf(text, size, "%s", error->text);
    return text;
}

enum taud_maintenance_result taud_maintenance_run(const struct taud_command *command, FILE *out,
                                                  FILE *messages)
{
    struct maintenance maintenance = {
        .command = command,
        .findings = {.out = out, .json = command->format == TAUD_COMMAND_JSON},
        .messages = messages,
        .terminal = isatty(fileno(messages)) == 1,
        .shown_ms = now_ms(),
    };
    struct taud_check_report report;
    struct taud_error error = {.text = ""};
    char text[sizeof error.text + 100];
    memset(&report, 0, sizeof report);
    bool repairs = command->kind == TAUD_COMMAND_REPAIR;
    if (repairs && getentropy(&maintenance.file_seed, sizeof maintenance.file_seed) != 0)
        maintenance.file_seed = maintenance.shown_ms; // it only has to differ from others
    taud_findings_begin(&maintenance.findings, repairs ? "repair" : "check", command->directory);
    enum tau_status status = check(&maintenance, &report, &error);
    if (status == TAU_STATUS_SUCCESS && repairs)
        status = repair(&maintenance, &report, &error);
    clear_line(&maintenance);
    const char *failure =
        status != TAU_STATUS_SUCCESS ? failure_text(&error, text, sizeof text) : NULL;
    taud_findings_end(&maintenance.findings, command->directory, &report, failure);
    if (failure != NULL)
        fprintf(messages, "taud: %s\n", failure);
    if (fflush(out) != 0 || ferror(out))
        return TAUD_MAINTENANCE_FAILED;
    return judge(&report, status);
}
