/* SPDX-License-Identifier: MIT */
/* The walk through labels: pages, the prefix, the limit, and what ends it early. */
#include "command_rig.h"
#include "memory_fault.h"
#include "series.h"

/* What was handed out. */
struct walk {
    char names[256];
    size_t count;
    size_t stop_at;
};

static bool note(void *user_data, const struct tau_label *label)
{
    struct walk *walk = user_data;
    char text[TAU_LABEL_TEXT_SIZE];
    tau_label_to_text(label, text);
    strcat(walk->names, text);
    strcat(walk->names, ";");
    return ++walk->count != walk->stop_at;
}

static enum tau_status walk_through(struct command_rig *rig, const char *prefix, uint64_t limit,
                                    struct walk *walk)
{
    struct tau_label label = label_of(prefix);
    struct tau_error error;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    return cli_series_each(rig->cli->client, &label, limit, note, walk, &error);
}

static struct tau_list_series_request asked(struct command_rig *rig, size_t index)
{
    struct tau_list_series_request request = {.limit = 0};
    assert_int_equal(tau_list_series_request_decode(rig_request(rig, TAU_OPCODE_LIST_SERIES, index),
                                                    &request, NULL),
                     TAU_STATUS_SUCCESS);
    return request;
}

static void test_pages(void **state)
{
    static const char *const first[] = {"a", "b"};
    static const char *const second[] = {"c"};
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    struct tau_label last = label_of("b");
    rig_reply_labels(rig, first, 2, true);
    rig_reply_labels(rig, second, 1, false);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_SUCCESS);
    assert_string_equal(walk.names, "a;b;c;");
    assert_int_equal(asked(rig, 0).limit, TAU_LIMIT_LIST_PAGE);
    assert_false(asked(rig, 0).has_cursor);
    struct tau_list_series_request request = asked(rig, 1);
    assert_true(request.has_cursor);
    assert_memory_equal(&request.cursor, &last, sizeof(last));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 2);
}

/* The zero bytes that fill a label up are no part of the prefix. */
static void test_prefix(void **state)
{
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    rig_reply_labels(rig, NULL, 0, false);
    assert_int_equal(walk_through(rig, "cpu.", 10, &walk), TAU_STATUS_SUCCESS);
    struct tau_list_series_request request = asked(rig, 0);
    assert_int_equal(request.prefix.size, 4);
    assert_memory_equal(request.prefix.data, "cpu.", 4);
    assert_int_equal(walk_through(rig, "", 10, &walk), TAU_STATUS_SUCCESS);
    assert_int_equal(asked(rig, 1).prefix.size, 0);
    assert_int_equal(walk.count, 0);
}

/* No more is asked for than is wanted, over all pages. */
static void test_limit(void **state)
{
    static const char *const first[] = {"a", "b"};
    static const char *const second[] = {"c"};
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    rig_reply_labels(rig, first, 2, true);
    rig_reply_labels(rig, second, 1, true);
    assert_int_equal(walk_through(rig, "", 3, &walk), TAU_STATUS_SUCCESS);
    assert_string_equal(walk.names, "a;b;c;");
    assert_int_equal(asked(rig, 0).limit, 3);
    assert_int_equal(asked(rig, 1).limit, 1);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 2);
    assert_int_equal(walk_through(rig, "", 0, &walk), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 2);
}

static void test_callback_ends_it(void **state)
{
    static const char *const labels[] = {"a", "b"};
    struct command_rig *rig = *state;
    struct walk walk = {.stop_at = 1};
    rig_reply_labels(rig, labels, 2, true);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_SUCCESS);
    assert_string_equal(walk.names, "a;");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 1);
}

/* An empty page that promises more would be asked for again without end. */
static void test_empty_page_ends_it(void **state)
{
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    rig_reply_labels(rig, NULL, 0, true);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 1);
}

/* Neither does a page that begins again, nor one that goes back, end never. */
static void test_pages_that_do_not_go_on(void **state)
{
    static const char *const first[] = {"a", "b"};
    static const char *const again[] = {"b", "c"};
    static const char *const back[] = {"d", "c"};
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    rig_reply_labels(rig, first, 2, true);
    rig_reply_labels(rig, again, 2, true);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_PROTOCOL_ERROR);
    assert_string_equal(walk.names, "a;b;");
    rig_reply_labels(rig, back, 2, true);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_PROTOCOL_ERROR);
    assert_string_equal(walk.names, "a;b;");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 3);
}

/* A page that was lost with its connection is asked for again, once. */
static void test_lost_connection(void **state)
{
    static const char *const labels[] = {"a"};
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    rig_close(rig, TAU_OPCODE_LIST_SERIES);
    rig_reply_labels(rig, labels, 1, false);
    rig_close(rig, TAU_OPCODE_LIST_SERIES);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_SUCCESS);
    assert_string_equal(walk.names, "a;");
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 4);
    assert_int_equal(walk.count, 1);
}

static void test_refusal(void **state)
{
    static const char *const labels[] = {"a"};
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    rig_reply_labels(rig, labels, 1, true);
    rig_refuse(rig, TAU_OPCODE_LIST_SERIES, TAU_STATUS_THROTTLED);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_THROTTLED);
    assert_string_equal(walk.names, "a;");
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    struct walk walk = {.count = 0};
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    assert_int_equal(walk_through(rig, "", UINT64_MAX, &walk), TAU_STATUS_NO_MEMORY);
    assert_true(memory_fault_end());
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_pages),
        RIG_TEST(test_prefix),
        RIG_TEST(test_limit),
        RIG_TEST(test_callback_ends_it),
        RIG_TEST(test_empty_page_ends_it),
        RIG_TEST(test_pages_that_do_not_go_on),
        RIG_TEST(test_lost_connection),
        RIG_TEST(test_refusal),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
