/* SPDX-License-Identifier: MIT */
/* Pages of a range: where each begins, how much it asks for, both ways, up to the edges of time. */
#include "command_rig.h"
#include "memory_fault.h"
#include "pages.h"

static struct cli_range range_of(int64_t from_ns, int64_t to_ns, uint64_t limit)
{
    return (struct cli_range){
        .label = label_of("cpu"), .from_ns = from_ns, .to_ns = to_ns, .limit = limit};
}

static void begin(struct command_rig *rig, struct cli_pages *pages, const struct cli_range *range)
{
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    assert_true(cli_pages_init(pages, range));
}

/* Reads a page that must hold so many points, the first of them this. */
static void expect_page(struct command_rig *rig, struct cli_pages *pages, size_t count,
                        int64_t first)
{
    assert_int_equal(cli_pages_next(rig->cli, pages), CLI_OK);
    assert_int_equal(pages->count, count);
    if (count > 0) {
        assert_int_equal(pages->timestamps[0], first);
        assert_true(pages->values[0] == (double)first);
    }
}

static void test_pages_follow_each_other(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(INT64_MIN, INT64_MAX, 0);
    struct cli_pages pages;
    rig_reply_run(rig, 10, 2, CLI_PAGE_POINTS);
    rig_reply_run(rig, 500000, 1, 3);
    begin(rig, &pages, &range);
    expect_page(rig, &pages, CLI_PAGE_POINTS, 10);
    expect_page(rig, &pages, 3, 500000);
    expect_page(rig, &pages, 0, 0); /* a page that is not full was the last */
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 2);
    struct tau_query_range_request first = rig_range_request(rig, 0);
    assert_memory_equal(&first.label, &range.label, sizeof(first.label));
    assert_int_equal(first.from, INT64_MIN);
    assert_int_equal(first.to, INT64_MAX);
    assert_int_equal(first.limit, CLI_PAGE_POINTS);
    assert_int_equal(first.direction, TAU_DIRECTION_FORWARD);
    assert_int_equal(rig_range_request(rig, 1).from, 10 + 2 * (CLI_PAGE_POINTS - 1) + 1);
    assert_int_equal(rig_range_request(rig, 1).to, INT64_MAX);
    cli_pages_done(&pages);
}

static void test_backward(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(0, 200000, 0);
    struct cli_pages pages;
    range.backward = true;
    rig_reply_run(rig, 200000, -1, CLI_PAGE_POINTS);
    rig_reply_run(rig, 9, -1, 1);
    begin(rig, &pages, &range);
    expect_page(rig, &pages, CLI_PAGE_POINTS, 200000);
    expect_page(rig, &pages, 1, 9);
    expect_page(rig, &pages, 0, 0);
    assert_int_equal(rig_range_request(rig, 1).direction, TAU_DIRECTION_BACKWARD);
    assert_int_equal(rig_range_request(rig, 1).from, 0);
    assert_int_equal(rig_range_request(rig, 1).to, 200000 - CLI_PAGE_POINTS);
    cli_pages_done(&pages);
}

/* Only what is still wanted is asked for. */
static void test_limit(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(0, INT64_MAX, CLI_PAGE_POINTS + 5);
    struct cli_pages pages;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_reply_run(rig, CLI_PAGE_POINTS, 1, 5);
    begin(rig, &pages, &range);
    expect_page(rig, &pages, CLI_PAGE_POINTS, 0);
    expect_page(rig, &pages, 5, CLI_PAGE_POINTS);
    expect_page(rig, &pages, 0, 0);
    assert_int_equal(rig_range_request(rig, 1).limit, 5);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 2);
    cli_pages_done(&pages);
}

/* Behind the last moment of the range, and of time itself, there is nothing to ask for. */
static void expect_one_page(struct command_rig *rig, struct cli_range range, int64_t last)
{
    struct cli_pages pages;
    int64_t step = range.backward ? -1 : 1;
    int64_t first = last - step * (CLI_PAGE_POINTS - 1);
    size_t before = rig_requests(rig, TAU_OPCODE_QUERY_RANGE);
    rig_reply_run(rig, first, step, CLI_PAGE_POINTS);
    begin(rig, &pages, &range);
    expect_page(rig, &pages, CLI_PAGE_POINTS, first);
    assert_int_equal(pages.timestamps[CLI_PAGE_POINTS - 1], last);
    expect_page(rig, &pages, 0, 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), before + 1);
    cli_pages_done(&pages);
}

static void test_end_of_time(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range backward = range_of(INT64_MIN, INT64_MAX, 0);
    backward.backward = true;
    expect_one_page(rig, range_of(0, 100000, 0), 100000);
    expect_one_page(rig, range_of(INT64_MIN, INT64_MAX, 0), INT64_MAX);
    expect_one_page(rig, backward, INT64_MIN);
}

static void test_empty_range_asks_nothing(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(2, 1, 0);
    struct cli_pages pages;
    begin(rig, &pages, &range);
    expect_page(rig, &pages, 0, 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 0);
    cli_pages_done(&pages);
}

/* A page whose connection ended is read again from its beginning, once. */
static void test_lost_connection(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(0, INT64_MAX, 0);
    struct cli_pages pages;
    struct tau_error error;
    rig_close(rig, TAU_OPCODE_QUERY_RANGE);
    rig_reply_run(rig, 7, 1, 2);
    rig_close(rig, TAU_OPCODE_QUERY_RANGE);
    begin(rig, &pages, &range);
    expect_page(rig, &pages, 2, 7);
    assert_int_equal(rig_range_request(rig, 1).from, 0);
    cli_pages_done(&pages);
    begin(rig, &pages, &range);
    assert_int_equal(cli_pages_fetch(rig->cli, &pages, &error), TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(pages.count, 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 4);
    cli_pages_done(&pages);
}

static void test_server_is_gone(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(0, INT64_MAX, 0);
    struct cli_pages pages;
    begin(rig, &pages, &range);
    rig_stop_server(rig);
    assert_int_equal(cli_pages_next(rig->cli, &pages), CLI_NO_CONNECTION);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "tau-cli: cpu: "));
    cli_pages_done(&pages);
}

static void test_refusal(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range = range_of(0, INT64_MAX, 0);
    struct cli_pages pages;
    struct tau_error error;
    rig_refuse(rig, TAU_OPCODE_QUERY_RANGE, TAU_STATUS_SERIES_NOT_FOUND);
    begin(rig, &pages, &range);
    assert_int_equal(cli_pages_fetch(rig->cli, &pages, &error), TAU_STATUS_SERIES_NOT_FOUND);
    capture_flush(&rig->capture);
    assert_int_equal(rig->capture.err_size, 0); /* that is for the caller to say */
    assert_int_equal(cli_pages_next(rig->cli, &pages), CLI_REFUSED);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "(series_not_found)"));
    assert_int_equal(pages.count, 0);
    cli_pages_done(&pages);
}

/* A server that sends more than it was asked for is not believed. */
static void test_too_many_points(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range few = range_of(0, INT64_MAX, 2);
    struct cli_range all = range_of(0, INT64_MAX, 0);
    struct cli_pages pages;
    rig_reply_run(rig, 0, 1, 3);
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS + 1);
    begin(rig, &pages, &few);
    assert_int_not_equal(cli_pages_next(rig->cli, &pages), CLI_OK);
    assert_int_equal(pages.count, 0);
    cli_pages_done(&pages);
    begin(rig, &pages, &all);
    assert_int_not_equal(cli_pages_next(rig->cli, &pages), CLI_OK);
    assert_int_equal(pages.count, 0);
    cli_pages_done(&pages);
}

static void test_no_memory(void **state)
{
    struct cli_range range = range_of(0, 1, 0);
    struct cli_pages pages;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        memory_fault_after(i);
        assert_false(cli_pages_init(&pages, &range));
        assert_true(memory_fault_end());
        cli_pages_done(&pages);
        cli_pages_done(&pages); /* once more does no harm */
    }
}

static void test_bounds_as_typed(void **state)
{
    struct command_rig *rig = *state;
    struct cli_range range;
    assert_true(cli_range_read(rig->cli, NULL, NULL, &range));
    assert_true(range.from_ns == INT64_MIN && range.to_ns == INT64_MAX);
    assert_true(cli_range_read(rig->cli, "1", "1970-01-01T00:00:02Z", &range));
    assert_true(range.from_ns == 1 && range.to_ns == 2 * CLI_NS_PER_SECOND);
    assert_false(cli_range_read(rig->cli, "noon", NULL, &range));
    assert_false(cli_range_read(rig->cli, NULL, "night", &range));
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "FROM: `noon`"));
    assert_non_null(strstr(rig->capture.err, "TO: `night`"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_pages_follow_each_other),
        RIG_TEST(test_backward),
        RIG_TEST(test_limit),
        RIG_TEST(test_end_of_time),
        RIG_TEST(test_empty_range_asks_nothing),
        RIG_TEST(test_lost_connection),
        RIG_TEST(test_server_is_gone),
        RIG_TEST(test_refusal),
        RIG_TEST(test_too_many_points),
        cmocka_unit_test(test_no_memory),
        RIG_TEST(test_bounds_as_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
