/* SPDX-License-Identifier: MIT */
/* Dots and lines, as braille and as ASCII. */
#include "cli_test.h"
#include "plot/canvas.h"

static char *row_text(const struct cli_canvas *canvas, size_t row)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cli_canvas_print_row(canvas, row, out);
    fclose(out);
    return text;
}

static void assert_row(const struct cli_canvas *canvas, size_t row, const char *expected)
{
    char *text = row_text(canvas, row);
    assert_string_equal(text, expected);
    free(text);
}

static void test_braille(void **state)
{
    static const char *const dots[4][2] = {
        {"\u2801", "\u2808"}, {"\u2802", "\u2810"}, {"\u2804", "\u2820"}, {"\u2840", "\u2880"}};
    (void)state;
    for (size_t y = 0; y < 4; y++) {
        for (size_t x = 0; x < 2; x++) {
            struct cli_canvas canvas;
            assert_true(cli_canvas_init(&canvas, 2, 1, true));
            assert_int_equal(canvas.width, 4);
            assert_int_equal(canvas.height, 4);
            cli_canvas_dot(&canvas, x, y);
            assert_row(&canvas, 0, dots[y][x]);
            cli_canvas_done(&canvas);
        }
    }
}

static void test_ascii(void **state)
{
    struct cli_canvas canvas;
    (void)state;
    assert_true(cli_canvas_init(&canvas, 4, 1, false));
    cli_canvas_dot(&canvas, 0, 0);
    cli_canvas_dot(&canvas, 1, 1);
    cli_canvas_line(&canvas, 3, 0, 3, 1);
    assert_row(&canvas, 0, "'. :");
    cli_canvas_done(&canvas);
}

static void test_lines(void **state)
{
    struct cli_canvas canvas;
    (void)state;
    assert_true(cli_canvas_init(&canvas, 4, 2, false));
    cli_canvas_line(&canvas, 0, 3, 3, 0);
    assert_row(&canvas, 0, "  .'");
    assert_row(&canvas, 1, ".'");
    cli_canvas_done(&canvas);
    assert_true(cli_canvas_init(&canvas, 4, 2, false));
    cli_canvas_line(&canvas, 3, 3, 0, 0);
    assert_row(&canvas, 0, "'.");
    assert_row(&canvas, 1, "  '.");
    cli_canvas_done(&canvas);
}

static void test_edges(void **state)
{
    struct cli_canvas canvas;
    (void)state;
    assert_true(cli_canvas_init(&canvas, 1, 1, true));
    cli_canvas_dot(&canvas, 2, 0);
    cli_canvas_dot(&canvas, 0, 4);
    cli_canvas_dot(&canvas, SIZE_MAX, SIZE_MAX);
    assert_row(&canvas, 0, "");
    cli_canvas_line(&canvas, 0, 0, 0, 0);
    assert_row(&canvas, 0, "\u2801");
    cli_canvas_done(&canvas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_braille),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
