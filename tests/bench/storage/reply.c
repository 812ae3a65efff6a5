// SPDX-License-Identifier: MIT
//
// Finds the end of replies. What comes behind it is an error: no more than one request (or one
// round of them) is ever underway on a connection.
//
//     head --length--> body ----> done        (HTTP)
//          --chunked-> chunks --> done

#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "tau_codec.h"

enum { HEAD_MAX = 65536, CHUNK_LINE_MAX = 32 };

static size_t count_frames(const uint8_t *data, size_t size)
{
    size_t count = 0;
    for (size_t at = 0; size - at >= TAU_HEADER_SIZE; count++) {
        size_t frame = TAU_HEADER_SIZE + (size_t)tau_load_u32(data + at + TAU_HEADER_SIZE - 4);
        if (frame > size - at)
            break;
        at += frame;
    }
    return count;
}

void bench_reply_begin(struct bench_reply *reply, enum bench_framing framing,
                       const struct bench_expectation *expectation)
{
    reply->raw.size = reply->body.size = 0;
    reply->at = reply->left = 0;
    reply->status = 0;
    reply->good = framing == BENCH_FRAMING_TAU;
    reply->place = BENCH_IN_HEAD;
    if (framing == BENCH_FRAMING_TAU)
        reply->left = count_frames(expectation->request, expectation->request_size);
}

// The value of a header's line in the head, or NULL. The head ends in an empty line.
static const char *header_value(const char *head, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, size) && line[2 + size] == ':')
            return line + 2 + size + 1 + strspn(line + 2 + size + 1, " ");
    return NULL;
}

static enum bench_progress read_head(struct bench_reply *reply)
{
    uint8_t *end = memmem(reply->raw.data, reply->raw.size, "\r\n\r\n", 4);
    if (!end)
        return reply->raw.size < HEAD_MAX ? BENCH_MORE : BENCH_BROKEN;
    end[2] = 0; // the head is a string now
    const char *head = (const char *)reply->raw.data;
    if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12)
        return BENCH_BROKEN;
    reply->at = (size_t)(end + 4 - reply->raw.data);
    reply->status = (uint32_t)strtoul(head + 9, NULL, 10);
    reply->good = reply->status >= 200 && reply->status < 300;
    const char *length = header_value(head, "Content-Length");
    const char *coding = header_value(head, "Transfer-Encoding");
    if (reply->status == 204)
        return BENCH_DONE;
    reply->place = coding && !strncasecmp(coding, "chunked", 7) ? BENCH_IN_CHUNKS : BENCH_IN_BODY;
    if (reply->place == BENCH_IN_BODY && !length)
        return BENCH_BROKEN;
    if (reply->place == BENCH_IN_BODY)
        reply->left = strtoul(length, NULL, 10);
    return BENCH_MORE;
}

static enum bench_progress read_chunk(struct bench_reply *reply, bool *ret_last)
{
    const uint8_t *data = reply->raw.data + reply->at;
    size_t room = reply->raw.size - reply->at;
    const uint8_t *end = memmem(data, room < CHUNK_LINE_MAX ? room : CHUNK_LINE_MAX, "\r\n", 2);
    if (!end)
        return room < CHUNK_LINE_MAX ? BENCH_MORE : BENCH_BROKEN;
    char *stop;
    size_t size = strtoul((const char *)data, &stop, 16), line = (size_t)(end + 2 - data);
    if (stop == (const char *)data)
        return BENCH_BROKEN;
    if (room - line < size || room - line - size < 2)
        return BENCH_MORE;
    bench_put(&reply->body, data + line, size);
    reply->at += line + size + 2;
    *ret_last = size == 0;
    return BENCH_DONE;
}

static enum bench_progress read_http(struct bench_reply *reply)
{
    if (reply->place == BENCH_IN_HEAD) {
        enum bench_progress progress = read_head(reply);
        if (progress != BENCH_MORE || reply->place == BENCH_IN_HEAD)
            return progress;
    }
    if (reply->place == BENCH_IN_BODY) {
        if (reply->raw.size - reply->at < reply->left)
            return BENCH_MORE;
        bench_put(&reply->body, reply->raw.data + reply->at, reply->left);
        reply->at += reply->left;
        return BENCH_DONE;
    }
    for (bool last = false; !last;) {
        enum bench_progress progress = read_chunk(reply, &last);
        if (progress != BENCH_DONE)
            return progress;
    }
    return BENCH_DONE;
}

static enum bench_progress read_frames(struct bench_reply *reply)
{
    while (reply->left && reply->raw.size - reply->at >= TAU_HEADER_SIZE) {
        struct tau_header header;
        struct tau_decode_error error;
        const uint8_t *frame = reply->raw.data + reply->at;
        if (tau_header_decode(frame, &header, &error) != TAU_STATUS_SUCCESS)
            return BENCH_BROKEN;
        if (reply->raw.size - reply->at - TAU_HEADER_SIZE < header.payload_length)
            return BENCH_MORE;
        reply->at += TAU_HEADER_SIZE + header.payload_length;
        reply->good = reply->good && header.opcode != TAU_OPCODE_ERR;
        if (!(header.flags & TAU_FLAG_MORE))
            reply->left--;
    }
    if (reply->left)
        return BENCH_MORE;
    bench_put(&reply->body, reply->raw.data, reply->at);
    return BENCH_DONE;
}

enum bench_progress bench_reply_read(struct bench_reply *reply, enum bench_framing framing,
                                     const struct bench_expectation *expectation)
{
    enum bench_progress progress;
    switch (framing) {
    case BENCH_FRAMING_HTTP:
        progress = read_http(reply);
        break;
    case BENCH_FRAMING_TAU:
        progress = read_frames(reply);
        break;
    default:
        if (reply->raw.size < expectation->reply_size)
            return BENCH_MORE;
        reply->at = expectation->reply_size;
        reply->good = !memcmp(reply->raw.data, expectation->reply, expectation->reply_size);
        progress = BENCH_DONE;
    }
    return progress == BENCH_DONE && reply->at != reply->raw.size ? BENCH_BROKEN : progress;
}

void bench_reply_done(struct bench_reply *reply)
{
    bench_bytes_done(&reply->raw);
    bench_bytes_done(&reply->body);
}
