/* SPDX-License-Identifier: MIT */
/*
 * Asks the system about the terminal. NO_COLOR counts as soon as it is there and not empty
 * (https://no-color.org).
 */
#include "terminal/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

void cli_terminal_init(struct cli_terminal *terminal)
{
    const char *term = getenv("TERM");
    *terminal = (struct cli_terminal){
        .in = isatty(STDIN_FILENO) != 0,
        .out = isatty(STDOUT_FILENO) != 0,
        .err = isatty(STDERR_FILENO) != 0,
        .colour = !is_set("NO_COLOR") && (term == NULL || strcmp(term, "dumb") != 0),
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    };
}

void cli_terminal_size(int fd, unsigned default_columns, unsigned default_rows,
                       unsigned *ret_columns, unsigned *ret_rows)
{
    struct winsize size;
    *ret_columns = default_columns;
    *ret_rows = default_rows;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        *ret_columns = size.ws_col;
        *ret_rows = size.ws_row;
    }
}

size_t cli_text_width(const char *text, size_t size)
{
    size_t width = 0;
    mbstate_t state = {0};
    while (size > 0) {
        wchar_t character;
        size_t length = (unsigned char)*text < 0x80 ? 1 : mbrtowc(&character, text, size, &state);
        if (length == 1) {
            width++;
        } else if (length == 0 || length > size) {
            /* Not a character of this locale: the terminal will show something of one column. */
            memset(&state, 0, sizeof(state));
            length = 1;
            width++;
        } else {
            int columns = wcwidth(character);
            width += columns > 0 ? (size_t)columns : 0;
        }
        text += length;
        size -= length;
    }
    return width;
}
