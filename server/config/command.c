// SPDX-License-Identifier: MIT
// A command is one row. All take a directory and --format, in any order; a `--` ends the options.
#include "config/command.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static const struct {
    enum taud_command_kind kind;
    struct taud_command_text text;
} COMMANDS[] = {
    {TAUD_COMMAND_CHECK,
     {"check", "DIRECTORY",
      "verify everything that a data directory holds, and change nothing: each chunk of the "
      "segments is read and held against its index, each record of the log is read. No server may "
      "use it meanwhile. It lists what is damaged, where, and what is lost by it. Exit codes: 0 "
      "all is good, 1 something is damaged, 2 it cannot be checked"}},
    {TAUD_COMMAND_REPAIR,
     {"repair", "DIRECTORY",
      "make a damaged data directory whole again: what is good is kept, what is damaged is copied "
      "or moved to quarantine in the directory, never deleted. It says what it does and what is "
      "lost. Exit codes: 0 all is good now, 1 something is still damaged, 2 it cannot be "
      "repaired"}},
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

static const char *const FORMATS[] = {"text", "json", NULL};

static const struct taud_command_option FORMAT_OPTION = {
    .name = "format",
    .argument = "FORMAT",
    .help = "of what a command prints: text, or json, one object with everything",
    .choices = FORMATS,
};

const struct taud_command_option *taud_command_option(void)
{
    return &FORMAT_OPTION;
}

bool taud_command_text(size_t index, struct taud_command_text *ret)
{
    if (index >= COMMAND_COUNT)
        return false;
    *ret = COMMANDS[index].text;
    return true;
}

__attribute__((format(printf, 2, 3))) static enum taud_config_result
fail(struct taud_config_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return TAUD_CONFIG_USAGE;
}

static enum taud_command_kind find(const char *word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(COMMANDS[i].text.name, word) == 0)
            return COMMANDS[i].kind;
    }
    return TAUD_COMMAND_NONE;
}

static enum taud_config_result take_format(struct taud_command *command, const char *value,
                                           struct taud_config_error *error)
{
    for (size_t i = 0; value != NULL && FORMATS[i] != NULL; i++) {
        if (strcmp(FORMATS[i], value) == 0) {
            command->format = (enum taud_command_format)i;
            return TAUD_CONFIG_OK;
        }
    }
    return fail(error, "option --format: \"%.100s\" is not allowed; expected text or json",
                value != NULL ? value : "");
}

static enum taud_config_result take_directory(struct taud_command *command, const char *word,
                                              const char *argument,
                                              struct taud_config_error *error)
{
    if (command->directory != NULL)
        return fail(error, "unexpected argument \"%.100s\"; expected one directory behind %s",
                    argument, word);
    command->directory = argument;
    return TAUD_CONFIG_OK;
}

// Takes the argument at *index, and its value, and steps over them.
static enum taud_config_result take(struct taud_command *command, int argc, char *const argv[],
                                    int *index, struct taud_config_error *error)
{
    const char *argument = argv[(*index)++];
    if (strcmp(argument, "--format") == 0)
        return take_format(command, *index < argc ? argv[(*index)++] : NULL, error);
    if (strncmp(argument, "--format=", 9) == 0)
        return take_format(command, argument + 9, error);
    if (argument[0] == '-' && argument[1] != '\0')
        return fail(error, "option %.100s is not known; taud %s takes --format alone", argument,
                    argv[1]);
    return take_directory(command, argv[1], argument, error);
}

enum taud_config_result taud_command_read(int argc, char *const argv[], struct taud_command *ret,
                                          struct taud_config_error *ret_error)
{
    *ret = (struct taud_command){.kind = argc > 1 ? find(argv[1]) : TAUD_COMMAND_NONE};
    ret_error->text[0] = '\0';
    if (ret->kind == TAUD_COMMAND_NONE)
        return TAUD_CONFIG_OK;
    enum taud_config_result result = TAUD_CONFIG_OK;
    bool options = true;
    for (int index = 2; index < argc && result == TAUD_CONFIG_OK;) {
        if (options && (strcmp(argv[index], "--help") == 0 || strcmp(argv[index], "-h") == 0))
            return TAUD_CONFIG_HELP;
        if (!options) {
            result = take_directory(ret, argv[1], argv[index++], ret_error);
        } else if (strcmp(argv[index], "--") == 0) {
            options = false;
            index++;
        } else {
            result = take(ret, argc, argv, &index, ret_error);
        }
    }
    if (result == TAUD_CONFIG_OK && (ret->directory == NULL || ret->directory[0] == '\0'))
        return fail(ret_error, "taud %s: no directory; expected taud %s DIRECTORY", argv[1],
                    argv[1]);
    return result;
}
