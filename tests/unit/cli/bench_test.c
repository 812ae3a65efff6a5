/* SPDX-License-Identifier: MIT */
/* tau-cli bench: which workloads run and how, the row of each, and what its options may be. */
#include "command_rig.h"
#include "memory_fault.h"

/* Small enough to be over soon, and long enough for a server that a busy machine keeps waiting. */
#define SMALL " -c 1 --series 1 -b 10 --duration 200ms --format jsonl"

static void plan_all(struct command_rig *rig)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_query_point_response response = {.has_value = true, .value = 1};
    assert_true(tau_query_point_response_encode(&response, &out));
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_ok(rig, TAU_OPCODE_DROP_SERIES);
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    rig_reply(rig, TAU_OPCODE_QUERY_POINT, &out);
}

/* The number behind a name in the row of a workload. */
static double cell(const char *row, const char *name)
{
    char key[64];
    snprintf(key, sizeof(key), "\"%s\": ", name);
    const char *at = strstr(row, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

static void test_all_workloads_in_turn(void **state)
{
    static const char *const names[] = {"append", "batch", "query"};
    struct command_rig *rig = *state;
    plan_all(rig);
    assert_int_equal(rig_run(rig, "bench -d 100" SMALL), CLI_OK);
    const char *row = rig->out;
    for (size_t i = 0; i < COUNT(names); i++) {
        char begin[64];
        int depth = i == 1 ? 16 : 100; /* batches are deep by themselves */
        snprintf(begin, sizeof(begin), "{\"workload\": \"%s\", \"connections\": 1, \"depth\": %d, ",
                 names[i], depth);
        assert_int_equal(strncmp(row, begin, strlen(begin)), 0);
        assert_true(cell(row, "requests_per_second") > 0);
        assert_true(cell(row, "points_per_second") >=
                    cell(row, "requests_per_second") * (i == 1 ? 9.9 : 1));
        assert_true(cell(row, "p50_us") > 0);
        assert_true(cell(row, "p50_us") <= cell(row, "p99_us"));
        assert_true(cell(row, "p99_us") <= cell(row, "p999_us"));
        assert_true(cell(row, "max_us") < 1e7);
        assert_true(cell(row, "failed") == 0);
        row = strchr(row, '\n') + 1;
    }
    assert_string_equal(row, "");
    assert_string_equal(rig->err, "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 3);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_DROP_SERIES), 3);
}

static void test_one_workload(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_ok(rig, TAU_OPCODE_DROP_SERIES);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    assert_int_equal(rig_run(rig, "bench batch -d 2 -c 3 --series 2 -b 7 --duration 10ms"), CLI_OK);
    assert_non_null(strstr(rig->out, "batch               3      2  "));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 6);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 1 + 3);
}

/* On a terminal it says what it is at: that takes a while. */
static void test_progress(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_ok(rig, TAU_OPCODE_DROP_SERIES);
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig->cli->terminal.err = true;
    assert_int_equal(rig_run(rig, "bench append" SMALL), CLI_OK);
    assert_string_equal(rig->err, "append ...\r");
}

/* Failed requests end no measurement: the row is printed, and what failed is said. */
static void test_failed_requests(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_ok(rig, TAU_OPCODE_DROP_SERIES);
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(rig_run(rig, "bench" SMALL), CLI_REFUSED);
    assert_true(cell(rig->out, "failed") > 0);
    assert_true(cell(rig->out, "requests_per_second") == 0);
    assert_null(strstr(rig->out, "batch"));
    assert_non_null(strstr(rig->err, "bench: append: "));
    assert_non_null(strstr(rig->err, "(storage_full)"));
}

static void test_load_that_cannot_be_prepared(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_CREATE_SERIES, TAU_STATUS_READ_ONLY);
    rig_refuse(rig, TAU_OPCODE_DROP_SERIES, TAU_STATUS_READ_ONLY);
    rig_expect_failure(rig, "bench" SMALL, CLI_REFUSED, "(read_only)");
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {{"bench faster", "there is no workload `faster`"},
                 {"bench append -c 0", "--connections"},
                 {"bench append -c 1025", "--connections"},
                 {"bench append -d 65537", "--depth"},
                 {"bench append --series 1000001", "--series"},
                 {"bench append -b 262142", "--batch"},
                 {"bench append -b many", "--batch"},
                 {"bench append --duration 999us", "--duration"},
                 {"bench append batch", "batch"}};
    struct command_rig *rig = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_expect_failure(rig, cases[i].line, CLI_USAGE, cases[i].words);
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "bench append", CLI_NO_CONNECTION, "(connection_failed)");
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    rig_expect_failure(rig, "bench append" SMALL, CLI_ERROR, "(no_memory)");
    assert_true(memory_fault_end());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_all_workloads_in_turn),
        RIG_TEST(test_one_workload),
        RIG_TEST(test_progress),
        RIG_TEST(test_failed_requests),
        RIG_TEST(test_load_that_cannot_be_prepared),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
