/* SPDX-License-Identifier: MIT */
/*
 * Finds what the word under the cursor may become: a command, an option, a file, or a label or an
 * operation that the server has. It must not know the line editor.
 */
#ifndef TAU_CLI_TERMINAL_COMPLETE_H
#define TAU_CLI_TERMINAL_COMPLETE_H

#include "command.h"

#define CLI_CANDIDATE_LIMIT 200
#define CLI_CANDIDATE_BYTES 1024 /* of a label or a path, each of its bytes quoted */

struct cli_candidates {
    size_t count;
    bool more;    /* whether there are others that were left out */
    bool goes_on; /* whether the last one is a directory, in which a word goes on */
    char names[CLI_CANDIDATE_LIMIT][CLI_CANDIDATE_BYTES]; /* as they would be typed */
};

/* What completion knows of a word. */
enum cli_word_kind {
    CLI_WORD_OTHER,
    CLI_WORD_SERIES,
    CLI_WORD_LENS,
    CLI_WORD_SOURCE, /* a series or a lens */
    CLI_WORD_FILE,
    CLI_WORD_OPERATION /* of the protocol */
};

/* What a value is by its name in the help, such as FILE. */
enum cli_word_kind cli_word_kind_of_name(const char *name);

/* What stands at a place among the arguments of a command; a place that it has. */
enum cli_word_kind cli_word_kind_of_argument(const struct cli_command *command, size_t place);

/*
 * Finds the candidates for the end of `text`, the line up to the cursor, and where their word
 * begins. Asks the server for labels and operations if the client is connected, or can be, and says
 * nothing if not.
 */
void cli_complete(struct cli *cli, const char *text, struct cli_candidates *ret_candidates,
                  size_t *ret_begin);

/* The length of what all candidates begin with. */
size_t cli_candidates_common(const struct cli_candidates *candidates);

#endif
