/* SPDX-License-Identifier: MIT */
/* tau-cli spec: the list, one operation, the document itself, and each failure. */
#include "strange_server.h"

static void test_list(void **state)
{
    struct command_rig *rig = *state;
    plan_strange_offer(rig);
    plan_strange_document(rig);
    rig_expect(rig, "spec --format csv", CLI_OK,
               "operation,code,since,known,summary\n"
               "STRANGE,0x7A,9,no,Does what nobody knew\n"
               "FLOW,0x7B,9,no,Does what nobody knew\n",
               "");
}

/* What is known is told by name, opcode and layout together. */
static void test_known(void **state)
{
    struct command_rig *rig = *state;
    char *text = strange_text();
    char *strange = strstr(text, "\"STRANGE\",\"code\":122");
    memcpy(strange, "\"APPEND\" ,\"code\":32 ", strlen("\"APPEND\" ,\"code\":32 "));
    char *flow = strstr(text, "\"FLOW\",\"code\":123");
    char *renamed = malloc(strlen(text) + 64);
    assert_non_null(renamed);
    sprintf(renamed, "%.*s\"QUERY_POINT\",\"code\":48%s", (int)(flow - text), text,
            flow + strlen("\"FLOW\",\"code\":123"));
    plan_strange_offer(rig);
    plan_document(rig, renamed);
    rig_expect(rig, "spec --format csv", CLI_OK,
               "operation,code,since,known,summary\n"
               "APPEND,0x20,9,yes,Does what nobody knew\n"
               "QUERY_POINT,0x30,9,another layout,Does what nobody knew\n",
               "");
    free(renamed);
    free(text);
}

static void test_operation(void **state)
{
    struct command_rig *rig = *state;
    plan_strange_document(rig);
    assert_int_equal(rig_run(rig, "spec strange"), CLI_OK);
    assert_memory_equal(rig->out, "STRANGE, opcode 0x7A", 20);
    assert_int_equal(rig_run(rig, "spec FLOW --format json"), CLI_OK);
    assert_memory_equal(rig->out, "{\n \"name\": \"FLOW\",\n", 19);
    assert_int_equal(rig_run(rig, "spec --format json"), CLI_OK);
    assert_non_null(strstr(rig->out, "\"services\""));
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "spec a b", CLI_USAGE, "b");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
    plan_strange_document(rig);
    plan_document(rig, "[]");
    rig_expect_failure(rig, "spec QUERY_POINT", CLI_USAGE, "no operation `QUERY_POINT`");
    rig_expect_failure(rig, "spec", CLI_ERROR, "cannot be read");
    rig_stop_server(rig);
    rig_expect_failure(rig, "spec", CLI_NO_CONNECTION, "connection");
}

int main(void)
{
    const struct CMUnitTest tests[] = {RIG_TEST(test_list), RIG_TEST(test_known),
                                       RIG_TEST(test_operation), RIG_TEST(test_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
