/* SPDX-License-Identifier: MIT */
/*
 * Help: names, summaries and documentation come from the generated table, options and arguments
 * from the command's syntax.
 */
#include "help.h"

#include <string.h>

#include "arguments.h"
#include "nearest.h"
#include "tau_cli_commands.h"

#define WIDTH       80
#define OPTION_PAD  26
#define COMMAND_PAD 14

const char cli_help_about[] = "The command line of Tau, a time-series database. Without a command, "
                              "on a terminal, it is a prompt.";

const char cli_help_notes[] =
    "Times are RFC 3339, YYYY-MM-DD[ HH:MM:SS[.fraction]] in UTC, numbers of --unit, or relative "
    "to now, such as now or -1h30m. Labels are UTF-8; any other byte and the backslash are "
    "written \\xHH.";

const struct cli_exit_meaning cli_exit_meanings[] = {
    {CLI_OK, "ok"},
    {CLI_ERROR, "error"},
    {CLI_USAGE, "usage"},
    {CLI_NO_CONNECTION, "no connection"},
    {CLI_REFUSED, "refused by the server"},
    {CLI_PARTIAL, "partial import"},
};
const size_t cli_exit_meaning_count = sizeof(cli_exit_meanings) / sizeof(cli_exit_meanings[0]);

const struct cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        if (strcmp(tau_cli_commands[i].name, name) == 0) {
            return &tau_cli_commands[i];
        }
    }
    return NULL;
}

const struct cli_command *cli_command_nearest(const char *typed)
{
    const struct cli_command *nearest = NULL;
    size_t best = CLI_DISTANCE_LIMIT;
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        size_t distance = cli_distance(typed, tau_cli_commands[i].name);
        size_t length = strlen(tau_cli_commands[i].name);
        if (distance < best && distance * 2 <= length) {
            best = distance;
            nearest = &tau_cli_commands[i];
        }
    }
    return nearest;
}

/* Prints text in lines of WIDTH columns, each behind `indent` blanks; `column` is where it begins.
 */
static void print_wrapped(FILE *out, const char *text, int indent, int column)
{
    bool first = true;
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (length > 0) {
            if (!first && column + 1 + (int)length > WIDTH) {
                fprintf(out, "\n%*s", indent, "");
                column = indent;
            } else if (!first) {
                fputc(' ', out);
                column++;
            }
            fwrite(text, 1, length, out);
            column += (int)length;
            first = false;
        }
        text += length + (text[length] != '\0');
    }
    fputc('\n', out);
}

static void print_term(FILE *out, const char *term, int pad, const char *doc)
{
    int length = (int)strlen(term);
    fprintf(out, "  %s", term);
    if (length + 2 > pad) {
        fprintf(out, "\n%*s", pad + 2, "");
    } else {
        fprintf(out, "%*s", pad - length, "");
    }
    print_wrapped(out, doc, pad + 2, pad + 2);
}

static void print_options(FILE *out, const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char term[64];
        const char *value = options[i].value;
        char letter[5] = "";
        if (options[i].letter != 0) {
            snprintf(letter, sizeof(letter), "-%c, ", options[i].letter);
        }
        snprintf(term, sizeof(term), "%s--%s%s%s", letter, options[i].name,
                 value != NULL ? " " : "", value != NULL ? value : "");
        print_term(out, term, OPTION_PAD, options[i].doc);
    }
}

void cli_help_usage(FILE *out, const struct cli_command *command)
{
    const struct cli_syntax *syntax = command->syntax;
    fputs(command->name, out);
    for (size_t i = 0; i < syntax->argument_count; i++) {
        const struct cli_argument *argument = &syntax->arguments[i];
        fprintf(out, argument->optional ? " [%s]%s" : " %s%s", argument->name,
                argument->repeated ? "..." : "");
    }
}

void cli_help_command(const struct cli *cli, FILE *out, const struct cli_command *command)
{
    const struct cli_syntax *syntax = command->syntax;
    fputs(cli->interactive ? "usage: " : "usage: tau-cli [OPTION...] ", out);
    cli_help_usage(out, command);
    fprintf(out, "%s\n\n", syntax->option_count > 0 ? " [OPTION...]" : "");
    print_wrapped(out, command->summary, 0, 0);
    if (*command->doc != '\0') {
        fputc('\n', out);
        print_wrapped(out, command->doc, 0, 0);
    }
    if (syntax->argument_count > 0) {
        fputs("\narguments:\n", out);
        for (size_t i = 0; i < syntax->argument_count; i++) {
            print_term(out, syntax->arguments[i].name, COMMAND_PAD, syntax->arguments[i].doc);
        }
    }
    if (syntax->option_count > 0) {
        fputs("\noptions:\n", out);
        print_options(out, syntax->options, syntax->option_count);
    }
    if (syntax->notes != NULL) {
        fprintf(out, "\n%s\n", syntax->notes);
    }
    fputs("\noptions of all commands:\n", out);
    print_options(out, cli_global_options, cli_global_option_count);
}

static void print_exit_codes(FILE *out)
{
    char text[256];
    size_t length = (size_t)snprintf(text, sizeof(text), "exit codes:");
    for (size_t i = 0; i < cli_exit_meaning_count; i++) {
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "%s %d %s", i > 0 ? "," : "",
                             cli_exit_meanings[i].code, cli_exit_meanings[i].meaning);
    }
    fputc('\n', out);
    print_wrapped(out, text, 0, 0);
}

void cli_help_program(const struct cli *cli, FILE *out)
{
    if (cli->interactive) {
        fputs("commands (`help COMMAND` tells more; `exit` or Ctrl-D leaves):\n", out);
    } else {
        fputs("usage: tau-cli [OPTION...] [COMMAND [ARGUMENT...]]\n\n", out);
        print_wrapped(out, cli_help_about, 0, 0);
        fputs("\ncommands (`tau-cli COMMAND --help` tells more):\n", out);
    }
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        print_term(out, tau_cli_commands[i].name, COMMAND_PAD, tau_cli_commands[i].summary);
    }
    fputs("\noptions:\n", out);
    print_options(out, cli_global_options, cli_global_option_count);
    if (!cli->interactive) {
        fputc('\n', out);
        print_wrapped(out, cli_help_notes, 0, 0);
        print_exit_codes(out);
    }
}
