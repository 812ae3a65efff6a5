/* SPDX-License-Identifier: MIT */
/*
 * What is known of the terminal: whether there is one, its size, its characters, and whether it is
 * to be coloured.
 */
#ifndef TAU_CLI_TERMINAL_TERMINAL_H
#define TAU_CLI_TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct cli_terminal {
    bool in;     /* standard input is a terminal */
    bool out;    /* standard output is a terminal */
    bool err;    /* standard error is a terminal */
    bool colour; /* neither NO_COLOR nor a dumb terminal forbids it */
    bool utf8;   /* the locale's characters are UTF-8 */
};

/* Looks at the three standard streams and the environment. setlocale must have been called. */
void cli_terminal_init(struct cli_terminal *terminal);

/* The size of the terminal of a descriptor, or the given default where it has none. */
void cli_terminal_size(int fd, unsigned default_columns, unsigned default_rows,
                       unsigned *ret_columns, unsigned *ret_rows);

/* The columns that a text takes on a terminal of the current locale. */
size_t cli_text_width(const char *text, size_t size);

#endif
