/* SPDX-License-Identifier: MIT */
/* Waiting for the server's work: the line on a terminal, and Ctrl-C. */
#include <signal.h>

#include "command_rig.h"
#include "interrupt.h"
#include "work.h"

struct asked {
    size_t count;
    bool went_on;
};

static struct asked asked;

/* A server that tells how far it is three times. */
static enum tau_status ask(struct tau_client *client, const char *name, struct cli_work *work,
                           struct tau_error *error)
{
    (void)client;
    *error = (struct tau_error){.status = TAU_STATUS_CANCELLED};
    if (strcmp(name, "interrupted") == 0) {
        raise(SIGINT);
    }
    for (uint64_t done = 0; done < 3; done++) {
        asked.went_on = cli_work_tell(work, done, 2);
        asked.count++;
        if (!asked.went_on) {
            return TAU_STATUS_CANCELLED;
        }
    }
    return cli_work_tell(work, 5, 0) ? TAU_STATUS_SUCCESS : TAU_STATUS_CANCELLED;
}

static int run(struct command_rig *rig, const char *name)
{
    size_t before = rig->capture.err_size;
    asked = (struct asked){.count = 0};
    int code = cli_work_run(rig->cli, ask, name);
    capture_flush(&rig->capture);
    rig->err = rig->capture.err + before;
    return code;
}

static void test_silence_without_a_terminal(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(run(rig, "a"), CLI_OK);
    assert_string_equal(rig->err, "");
    assert_int_equal(asked.count, 3);
}

static void test_a_line_on_a_terminal(void **state)
{
    struct command_rig *rig = *state;
    rig->cli->terminal.err = true;
    assert_int_equal(run(rig, "a"), CLI_OK);
    assert_string_equal(rig->err, "\r\033[K0 %\r\033[K50 %\r\033[K100 %\r\033[K");
}

static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(run(rig, "interrupted"), CLI_REFUSED);
    assert_int_equal(asked.count, 1);
    assert_non_null(strstr(rig->err, "(cancelled)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_silence_without_a_terminal),
        RIG_TEST(test_a_line_on_a_terminal),
        RIG_TEST(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
