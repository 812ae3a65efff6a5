/* SPDX-License-Identifier: MIT */
/* tau-cli call: what goes out, what is printed of one frame and of many, and each failure. */
#include "strange_server.h"

static void plan_server(struct command_rig *rig)
{
    plan_strange_offer(rig);
    plan_strange_document(rig);
}

static void test_unary(void **state)
{
    struct command_rig *rig = *state;
    static const char expected[] = "ab\0\0\0\1n\7\1\1xy\0\0\0\5\0\0\0\11end";
    plan_server(rig);
    plan_payload(rig, STRANGE_OPCODE, "\0\7\1ab\0\0\0\1\0\0\0\0\0\0\0\2\7", 18);
    rig_expect(rig,
               "call strange tag=ab note=n colour=blue bold=true pairs=xy/5 numbers=9 tail=end "
               "--format jsonl",
               CLI_OK,
               "{\"at\": null, \"outcome\": \"series_not_found\"}\n"
               "{\"tag\": \"ab\", \"level\": 1, \"size\": 2}\n"
               "{\"rest\": \"blue\"}\n",
               "");
    struct tau_slice asked = rig_request(rig, STRANGE_OPCODE, 0);
    assert_int_equal(asked.size, sizeof(expected) - 1);
    assert_memory_equal(asked.data, expected, sizeof(expected) - 1);
}

/* Layouts are not told, so that the server refuses none. */
static void test_no_layouts_are_told(void **state)
{
    struct command_rig *rig = *state;
    struct tau_negotiate_request request;
    plan_server(rig);
    plan_payload(rig, FLOW_OPCODE, "\1", 1);
    assert_int_equal(rig_run(rig, "call FLOW"), CLI_OK);
    assert_int_equal(
        tau_negotiate_request_decode(rig_request(rig, TAU_OPCODE_NEGOTIATE, 0), &request, NULL),
        TAU_STATUS_SUCCESS);
    assert_int_equal(request.operations.count, 0);
}

/* Two frames of FLOW; the second is `last`. */
static void plan_flow(struct command_rig *rig, const char *last, size_t last_size)
{
    static const uint8_t first[] = {
        'T', 'A', 'U', 1, 0xF0, TAU_FLAG_MORE, 0, 0, 0, 9, 1, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0};
    const struct tau_header header = {.opcode = TAU_OPCODE_OK,
                                      .payload_length = (uint32_t)last_size};
    struct rig_plan plan = {.opcode = FLOW_OPCODE,
                            .deed = RIG_FRAME,
                            .size = sizeof(first) + TAU_HEADER_SIZE + last_size};
    plan.frame = malloc(plan.size);
    assert_non_null(plan.frame);
    memcpy(plan.frame, first, sizeof(first));
    tau_header_store(plan.frame + sizeof(first), &header);
    memcpy(plan.frame + sizeof(first) + TAU_HEADER_SIZE, last, last_size);
    rig_server_plan(rig->server, &plan);
}

static void test_stream(void **state)
{
    struct command_rig *rig = *state;
    plan_server(rig);
    plan_flow(rig, "\0\xbf\xf0\0\0\0\0\0\0", 9);
    rig_expect(rig, "call flow --format csv", CLI_OK, "first,value\ntrue,1\nfalse,-1\n", "");
}

static void test_stream_that_does_not_fit(void **state)
{
    struct command_rig *rig = *state;
    plan_server(rig);
    plan_flow(rig, "\0half", 5);
    rig_expect(rig, "call FLOW --format csv", CLI_ERROR, "first,value\ntrue,1\n",
               "tau-cli: call: the answer to FLOW is not what the server says of it: values: its "
               "last element is cut off\n");
}

/* As a newer server lays it out: what the library would not send is sent. */
static void test_operation_of_another_layout(void **state)
{
    struct command_rig *rig = *state;
    char *text = strange_text();
    char *flow = strstr(text, "\"FLOW\",\"code\":123");
    memcpy(flow, "\"LOOK\",\"code\":48 ", strlen("\"FLOW\",\"code\":123"));
    plan_strange_offer(rig);
    plan_document(rig, text);
    plan_payload(rig, TAU_OPCODE_QUERY_POINT, "\1", 1);
    assert_int_equal(rig_run(rig, "call LOOK"), CLI_OK);
    rig_expect(rig, "get cpu 5", CLI_REFUSED, "",
               "tau-cli: get: cpu: client and server were compiled with different layouts of "
               "QUERY_POINT (layout_mismatch); upgrade tau-cli, or use `tau-cli call`\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_POINT), 1);
    free(text);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "call", CLI_USAGE, "OPERATION is missing");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
    plan_server(rig);
    rig_refuse(rig, FLOW_OPCODE, TAU_STATUS_SERIES_NOT_FOUND);
    rig_silence(rig, STRANGE_OPCODE);
    rig_expect_failure(rig, "call APPEND", CLI_USAGE, "no operation `APPEND`");
    rig_expect_failure(rig, "call FLOW x=1", CLI_USAGE, "FLOW has no field `x`");
    rig_expect(rig, "call FLOW --format jsonl", CLI_REFUSED, "",
               "tau-cli: call: FLOW: There is no series of this label. (series_not_found)\n");
    rig_expect_failure(rig,
                       "call STRANGE tag=a note= colour=red bold=true --format jsonl "
                       "--timeout 800ms",
                       CLI_NO_CONNECTION, "STRANGE was not answered before its deadline");
    rig_stop_server(rig);
    rig_expect_failure(rig, "call FLOW", CLI_NO_CONNECTION, "(connection_failed)");
}

/* The session's own operations are tau-cli's business. */
static void test_session_operations(void **state)
{
    struct command_rig *rig = *state;
    char *text = strange_text();
    char *scope = strstr(text, "\"scope\":\"any\"");
    char *changed = malloc(strlen(text) + 64);
    assert_non_null(changed);
    sprintf(changed, "%.*s\"scope\":\"session\"%s", (int)(scope - text), text,
            scope + strlen("\"scope\":\"any\""));
    plan_strange_offer(rig);
    plan_document(rig, changed);
    rig_expect_failure(rig, "call STRANGE", CLI_USAGE, "STRANGE belongs to the connection");
    free(changed);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_unary),
        RIG_TEST(test_no_layouts_are_told),
        RIG_TEST(test_stream),
        RIG_TEST(test_stream_that_does_not_fit),
        RIG_TEST(test_operation_of_another_layout),
        RIG_TEST(test_failures),
        RIG_TEST(test_session_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
