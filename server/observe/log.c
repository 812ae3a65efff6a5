// SPDX-License-Identifier: MIT
// The server's log.
#include "observe/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE_SIZE = 1001,
    LINE_SIZE = 8192, // a message whose every byte is escaped fits
    GATE_MS = 1000,
};

struct taud_log {
    enum taud_log_level level;
    bool json;
    char *path;
    pthread_rwlock_t lock; // held for reading while a line is written, for writing to swap the file
    int file;
};

static const char *const LEVEL_NAMES[] = {"error", "warning", "info", "debug"};

static int open_file(const char *path)
{
    if (path == NULL)
        return STDERR_FILENO;
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

struct taud_log *taud_log_new(const struct taud_log_options *options)
{
    struct taud_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    log->level = options->level;
    log->file = -1;
    pthread_rwlock_init(&log->lock, NULL);
    if (options->path != NULL && (log->path = strdup(options->path)) == NULL) {
        taud_log_free(log);
        return NULL;
    }
    log->file = open_file(log->path);
    if (log->file < 0) {
        int error = errno;
        taud_log_free(log);
        errno = error;
        return NULL;
    }
    log->json =
        options->format == TAUD_LOG_AUTO ? !isatty(log->file) : options->format == TAUD_LOG_JSON;
    return log;
}

void taud_log_free(struct taud_log *log)
{
    if (log == NULL)
        return;
    if (log->path != NULL && log->file >= 0)
        close(log->file);
    pthread_rwlock_destroy(&log->lock);
    free(log->path);
    free(log);
}

bool taud_log_reopen(struct taud_log *log)
{
    if (log->path == NULL)
        return true;
    int file = open_file(log->path);
    if (file < 0)
        return false;
    pthread_rwlock_wrlock(&log->lock);
    int old = log->file;
    log->file = file;
    pthread_rwlock_unlock(&log->lock);
    close(old);
    return true;
}

bool taud_log_enabled(const struct taud_log *log, enum taud_log_level level)
{
    return log != NULL && level <= log->level;
}

// Copies text as the inside of a JSON string. Returns the length. Bytes that are not ASCII pass as
// they are: what is logged is text.
static size_t escape_json(const char *text, char *out, size_t capacity)
{
    size_t size = 0;
    for (; *text != '\0' && capacity - size > 7; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            out[size++] = '\\';
            out[size++] = (char)byte;
        } else if (byte < 0x20) {
            size += (size_t)snprintf(out + size, capacity - size, "\\u%04x", byte);
        } else {
            out[size++] = (char)byte;
        }
    }
    out[size] = '\0';
    return size;
}

static size_t format_line(const struct taud_log *log, enum taud_log_level level,
                          const char *message, char *line, size_t capacity)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm parts;
    gmtime_r(&now.tv_sec, &parts);
    char moment[32];
    strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%S", &parts);
    int milliseconds = (int)(now.tv_nsec / 1000000);
    int length;
    if (!log->json) {
        length = snprintf(line, capacity, "%s.%03dZ %-7s %s\n", moment, milliseconds,
                          LEVEL_NAMES[level], message);
    } else {
        char escaped[LINE_SIZE - 128];
        escape_json(message, escaped, sizeof escaped);
        length = snprintf(line, capacity,
                          "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"message\":\"%s\"}\n", moment,
                          milliseconds, LEVEL_NAMES[level], escaped);
    }
    return (size_t)length < capacity ? (size_t)length : capacity - 1;
}

void taud_log_write(struct taud_log *log, enum taud_log_level level, const char *format, ...)
{
    if (!taud_log_enabled(log, level))
        return;
    int saved = errno;
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    char line[LINE_SIZE];
    size_t size = format_line(log, level, message, line, sizeof line);
    pthread_rwlock_rdlock(&log->lock);
    // A log that cannot be written has nobody to be told; the server goes on.
    ssize_t written = write(log->file, line, size);
    (void)written;
    pthread_rwlock_unlock(&log->lock);
    errno = saved;
}

bool taud_log_gate_pass(struct taud_log_gate *gate, uint64_t now_ms, uint64_t *ret_held_back)
{
    if (now_ms < gate->next_ms) {
        gate->held_back++;
        return false;
    }
    *ret_held_back = gate->held_back;
    gate->held_back = 0;
    gate->next_ms = now_ms + GATE_MS;
    return true;
}
