/* SPDX-License-Identifier: MIT */
/* tau-cli snapshot: the name that is asked for, and why it failed. */
#include "command_rig.h"

static void reply(struct command_rig *rig)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_snapshot_response response = {.done = 0};
    assert_true(tau_snapshot_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_SNAPSHOT, &out);
}

static void test_done(void **state)
{
    struct command_rig *rig = *state;
    struct tau_snapshot_request request;
    reply(rig);
    rig_expect(rig, "snapshot before-upgrade", CLI_OK, "", "");
    assert_int_equal(tau_snapshot_request_decode(rig_request(rig, TAU_OPCODE_SNAPSHOT, 0),
                                                 &request, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(request.name.size, 14);
    assert_memory_equal(request.name.data, "before-upgrade", 14);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "snapshot", CLI_USAGE, "NAME");
    rig_expect_failure(rig, "snapshot 12345678901234567890123456789012345678901234567890123456789"
                            "012345",
                       CLI_USAGE, "NAME: ");
    static const char *const wrong[] = {"snapshot ''", "snapshot .", "snapshot .a", "snapshot a/b",
                                        "snapshot 'a b'", "snapshot \xc3\xa9"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        rig_expect_failure(rig, wrong[i], CLI_USAGE, "NAME: ");
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
    rig_refuse(rig, TAU_OPCODE_SNAPSHOT, TAU_STATUS_INVALID_PAYLOAD);
    rig_expect_failure(rig, "snapshot one", CLI_REFUSED, "snapshot: one: ");
    rig_stop_server(rig);
    rig_expect_failure(rig, "snapshot one", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {RIG_TEST(test_done), RIG_TEST(test_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
