// SPDX-License-Identifier: MIT
// What the server was told: one struct, filled from the command line, the environment, a file and
// the defaults, in this order of precedence, by one table (options.c) that also writes --help.
#ifndef TAUD_CONFIG_CONFIG_H
#define TAUD_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TAUD_LISTEN_MAX = 16,
    TAUD_CONFIG_ERROR_SIZE = 512,
    TAUD_CONFIG_NAME_SIZE = 128,
    TAUD_CONFIG_SECTION_COUNT = 3,
};

enum taud_config_durability {
    TAUD_CONFIG_SYNC,     // replies to writes leave after the log was synced
    TAUD_CONFIG_INTERVAL, // the log is synced in intervals; replies do not wait
    TAUD_CONFIG_OS,       // the operating system writes the log when it likes
};

// All text is owned by the struct; NULL where an option has no value. Choices are kept as the
// number of the chosen word, so that every scalar option is an uint64_t.
struct taud_config {
    char *listen[TAUD_LISTEN_MAX];
    size_t listen_count;
    char listen_name[TAUD_CONFIG_NAME_SIZE]; // the option as it was written, for messages
    char *data_directory;
    uint64_t durability;       // enum taud_config_durability
    uint64_t sync_interval_ms; // for TAUD_CONFIG_INTERVAL
    uint64_t memory_bytes;
    uint64_t buffer_memory_bytes;
    char *certificate_file;
    uint64_t workers;
    uint64_t query_threads;
    uint64_t max_connections;
    uint64_t idle_timeout_ms; // 0: never
    uint64_t frame_timeout_ms;
    uint64_t backlog;
    uint64_t log_level;  // 0 error, 1 warning, 2 info, 3 debug
    uint64_t log_format; // 0 auto, 1 text, 2 json
    char *log_file;
    char *pid_file;
};

enum taud_config_result {
    TAUD_CONFIG_OK,
    TAUD_CONFIG_HELP,    // --help was given
    TAUD_CONFIG_VERSION, // --version was given
    TAUD_CONFIG_USAGE,   // a wrong option or value
    TAUD_CONFIG_FAILED,  // a file that cannot be read, or no memory
};

struct taud_config_error {
    char text[TAUD_CONFIG_ERROR_SIZE]; // one line, without its end
};

// Fills *ret from all sources. environ is an array of NAME=VALUE ended by NULL. On USAGE and FAILED
// the error says which option, which value and what is allowed. *ret must be freed with
// taud_config_done whatever is returned.
__attribute__((warn_unused_result)) enum taud_config_result
taud_config_load(int argc, char *const argv[], char *const environment[], struct taud_config *ret,
                 struct taud_config_error *ret_error);

void taud_config_done(struct taud_config *config);

// Writes the text of --help.
void taud_config_help(FILE *out);

// One option in words, for who writes about them. All text is constant but the name in the
// environment.
struct taud_config_option {
    const char *name; // as on the command line, without its dashes
    const char *argument;
    char environment[TAUD_CONFIG_NAME_SIZE];
    const char *allowed;
    const char *standard; // the default, in words where it is computed
    const char *help;
    const char *const *choices; // words to offer, ended by NULL; NULL where it takes none
    bool repeated;              // whether it may be given several times
};

// Describes an option; the first is --config, the others are those of the table. False behind the
// last.
__attribute__((warn_unused_result)) bool taud_config_option(size_t index,
                                                            struct taud_config_option *ret);

// What --help says beside the options: what taud is and where its options come from, and then
// TAUD_CONFIG_SECTION_COUNT remarks with their titles.
struct taud_config_section {
    const char *title;
    const char *text;
};

const char *taud_config_about(void);
const struct taud_config_section *taud_config_section(size_t index);

// Writes the chosen durability as --durability takes it.
void taud_config_durability(const struct taud_config *config, char text[64]);

#endif
