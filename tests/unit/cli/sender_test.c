/* SPDX-License-Identifier: MIT */
/* Rows in batches: what a batch travels as, what comes before it, and what becomes of each row. */
#include "command_rig.h"
#include "import/sender.h"
#include "memory_fault.h"

struct log {
    char refused[256]; /* file:line status; */
    char failed[256];  /* file:line-file:line rows status; */
};

static void on_refused(void *user_data, const struct cli_place *place, enum tau_status status)
{
    struct log *log = user_data;
    size_t used = strlen(log->refused);
    snprintf(log->refused + used, sizeof(log->refused) - used, "%u:%u %s;", place->file,
             (unsigned)place->line, tau_status_name(status));
}

static void on_batch_failed(void *user_data, const struct cli_place *first,
                            const struct cli_place *last, size_t row_count, enum tau_status status,
                            const struct tau_error *error)
{
    struct log *log = user_data;
    size_t used = strlen(log->failed);
    (void)error;
    snprintf(log->failed + used, sizeof(log->failed) - used, "%u:%u-%u:%u %zu %s;", first->file,
             (unsigned)first->line, last->file, (unsigned)last->line, row_count,
             tau_status_name(status));
}

static void begin(struct command_rig *rig, struct cli_sender *sender, struct log *log)
{
    memset(log, 0, sizeof(*log));
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    assert_int_equal(cli_sender_init(sender, rig->cli->client, on_refused, on_batch_failed, log),
                     TAU_STATUS_SUCCESS);
}

/* Adds a row that was read at this line of file 1. */
static bool add(struct cli_sender *sender, const char *series, int64_t timestamp, uint64_t line)
{
    struct tau_row row = {
        .label = label_of(series), .timestamp = timestamp, .value = (double)timestamp / 2};
    struct cli_place place = {.file = 1, .line = line};
    return cli_sender_add(sender, &row, &place);
}

static void test_one_series_travels_as_columns(void **state)
{
    struct command_rig *rig = *state;
    struct tau_batch_append_request request = {.count = 0};
    struct tau_label label = label_of("a");
    struct cli_sender sender;
    struct log log;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    begin(rig, &sender, &log);
    assert_true(add(&sender, "a", 10, 1));
    assert_true(add(&sender, "a", 11, 2));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_BATCH_APPEND), 0);
    assert_true(cli_sender_finish(&sender));
    assert_int_equal(sender.accepted, 2);
    assert_int_equal(sender.rejected + sender.unknown, 0);
    assert_int_equal(tau_batch_append_request_decode(rig_request(rig, TAU_OPCODE_BATCH_APPEND, 0),
                                                     &request, NULL),
                     TAU_STATUS_SUCCESS);
    assert_memory_equal(&request.label, &label, sizeof(label));
    assert_int_equal(request.timestamps.count, 2);
    assert_int_equal(tau_i64_at(request.timestamps, 1), 11);
    assert_true(tau_f64_at(request.values, 1) == 5.5);
    cli_sender_done(&sender);
}

static void test_several_series_travel_as_rows(void **state)
{
    struct command_rig *rig = *state;
    struct tau_multi_append_request request = {.count = 0};
    struct tau_label label = label_of("b");
    struct cli_sender sender;
    struct log log;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    begin(rig, &sender, &log);
    assert_true(add(&sender, "a", 10, 1));
    assert_true(add(&sender, "b", 20, 2));
    assert_true(add(&sender, "a", 11, 3));
    assert_true(cli_sender_finish(&sender));
    assert_int_equal(sender.accepted, 3);
    assert_int_equal(tau_multi_append_request_decode(rig_request(rig, TAU_OPCODE_MULTI_APPEND, 0),
                                                     &request, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(request.rows.count, 3);
    struct tau_row row = tau_row_at(request.rows, 1);
    assert_memory_equal(&row.label, &label, sizeof(label));
    assert_true(row.timestamp == 20 && row.value == 10);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 2);
    cli_sender_done(&sender);
}

/* A series is created once, before the first row that needs it, and no matter what is answered. */
static void test_series_are_created_once(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("a");
    struct cli_sender sender;
    struct log log;
    rig_refuse(rig, TAU_OPCODE_CREATE_SERIES, TAU_STATUS_SERIES_ALREADY_EXISTS);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    begin(rig, &sender, &log);
    for (int64_t i = 0; i < 3; i++) {
        assert_true(add(&sender, "a", i, 1));
        assert_true(cli_sender_finish(&sender));
    }
    assert_int_equal(sender.accepted, 3);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 1);
    assert_memory_equal(rig_request(rig, TAU_OPCODE_CREATE_SERIES, 0).data, &label, sizeof(label));
    cli_sender_done(&sender);
}

static void test_nothing_to_send(void **state)
{
    struct command_rig *rig = *state;
    struct cli_sender sender;
    struct log log;
    begin(rig, &sender, &log);
    assert_true(cli_sender_finish(&sender));
    assert_true(cli_sender_finish(&sender));
    cli_sender_done(&sender);
}

/* A refused row is told by where it was read; a row number that is none is not looked up. */
static void test_refused_rows(void **state)
{
    struct command_rig *rig = *state;
    struct cli_sender sender;
    struct log log;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_reply_refused(rig, TAU_OPCODE_BATCH_APPEND, 2, 1, TAU_STATUS_OUT_OF_ORDER);
    rig_reply_refused(rig, TAU_OPCODE_BATCH_APPEND, 1, 77, TAU_STATUS_OUT_OF_ORDER);
    begin(rig, &sender, &log);
    add(&sender, "a", 1, 100);
    add(&sender, "a", 0, 102);
    add(&sender, "a", 2, 103);
    assert_true(cli_sender_finish(&sender));
    assert_string_equal(log.refused, "1:102 out_of_order;");
    assert_int_equal(sender.accepted, 2);
    assert_int_equal(sender.rejected, 1);
    add(&sender, "a", 3, 104);
    assert_true(cli_sender_finish(&sender));
    assert_string_equal(log.refused, "1:102 out_of_order;");
    assert_int_equal(sender.rejected, 2);
    assert_string_equal(log.failed, "");
    cli_sender_done(&sender);
}

/* A batch that is refused as a whole ends the sending. */
static void test_refused_batch(void **state)
{
    struct command_rig *rig = *state;
    struct cli_sender sender;
    struct log log;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_refuse(rig, TAU_OPCODE_MULTI_APPEND, TAU_STATUS_READ_ONLY);
    begin(rig, &sender, &log);
    add(&sender, "a", 1, 5);
    add(&sender, "b", 1, 9);
    assert_false(cli_sender_finish(&sender));
    assert_string_equal(log.failed, "1:5-1:9 2 read_only;");
    assert_int_equal(sender.failed, TAU_STATUS_READ_ONLY);
    assert_int_equal(sender.rejected, 2);
    assert_int_equal(sender.unknown, 0);
    assert_false(add(&sender, "a", 2, 10));
    assert_false(cli_sender_finish(&sender));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_MULTI_APPEND), 1);
    cli_sender_done(&sender);
}

/* Rows whose answer is lost may be stored or not: they count as neither. */
static void test_lost_answer(void **state)
{
    struct command_rig *rig = *state;
    struct cli_sender sender;
    struct log log;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_close(rig, TAU_OPCODE_BATCH_APPEND);
    begin(rig, &sender, &log);
    add(&sender, "a", 1, 5);
    assert_false(cli_sender_finish(&sender));
    assert_string_equal(log.failed, "1:5-1:5 1 outcome_unknown;");
    assert_int_equal(sender.unknown, 1);
    assert_int_equal(sender.rejected + sender.accepted, 0);
    cli_sender_done(&sender);
}

static void test_connection_that_is_lost_already(void **state)
{
    struct command_rig *rig = *state;
    struct cli_sender sender;
    struct tau_ping_request ping = {.ignored = {.size = 0}};
    struct log log;
    begin(rig, &sender, &log);
    rig_stop_server(rig);
    assert_int_not_equal(tau_client_ping(rig->cli->client, &ping, NULL), TAU_STATUS_SUCCESS);
    assert_false(add(&sender, "a", 1, 5));
    assert_int_equal(sender.failed, TAU_STATUS_CONNECTION_LOST);
    cli_sender_done(&sender);
}

/* A full batch leaves by itself, and batches that are all in flight are waited for. */
static void test_many_batches(void **state)
{
    const size_t batches = CLI_BATCH_COUNT + 3;
    struct command_rig *rig = *state;
    struct tau_batch_append_request first = {.count = 0};
    struct cli_sender sender;
    struct log log;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    begin(rig, &sender, &log);
    for (size_t i = 0; i < batches * CLI_BATCH_ROWS + 1; i++) {
        assert_true(add(&sender, "a", (int64_t)i, i));
    }
    assert_true(rig_requests(rig, TAU_OPCODE_BATCH_APPEND) > batches - CLI_BATCH_COUNT);
    assert_true(cli_sender_finish(&sender));
    assert_int_equal(sender.accepted, batches * CLI_BATCH_ROWS + 1);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_BATCH_APPEND), batches + 1);
    assert_int_equal(
        tau_batch_append_request_decode(rig_request(rig, TAU_OPCODE_BATCH_APPEND, 0), &first, NULL),
        TAU_STATUS_SUCCESS);
    assert_int_equal(first.timestamps.count, CLI_BATCH_ROWS);
    cli_sender_done(&sender);
}

static void test_no_memory(void **state)
{
    struct cli_sender sender;
    (void)state;
    for (size_t i = 0; i < CLI_BATCH_COUNT + 2; i++) {
        memory_fault_after(i);
        assert_int_equal(cli_sender_init(&sender, NULL, on_refused, on_batch_failed, NULL),
                         TAU_STATUS_NO_MEMORY);
        assert_true(memory_fault_end());
        cli_sender_done(&sender);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_one_series_travels_as_columns),
        RIG_TEST(test_several_series_travel_as_rows),
        RIG_TEST(test_series_are_created_once),
        RIG_TEST(test_nothing_to_send),
        RIG_TEST(test_refused_rows),
        RIG_TEST(test_refused_batch),
        RIG_TEST(test_lost_answer),
        RIG_TEST(test_connection_that_is_lost_already),
        RIG_TEST(test_many_batches),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
