/* SPDX-License-Identifier: MIT */
/*
 * Prints the tables of tau-cli as JSON: commands, arguments, options, what each may be. The build
 * runs it, and makes manual pages and completions of what it prints; it is not installed. It knows
 * no command by itself.
 */
#include <stdio.h>

#include "arguments.h"
#include "generic.h"
#include "help.h"
#include "tau_cli_commands.h"
#include "terminal/complete.h"

static void print_text(const char *text)
{
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            printf("\\u%04x", *text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

static void print_member(const char *name, const char *text)
{
    printf("\"%s\": ", name);
    print_text(text);
    fputs(", ", stdout);
}

static void print_kind(enum cli_word_kind kind)
{
    static const char *const names[] = {
        [CLI_WORD_OTHER] = "other", [CLI_WORD_SERIES] = "series",
        [CLI_WORD_LENS] = "lens",   [CLI_WORD_SOURCE] = "source",
        [CLI_WORD_FILE] = "file",   [CLI_WORD_OPERATION] = "operation"};
    print_member("kind", names[kind]);
}

/* The choices of an argument: its own, or those of the field that it fills in. */
static const char *argument_choice(const struct cli_command *command, size_t place, size_t index)
{
    static const char *const truths[] = {"false", "true"};
    const char *const *own = command->syntax->arguments[place].choices;
    if (own != NULL) {
        return own[index];
    }
    if (command->generic == NULL) {
        return NULL;
    }
    const struct cli_field *field = &command->generic->arguments[place];
    if (field->kind == CLI_FIELD_BOOL) {
        return index < 2 ? truths[index] : NULL;
    }
    return index < field->choice_count ? field->choices[index].name : NULL;
}

static void print_arguments(const struct cli_command *command)
{
    const struct cli_syntax *syntax = command->syntax;
    fputs("\"arguments\": [", stdout);
    for (size_t i = 0; i < syntax->argument_count; i++) {
        const struct cli_argument *argument = &syntax->arguments[i];
        const char *choice;
        fputs(i > 0 ? ",\n    {" : "\n    {", stdout);
        print_member("name", argument->name);
        print_member("doc", argument->doc);
        print_kind(cli_word_kind_of_argument(command, i));
        printf("\"optional\": %s, \"repeated\": %s, \"choices\": [",
               argument->optional ? "true" : "false", argument->repeated ? "true" : "false");
        for (size_t j = 0; (choice = argument_choice(command, i, j)) != NULL; j++) {
            fputs(j > 0 ? ", " : "", stdout);
            print_text(choice);
        }
        fputs("]}", stdout);
    }
    fputs("], ", stdout);
}

static void print_options(const struct cli_option *options, size_t count)
{
    fputs("\"options\": [", stdout);
    for (size_t i = 0; i < count; i++) {
        const struct cli_option *option = &options[i];
        const char letter[2] = {option->letter, '\0'};
        const char *choice;
        fputs(i > 0 ? ",\n    {" : "\n    {", stdout);
        print_member("name", option->name);
        print_member("letter", letter);
        print_member("value", option->value);
        print_member("doc", option->doc);
        print_kind(option->value == NULL ? CLI_WORD_OTHER : cli_word_kind_of_name(option->value));
        fputs("\"choices\": [", stdout);
        for (size_t j = 0; (choice = cli_option_choice(option, j)) != NULL; j++) {
            fputs(j > 0 ? ", " : "", stdout);
            print_text(choice);
        }
        fputs("]}", stdout);
    }
    fputs("]", stdout);
}

static void print_command(const struct cli_command *command)
{
    putchar('{');
    print_member("name", command->name);
    print_member("summary", command->summary);
    print_member("doc", command->doc);
    print_member("operation", command->operation);
    print_member("notes", command->syntax->notes);
    print_arguments(command);
    print_options(command->syntax->options, command->syntax->option_count);
    putchar('}');
}

int main(void)
{
    putchar('{');
    print_member("version", TAU_VERSION);
    print_member("about", cli_help_about);
    print_member("notes", cli_help_notes);
    fputs("\"exits\": [", stdout);
    for (size_t i = 0; i < cli_exit_meaning_count; i++) {
        printf("%s{\"code\": %d, \"meaning\": ", i > 0 ? ", " : "", cli_exit_meanings[i].code);
        print_text(cli_exit_meanings[i].meaning);
        putchar('}');
    }
    fputs("],\n  ", stdout);
    print_options(cli_global_options, cli_global_option_count);
    fputs(",\n  \"commands\": [", stdout);
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", stdout);
        print_command(&tau_cli_commands[i]);
    }
    fputs("]}\n", stdout);
    return ferror(stdout) || fclose(stdout) != 0;
}
