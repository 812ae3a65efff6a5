// SPDX-License-Identifier: MIT
// See answers.h.
#include "answers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "tau_session.h"
#include "tau_tables.h"

// A conversation that is being read.
struct talk {
    struct tau_slice requests;
    struct tau_slice replies;
    const struct tau_certificate *certificate;
    struct tally *tally;
    enum tau_session_state state;
    unsigned wrong_certificates;
    bool detailed;        // errors have more than their status
    bool mismatched[256]; // operations that the client lays out in another way, by opcode
};

struct frame {
    struct tau_header header;
    struct tau_slice payload;
};

// What must answer a request.
struct answer {
    bool whole;   // there is one; else the request never came whole
    bool closes;  // and nothing answers what is behind it
    bool refused; // by the header alone, with `status`
    enum tau_status status;
};

// --- replies -------------------------------------------------------------------------------------

static struct frame take_reply(struct talk *talk)
{
    struct frame frame = {0};
    fuzz_require(talk->replies.size >= TAU_HEADER_SIZE, "a request is not answered");
    enum tau_status status = tau_header_decode(talk->replies.data, &frame.header, NULL);
    fuzz_require(status == TAU_STATUS_SUCCESS, "the server sends what is no frame");
    size_t size = frame.header.payload_length;
    talk->replies = tau_slice_from(talk->replies, TAU_HEADER_SIZE);
    fuzz_require(talk->replies.size >= size, "a reply is not whole");
    frame.payload = tau_slice_of(talk->replies.data, size);
    talk->replies = tau_slice_from(talk->replies, size);
    return frame;
}

// Requires that a payload is one of this description; without one, that it is empty.
static void check_payload(const struct tau_payload_info *payload, struct tau_slice bytes)
{
    if (payload == NULL) {
        fuzz_require(bytes.size == 0, "a response without fields is not empty");
        return;
    }
    void *value = calloc(1, payload->c_size);
    fuzz_require(value != NULL, "no memory");
    struct tau_decode_error error = {0};
    fuzz_require(payload->decode(bytes, value, &error) == TAU_STATUS_SUCCESS,
                 "the server's payload cannot be decoded");
    free(value);
}

static enum tau_status check_error(const struct talk *talk, const struct frame *frame)
{
    struct tau_err err = {0};
    struct tau_decode_error error = {0};
    fuzz_require(frame->header.flags == 0, "an error has flags");
    fuzz_require(tau_err_decode(frame->payload, &err, &error) == TAU_STATUS_SUCCESS,
                 "the server's error cannot be decoded");
    fuzz_require(err.has_detailed_errors == talk->detailed,
                 "an error is detailed where that was not negotiated, or the reverse");
    return err.status;
}

static const struct tau_payload_info *response_of(const struct tau_operation_info *operation)
{
    size_t length = strlen(operation->name);
    for (size_t i = 0; i < TAU_PAYLOAD_COUNT; i++)
        if (strncasecmp(tau_payloads[i].name, operation->name, length) == 0 &&
            strcmp(tau_payloads[i].name + length, "_response") == 0)
            return &tau_payloads[i];
    return NULL;
}

// Takes the answer to a request that was executed. Returns whether it was a success.
static bool take_answer(struct talk *talk, const struct tau_operation_info *operation)
{
    struct frame frame;
    do {
        frame = take_reply(talk);
        if (frame.header.opcode == TAU_OPCODE_ERR) {
            check_error(talk, &frame);
            break;
        }
        fuzz_require(frame.header.opcode == operation->reply, "an answer of another kind");
        fuzz_require((frame.header.flags & ~(operation->stream ? TAU_FLAG_MORE : 0)) == 0,
                     "an answer has flags that it must not have");
        check_payload(response_of(operation), frame.payload);
    } while ((frame.header.flags & TAU_FLAG_MORE) != 0);
    bool good = frame.header.opcode != TAU_OPCODE_ERR;
    tally_add(talk->tally, (size_t)(operation - tau_operations), good ? ANSWER_OK : ANSWER_ERROR);
    return good;
}

// --- requests ------------------------------------------------------------------------------------

static struct answer refusal(enum tau_status status, bool closes)
{
    return (struct answer){.whole = true, .refused = true, .status = status, .closes = closes};
}

// The checks of a header, in the order of the specification.
static struct answer judge(const struct talk *talk, const struct tau_header *header)
{
    struct tau_session_verdict legal = tau_session_check(talk->state, header->opcode);
    if (!legal.legal)
        return refusal(legal.status, legal.closes);
    const struct tau_operation_info *operation = tau_operation_find(header->opcode);
    fuzz_require(operation != NULL, "what is legal is an operation");
    if (talk->mismatched[header->opcode])
        return refusal(TAU_STATUS_LAYOUT_MISMATCH, false);
    if (header->flags != 0)
        return refusal(TAU_STATUS_BAD_FLAGS, false);
    if (header->payload_length < operation->min_request_size ||
        header->payload_length > operation->max_request_size)
        return refusal(TAU_STATUS_INVALID_PAYLOAD, false);
    return (struct answer){.whole = true};
}

// How a connection attempt ends; the answer was taken already.
static bool note_connect(struct talk *talk, struct tau_slice payload, bool good)
{
    bool right = memcmp(payload.data, talk->certificate->bytes, payload.size) == 0;
    fuzz_require(good == right, "a certificate is taken for what it is not");
    if (right)
        talk->state = TAU_SESSION_AUTHENTICATED;
    return !right && (talk->state == TAU_SESSION_AUTHENTICATED ||
                      ++talk->wrong_certificates == TAU_LIMIT_CONNECT_TRIES);
}

static void note_negotiation(struct talk *talk, struct tau_slice payload)
{
    struct tau_negotiate_request request;
    struct tau_decode_error error;
    fuzz_require(tau_negotiate_request_decode(payload, &request, &error) == TAU_STATUS_SUCCESS,
                 "what cannot be decoded was negotiated");
    talk->detailed = (request.features & TAU_FEATURE_DETAILED_ERRORS) != 0;
    memset(talk->mismatched, 0, sizeof talk->mismatched);
    for (size_t i = 0; i < request.operations.count; i++) {
        struct tau_operation_fingerprint listed =
            tau_operation_fingerprint_at(request.operations, i);
        const struct tau_operation_info *known = tau_operation_find(listed.opcode);
        if (known != NULL && !known->session && known->fingerprint != listed.fingerprint)
            talk->mismatched[listed.opcode] = true;
    }
}

// Takes the answer to a request that passed all checks of its header. Returns whether it closes.
static bool execute(struct talk *talk, const struct frame *request)
{
    const struct tau_operation_info *operation = tau_operation_find(request->header.opcode);
    bool good = take_answer(talk, operation);
    if (request->header.opcode == TAU_OPCODE_CONNECT)
        return note_connect(talk, request->payload, good);
    if (request->header.opcode == TAU_OPCODE_NEGOTIATE && good)
        note_negotiation(talk, request->payload);
    return request->header.opcode == TAU_OPCODE_DISCONNECT;
}

// Takes the next request. Returns whether another may follow.
static bool step(struct talk *talk)
{
    struct frame request = {0};
    if (talk->requests.size < TAU_HEADER_SIZE)
        return false;
    enum tau_status status = tau_header_decode(talk->requests.data, &request.header, NULL);
    struct answer answer =
        status == TAU_STATUS_SUCCESS ? judge(talk, &request.header) : refusal(status, true);
    talk->requests = tau_slice_from(talk->requests, TAU_HEADER_SIZE);
    size_t size = request.header.payload_length;
    bool whole = talk->requests.size >= size;
    request.payload = tau_slice_of(talk->requests.data, whole ? size : talk->requests.size);
    if (answer.refused) {
        struct frame reply = take_reply(talk);
        fuzz_require(reply.header.opcode == TAU_OPCODE_ERR, "a wrong header is not refused");
        fuzz_require(check_error(talk, &reply) == answer.status, "refused with another status");
        if (answer.closes)
            return false;
    } else if (!whole && request.header.opcode != TAU_OPCODE_PING) {
        return false;
    } else if (execute(talk, &request)) {
        return false;
    }
    talk->requests = tau_slice_from(talk->requests, size);
    return whole;
}

void answers_check(struct tau_slice requests, struct tau_slice replies,
                   const struct tau_certificate *certificate, struct tally *tally)
{
    struct talk talk = {.requests = requests,
                        .replies = replies,
                        .certificate = certificate,
                        .tally = tally,
                        .state = TAU_SESSION_NEW};
    while (step(&talk))
        continue;
    fuzz_require(talk.replies.size == 0, "the server answers what was not asked");
}
