// SPDX-License-Identifier: MIT
// The server's log: one line for each event, as text for people or as JSON for machines. A line
// leaves with one write, so lines of several threads never mix. It knows nothing of what it logs.
#ifndef TAUD_OBSERVE_LOG_H
#define TAUD_OBSERVE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum taud_log_level {
    TAUD_LOG_ERROR,
    TAUD_LOG_WARNING,
    TAUD_LOG_INFO,
    TAUD_LOG_DEBUG,
};

enum taud_log_format {
    TAUD_LOG_AUTO, // text on a terminal, else JSON lines
    TAUD_LOG_TEXT,
    TAUD_LOG_JSON,
};

struct taud_log;

struct taud_log_options {
    enum taud_log_level level;
    enum taud_log_format format;
    const char *path; // copied; NULL for standard error
};

// Opens the log. Returns NULL and sets errno when the file cannot be opened or memory is missing.
__attribute__((warn_unused_result)) struct taud_log *
taud_log_new(const struct taud_log_options *options);

// Accepts NULL.
void taud_log_free(struct taud_log *log);

// Opens the file anew, as after it was moved away; the old one stays when that fails.
// Returns false then, with errno. Any thread.
bool taud_log_reopen(struct taud_log *log);

bool taud_log_enabled(const struct taud_log *log, enum taud_log_level level);

// Writes one line; the message is cut at 1,000 bytes. Any thread. log may be NULL: nothing is
// written.
__attribute__((format(printf, 3, 4))) void
taud_log_write(struct taud_log *log, enum taud_log_level level, const char *format, ...);

// Lets one line a second through for what may happen very often. Counts what it holds back.
struct taud_log_gate {
    uint64_t next_ms;
    uint64_t held_back;
};

// Returns whether a line may be written now; *ret_held_back is then how many were not since.
bool taud_log_gate_pass(struct taud_log_gate *gate, uint64_t now_ms, uint64_t *ret_held_back);

#endif
