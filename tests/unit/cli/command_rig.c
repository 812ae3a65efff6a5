/* SPDX-License-Identifier: MIT */
/*
 * The workbench: it splits lines, runs them, and encodes what its server is to answer.
 */
#include "command_rig.h"

#include <unistd.h>

#include "decode/trace.h"
#include "rig_server.h"
#include "run.h"
#include "terminal/words.h"
#include "wire/slice.h"

/* A request that stays unanswered ends by this, should a test not expect it. */
#define TIMEOUT_MS 10000

/* The frames of a stream hold so many points, and lie in so much room. */
#define FRAME_POINTS TAU_LIMIT_RANGE_BATCH_POINTS
#define STREAM_BYTES ((size_t)1 << 21)

int rig_begin(void **state)
{
    static const char certificate[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct command_rig *rig = calloc(1, sizeof(*rig));
    if (rig == NULL || setenv("TAU_CERTIFICATE", certificate, 1) != 0) {
        free(rig);
        return -1;
    }
    rig->server = rig_server_start();
    if (rig->server == NULL) {
        free(rig);
        return -1;
    }
    capture_begin(&rig->capture);
    rig->cli = &rig->capture.cli;
    rig->cli->options.server = rig_server_address(rig->server);
    rig->cli->options.timeout_ms = TIMEOUT_MS;
    *state = rig;
    return 0;
}

int rig_end(void **state)
{
    struct command_rig *rig = *state;
    tau_client_free(rig->cli->client);
    cli_trace_free(rig->cli->trace);
    rig_server_stop(rig->server);
    size_t count = rig_server_disappointments(rig->server);
    rig_server_free(rig->server);
    capture_end(&rig->capture);
    free(rig);
    return count == 0 ? 0 : -1;
}

int rig_run(struct command_rig *rig, const char *line)
{
    char *words[CLI_WORD_LIMIT + 1];
    size_t count;
    char *copy = strdup(line);
    assert_non_null(copy);
    assert_null(cli_words_split(copy, words, &count));
    capture_flush(&rig->capture);
    size_t out = rig->capture.out_size;
    size_t err = rig->capture.err_size;
    int code = cli_run(rig->cli, (int)count, words);
    capture_flush(&rig->capture);
    rig->out = rig->capture.out + out;
    rig->err = rig->capture.err + err;
    free(copy);
    return code;
}

void rig_expect(struct command_rig *rig, const char *line, int code, const char *out,
                const char *err)
{
    int result = rig_run(rig, line);
    if (result != code || strcmp(rig->out, out) != 0 || strcmp(rig->err, err) != 0) {
        fail_msg("`%s` ended with %d, not %d, and printed:\n%s---\n%s---\ninstead of:\n%s---\n%s",
                 line, result, code, rig->out, rig->err, out, err);
    }
}

void rig_expect_failure(struct command_rig *rig, const char *line, int code, const char *words)
{
    int result = rig_run(rig, line);
    if (result != code || rig->out[0] != '\0' || strstr(rig->err, words) == NULL) {
        fail_msg("`%s` ended with %d, not %d, printed:\n%s---\n%s---\nand was to say: %s", line,
                 result, code, rig->out, rig->err, words);
    }
}

void rig_break_output(struct command_rig *rig)
{
    fclose(rig->cli->out);
    rig->cli->out = fopen("/dev/full", "w");
    assert_non_null(rig->cli->out);
    setvbuf(rig->cli->out, NULL, _IONBF, 0);
}

void rig_stop_server(struct command_rig *rig)
{
    rig_server_stop(rig->server);
}

/* --- plans ----------------------------------------------------------------------------------- */

static void plan_frame(struct command_rig *rig, uint8_t request, uint8_t reply, const void *payload,
                       size_t size)
{
    struct tau_header header = {.opcode = reply, .payload_length = (uint32_t)size};
    struct rig_plan plan = {.opcode = request, .deed = RIG_FRAME, .size = TAU_HEADER_SIZE + size};
    plan.frame = malloc(plan.size);
    assert_non_null(plan.frame);
    tau_header_store(plan.frame, &header);
    if (size > 0) {
        memcpy(plan.frame + TAU_HEADER_SIZE, payload, size);
    }
    rig_server_plan(rig->server, &plan);
}

static void plan_deed(struct command_rig *rig, uint8_t opcode, enum rig_deed deed)
{
    rig_server_plan(rig->server, &(struct rig_plan){.opcode = opcode, .deed = deed});
}

void rig_ok(struct command_rig *rig, uint8_t opcode)
{
    plan_frame(rig, opcode, TAU_OPCODE_OK, NULL, 0);
}

void rig_pong(struct command_rig *rig)
{
    plan_frame(rig, TAU_OPCODE_PING, TAU_OPCODE_PONG, NULL, 0);
}

void rig_refuse(struct command_rig *rig, uint8_t opcode, enum tau_status status)
{
    uint8_t code = (uint8_t)status;
    plan_frame(rig, opcode, TAU_OPCODE_ERR, &code, 1);
}

void rig_close(struct command_rig *rig, uint8_t opcode)
{
    plan_deed(rig, opcode, RIG_CLOSE);
}

void rig_silence(struct command_rig *rig, uint8_t opcode)
{
    plan_deed(rig, opcode, RIG_SILENCE);
}

void rig_accept(struct command_rig *rig, uint8_t opcode)
{
    plan_deed(rig, opcode, RIG_ACCEPT);
}

void rig_reply(struct command_rig *rig, uint8_t opcode, const struct tau_writer *payload)
{
    plan_frame(rig, opcode, TAU_OPCODE_OK, payload->data, payload->size);
}

void rig_interrupt(struct command_rig *rig)
{
    rig_server_interrupt(rig->server);
}

void rig_reply_series(struct command_rig *rig, uint64_t identity, uint64_t count, int64_t first,
                      int64_t last)
{
    uint8_t room[256];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_describe_series_response response = {.identity = identity,
                                                    .point_count = count,
                                                    .first_timestamp = first,
                                                    .last_timestamp = last};
    assert_true(tau_describe_series_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_DESCRIBE_SERIES, &out);
}

void rig_reply_labels(struct command_rig *rig, const char *const *labels, size_t count, bool more)
{
    struct tau_label decoded[16];
    uint8_t room[1024];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_list_series_response response = {.more = more,
                                                .labels = {.data = decoded, .count = count}};
    assert_true(count <= COUNT(decoded));
    for (size_t i = 0; i < count; i++) {
        decoded[i] = label_of(labels[i]);
    }
    assert_true(tau_list_series_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_LIST_SERIES, &out);
}

/* A stream: frames of some points each, all but the last of which promise more. */
void rig_reply_points(struct command_rig *rig, const int64_t *timestamps, const double *values,
                      size_t count)
{
    struct rig_plan plan = {.opcode = TAU_OPCODE_QUERY_RANGE, .deed = RIG_FRAME};
    size_t done = 0;
    plan.frame = malloc(STREAM_BYTES);
    assert_non_null(plan.frame);
    do {
        size_t part = count - done < FRAME_POINTS ? count - done : FRAME_POINTS;
        struct tau_writer out = tau_writer_over(plan.frame + plan.size + TAU_HEADER_SIZE,
                                                STREAM_BYTES - plan.size - TAU_HEADER_SIZE);
        struct tau_query_range_response response = {
            .count = (uint32_t)part,
            .timestamps = {.data = timestamps + done, .count = part},
            .values = {.data = values + done, .count = part},
        };
        assert_true(tau_query_range_response_encode(&response, &out));
        done += part;
        struct tau_header header = {.opcode = TAU_OPCODE_OK,
                                    .flags = done < count ? TAU_FLAG_MORE : 0,
                                    .payload_length = (uint32_t)out.size};
        tau_header_store(plan.frame + plan.size, &header);
        plan.size += TAU_HEADER_SIZE + out.size;
    } while (done < count);
    rig_server_plan(rig->server, &plan);
}

void rig_reply_run(struct command_rig *rig, int64_t first, int64_t step, size_t count)
{
    int64_t *timestamps = calloc(count + 1, sizeof(*timestamps));
    double *values = calloc(count + 1, sizeof(*values));
    if (timestamps == NULL || values == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = first + (int64_t)i * step;
        values[i] = (double)timestamps[i];
    }
    rig_reply_points(rig, timestamps, values, count);
    free(timestamps);
    free(values);
}

void rig_reply_refused(struct command_rig *rig, uint8_t opcode, uint32_t accepted, uint32_t row,
                       enum tau_status status)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_refused_row refused = {.row = row, .status = status};
    struct tau_batch_append_response response = {
        .accepted = accepted, .refused_count = 1, .refused = {.data = &refused, .count = 1}};
    assert_true(tau_batch_append_response_encode(&response, &out));
    rig_reply(rig, opcode, &out);
}

/* --- what was asked -------------------------------------------------------------------------- */

size_t rig_requests(struct command_rig *rig, uint8_t opcode)
{
    return rig_server_count(rig->server, opcode);
}

struct tau_slice rig_request(struct command_rig *rig, uint8_t opcode, size_t index)
{
    struct tau_slice payload = {.size = 0};
    if (!rig_server_request(rig->server, opcode, index, &payload)) {
        fail_msg("request %zu of 0x%02x was not kept", index, opcode);
    }
    return payload;
}

struct tau_query_range_request rig_range_request(struct command_rig *rig, size_t index)
{
    struct tau_query_range_request request = {.limit = 0};
    assert_int_equal(tau_query_range_request_decode(rig_request(rig, TAU_OPCODE_QUERY_RANGE, index),
                                                    &request, NULL),
                     TAU_STATUS_SUCCESS);
    return request;
}
