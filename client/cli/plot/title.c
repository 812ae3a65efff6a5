/* SPDX-License-Identifier: MIT */
/*
 * Composes the title. The times go first, then the number of points; the name stays, cut if it must
 * be, as several charts may stand one below the other.
 */
#include "plot/title.h"

#include <inttypes.h>
#include <string.h>

#include "terminal/terminal.h"

/* Of a longer name so many columns are kept before something else is left out. */
#define LEAST_NAME_WIDTH 12

#define TAIL_BYTES 256

/* Writes what stands behind the name, with all parts (0), without the times (1), or nothing (2). */
static void write_tail(const struct cli_title *title, int left_out, char ret_tail[TAIL_BYTES])
{
    if (left_out == 0) {
        snprintf(ret_tail, TAIL_BYTES, "  %" PRIu64 " points, %s to %s", title->point_count,
                 title->from, title->to);
    } else if (left_out == 1) {
        snprintf(ret_tail, TAIL_BYTES, "  %" PRIu64 " points", title->point_count);
    } else {
        ret_tail[0] = '\0';
    }
}

/* The bytes of a text that fit into so many columns; no character is parted. */
static size_t fitting_bytes(const char *text, size_t columns)
{
    size_t size = strlen(text);
    while (size > 0 &&
           (cli_text_width(text, size) > columns || ((unsigned char)text[size] & 0xC0) == 0x80)) {
        size--;
    }
    return size;
}

void cli_title_print(const struct cli_title *title, size_t width, bool ascii, FILE *out)
{
    char tail[TAIL_BYTES];
    size_t name_width = cli_text_width(title->name, strlen(title->name));
    size_t least = name_width < LEAST_NAME_WIDTH ? name_width : LEAST_NAME_WIDTH;
    size_t tail_width;
    int left_out = 0;
    do {
        write_tail(title, left_out++, tail);
        tail_width = strlen(tail);
    } while (tail_width > 0 && tail_width + least > width);
    size_t room = width - tail_width;
    if (name_width <= room) {
        fprintf(out, "%s%s\n", title->name, tail);
        return;
    }
    const char *ellipsis = ascii ? "..." : "\u2026";
    size_t ellipsis_width = ascii ? 3 : 1;
    size_t kept = fitting_bytes(title->name, room > ellipsis_width ? room - ellipsis_width : 0);
    fprintf(out, "%.*s%s%s\n", (int)kept, title->name, ellipsis, tail);
}
