// SPDX-License-Identifier: MIT
// A connection: reads in large pieces, lets the session execute, writes once a turn, keeps
// deadlines.
#include "net/connection.h"

#include "net/worker.h"
#include "wire/slice.h"
#include "tau_session.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    OUTPUT_TIMEOUT_MS = 15 * 1000, // a client that takes no byte for so long is closed
    RETRY_MS = 100,
    SLICES = 64,
    INPUT_STEP_BYTES = 64 * 1024, // the first size of a large frame's buffer
};

static void on_event(evutil_socket_t file, short what, void *user_data);

// --- input ---------------------------------------------------------------------------------------

static void drop_input(struct taud_connection *c)
{
    if (c->input == NULL)
        return;
    taud_budget_give(c->session.budget, c->input_capacity);
    free(c->input);
    c->input = NULL;
    c->input_size = 0;
    c->input_capacity = 0;
}

static bool grow_input(struct taud_connection *c, size_t capacity)
{
    if (capacity <= c->input_capacity)
        return true;
    uint8_t *grown = realloc(c->input, capacity);
    if (grown == NULL)
        return false;
    taud_budget_take(c->session.budget, capacity - c->input_capacity);
    c->input = grown;
    c->input_capacity = (uint32_t)capacity;
    return true;
}

// How much room what has come asks for: a claimed length allocates nothing, the buffer doubles as
// bytes really arrive.
static size_t capacity_for(size_t frame_size, size_t size)
{
    size_t capacity = size * 2 > INPUT_STEP_BYTES ? size * 2 : INPUT_STEP_BYTES;
    return capacity < frame_size ? capacity : frame_size;
}

// Keeps what was not consumed. `data` is in the worker's buffer or in the connection's own.
static bool keep_input(struct taud_connection *c, const uint8_t *data, size_t size)
{
    if (size == 0) {
        drop_input(c);
        return true;
    }
    bool own = c->input != NULL && (uintptr_t)data - (uintptr_t)c->input < c->input_capacity;
    if (!own) {
        size_t capacity = size;
        if (c->session.wait == TAUD_WAIT_INPUT) {
            size_t frame_size = taud_session_frame_size(data, size);
            if (frame_size > TAUD_READ_HEADROOM)
                capacity = capacity_for(frame_size, size);
        }
        c->input_size = 0;
        if (!grow_input(c, capacity))
            return false;
    }
    assert(c->input != NULL);
    memmove(c->input, data, size);
    c->input_size = (uint32_t)size;
    return true;
}

// --- output --------------------------------------------------------------------------------------

// Sends slices. Returns how many bytes went out, or -1 when the connection is broken.
static ssize_t send_slices(struct taud_connection *c, const struct tau_slice *slices, size_t count)
{
    struct iovec vectors[SLICES];
    for (size_t index = 0; index < count; index++)
        vectors[index] = (struct iovec){.iov_base = (void *)(uintptr_t)slices[index].data,
                                        .iov_len = slices[index].size};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = sendmsg(c->file, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    taud_count(&c->worker->statistics, TAUD_COUNT_WRITE_BYTES, (uint64_t)sent);
    return sent;
}

// Notes how sending went: a client that takes nothing has a deadline.
static void note_sent(struct taud_connection *c, size_t wanted, size_t sent)
{
    uint64_t now = taud_worker_now(c->worker);
    if (sent > 0)
        c->active_ms = now;
    if (sent == wanted)
        c->stalled_ms = 0;
    else if (sent > 0 || c->stalled_ms == 0)
        c->stalled_ms = now;
}

// Sends the turn's replies from where they were encoded, when nothing is before them and they need
// not wait for the log. Returns false when the connection is broken.
static bool send_directly(struct taud_connection *c)
{
    struct taud_transport *transport = &c->worker->transport;
    struct taud_reply *reply = &transport->reply;
    size_t size = taud_reply_waiting(reply);
    uint64_t position = transport->context.log_position;
    if (size == 0 || !taud_output_empty(&c->session.output) ||
        (position != 0 &&
         transport->log->outcome(transport->log->context, position) != TAU_STATUS_SUCCESS))
        return true;
    struct tau_slice slice = {.data = reply->data + reply->start, .size = size};
    ssize_t sent = send_slices(c, &slice, 1);
    if (sent < 0)
        return false;
    note_sent(c, size, (size_t)sent);
    taud_reply_sent(reply, (size_t)sent);
    return true;
}

// Sends what may go out. Returns false when the connection is broken.
static bool send_output(struct taud_connection *c)
{
    struct taud_transport *transport = &c->worker->transport;
    if (!send_directly(c))
        return false;
    taud_reply_flush(&transport->reply);
    bool broken = transport->reply.broken;
    while (!broken && !taud_output_empty(&c->session.output)) {
        struct tau_slice slices[SLICES];
        size_t count = taud_output_gather(&c->session.output, c->session.budget, transport->log,
                                          transport->reply.detailed, slices, SLICES, &broken);
        size_t size = 0;
        for (size_t index = 0; index < count; index++)
            size += slices[index].size;
        if (broken || size == 0)
            break;
        ssize_t sent = send_slices(c, slices, count);
        if (sent < 0)
            return false;
        note_sent(c, size, (size_t)sent);
        taud_output_sent(&c->session.output, c->session.budget, (size_t)sent);
        if ((size_t)sent < size)
            break;
    }
    return !broken;
}

// --- deadlines -----------------------------------------------------------------------------------

static uint64_t sooner(uint64_t deadline_ms, uint64_t since_ms, uint64_t timeout_ms)
{
    if (since_ms == 0 || timeout_ms == 0)
        return deadline_ms;
    uint64_t other_ms = since_ms + timeout_ms;
    return other_ms < deadline_ms ? other_ms : deadline_ms;
}

// When the connection ends by itself if nothing happens; UINT64_MAX for never.
static uint64_t end_deadline(const struct taud_connection *c)
{
    const struct taud_worker_options *options = &c->worker->options;
    if (c->drain_until_ms != 0)
        return c->drain_until_ms;
    uint64_t deadline_ms = UINT64_MAX;
    if (c->session.state == TAU_SESSION_NEW)
        deadline_ms = sooner(deadline_ms, c->accepted_ms, TAU_LIMIT_AUTHENTICATION_MS);
    deadline_ms = sooner(deadline_ms, c->frame_ms, options->frame_timeout_ms);
    deadline_ms = sooner(deadline_ms, c->stalled_ms, OUTPUT_TIMEOUT_MS);
    bool awaited = c->session.wait == TAUD_WAIT_STREAM; // the client is not idle, we work for it
    if (taud_output_empty(&c->session.output) && !awaited)
        deadline_ms = sooner(deadline_ms, c->active_ms, options->idle_timeout_ms);
    return deadline_ms;
}

static void set_timer(struct taud_connection *c)
{
    uint64_t deadline_ms = end_deadline(c);
    if (c->session.penalty_until_ms != 0)
        deadline_ms = sooner(deadline_ms, c->session.penalty_until_ms, 1);
    if (c->session.again_ms != 0)
        deadline_ms = sooner(deadline_ms, c->session.again_ms, 1);
    if (c->retry_ms != 0)
        deadline_ms = sooner(deadline_ms, c->retry_ms, 1);
    if (deadline_ms != UINT64_MAX)
        taud_wheel_set(&c->worker->wheel, &c->timer, taud_worker_now(c->worker), deadline_ms);
}

// An unfinished frame has an absolute deadline, from its first byte on, while it is the client's
// turn.
static void note_frame(struct taud_connection *c)
{
    const struct taud_session *session = &c->session;
    bool unfinished =
        session->wait == TAUD_WAIT_INPUT && (c->input_size > 0 || session->skip_bytes > 0);
    if (!unfinished) {
        c->frame_ms = 0;
    } else if (c->frame_ms == 0 || c->frame_mark != session->frame_count) {
        c->frame_ms = taud_worker_now(c->worker);
        c->frame_mark = session->frame_count;
    }
}

// --- interest ------------------------------------------------------------------------------------

static bool wants_input(const struct taud_connection *c)
{
    const struct taud_session *session = &c->session;
    if (c->drain_until_ms != 0)
        return true;
    if (c->ended || c->stopping || c->retry_ms != 0)
        return false;
    switch ((enum taud_wait)session->wait) {
    case TAUD_WAIT_INPUT:
        return true;
    case TAUD_WAIT_CLOSED:
    case TAUD_WAIT_PENALTY:
        return false;
    case TAUD_WAIT_OUTPUT:
    case TAUD_WAIT_LOG:
    case TAUD_WAIT_PENDING:
    case TAUD_WAIT_STREAM: // a stranger has nothing to cancel
        return taud_session_authenticated(session) && c->input_size < TAUD_INPUT_MAX_BYTES;
    }
    return false;
}

static bool set_interest(struct taud_connection *c)
{
    short interest = (short)((wants_input(c) ? EV_READ : 0) | (c->stalled_ms != 0 ? EV_WRITE : 0));
    if (interest == c->interest)
        return true;
    if (c->interest != 0)
        event_del(&c->event);
    c->interest = interest;
    if (interest == 0)
        return true;
    return event_assign(&c->event, c->worker->base, c->file, (short)(interest | EV_PERSIST),
                        on_event, c) == 0 &&
           event_add(&c->event, NULL) == 0;
}

static void begin_draining(struct taud_connection *c)
{
    shutdown(c->file, SHUT_WR);
    drop_input(c);
    c->frame_ms = 0;
    c->stalled_ms = 0;
    c->drain_until_ms = taud_worker_now(c->worker) + TAU_LIMIT_CLOSING_DRAIN_MS;
}

// --- a turn --------------------------------------------------------------------------------------

// Executes what it can of `data`, and keeps the rest. Returns false without memory for that.
static bool execute(struct taud_connection *c, const uint8_t *data, size_t size)
{
    struct taud_transport *transport = &c->worker->transport;
    struct taud_session *session = &c->session;
    struct tau_slice rest = tau_slice_of(data, size);
    for (;;) {
        size_t consumed = taud_session_execute(session, transport, rest.data, rest.size);
        rest = tau_slice_from(rest, consumed);
        bool blocked = session->wait == TAUD_WAIT_OUTPUT || session->wait == TAUD_WAIT_LOG ||
                       session->wait == TAUD_WAIT_PENDING || session->wait == TAUD_WAIT_STREAM;
        if (!blocked || !taud_session_scan(session, transport, rest.data, rest.size))
            break;
    }
    if (session->wait == TAUD_WAIT_CLOSED)
        rest.size = 0;
    if (transport->context.log_position != 0)
        taud_worker_wrote(c->worker, transport->context.log_position);
    return !transport->reply.broken && keep_input(c, rest.data, rest.size);
}

// Puts the connection into the lists where others will find it.
static void set_lists(struct taud_connection *c)
{
    const struct taud_output *output = &c->session.output;
    bool held = output->head != NULL && output->head->hold != 0;
    if (c->session.wait == TAUD_WAIT_LOG) {
        c->worker->log_was_full = true; // there may be room again before the worker looks
        taud_worker_await(c->worker, &c->waiting, 0);
    } else if (held) {
        taud_worker_await(c->worker, &c->waiting, output->head->hold);
    } else {
        taud_link_remove(&c->waiting);
    }
    // What was in the way is gone, and no event will say so.
    bool stuck = c->session.wait == TAUD_WAIT_OUTPUT && taud_output_empty(output);
    if (stuck && !taud_link_used(&c->ready))
        taud_list_add(&c->worker->ready, &c->ready);
}

// The end of a turn: sends, and settles what the connection waits for next.
static void finish_turn(struct taud_connection *c)
{
    struct taud_session *session = &c->session;
    if (!send_output(c)) {
        taud_connection_close(c);
        return;
    }
    bool finished = session->wait == TAUD_WAIT_CLOSED ||
                    ((c->ended || c->stopping) && session->wait == TAUD_WAIT_INPUT);
    if (finished && taud_output_empty(&session->output) && c->drain_until_ms == 0) {
        if (c->ended) {
            taud_connection_close(c);
            return;
        }
        begin_draining(c);
    }
    note_frame(c);
    set_lists(c);
    if (!set_interest(c)) {
        taud_connection_close(c);
        return;
    }
    set_timer(c);
}

static void begin_turn(struct taud_connection *c)
{
    c->worker->transport.now_ms = taud_worker_now(c->worker);
    c->worker->connection_turns++;
    taud_session_begin_turn(&c->session, &c->worker->transport);
}

static void go_on(struct taud_connection *c)
{
    if (c->drain_until_ms == 0 && !execute(c, c->input, c->input_size)) {
        taud_connection_close(c);
        return;
    }
    finish_turn(c);
}

void taud_connection_resume(struct taud_connection *c)
{
    begin_turn(c);
    go_on(c);
}

void taud_connection_complete(struct taud_connection *c, struct taud_pending *pending)
{
    begin_turn(c);
    taud_session_complete(&c->worker->transport, pending);
    go_on(c);
}

void taud_connection_released(struct taud_connection *c)
{
    if (c->session.wait == TAUD_WAIT_LOG) {
        taud_connection_resume(c);
        return;
    }
    begin_turn(c);
    finish_turn(c);
}

// --- reading -------------------------------------------------------------------------------------

// Where the next bytes go, and what of it lies in the connection's own buffer.
struct target {
    struct iovec vectors[2];
    int count;
    size_t own; // bytes that fit into the connection's buffer
};

// While nothing is executed: behind what is kept, up to the bound.
static bool aim_behind(struct taud_connection *c, struct target *target)
{
    if (!grow_input(c, TAUD_INPUT_MAX_BYTES))
        return false;
    target->own = TAUD_INPUT_MAX_BYTES - c->input_size;
    target->vectors[0] = (struct iovec){c->input + c->input_size, target->own};
    target->count = 1;
    return true;
}

// A large frame: into its own buffer, and what follows it into the worker's.
static bool aim_at_frame(struct taud_connection *c, struct target *target, size_t frame_size)
{
    if (c->input_size == c->input_capacity &&
        !grow_input(c, capacity_for(frame_size, c->input_size)))
        return false;
    size_t end = frame_size < c->input_capacity ? frame_size : c->input_capacity;
    target->own = end - c->input_size;
    target->vectors[0] = (struct iovec){c->input + c->input_size, target->own};
    target->count = 1;
    if (end == frame_size) {
        target->vectors[1] =
            (struct iovec){c->worker->read_buffer + TAUD_READ_HEADROOM, TAUD_READ_BYTES};
        target->count = 2;
    }
    return true;
}

// The ordinary way: what is kept is copied in front of what comes.
static void aim_at_buffer(struct taud_connection *c, struct target *target)
{
    uint8_t *base = c->worker->read_buffer + TAUD_READ_HEADROOM;
    if (c->input_size > 0)
        memcpy(base - c->input_size, c->input, c->input_size);
    size_t limit = taud_session_read_limit(&c->session, c->input_size, TAUD_READ_BYTES);
    target->own = 0;
    target->vectors[0] = (struct iovec){base, limit};
    target->count = 1;
}

static ssize_t read_vectors(struct taud_connection *c, struct target *target)
{
    ssize_t count;
    do {
        count = target->count == 1
                    ? recv(c->file, target->vectors[0].iov_base, target->vectors[0].iov_len, 0)
                    : readv(c->file, target->vectors, target->count);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        c->active_ms = taud_worker_now(c->worker);
        taud_count(&c->worker->statistics, TAUD_COUNT_READ_BYTES, (uint64_t)count);
    }
    return count;
}

// Executes what came: first what lies in the connection's buffer, then what lies in the worker's.
static bool execute_read(struct taud_connection *c, const struct target *target, size_t count)
{
    uint8_t *base = c->worker->read_buffer + TAUD_READ_HEADROOM;
    if (target->own == 0)
        return execute(c, base - c->input_size, c->input_size + count);
    size_t own = count < target->own ? count : target->own;
    size_t rest = count - own;
    c->input_size += (uint32_t)own;
    bool whole = c->session.wait != TAUD_WAIT_INPUT || rest > 0 ||
                 c->input_size == taud_session_frame_size(c->input, c->input_size);
    if (whole && !execute(c, c->input, c->input_size))
        return false;
    if (rest == 0)
        return true;
    if (c->input_size == 0)
        return execute(c, base, rest);
    // The large frame must wait, and so must what came behind it.
    if (!grow_input(c, c->input_size + rest))
        return false;
    memcpy(c->input + c->input_size, base, rest);
    c->input_size += (uint32_t)rest;
    return execute(c, c->input, c->input_size);
}

// The frame's size if it needs a buffer of its own, else 0.
static size_t large_frame(const struct taud_connection *c)
{
    if (c->session.wait != TAUD_WAIT_INPUT || c->session.skip_bytes > 0)
        return 0;
    size_t size = taud_session_frame_size(c->input, c->input_size);
    return size > TAUD_READ_HEADROOM ? size : 0;
}

static void discard_input(struct taud_connection *c)
{
    ssize_t count;
    do {
        count = recv(c->file, c->worker->read_buffer, TAUD_READ_BYTES, 0);
    } while (count < 0 && errno == EINTR);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
        taud_connection_close(c);
}

// Whether the server has memory left for what this connection would have to keep.
static bool may_keep_more(const struct taud_connection *c, bool own)
{
    return !own || taud_budget_has_room(c->session.budget, INPUT_STEP_BYTES);
}

static void read_input(struct taud_connection *c)
{
    struct target target;
    size_t frame_size = large_frame(c);
    bool behind = c->session.wait != TAUD_WAIT_INPUT || c->input_size > TAUD_READ_HEADROOM;
    bool good = true;
    if (!may_keep_more(c, frame_size > 0 || behind)) {
        c->retry_ms = taud_worker_now(c->worker) + RETRY_MS;
        finish_turn(c);
        return;
    }
    if (frame_size > 0)
        good = aim_at_frame(c, &target, frame_size);
    else if (behind)
        good = aim_behind(c, &target);
    else
        aim_at_buffer(c, &target);
    ssize_t count = good ? read_vectors(c, &target) : -1;
    if (!good || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) {
        taud_connection_close(c);
        return;
    }
    if (count == 0)
        c->ended = true;
    if (count > 0 && !execute_read(c, &target, (size_t)count)) {
        taud_connection_close(c);
        return;
    }
    finish_turn(c);
}

static void on_event(evutil_socket_t file, short what, void *user_data)
{
    struct taud_connection *c = user_data;
    (void)file;
    if (c->drain_until_ms != 0) {
        discard_input(c);
        return;
    }
    if ((what & EV_WRITE) != 0) {
        begin_turn(c);
        if (!send_output(c)) {
            taud_connection_close(c);
            return;
        }
        if (c->session.wait != TAUD_WAIT_INPUT && !execute(c, c->input, c->input_size)) {
            taud_connection_close(c);
            return;
        }
        finish_turn(c);
        return; // what can be read is still announced in the next turn
    }
    if ((what & EV_READ) != 0) {
        begin_turn(c);
        read_input(c);
    }
}

// --- life ----------------------------------------------------------------------------------------

void taud_connection_start(struct taud_connection *c, struct taud_worker *worker, int file,
                           uint64_t identity, const struct taud_penalty_key *address, bool refuse)
{
    c->worker = worker;
    c->file = file;
    c->accepted_ms = taud_worker_now(worker);
    c->active_ms = c->accepted_ms;
    taud_session_init(&c->session, worker->options.budget, identity, address);
    taud_count(&worker->statistics, refuse ? TAUD_COUNT_REFUSED : TAUD_COUNT_ACCEPTED, 1);
    begin_turn(c);
    if (refuse)
        taud_session_refuse(&c->session, &worker->transport, TAU_STATUS_TOO_MANY_CONNECTIONS);
    finish_turn(c);
}

void taud_connection_expire(struct taud_connection *c)
{
    uint64_t now = taud_worker_now(c->worker);
    if (now >= end_deadline(c)) {
        if (c->drain_until_ms == 0) {
            taud_count(&c->worker->statistics, TAUD_COUNT_TIMED_OUT, 1);
            taud_log_write(c->worker->options.log, TAUD_LOG_DEBUG,
                           "connection %llu closed: its time was over",
                           (unsigned long long)c->session.identity);
        }
        taud_connection_close(c);
        return;
    }
    if (c->retry_ms != 0 && now >= c->retry_ms)
        c->retry_ms = 0;
    bool punished = c->session.penalty_until_ms != 0 && now >= c->session.penalty_until_ms;
    if (punished || (c->session.again_ms != 0 && now >= c->session.again_ms)) {
        taud_connection_resume(c);
        return;
    }
    if (!set_interest(c)) {
        taud_connection_close(c);
        return;
    }
    set_timer(c);
}

void taud_connection_stop(struct taud_connection *c)
{
    c->stopping = true;
    if (c->drain_until_ms == 0)
        taud_connection_resume(c);
}

void taud_connection_close(struct taud_connection *c)
{
    struct taud_worker *worker = c->worker;
    taud_reply_drop(&worker->transport.reply);
    if (c->interest != 0)
        event_del(&c->event);
    taud_wheel_remove(&worker->wheel, &c->timer);
    taud_link_remove(&c->waiting);
    taud_link_remove(&c->ready);
    drop_input(c);
    taud_session_done(&c->session);
    close(c->file);
    taud_count(&worker->statistics, TAUD_COUNT_CLOSED, 1);
    taud_worker_closed(worker, c);
}
