// SPDX-License-Identifier: MIT
// What taud does instead of serving, when its first argument is a word: the table of these
// commands, which also writes about them, and how their line is read. It must not know what a
// command does.
#ifndef TAUD_CONFIG_COMMAND_H
#define TAUD_CONFIG_COMMAND_H

#include "config.h"

enum taud_command_kind {
    TAUD_COMMAND_NONE, // the line has none: taud serves
    TAUD_COMMAND_CHECK,
    TAUD_COMMAND_REPAIR,
};

enum taud_command_format {
    TAUD_COMMAND_TEXT,
    TAUD_COMMAND_JSON,
};

// The text is that of the command line.
struct taud_command {
    enum taud_command_kind kind;
    enum taud_command_format format;
    const char *directory;
};

// Reads a line that may have a command. Returns OK; HELP; USAGE, and the error says what was
// expected.
__attribute__((warn_unused_result)) enum taud_config_result
taud_command_read(int argc, char *const argv[], struct taud_command *ret,
                  struct taud_config_error *ret_error);

// A command in words, for who writes about them.
struct taud_command_text {
    const char *name;
    const char *argument;
    const char *help;
};

// False behind the last.
__attribute__((warn_unused_result)) bool taud_command_text(size_t index,
                                                           struct taud_command_text *ret);

// The option that every command takes beside its argument, and the words that it takes, ended by
// NULL.
struct taud_command_option {
    const char *name;
    const char *argument;
    const char *help;
    const char *const *choices;
};

const struct taud_command_option *taud_command_option(void);

#endif
