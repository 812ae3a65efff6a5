/* SPDX-License-Identifier: MIT */
/* tau-cli compact: it waits for the end, says nothing then, and says why it failed. */
#include "command_rig.h"

static void reply(struct command_rig *rig)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_compact_response response = {.done = 3, .total = 3};
    assert_true(tau_compact_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_COMPACT, &out);
}

static void test_done(void **state)
{
    struct command_rig *rig = *state;
    reply(rig);
    rig_expect(rig, "compact", CLI_OK, "", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_COMPACT), 1);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "compact now", CLI_USAGE, "now");
    rig_refuse(rig, TAU_OPCODE_COMPACT, TAU_STATUS_STORAGE_FULL);
    rig_expect_failure(rig, "compact", CLI_REFUSED, "(storage_full)");
    rig_stop_server(rig);
    rig_expect_failure(rig, "compact", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {RIG_TEST(test_done), RIG_TEST(test_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
