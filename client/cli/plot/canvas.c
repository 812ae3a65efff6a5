/* SPDX-License-Identifier: MIT */
/*
 * Dots into characters. Braille patterns are U+2800 and a bit for each dot; the dots are numbered
 *
 *     1 4        bit 0  bit 3
 *     2 5        bit 1  bit 4
 *     3 6        bit 2  bit 5
 *     7 8        bit 6  bit 7
 *
 * (Unicode, chapter 21.1). In ASCII the upper dot is ', the lower one . and both together :.
 */
#include "plot/canvas.h"

#include <stdlib.h>

bool cli_canvas_init(struct cli_canvas *canvas, size_t columns, size_t rows, bool braille)
{
    *canvas = (struct cli_canvas){
        .braille = braille,
        .columns = columns,
        .rows = rows,
        .width = columns * (braille ? 2 : 1),
        .height = rows * (braille ? 4 : 2),
        .cells = calloc(columns * rows + 1, 1),
    };
    return canvas->cells != NULL;
}

void cli_canvas_done(struct cli_canvas *canvas)
{
    free(canvas->cells);
    canvas->cells = NULL;
}

void cli_canvas_dot(struct cli_canvas *canvas, size_t x, size_t y)
{
    static const uint8_t braille_bits[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x >= canvas->width || y >= canvas->height) {
        return;
    }
    if (canvas->braille) {
        canvas->cells[y / 4 * canvas->columns + x / 2] |= braille_bits[y % 4][x % 2];
    } else {
        canvas->cells[y / 2 * canvas->columns + x] |= (uint8_t)(1 << y % 2);
    }
}

void cli_canvas_line(struct cli_canvas *canvas, size_t x0, size_t y0, size_t x1, size_t y1)
{
    size_t across = x0 < x1 ? x1 - x0 : x0 - x1;
    size_t down = y0 < y1 ? y1 - y0 : y0 - y1;
    size_t steps = across > down ? across : down;
    for (size_t i = 0; i <= steps; i++) {
        size_t half = steps / 2;
        size_t dx = steps == 0 ? 0 : (across * i + half) / steps;
        size_t dy = steps == 0 ? 0 : (down * i + half) / steps;
        cli_canvas_dot(canvas, x0 < x1 ? x0 + dx : x0 - dx, y0 < y1 ? y0 + dy : y0 - dy);
    }
}

static void print_cell(const struct cli_canvas *canvas, uint8_t dots, FILE *out)
{
    if (dots == 0) {
        fputc(' ', out);
    } else if (canvas->braille) {
        /* U+2800 + dots, in UTF-8. */
        fputc(0xE2, out);
        fputc(0xA0 | dots >> 6, out);
        fputc(0x80 | (dots & 0x3F), out);
    } else {
        fputc(" '.:"[dots], out);
    }
}

void cli_canvas_print_row(const struct cli_canvas *canvas, size_t row, FILE *out)
{
    const uint8_t *cells = canvas->cells + row * canvas->columns;
    size_t count = canvas->columns;
    while (count > 0 && cells[count - 1] == 0) {
        count--;
    }
    for (size_t i = 0; i < count; i++) {
        print_cell(canvas, cells[i], out);
    }
}
