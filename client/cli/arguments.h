/* SPDX-License-Identifier: MIT */
/*
 * Takes a command line apart by the command's syntax. `-5`, `-.5`, `-1h`, `-inf` and `-nan` are
 * arguments, not options; `--` ends the options. The options of all commands are understood by
 * each.
 */
#ifndef TAU_CLI_ARGUMENTS_H
#define TAU_CLI_ARGUMENTS_H

#include "command.h"

#define CLI_OPTION_LIMIT 16

/* What was typed. Strings are borrowed from argv, which is permuted. */
struct cli_arguments {
    char **positionals;
    size_t count;
    const char *values[CLI_OPTION_LIMIT]; /* by the option's index; "" for one without a value */
};

/* The options of all commands, for the help. */
extern const struct cli_option cli_global_options[];
extern const size_t cli_global_option_count;

/*
 * Reads argv behind the command's name, argv[0]. Returns false when the command is not to run: when
 * help was asked for (and printed, *ret_exit is CLI_OK), or when something is wrong (CLI_USAGE).
 */
bool cli_arguments_read(struct cli *cli, const struct cli_syntax *syntax, int argc, char **argv,
                        struct cli_arguments *ret_arguments, int *ret_exit);

/*
 * Reads the options before the command. Returns the index of the command, or argc where there is
 * none; -1 when help or the version was printed or something is wrong, with *ret_exit set.
 */
int cli_global_options_read(struct cli *cli, int argc, char **argv, int *ret_exit);

/* The values that an option allows, one after the other; NULL behind the last, or where any other
 * may be given. */
const char *cli_option_choice(const struct cli_option *option, size_t index);

/* What the next word of a command line would be, as completion asks. */
struct cli_expected {
    const struct cli_option *option; /* whose value it would be, or NULL */
    size_t place;                    /* of the positional that it would be otherwise */
    bool options_ended;              /* whether it could be no option any more */
};

/* Says what would follow argv, whose first is the command's name. Wrong options are passed over. */
void cli_arguments_expect(const struct cli_syntax *syntax, int argc, char **argv,
                          struct cli_expected *ret_expected);

/*
 * Finds the option of a word that begins its value too, as `--option=va` does; *ret_value is where
 * the value begins in it. NULL where the word is none, or the option takes no value.
 */
const struct cli_option *cli_option_assigned(const struct cli_syntax *syntax, const char *word,
                                             const char **ret_value);

/* The positional of this index, or NULL. */
static inline const char *cli_positional(const struct cli_arguments *arguments, size_t index)
{
    return index < arguments->count ? arguments->positionals[index] : NULL;
}

#endif
