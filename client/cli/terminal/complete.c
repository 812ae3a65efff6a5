/* SPDX-License-Identifier: MIT */
/*
 * Completion. Which words are labels the syntax of the command tells: an argument of a custom
 * command is called SERIES or LENS, one of a generic command is a field that holds a label.
 */
#include "terminal/complete.h"

#include <string.h>

#include "arguments.h"
#include "generic.h"
#include "help.h"
#include "series.h"
#include "tau_cli_commands.h"
#include "terminal/words.h"

#define LINE_BYTES 4096

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

struct label_walk {
    struct cli_candidates *candidates;
    const char *typed;
};

static bool add_label(void *user_data, const struct tau_label *label)
{
    struct label_walk *walk = user_data;
    char text[TAU_LABEL_TEXT_SIZE];
    char quoted[CLI_CANDIDATE_BYTES];
    tau_label_to_text(label, text);
    cli_word_quote(text, quoted);
    add(walk->candidates, quoted, walk->typed);
    return !walk->candidates->more;
}

/* Makes the label that the typed word begins. Returns false while it is none, such as `a\x0`. */
static bool read_prefix(const char *typed, struct tau_label *ret_prefix)
{
    char line[LINE_BYTES];
    char *words[CLI_WORD_LIMIT + 1];
    size_t count = 0;
    memset(ret_prefix, 0, sizeof(*ret_prefix));
    if (strlen(typed) >= sizeof(line)) {
        return false;
    }
    strcpy(line, typed);
    if (cli_words_split(line, words, &count) != NULL || count > 1) {
        return false;
    }
    return count == 0 || tau_label_from_text(words[0], ret_prefix) == TAU_STATUS_SUCCESS;
}

/* Labels of the server. Completion must not print: where there is no server, there is nothing. */
static void add_series(struct cli *cli, struct cli_candidates *candidates, const char *typed)
{
    struct label_walk walk = {.candidates = candidates, .typed = typed};
    struct tau_label prefix;
    struct tau_error error;
    if (cli->client == NULL || !read_prefix(typed, &prefix)) {
        return;
    }
    (void)cli_series_each(cli->client, &prefix, CLI_CANDIDATE_LIMIT + 1, add_label, &walk, &error);
}

static void add_lenses(struct cli *cli, struct cli_candidates *candidates, const char *typed)
{
    struct label_walk walk = {.candidates = candidates, .typed = typed};
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

/* What stands at a place among the arguments of a command. */
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
    const char *name = syntax->arguments[place].name;
    bool is_label =
        command->generic != NULL && command->generic->arguments[place].kind == CLI_FIELD_NAME;
    bool of_lens = strncmp(command->name, "lens-", 5) == 0;
    if (strcmp(name, "SERIES") == 0 || strcmp(name, "PREFIX") == 0 || (is_label && !of_lens) ||
        strcmp(name, "SOURCE") == 0) {
        add_series(cli, candidates, typed);
    }
    if (strcmp(name, "LENS") == 0 || (is_label && of_lens)) {
        add_lenses(cli, candidates, typed);
    }
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
    } else if (command != NULL && typed[0] == '-') {
        add_options(ret_candidates, command->syntax->options, command->syntax->option_count, typed);
        add_options(ret_candidates, cli_global_options, cli_global_option_count, typed);
    } else if (command != NULL) {
        add_argument(cli, command, count - 1, ret_candidates, typed);
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
