/* SPDX-License-Identifier: MIT */
/* The text of a cell of each kind, and where that text lives. */
#include "cli_test.h"
#include "format/cell.h"

static void assert_text(const struct cli_cell *cell, const char *expected)
{
    char room[CLI_CELL_TEXT_SIZE];
    struct cli_text text = cli_cell_to_text(cell, CLI_TIME_RFC3339, room);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void test_kinds(void **state)
{
    struct tau_label label = label_of("a\\x00b");
    struct cli_cell cells[] = {
        {.kind = CLI_CELL_NONE},
        cli_cell_label(&label),
        cli_cell_time(1500000000),
        cli_cell_duration(90000000000),
        cli_cell_f64(-0.5),
        {.kind = CLI_CELL_I64, .as.i64 = INT64_MIN},
        cli_cell_u64(UINT64_MAX),
        {.kind = CLI_CELL_BOOL, .as.boolean = true},
        {.kind = CLI_CELL_BOOL, .as.boolean = false},
        cli_cell_text("words"),
        cli_cell_text(""),
    };
    static const char *const texts[] = {"",
                                        "a\\x00b",
                                        "1970-01-01T00:00:01.500Z",
                                        "1m30s",
                                        "-0.5",
                                        "-9223372036854775808",
                                        "18446744073709551615",
                                        "true",
                                        "false",
                                        "words",
                                        ""};
    (void)state;
    for (size_t i = 0; i < COUNT(cells); i++) {
        assert_text(&cells[i], texts[i]);
    }
}

static void test_times_in_a_unit(void **state)
{
    char room[CLI_CELL_TEXT_SIZE];
    struct cli_cell cell = cli_cell_time(1500000000);
    (void)state;
    struct cli_text text = cli_cell_to_text(&cell, CLI_TIME_MS, room);
    assert_ptr_equal(text.data, room);
    assert_int_equal(text.size, 4);
    assert_memory_equal(text.data, "1500", 4);
}

/* Text is borrowed, however long it is, and may hold zero bytes. */
static void test_text_is_borrowed(void **state)
{
    static const char bytes[CLI_CELL_TEXT_SIZE * 2] = "a\0b";
    char room[CLI_CELL_TEXT_SIZE];
    struct cli_cell cell = {.kind = CLI_CELL_TEXT,
                            .as.text = {.data = bytes, .size = sizeof(bytes)}};
    (void)state;
    struct cli_text text = cli_cell_to_text(&cell, CLI_TIME_NS, room);
    assert_ptr_equal(text.data, bytes);
    assert_int_equal(text.size, sizeof(bytes));
}

/* The longest text of each kind that is written into the room. */
static void test_room(void **state)
{
    struct tau_label label = {.bytes = {0}};
    struct cli_cell cells[] = {cli_cell_label(&label), cli_cell_time(INT64_MIN),
                               cli_cell_f64(-2.2250738585072014e-308), cli_cell_u64(UINT64_MAX)};
    (void)state;
    memset(label.bytes, 0xFF, sizeof(label.bytes));
    cells[0].as.label = label;
    for (size_t i = 0; i < COUNT(cells); i++) {
        char *room = malloc(CLI_CELL_TEXT_SIZE);
        struct cli_text text = cli_cell_to_text(&cells[i], CLI_TIME_RFC3339, room);
        assert_true(text.size < CLI_CELL_TEXT_SIZE);
        assert_int_equal(strlen(room), text.size);
        free(room);
    }
}

static void test_numeric(void **state)
{
    static const enum cli_cell_kind numeric[] = {CLI_CELL_F64, CLI_CELL_I64, CLI_CELL_U64,
                                                 CLI_CELL_DURATION};
    static const enum cli_cell_kind others[] = {CLI_CELL_NONE, CLI_CELL_LABEL, CLI_CELL_TIME,
                                                CLI_CELL_BOOL, CLI_CELL_TEXT};
    (void)state;
    for (size_t i = 0; i < COUNT(numeric); i++) {
        assert_true(cli_cell_is_numeric(numeric[i]));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_false(cli_cell_is_numeric(others[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_times_in_a_unit),
        cmocka_unit_test(test_text_is_borrowed),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_numeric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
