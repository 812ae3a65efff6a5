/* SPDX-License-Identifier: MIT */
/*
 * Completion. What a word is the syntax of the command tells by its name: SERIES, LENS or FILE, of
 * an argument as of an option's value, or by what it may be; an argument of a generic command is a
 * field that holds a label.
 */
#include "terminal/complete.h"

#include <ctype.h>
#include <string.h>

#include "arguments.h"
#include "generic.h"
#include "help.h"
#include "series.h"
#include "specification/document.h"
#include "tau_cli_commands.h"
#include "terminal/file_names.h"
#include "terminal/words.h"

#define LINE_BYTES 4096

_Static_assert(CLI_CANDIDATE_BYTES >= 2 * TAU_LABEL_TEXT_SIZE, "a quoted label is a candidate");

static void add(struct cli_candidates *candidates, const char *name, const char *typed)
{
    if (strncmp(name, typed, strlen(typed)) != 0) {
        return;
    }
    if (candidates->count == CLI_CANDIDATE_LIMIT || strlen(name) >= CLI_CANDIDATE_BYTES) {
        candidates->more = true;
        return;
    }
    strcpy(candidates->names[candidates->count++], name);
}

static void add_commands(struct cli_candidates *candidates, const char *typed)
{
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        add(candidates, tau_cli_commands[i].name, typed);
    }
}

static void add_options(struct cli_candidates *candidates, const struct cli_option *options,
                        size_t count, const char *typed)
{
    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof(name), "--%s", options[i].name);
        add(candidates, name, typed);
    }
}

/* What the walks over labels and files are given. */
struct walk {
    struct cli_candidates *candidates;
    const char *typed;
};

static bool add_label(void *user_data, const struct tau_label *label)
{
    struct walk *walk = user_data;
    char text[TAU_LABEL_TEXT_SIZE];
    char quoted[CLI_CANDIDATE_BYTES];
    tau_label_to_text(label, text);
    cli_word_quote(text, quoted);
    add(walk->candidates, quoted, walk->typed);
    return !walk->candidates->more;
}

/* Takes the quotes off the typed word. Returns false while it is none, such as one that is open. */
static bool unquote(const char *typed, char ret_word[LINE_BYTES])
{
    char *words[CLI_WORD_LIMIT + 1];
    size_t count = 0;
    if (strlen(typed) >= LINE_BYTES) {
        return false;
    }
    strcpy(ret_word, typed);
    return cli_words_split(ret_word, words, &count) == NULL && count <= 1;
}

/* Makes the label that the typed word begins. Returns false while it is none, such as `a\x0`. */
static bool read_prefix(const char *typed, struct tau_label *ret_prefix)
{
    char word[LINE_BYTES];
    return unquote(typed, word) && tau_label_from_text(word, ret_prefix) == TAU_STATUS_SUCCESS;
}

/* Labels of the server. Completion must not print: where there is no server, there is nothing. */
static void add_series(struct cli *cli, struct cli_candidates *candidates, const char *typed)
{
    struct walk walk = {.candidates = candidates, .typed = typed};
    struct tau_label prefix;
    struct tau_error error;
    if (cli->client == NULL || !read_prefix(typed, &prefix)) {
        return;
    }
    (void)cli_series_each(cli->client, &prefix, CLI_CANDIDATE_LIMIT + 1, add_label, &walk, &error);
}

static void add_lenses(struct cli *cli, struct cli_candidates *candidates, const char *typed)
{
    struct walk walk = {.candidates = candidates, .typed = typed};
    struct tau_list_lenses_response response;
    struct tau_error error;
    if (cli->client == NULL ||
        tau_client_list_lenses(cli->client, &response, &error) != TAU_STATUS_SUCCESS) {
        return;
    }
    for (size_t i = 0; i < response.labels.count; i++) {
        struct tau_label label = tau_label_at(response.labels, i);
        if (!add_label(&walk, &label)) {
            break;
        }
    }
}

/* Operations of the server, in small letters if they were begun so: commands take both. */
static void add_operations(struct cli *cli, struct cli_candidates *candidates, const char *typed)
{
    struct tau_specification_response response;
    struct tau_error error;
    struct cli_spec_fault fault;
    size_t count;
    if (cli->client == NULL ||
        tau_client_specification(cli->client, &response, &error) != TAU_STATUS_SUCCESS) {
        return;
    }
    struct cli_document *document = cli_document_read(response.document, &fault);
    if (document == NULL) {
        return;
    }
    const struct cli_spec_operation *operations = cli_document_operations(document, &count);
    bool small = islower((unsigned char)typed[0]);
    for (size_t i = 0; i < count; i++) {
        char name[CLI_SPEC_NAME_LIMIT + 1] = "";
        for (size_t at = 0; operations[i].name[at] != '\0' && at < CLI_SPEC_NAME_LIMIT; at++) {
            unsigned char letter = (unsigned char)operations[i].name[at];
            name[at] = (char)(small ? tolower(letter) : letter);
        }
        add(candidates, name, typed);
    }
    cli_document_free(document);
}

static bool add_path(void *user_data, const char *path)
{
    struct walk *walk = user_data;
    char quoted[CLI_CANDIDATE_BYTES];
    if (2 * strlen(path) >= sizeof(quoted)) {
        walk->candidates->more = true;
        return true;
    }
    cli_word_quote(path, quoted);
    add(walk->candidates, quoted, walk->typed);
    walk->candidates->goes_on = path[strlen(path) - 1] == '/';
    return !walk->candidates->more;
}

static void add_files(struct cli_candidates *candidates, const char *typed)
{
    struct walk walk = {.candidates = candidates, .typed = typed};
    char begin[LINE_BYTES];
    if (unquote(typed, begin)) {
        cli_file_names_each(begin, add_path, &walk);
    }
}

enum cli_word_kind cli_word_kind_of_name(const char *name)
{
    static const char *const of_series[] = {"SERIES", "PREFIX", "TARGET", "SOURCE"};
    for (size_t i = 0; i < sizeof(of_series) / sizeof(of_series[0]); i++) {
        if (strcmp(name, of_series[i]) == 0) {
            return CLI_WORD_SERIES;
        }
    }
    if (strcmp(name, "LENS") == 0) {
        return CLI_WORD_LENS;
    }
    if (strcmp(name, "OPERATION") == 0) {
        return CLI_WORD_OPERATION;
    }
    return strcmp(name, "FILE") == 0 ? CLI_WORD_FILE : CLI_WORD_OTHER;
}

enum cli_word_kind cli_word_kind_of_argument(const struct cli_command *command, size_t place)
{
    const char *name = command->syntax->arguments[place].name;
    if (command->generic == NULL || command->generic->arguments[place].kind != CLI_FIELD_NAME) {
        return cli_word_kind_of_name(name);
    }
    if (strcmp(name, "TRANSFORM") == 0) {
        return CLI_WORD_OTHER; /* as long as a label, but none */
    }
    if (strncmp(command->name, "lens-", 5) != 0) {
        return CLI_WORD_SERIES;
    }
    return strcmp(name, "SOURCE") == 0 ? CLI_WORD_SOURCE : CLI_WORD_LENS;
}

static void add_kind(struct cli *cli, enum cli_word_kind kind, struct cli_candidates *candidates,
                     const char *typed)
{
    if (kind == CLI_WORD_SERIES || kind == CLI_WORD_SOURCE) {
        add_series(cli, candidates, typed);
    }
    if (kind == CLI_WORD_LENS || kind == CLI_WORD_SOURCE) {
        add_lenses(cli, candidates, typed);
    }
    if (kind == CLI_WORD_OPERATION) {
        add_operations(cli, candidates, typed);
    }
    if (kind == CLI_WORD_FILE) {
        add_files(candidates, typed);
    }
}

static void add_value(struct cli *cli, const struct cli_option *option,
                      struct cli_candidates *candidates, const char *typed)
{
    for (size_t i = 0; cli_option_choice(option, i) != NULL; i++) {
        add(candidates, cli_option_choice(option, i), typed);
    }
    add_kind(cli, cli_word_kind_of_name(option->value), candidates, typed);
}

/* Completes an argument of a command by its place. */
static void add_argument(struct cli *cli, const struct cli_command *command, size_t place,
                         struct cli_candidates *candidates, const char *typed)
{
    const struct cli_syntax *syntax = command->syntax;
    if (syntax->argument_count == 0) {
        return;
    }
    if (place >= syntax->argument_count) {
        place = syntax->argument_count - 1;
        if (!syntax->arguments[place].repeated) {
            return;
        }
    }
    const char *const *choice = syntax->arguments[place].choices;
    for (; choice != NULL && *choice != NULL; choice++) {
        add(candidates, *choice, typed);
    }
    add_kind(cli, cli_word_kind_of_argument(command, place), candidates, typed);
}

/* Completes a word behind a command. Returns how much of it is not what the candidates replace. */
static size_t complete_argument(struct cli *cli, const struct cli_command *command, int count,
                                char **words, struct cli_candidates *candidates, const char *typed)
{
    const struct cli_syntax *syntax = command->syntax;
    const struct cli_option *option;
    const char *value = typed;
    struct cli_expected expected;
    cli_arguments_expect(syntax, count, words, &expected);
    if (expected.option != NULL) {
        add_value(cli, expected.option, candidates, typed);
    } else if (expected.options_ended || typed[0] != '-') {
        add_argument(cli, command, expected.place, candidates, typed);
    } else if ((option = cli_option_assigned(syntax, typed, &value)) != NULL) {
        add_value(cli, option, candidates, value);
    } else {
        add_options(candidates, syntax->options, syntax->option_count, typed);
        add_options(candidates, cli_global_options, cli_global_option_count, typed);
    }
    return (size_t)(value - typed);
}

void cli_complete(struct cli *cli, const char *text, struct cli_candidates *ret_candidates,
                  size_t *ret_begin)
{
    char line[LINE_BYTES];
    char *words[CLI_WORD_LIMIT + 1];
    size_t count = 0;
    size_t begin = cli_word_begin(text, strlen(text));
    const char *typed = text + begin;
    ret_candidates->count = 0;
    ret_candidates->more = false;
    ret_candidates->goes_on = false;
    *ret_begin = begin;
    if (begin >= sizeof(line)) {
        return;
    }
    memcpy(line, text, begin);
    line[begin] = '\0';
    if (cli_words_split(line, words, &count) != NULL) {
        return;
    }
    const struct cli_command *command = count > 0 ? cli_command_find(words[0]) : NULL;
    if (count == 0) {
        add_commands(ret_candidates, typed);
        add(ret_candidates, "help", typed);
        add(ret_candidates, "exit", typed);
    } else if (count == 1 && strcmp(words[0], "help") == 0) {
        add_commands(ret_candidates, typed);
    } else if (command != NULL) {
        *ret_begin += complete_argument(cli, command, (int)count, words, ret_candidates, typed);
    }
}

size_t cli_candidates_common(const struct cli_candidates *candidates)
{
    size_t length = candidates->count > 0 ? strlen(candidates->names[0]) : 0;
    for (size_t i = 1; i < candidates->count; i++) {
        size_t same = 0;
        while (same < length && candidates->names[i][same] == candidates->names[0][same]) {
            same++;
        }
        length = same;
    }
    return length;
}
