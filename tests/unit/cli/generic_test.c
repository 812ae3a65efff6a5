/* SPDX-License-Identifier: MIT */
/* Fields of every kind, read from text and printed as cells, without a server. */
#include "cli_test.h"
#include "generic.h"

struct holder {
    uint8_t small;
    uint32_t large;
    int64_t number;
    double value;
    bool truth;
    bool has_choice;
    enum tau_direction choice;
    int64_t time;
    struct tau_label label;
    struct tau_slice text;
    uint64_t width;
};

static const struct cli_choice choices[] = {{"forward", 0}, {"backward", 1}};

#define FIELD(member, of_kind)                                                                     \
    .name = #member, .kind = (of_kind), .offset = offsetof(struct holder, member),                 \
    .size = sizeof(((struct holder *)0)->member), .has_offset = CLI_NO_OFFSET

static const struct cli_field fields[] = {
    {FIELD(small, CLI_FIELD_UNSIGNED), .minimum = 1, .maximum = 200},
    {FIELD(large, CLI_FIELD_UNSIGNED), .maximum = UINT32_MAX},
    {FIELD(number, CLI_FIELD_SIGNED), .minimum = INT64_MIN, .maximum = INT64_MAX},
    {FIELD(value, CLI_FIELD_F64)},
    {FIELD(truth, CLI_FIELD_BOOL)},
    {.name = "choice",
     .kind = CLI_FIELD_ENUM,
     .offset = offsetof(struct holder, choice),
     .size = sizeof(enum tau_direction),
     .has_offset = offsetof(struct holder, has_choice),
     .choices = choices,
     .choice_count = 2},
    {FIELD(time, CLI_FIELD_TIME)},
    {FIELD(label, CLI_FIELD_NAME)},
    {FIELD(text, CLI_FIELD_TEXT)},
    {FIELD(width, CLI_FIELD_DURATION), .minimum = 1000, .maximum = UINT64_C(86400000000000)},
};

static void test_round_trip(void **state)
{
    static const char *const texts[] = {"200",   "4294967295", "-9223372036854775808", "-0.5",
                                        "true",  "backward",   "1970-01-01T00:00:01Z", "cpu.load",
                                        "words", "23h59m"};
    struct capture capture;
    struct holder holder;
    (void)state;
    memset(&holder, 0, sizeof(holder));
    capture_begin(&capture);
    assert_int_equal(cli_field_cell(&fields[5], &holder).kind, CLI_CELL_NONE);
    for (size_t i = 0; i < COUNT(fields); i++) {
        char room[CLI_CELL_TEXT_SIZE];
        assert_true(cli_field_read(&capture.cli, &fields[i], texts[i], &holder));
        struct cli_cell cell = cli_field_cell(&fields[i], &holder);
        struct cli_text text = cli_cell_to_text(&cell, CLI_TIME_RFC3339, room);
        assert_int_equal(text.size, strlen(texts[i]));
        assert_memory_equal(text.data, texts[i], text.size);
    }
    assert_true(holder.has_choice && holder.choice == TAU_DIRECTION_BACKWARD);
    capture_end(&capture);
}

static void test_refuse(void **state)
{
    static const struct {
        size_t field;
        const char *text;
    } cases[] = {{0, "0"}, {0, "201"},   {0, "-1"},       {1, "4294967296"}, {2, "1.5"},
                 {3, "x"}, {4, "maybe"}, {5, "sideways"}, {6, "noon"},       {7, "a\\"},
                 {9, "1"}, {9, "999ns"}, {9, "1d1ns"}};
    struct capture capture;
    struct holder holder;
    struct holder untouched;
    (void)state;
    memset(&holder, 0x5A, sizeof(holder));
    memcpy(&untouched, &holder, sizeof(holder));
    capture_begin(&capture);
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cli_field_read(&capture.cli, &fields[cases[i].field], cases[i].text, &holder)) {
            fail_msg("`%s` was read", cases[i].text);
        }
    }
    assert_memory_equal(&holder, &untouched, sizeof(holder));
    capture_end(&capture);
}

/* What has a meaning only beside a count is no value while that is 0, whatever the bytes are. */
static void test_only_with(void **state)
{
    static const struct cli_field field = {FIELD(time, CLI_FIELD_TIME),
                                           .needs_offset = offsetof(struct holder, large),
                                           .needs_size = sizeof(uint32_t)};
    struct holder holder = {.small = 1, .large = 0, .number = 1, .time = 1};
    (void)state;
    assert_int_equal(cli_field_cell(&field, &holder).kind, CLI_CELL_NONE);
    holder.large = 0x01000000;
    assert_int_equal(cli_field_cell(&field, &holder).kind, CLI_CELL_TIME);
    assert_int_equal(cli_field_cell(&field, &holder).as.i64, 1);
}

/* A value that this version has no name for is printed as a number. */
static void test_unknown_choice(void **state)
{
    struct holder holder = {.has_choice = true, .choice = (enum tau_direction)9};
    (void)state;
    struct cli_cell cell = cli_field_cell(&fields[5], &holder);
    assert_int_equal(cell.kind, CLI_CELL_U64);
    assert_int_equal(cell.as.u64, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_only_with),
        cmocka_unit_test(test_unknown_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
