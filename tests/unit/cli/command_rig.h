/* SPDX-License-Identifier: MIT */
/*
 * A workbench for commands: a command line that runs in process, its two streams memory, and a
 * server on a socket of its own that answers as the test has planned and keeps what it was asked.
 *
 * Answers are planned for an opcode each, and given in turn; the last one is given again and again.
 * CONNECT, NEGOTIATE and PING are answered well unless something else is planned. A request that
 * was not planned, and a plan that no request came for, fail the test when the rig ends.
 */
#ifndef TAU_TESTS_COMMAND_RIG_H
#define TAU_TESTS_COMMAND_RIG_H

#include "cli_test.h"

#include "tau_codec.h"

struct rig_server;

struct command_rig {
    struct capture capture;
    struct cli *cli; /* of the capture */
    struct rig_server *server;
    const char *out; /* what the last command printed */
    const char *err;
};

/* Setup and teardown of a test; its state is the rig. */
int rig_begin(void **state);
int rig_end(void **state);

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_begin, rig_end)

/* Runs a line as it would be typed at the prompt. Returns the exit code. */
int rig_run(struct command_rig *rig, const char *line);

/* Runs a line that must end with this code and print exactly this. */
void rig_expect(struct command_rig *rig, const char *line, int code, const char *out,
                const char *err);

/* Runs a line that must end with this code, print nothing on standard output and say this, among
   other words, on standard error. */
void rig_expect_failure(struct command_rig *rig, const char *line, int code, const char *words);

/* Lets the command's data go where nothing can be written. */
void rig_break_output(struct command_rig *rig);

/* Stops the server: connections end and nobody listens any more. */
void rig_stop_server(struct command_rig *rig);

/* --- plans ----------------------------------------------------------------------------------- */

void rig_ok(struct command_rig *rig, uint8_t opcode);
void rig_refuse(struct command_rig *rig, uint8_t opcode, enum tau_status status);
void rig_close(struct command_rig *rig, uint8_t opcode);   /* the connection, without an answer */
void rig_silence(struct command_rig *rig, uint8_t opcode); /* the answer never comes */
void rig_pong(struct command_rig *rig);                    /* as PING is answered anyway */
void rig_accept(struct command_rig *rig, uint8_t opcode);  /* every row of a batch */

/* An OK with this payload, which is copied. */
void rig_reply(struct command_rig *rig, uint8_t opcode, const struct tau_writer *payload);

/* Has SIGINT raised right before the answer that was planned last is given. */
void rig_interrupt(struct command_rig *rig);

/* Answers to DESCRIBE_SERIES, LIST_SERIES and QUERY_RANGE. */
void rig_reply_series(struct command_rig *rig, uint64_t identity, uint64_t count, int64_t first,
                      int64_t last);
void rig_reply_labels(struct command_rig *rig, const char *const *labels, size_t count, bool more);
void rig_reply_points(struct command_rig *rig, const int64_t *timestamps, const double *values,
                      size_t count);

/* The same with timestamps that begin at `first` and count up or down, and values that equal them.
 */
void rig_reply_run(struct command_rig *rig, int64_t first, int64_t step, size_t count);

/* Answer to BATCH_APPEND or MULTI_APPEND: one row is refused. */
void rig_reply_refused(struct command_rig *rig, uint8_t opcode, uint32_t accepted, uint32_t row,
                       enum tau_status status);

/* --- what was asked -------------------------------------------------------------------------- */

/* How many requests of this opcode came. */
size_t rig_requests(struct command_rig *rig, uint8_t opcode);

/* The payload of one of them, from 0. Large ones are not kept and fail the test. */
struct tau_slice rig_request(struct command_rig *rig, uint8_t opcode, size_t index);

/* A QUERY_RANGE, decoded. */
struct tau_query_range_request rig_range_request(struct command_rig *rig, size_t index);

#endif
