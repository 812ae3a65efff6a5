/* SPDX-License-Identifier: MIT */
/*
 * A grid of dots that is printed as characters: braille has 2 x 4 dots in each, plain ASCII 1 x 2.
 */
#ifndef TAU_CLI_PLOT_CANVAS_H
#define TAU_CLI_PLOT_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cli_canvas {
    bool braille;
    size_t columns; /* in characters */
    size_t rows;
    size_t width; /* in dots */
    size_t height;
    uint8_t *cells; /* the dots of each character, as bits */
};

/* Returns false when there is no memory. cli_canvas_done is called in any case. */
bool cli_canvas_init(struct cli_canvas *canvas, size_t columns, size_t rows, bool braille);

void cli_canvas_done(struct cli_canvas *canvas);

/* Sets a dot; (0, 0) is at the upper left. Dots beyond the edge are left out. */
void cli_canvas_dot(struct cli_canvas *canvas, size_t x, size_t y);

/* Draws a straight line, both ends included. */
void cli_canvas_line(struct cli_canvas *canvas, size_t x0, size_t y0, size_t x1, size_t y1);

/* Prints one row of characters, without a line end and without blanks at its end. */
void cli_canvas_print_row(const struct cli_canvas *canvas, size_t row, FILE *out);

#endif
