/* SPDX-License-Identifier: MIT */
/*
 * The reader of command lines, and the options that every command takes. getopt is not used: it
 * takes negative numbers for options and its state is global.
 */
#include "arguments.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "help.h"
#include "tau_cli_commands.h"

enum {
    GLOBAL_SERVER,
    GLOBAL_CERTIFICATE_FILE,
    GLOBAL_TIMEOUT,
    GLOBAL_FORMAT,
    GLOBAL_TIME,
    GLOBAL_UNIT,
    GLOBAL_TRACE,
    GLOBAL_HELP,
    GLOBAL_VERSION
};

const struct cli_option cli_global_options[] = {
    [GLOBAL_SERVER] = {"server", 's', "ADDRESS",
                       "HOST:PORT, [IPV6]:PORT or unix:PATH; else TAU_SERVER, else 127.0.0.1:7701"},
    [GLOBAL_CERTIFICATE_FILE] = {"certificate-file", 0, "FILE",
                                 "the server's certificate; else TAU_CERTIFICATE (hexadecimal), "
                                 "TAU_CERTIFICATE_FILE, or `certificate` in taud's data directory"},
    [GLOBAL_TIMEOUT] = {"timeout", 0, "DURATION",
                        "how long to wait for the server, such as 500ms or 10s; 0 for ever "
                        "(default 30s)"},
    [GLOBAL_FORMAT] = {"format", 'f', "FORMAT", "table, csv, tsv, json or jsonl (default table)"},
    [GLOBAL_TIME] = {"time", 't', "FORMAT",
                     "how times are printed: rfc3339, s, ms, us or ns (default rfc3339)"},
    [GLOBAL_UNIT] = {"unit", 'u', "UNIT",
                     "what a time that is a bare number counts: s, ms, us or ns (default ns)"},
    [GLOBAL_TRACE] = {"trace", 0, NULL,
                      "print the frames that are sent (>) and got (<) on standard error"},
    [GLOBAL_HELP] = {"help", 'h', NULL, "print help and exit"},
    [GLOBAL_VERSION] = {"version", 'V', NULL, "print the version and exit"},
};
const size_t cli_global_option_count = sizeof(cli_global_options) / sizeof(cli_global_options[0]);

const char *cli_option_choice(const struct cli_option *option, size_t index)
{
    if (option == &cli_global_options[GLOBAL_FORMAT]) {
        return cli_format_name(index);
    }
    if (option == &cli_global_options[GLOBAL_TIME]) {
        return cli_time_format_name(index);
    }
    return option == &cli_global_options[GLOBAL_UNIT] ? cli_unit_name(index) : NULL;
}

/* One option as it was typed. */
struct typed {
    const char *text; /* with its dashes, for messages */
    const char *name; /* without them */
    size_t name_length;
    const char *value; /* behind `=`, or behind a letter, or NULL */
};

/* Whether an argument is an option: it has a dash and is no number. */
static bool is_option(const char *text)
{
    if (text[0] != '-' || text[1] == '\0') {
        return false;
    }
    return strchr("0123456789.", text[1]) == NULL && strcasecmp(text, "-inf") != 0 &&
           strcasecmp(text, "-infinity") != 0 && strncasecmp(text, "-nan", 4) != 0;
}

static struct typed take_apart(const char *text)
{
    struct typed typed = {.text = text};
    if (text[1] == '-') {
        typed.name = text + 2;
        typed.name_length = strcspn(typed.name, "=");
        typed.value =
            typed.name[typed.name_length] == '=' ? typed.name + typed.name_length + 1 : NULL;
    } else {
        typed.name = text + 1;
        typed.name_length = 1;
        typed.value = typed.name[1] != '\0' ? typed.name + 1 : NULL;
    }
    return typed;
}

static const struct cli_option *find_option(const struct cli_option *options, size_t count,
                                            const struct typed *typed)
{
    bool is_long = typed->text[1] == '-';
    for (size_t i = 0; i < count; i++) {
        bool same = is_long ? strlen(options[i].name) == typed->name_length &&
                                  strncmp(options[i].name, typed->name, typed->name_length) == 0
                            : options[i].letter == typed->name[0];
        if (same) {
            return &options[i];
        }
    }
    return NULL;
}

/* Finds an option of a command, or of all commands. `syntax` may be NULL. */
static const struct cli_option *find_any(const struct cli_syntax *syntax, const struct typed *typed)
{
    const struct cli_option *own =
        syntax == NULL ? NULL : find_option(syntax->options, syntax->option_count, typed);
    return own != NULL ? own : find_option(cli_global_options, cli_global_option_count, typed);
}

/* Finds the value of an option, perhaps in the next argument. Returns false and complains if wrong.
 */
static bool take_value(const struct cli *cli, const struct cli_option *option, struct typed *typed,
                       int argc, char **argv, int *index)
{
    if (option->value == NULL) {
        if (typed->value != NULL) {
            cli_complain(cli, "--%s takes no value", option->name);
            return false;
        }
        typed->value = "";
        return true;
    }
    if (typed->value == NULL) {
        if (*index + 1 >= argc) {
            cli_complain(cli, "--%s needs a value: %s", option->name, option->value);
            return false;
        }
        typed->value = argv[++*index];
    }
    return true;
}

static bool bad_choice(const struct cli *cli, size_t option, const char *value)
{
    cli_complain(cli, "--%s: `%s` is not allowed; it is %s", cli_global_options[option].name, value,
                 cli_global_options[option].doc);
    return false;
}

/* The options that say which server it is cannot change while a prompt is connected to one. */
static bool set_before_connecting(struct cli *cli, size_t option, const char *value)
{
    if (cli->interactive) {
        cli_complain(cli, "--%s is an option of the program: leave the prompt to change it",
                     cli_global_options[option].name);
        return false;
    }
    if (option == GLOBAL_SERVER) {
        cli->options.server = value;
    } else {
        cli->options.certificate_file = value;
    }
    return true;
}

static bool set_timeout(struct cli *cli, const char *value)
{
    int64_t timeout_ns = 0;
    if (strcmp(value, "0") != 0 &&
        !cli_read_duration(cli, "--timeout", value, 1000000, &timeout_ns)) {
        return false;
    }
    if (timeout_ns / 1000000 > UINT32_MAX) {
        cli_complain(cli, "--timeout: `%s` is too long", value);
        return false;
    }
    cli->options.timeout_ms = (uint32_t)(timeout_ns / 1000000);
    return true;
}

static bool set_global(struct cli *cli, size_t option, const char *value)
{
    struct cli_options *options = &cli->options;
    switch (option) {
    case GLOBAL_SERVER:
    case GLOBAL_CERTIFICATE_FILE:
        return set_before_connecting(cli, option, value);
    case GLOBAL_TIMEOUT:
        return set_timeout(cli, value);
    case GLOBAL_FORMAT:
        options->format_given = true;
        return cli_format_from_text(value, &options->format) || bad_choice(cli, option, value);
    case GLOBAL_TIME:
        return cli_time_format_from_text(value, &options->time_format) ||
               bad_choice(cli, option, value);
    case GLOBAL_UNIT:
        return cli_unit_from_text(value, &options->unit) || bad_choice(cli, option, value);
    case GLOBAL_TRACE:
        options->trace = true;
        return true;
    default:
        return true;
    }
}

/* Whether a global option asked for something to be printed instead of running. */
static bool print_instead(struct cli *cli, size_t option)
{
    if (option == GLOBAL_VERSION) {
        fprintf(cli->out, "tau-cli %s\n", TAU_VERSION);
        return true;
    }
    if (option != GLOBAL_HELP) {
        return false;
    }
    const struct cli_command *command =
        cli->command == NULL ? NULL : cli_command_find(cli->command);
    if (command != NULL) {
        cli_help_command(cli, cli->out, command);
    } else {
        cli_help_program(cli, cli->out);
    }
    return true;
}

static bool is_global(const struct cli_option *option)
{
    for (size_t i = 0; i < cli_global_option_count; i++) {
        if (option == &cli_global_options[i]) {
            return true;
        }
    }
    return false;
}

/* Reads one option. Returns false when the command is not to run. */
static bool read_option(struct cli *cli, const struct cli_syntax *syntax, int argc, char **argv,
                        int *index, struct cli_arguments *arguments, int *ret_exit)
{
    struct typed typed = take_apart(argv[*index]);
    const struct cli_option *option = find_any(syntax, &typed);
    *ret_exit = CLI_USAGE;
    if (option == NULL) {
        cli_complain(cli, "there is no option %s; --help lists them", typed.text);
        return false;
    }
    if (!take_value(cli, option, &typed, argc, argv, index)) {
        return false;
    }
    if (!is_global(option)) {
        assert(syntax != NULL);
        arguments->values[option - syntax->options] = typed.value;
        return true;
    }
    size_t global = (size_t)(option - cli_global_options);
    if (print_instead(cli, global)) {
        *ret_exit = CLI_OK;
        return false;
    }
    return set_global(cli, global, typed.value);
}

static bool count_is_right(const struct cli *cli, const struct cli_syntax *syntax,
                           const struct cli_arguments *arguments)
{
    for (size_t i = arguments->count; i < syntax->argument_count; i++) {
        if (!syntax->arguments[i].optional) {
            cli_complain(cli, "%s is missing; --help tells more", syntax->arguments[i].name);
            return false;
        }
    }
    bool repeated =
        syntax->argument_count > 0 && syntax->arguments[syntax->argument_count - 1].repeated;
    if (arguments->count > syntax->argument_count && !repeated) {
        cli_complain(cli, "`%s` is one argument too many; --help tells more",
                     arguments->positionals[syntax->argument_count]);
        return false;
    }
    return true;
}

bool cli_arguments_read(struct cli *cli, const struct cli_syntax *syntax, int argc, char **argv,
                        struct cli_arguments *ret_arguments, int *ret_exit)
{
    bool options_ended = false;
    *ret_arguments = (struct cli_arguments){.positionals = argv + 1};
    for (int i = 1; i < argc; i++) {
        if (options_ended || !is_option(argv[i])) {
            ret_arguments->positionals[ret_arguments->count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else if (!read_option(cli, syntax, argc, argv, &i, ret_arguments, ret_exit)) {
            return false;
        }
    }
    *ret_exit = CLI_USAGE;
    return count_is_right(cli, syntax, ret_arguments);
}

void cli_arguments_expect(const struct cli_syntax *syntax, int argc, char **argv,
                          struct cli_expected *ret_expected)
{
    *ret_expected = (struct cli_expected){.option = NULL};
    for (int i = 1; i < argc; i++) {
        if (ret_expected->option != NULL) {
            ret_expected->option = NULL; /* this was its value */
        } else if (ret_expected->options_ended || !is_option(argv[i])) {
            ret_expected->place++;
        } else if (strcmp(argv[i], "--") == 0) {
            ret_expected->options_ended = true;
        } else {
            struct typed typed = take_apart(argv[i]);
            const struct cli_option *option = find_any(syntax, &typed);
            bool waits = option != NULL && option->value != NULL && typed.value == NULL;
            ret_expected->option = waits ? option : NULL;
        }
    }
}

const struct cli_option *cli_option_assigned(const struct cli_syntax *syntax, const char *word,
                                             const char **ret_value)
{
    if (!is_option(word)) {
        return NULL;
    }
    struct typed typed = take_apart(word);
    const struct cli_option *option = typed.value != NULL ? find_any(syntax, &typed) : NULL;
    if (option == NULL || option->value == NULL) {
        return NULL;
    }
    *ret_value = typed.value;
    return option;
}

int cli_global_options_read(struct cli *cli, int argc, char **argv, int *ret_exit)
{
    struct cli_arguments unused;
    int index = 1;
    for (; index < argc && is_option(argv[index]); index++) {
        if (strcmp(argv[index], "--") == 0) {
            return index + 1;
        }
        if (!read_option(cli, NULL, argc, argv, &index, &unused, ret_exit)) {
            return -1;
        }
    }
    return index;
}
