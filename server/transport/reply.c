// SPDX-License-Identifier: MIT
// Where replies are encoded.
#include "transport/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/utf8.h"

bool taud_reply_init(struct taud_reply *reply, struct taud_budget *budget,
                     const uint64_t *log_position)
{
    memset(reply, 0, sizeof *reply);
    reply->budget = budget;
    reply->log_position = log_position;
    reply->data = malloc(TAUD_REPLY_BYTES);
    return reply->data != NULL;
}

void taud_reply_done(struct taud_reply *reply)
{
    free(reply->data);
    reply->data = NULL;
}

void taud_reply_drop(struct taud_reply *reply)
{
    reply->start = 0;
    reply->size = 0;
    reply->run_count = 0;
}

void taud_reply_begin_turn(struct taud_reply *reply, struct taud_output *output, bool detailed)
{
    assert(taud_reply_waiting(reply) == 0);
    reply->output = output;
    reply->detailed = detailed;
    reply->broken = false;
    reply->writes = false;
    taud_reply_drop(reply);
}

void taud_reply_flush(struct taud_reply *reply)
{
    size_t size = taud_reply_waiting(reply);
    if (size > 0 && !reply->broken) {
        // What was sent in part is past its hold, and needs no runs.
        bool begun = reply->start > 0;
        struct taud_block *block =
            taud_block_new(reply->budget, size, begun ? 0 : reply->run_count);
        if (block == NULL) {
            reply->broken = true;
        } else {
            memcpy(block->data, reply->data + reply->start, size);
            memcpy(taud_block_runs(block), reply->runs, block->run_count * sizeof reply->runs[0]);
            block->size = (uint32_t)size;
            block->hold = begun ? 0 : *reply->log_position;
            taud_output_add(reply->output, block);
        }
    }
    taud_reply_drop(reply);
}

void taud_reply_sent(struct taud_reply *reply, size_t size)
{
    assert(size <= taud_reply_waiting(reply));
    reply->start += size;
    if (reply->start == reply->size)
        taud_reply_drop(reply);
}

// Counts a frame into the runs; taud_reply_begin has seen to it that there is room for one more.
static void count_frame(struct taud_reply *reply)
{
    if (reply->run_count > 0 && reply->runs[reply->run_count - 1].write == reply->writes) {
        reply->runs[reply->run_count - 1].count++;
        return;
    }
    reply->runs[reply->run_count++] = (struct taud_reply_run){.write = reply->writes, .count = 1};
}

struct tau_writer *taud_reply_begin(struct taud_reply *reply, size_t payload_size)
{
    size_t needed = TAU_HEADER_SIZE + payload_size;
    if (TAUD_REPLY_BYTES - reply->size < needed || reply->run_count == TAUD_REPLY_RUNS)
        taud_reply_flush(reply);
    taud_block_free(reply->budget, reply->own_block); // of a frame that was begun, but never ended
    reply->own_block = NULL;
    if (reply->broken)
        return NULL;
    uint8_t *frame = reply->data + reply->size;
    if (needed > TAUD_REPLY_BYTES) {
        reply->own_block = taud_block_new(reply->budget, needed, 1);
        if (reply->own_block == NULL) {
            reply->broken = true;
            return NULL;
        }
        frame = reply->own_block->data;
    }
    reply->writer = (struct tau_writer){.data = frame + TAU_HEADER_SIZE, .capacity = payload_size};
    return &reply->writer;
}

void taud_reply_end(struct taud_reply *reply, uint8_t opcode, uint8_t flags)
{
    struct tau_header header = {
        .opcode = opcode, .flags = flags, .payload_length = (uint32_t)reply->writer.size};
    tau_header_store(reply->writer.data - TAU_HEADER_SIZE, &header);
    size_t size = TAU_HEADER_SIZE + reply->writer.size;
    if (reply->own_block == NULL) {
        reply->size += size;
        count_frame(reply);
        return;
    }
    struct taud_block *block = reply->own_block;
    reply->own_block = NULL;
    block->size = (uint32_t)size;
    block->hold = *reply->log_position;
    taud_block_runs(block)[0] = (struct taud_reply_run){.write = reply->writes, .count = 1};
    taud_output_add(reply->output, block);
}

void taud_reply_empty(struct taud_reply *reply, uint8_t opcode)
{
    if (taud_reply_begin(reply, 0) != NULL)
        taud_reply_end(reply, opcode, 0);
}

size_t taud_error_encode(enum tau_status status, const struct tau_decode_error *detail,
                         bool detailed, uint8_t ret[TAUD_ERROR_PAYLOAD_MAX])
{
    if (status == TAU_STATUS_SUCCESS || status > UINT8_MAX)
        status = TAU_STATUS_INTERNAL_ERROR;
    ret[0] = (uint8_t)status;
    if (!detailed)
        return 1;
    bool known = detail != NULL && detail->expected != NULL;
    const char *text = known ? detail->expected : tau_status_text(status);
    size_t length = strlen(text);
    if (length > TAU_LIMIT_ERROR_TEXT_BYTES)
        length = TAU_LIMIT_ERROR_TEXT_BYTES;
    length = tau_utf8_valid((const uint8_t *)text, length); // a word of the system, or cut off
    tau_store_u16(ret + 1, known ? detail->field : TAU_FIELD_NONE);
    tau_store_u32(ret + 3, known ? detail->offset : 0);
    tau_store_u16(ret + 7, (uint16_t)length);
    memcpy(ret + 9, text, length);
    return 9 + length;
}

void taud_reply_error(struct taud_reply *reply, enum tau_status status,
                      const struct tau_decode_error *detail)
{
    uint8_t payload[TAUD_ERROR_PAYLOAD_MAX];
    size_t size = taud_error_encode(status, detail, reply->detailed, payload);
    struct tau_writer *out = taud_reply_begin(reply, size);
    if (out == NULL)
        return;
    memcpy(out->data, payload, size);
    out->size = size;
    taud_reply_end(reply, TAU_OPCODE_ERR, 0);
    reply->error_count++;
}

struct taud_block *taud_error_block(struct taud_budget *budget, enum tau_status status,
                                    bool detailed)
{
    uint8_t payload[TAUD_ERROR_PAYLOAD_MAX];
    size_t size = taud_error_encode(status, NULL, detailed, payload);
    struct taud_block *block = taud_block_new(budget, TAU_HEADER_SIZE + size, 0);
    if (block == NULL)
        return NULL;
    struct tau_header header = {.opcode = TAU_OPCODE_ERR, .payload_length = (uint32_t)size};
    tau_header_store(block->data, &header);
    memcpy(block->data + TAU_HEADER_SIZE, payload, size);
    block->size = (uint32_t)(TAU_HEADER_SIZE + size);
    return block;
}

struct taud_block *taud_reply_wait(struct taud_reply *reply, struct taud_pending *pending)
{
    taud_reply_flush(reply);
    if (reply->broken)
        return NULL;
    struct taud_block *block = taud_block_new(reply->budget, 0, 0);
    if (block == NULL) {
        reply->broken = true;
        return NULL;
    }
    block->pending = pending;
    taud_output_add(reply->output, block);
    return block;
}
