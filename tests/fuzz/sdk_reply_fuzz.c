// SPDX-License-Identifier: MIT
// The client against a server that may send anything, with every operation that it has, in both of
// its ways: every request completes exactly once, what it is told is whole, nothing crashes, and no
// more is kept than the input can account for.
//
// Prefix of an input: how many requests, and options; the size of the pieces in which the rest
// arrives and after how many batches a stream is stopped; the requests (FUZZ_ASKED), each the
// specification's example of its operation.

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_parts.h"
#include "fuzz.h"
#include "rig.h"
#include "tally.h"
#include "tau_calls.h"
#include "tau_tables.h"

enum option {
    OPTION_NEW = 0x80,      // the session was not opened yet
    OPTION_BLOCKING = 0x40, // the last call blocks; a pair of sockets
};

enum { COMPLETED, REFUSED, LOST, OUTCOMES };

static struct tally tally = {
    .columns = {"answered", "refused", "lost"}, .column_count = OUTCOMES, .needed = 1 << COMPLETED};

// An input's requests and what is common to them.
struct session {
    struct rig rig;
    size_t stop_after; // batches; 0 for never
    const uint8_t *replies;
    size_t size;
    struct request {
        const struct tau_call_info *call;
        struct session *session;
        struct tau_caller caller;
        bool blocks;
        enum tau_status status;
        unsigned ended; // times
        size_t batches;
    } requests[FUZZ_ASKED];
    size_t count;
    size_t allowed; // bytes of memory
};

// --- what callers are told -----------------------------------------------------------------------

// Reads all of a response: it can be encoded, and is no longer than what came.
static bool on_response(void *user_data, const void *response)
{
    struct request *request = user_data;
    const struct session *session = request->session;
    const struct tau_payload_info *payload = tau_payload_find(request->call->response);
    size_t size = payload->size(response);
    fuzz_require(request->ended == 0, "a response comes behind the end");
    fuzz_require(size <= session->size, "a response is longer than what came");
    uint8_t *data = malloc(size ? size : 1);
    struct tau_writer out = tau_writer_over(data, size);
    fuzz_require(data != NULL && payload->encode(response, &out) && out.size == size,
                 "a response cannot be encoded");
    free(data);
    return ++request->batches != session->stop_after;
}

static void on_done(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct request *request = user_data;
    fuzz_require((error == NULL) == (status == TAU_STATUS_SUCCESS), "no word on a failure");
    request->status = status;
    request->ended++;
}

// --- requests ------------------------------------------------------------------------------------

// The request of an operation; NULL where it has no fields. The caller's.
static void *make_values(const struct tau_call_info *call)
{
    if (call->request == NULL)
        return NULL;
    const struct tau_payload_info *payload = tau_payload_find(call->request);
    void *values = calloc(1, payload->c_size);
    struct tau_slice example = tau_slice_of(call->example, call->example_size);
    fuzz_require(values != NULL && payload->decode(example, values, NULL) == TAU_STATUS_SUCCESS,
                 "an example is no request");
    return values;
}

static struct request *next_request(struct session *session, const struct tau_call_info *call)
{
    struct request *request = &session->requests[session->count];
    *request = (struct request){.call = call, .session = session};
    request->caller = (struct tau_caller){on_response, on_done, request};
    return request;
}

static void begin(struct session *session, const struct tau_call_info *call)
{
    struct request *request = next_request(session, call);
    void *values = make_values(call);
    session->count +=
        call->begin(session->rig.async, values, &request->caller) == TAU_STATUS_SUCCESS;
    free(values);
}

static void block(struct session *session, const struct tau_call_info *call)
{
    struct tau_client client = {.async = session->rig.async};
    struct tau_error error = {.status = TAU_STATUS_SUCCESS};
    struct request *request = next_request(session, call);
    void *values = make_values(call);
    request->blocks = true;
    enum tau_status status = call->block(&client, values, &request->caller, &error);
    fuzz_require(error.status == status, "an error has another status");
    on_done(request, status, status == TAU_STATUS_SUCCESS ? NULL : &error);
    session->count++;
    free(values);
}

// Makes the requests, the last one in the other way if it is to block.
static void ask_all(struct session *session, const uint8_t *asked, size_t count, bool last_blocks)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t opcode = tau_operations[asked[i] % TAU_OPERATION_COUNT].opcode;
        const struct tau_call_info *call = tau_call_find(opcode);
        if (call != NULL && last_blocks && i == count - 1) {
            block(session, call);
        } else if (call != NULL) {
            begin(session, call);
        } else if (opcode == TAU_OPCODE_CANCEL) {
            enum tau_status status = tau_async_cancel(session->rig.async);
            fuzz_require(status != TAU_STATUS_NO_MEMORY, "no memory");
        }
    }
}

// --- the two ways --------------------------------------------------------------------------------

// From here on no more memory may be taken than the input explains: one buffer while it grows into
// the next.
static void limit_memory(struct session *session, size_t more)
{
    rig_memory.peak_bytes = rig_memory.live_bytes;
    session->allowed =
        rig_memory.live_bytes + 2 * TAU_INPUT_BASE_SIZE + 4 * session->size + more;
}

// All requests are made, then the replies arrive in pieces.
static void run_pipelined(struct session *session, const uint8_t *asked, size_t count, size_t piece)
{
    struct rig *rig = &session->rig;
    ask_all(session, asked, count, false);
    tau_core_start_deadlines(rig->core, rig->now_ns);
    rig_flush(rig);
    limit_memory(session, 0);
    rig_feed(rig, session->replies, session->size, piece);
    rig_advance(rig, 2000);
}

// The replies lie there from the beginning, and then the server closes: nobody waits.
static void run_blocking(struct session *session, const uint8_t *asked, size_t count)
{
    struct rig *rig = &session->rig;
    int server = rig_plug(rig);
    rig->async->single_receive = true;
    rig->async->received_at_ns = tau_clock_now_ns();
    ssize_t sent = send(server, session->replies, session->size, MSG_NOSIGNAL);
    fuzz_require(sent == (ssize_t)session->size, "the replies do not fit the socket");
    shutdown(server, SHUT_WR);
    limit_memory(session, TAU_OUTPUT_BLOCK_SIZE + sizeof session->requests);
    ask_all(session, asked, count, true);
    close(server);
}

static void note_outcomes(const struct session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        const struct request *request = &session->requests[i];
        size_t outcome = request->status == TAU_STATUS_SUCCESS   ? COMPLETED
                         : request->status >= TAU_STATUS_TIMEOUT ? LOST
                                                                 : REFUSED;
        size_t row = (size_t)(request->call - tau_calls) * 2 + request->blocks;
        fuzz_require(request->ended == 1, "a request does not complete once");
        tally_add(&tally, row, outcome);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct session session;
    struct tau_options options;
    rig_options(&options);
    options.reconnect = false;
    if (size < FUZZ_PREFIX || !rig_begin(&session.rig, &options))
        return;
    bool blocking = (data[0] & OPTION_BLOCKING) != 0;
    size_t count = data[0] % 32 % (FUZZ_ASKED + 1);
    session.stop_after = data[1] & 3;
    session.replies = data + FUZZ_PREFIX;
    session.size = size - FUZZ_PREFIX;
    session.count = 0;
    if ((data[0] & OPTION_NEW) != 0)
        rig_open(&session.rig);
    else
        rig_ready(&session.rig);
    if (blocking)
        run_blocking(&session, data + 2, count);
    else
        run_pipelined(&session, data + 2, count, data[1] >> 2);
    fuzz_require(rig_memory.peak_bytes <= session.allowed, "more memory than the input explains");
    tau_core_close(session.rig.core);
    note_outcomes(&session);
    rig_end(&session.rig);
    fuzz_require(rig_memory.live_blocks == 0, "nothing is left");
}

static const char *row_name(size_t row)
{
    static char name[64];
    if (row >= (size_t)2 * TAU_CALL_COUNT)
        return NULL;
    snprintf(name, sizeof name, "%s%s", tau_opcode_name(tau_calls[row / 2].opcode),
             row % 2 != 0 ? ", blocking" : "");
    return name;
}

int fuzz_report(FILE *out)
{
    return tally_print(&tally, row_name, out);
}
