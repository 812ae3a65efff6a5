/* SPDX-License-Identifier: MIT */
/*
 * The asynchronous face: it gives the core a socket and a clock. One call of tau_async_on_ready
 * opens, receives, expires and sends, whatever is due; the event loop only has to call it often
 * enough.
 */
#include <tau/async.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "async_parts.h"
#include "fault.h"

/* Receives in one call, so that one busy client does not starve the others of its loop. */
#define MAX_RECEIVES 16

#define MIN_USER_TIMEOUT_MS 10000

/* --- telling the outside --------------------------------------------------------------------- */

enum tau_link_state tau_async_link(const struct tau_async *async)
{
    switch (async->core.phase) {
    case TAU_CORE_CLOSED:
        return TAU_LINK_CLOSED;
    case TAU_CORE_READY:
        return TAU_LINK_READY;
    case TAU_CORE_WANTED:
        return async->core.attempts > 0 ? TAU_LINK_WAITING : TAU_LINK_CONNECTING;
    case TAU_CORE_OPENING:
    case TAU_CORE_CONNECT:
    case TAU_CORE_NEGOTIATE:
        break;
    }
    return TAU_LINK_CONNECTING;
}

static void report_link(struct tau_async *async)
{
    enum tau_link_state link = tau_async_link(async);
    if (link == async->reported || async->settings.on_link == NULL)
        return;
    bool was_lost = link == TAU_LINK_CLOSED || link == TAU_LINK_WAITING;
    struct tau_error error = async->core.loss;
    async->reported = link;
    async->settings.on_link(async->settings.link_user_data, link, was_lost ? &error : NULL);
}

static int64_t next_deadline_ns(const struct tau_async *async)
{
    int64_t deadline_ns = tau_core_deadline(&async->core);
    if (async->core.phase == TAU_CORE_OPENING && async->candidate_deadline_ns < deadline_ns)
        deadline_ns = async->candidate_deadline_ns;
    for (const struct tau_timer *timer = async->timers; timer != NULL; timer = timer->next)
        if (timer->deadline_ns < deadline_ns)
            deadline_ns = timer->deadline_ns;
    return deadline_ns;
}

void tau_async_announce(struct tau_async *async)
{
    if (async->entered > 0)
        return;
    unsigned wanted = tau_async_wanted(async);
    int64_t deadline_ns = next_deadline_ns(async);
    bool news = wanted != async->announced_wanted || deadline_ns < async->announced_deadline_ns;
    if (!news)
        return;
    async->announced_wanted = wanted;
    async->announced_deadline_ns = deadline_ns;
    if (async->changed != NULL)
        async->changed(async->changed_user_data);
}

static void destroy(struct tau_async *async)
{
    struct tau_allocator allocator = async->settings.core.allocator;
    tau_core_done(&async->core);
    tau_async_free_raw_calls(async);
    tau_memory_release(&allocator, async, sizeof(*async));
}

void tau_async_enter(struct tau_async *async)
{
    async->entered++;
}

void tau_async_leave(struct tau_async *async)
{
    if (async->entered == 1 && !async->doomed)
        report_link(async);
    async->entered--;
    if (async->entered == 0 && async->doomed)
        destroy(async);
}

/* --- the connection -------------------------------------------------------------------------- */

static void close_socket(struct tau_async *async)
{
    tau_socket_close(async->fd);
    async->fd = -1;
    async->write_blocked = false;
}

/* After a call of the core: it may have given the connection up. */
static void follow_core(struct tau_async *async)
{
    if (async->core.phase < TAU_CORE_OPENING)
        close_socket(async);
}

static void lose(struct tau_async *async, enum tau_status status, int system_error,
                 const char *what, int64_t now_ns)
{
    struct tau_error error;
    tau_fault(&error, status, system_error, "%s", what);
    close_socket(async);
    tau_core_lost(&async->core, &error, now_ns);
}

/* A host of several addresses gets an equal share of the time for each, so that one which swallows
   everything does not keep the others from their turn. */
static int64_t candidate_deadline(const struct tau_async *async, int64_t now_ns)
{
    size_t left = async->candidates.count - async->candidate;
    int64_t deadline_ns = async->core.handshake_deadline_ns;
    if (deadline_ns == TAU_NEVER || left <= 1)
        return TAU_NEVER;
    return now_ns + (deadline_ns - now_ns) / (int64_t)left;
}

/* Between two descriptors there is none for a turn, so that a loop notices the change even when the
   system gives the same number again. */
static void next_candidate(struct tau_async *async, int failure)
{
    close_socket(async);
    async->candidate++;
    async->candidate_failure = failure;
    async->candidate_deadline_ns = 0;
}

/* How long the system keeps a connection whose peer acknowledges nothing. Not as short as a short
   request timeout: one lost packet is no reason to give a connection up. */
static uint32_t user_timeout_ms(const struct tau_async *async)
{
    uint32_t timeout_ms = async->settings.core.request_timeout_ms;
    return timeout_ms == 0 || timeout_ms > MIN_USER_TIMEOUT_MS ? timeout_ms : MIN_USER_TIMEOUT_MS;
}

/* Tries the candidates from the current one on. */
static void try_candidates(struct tau_async *async, int64_t now_ns)
{
    for (; async->candidate < async->candidates.count; async->candidate++) {
        async->candidate_deadline_ns = candidate_deadline(async, now_ns);
        enum tau_progress progress = tau_socket_open(&async->candidates, async->candidate,
                                                     user_timeout_ms(async), &async->fd);
        if (progress == TAU_PROGRESS_WAIT)
            return;
        if (progress == TAU_PROGRESS_DONE) {
            tau_core_connected(&async->core, now_ns);
            return;
        }
        async->candidate_failure = errno;
    }
    lose(async, TAU_STATUS_CONNECTION_FAILED, async->candidate_failure, "cannot reach the server",
         now_ns);
}

static void start_opening(struct tau_async *async, int64_t now_ns)
{
    struct tau_error error;
    tau_core_opening(&async->core, now_ns);
    async->candidate = 0;
    async->candidate_failure = 0;
    if (tau_socket_resolve(&async->settings.address, &async->candidates, &error) !=
        TAU_STATUS_SUCCESS) {
        tau_core_lost(&async->core, &error, now_ns);
        return;
    }
    try_candidates(async, now_ns);
}

static void continue_opening(struct tau_async *async, int64_t now_ns)
{
    if (async->fd < 0) {
        try_candidates(async, now_ns);
        return;
    }
    enum tau_progress progress = tau_socket_opened(async->fd);
    if (progress == TAU_PROGRESS_DONE)
        tau_core_connected(&async->core, now_ns);
    else if (progress == TAU_PROGRESS_FAILED)
        next_candidate(async, errno);
    else if (now_ns >= async->candidate_deadline_ns)
        next_candidate(async, ETIMEDOUT);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Receives once. True when there may be more. */
static bool receive_once(struct tau_async *async, int64_t now_ns)
{
    size_t capacity;
    size_t size = 0;
    uint8_t *room = tau_core_room(&async->core, &capacity);
    if (room == NULL) {
        lose(async, TAU_STATUS_NO_MEMORY, 0, "no memory to receive into", now_ns);
        return false;
    }
    switch (tau_socket_receive(async->fd, room, capacity, &size)) {
    case TAU_PROGRESS_WAIT:
        return false;
    case TAU_PROGRESS_END:
        lose(async, TAU_STATUS_CONNECTION_LOST, 0, "the server closed the connection", now_ns);
        return false;
    case TAU_PROGRESS_FAILED:
        lose(async, TAU_STATUS_CONNECTION_LOST, errno, "the connection failed", now_ns);
        return false;
    case TAU_PROGRESS_DONE:
        break;
    }
    async->received_at_ns = now_ns;
    tau_core_received(&async->core, size, now_ns);
    follow_core(async);
    return size == capacity && !async->single_receive;
}

static void receive(struct tau_async *async, int64_t now_ns)
{
    for (unsigned i = 0; i < MAX_RECEIVES && tau_core_is_open(&async->core); i++)
        if (!receive_once(async, now_ns))
            return;
}

/* The server may have said why before it closed: what it sent is read before the failure counts. */
static void fail_sending(struct tau_async *async, int failure, int64_t now_ns)
{
    for (unsigned i = 0; i < MAX_RECEIVES && tau_core_is_open(&async->core); i++) {
        size_t heard_capacity;
        size_t size = 0;
        uint8_t *room = tau_core_room(&async->core, &heard_capacity);
        if (room == NULL ||
            tau_socket_receive(async->fd, room, heard_capacity, &size) != TAU_PROGRESS_DONE)
            break;
        tau_core_received(&async->core, size, now_ns);
        follow_core(async);
    }
    if (tau_core_is_open(&async->core))
        lose(async, TAU_STATUS_CONNECTION_LOST, failure, "the connection failed", now_ns);
}

static void send_output(struct tau_async *async, int64_t now_ns)
{
    struct tau_slice slices[TAU_SOCKET_SLICES];
    async->write_blocked = false;
    while (tau_core_is_open(&async->core) && tau_core_has_output(&async->core)) {
        size_t count = tau_core_output(&async->core, slices, TAU_SOCKET_SLICES);
        size_t size = 0;
        enum tau_progress progress = tau_socket_send(async->fd, slices, count, &size);
        if (progress == TAU_PROGRESS_WAIT) {
            async->write_blocked = true;
            return;
        }
        if (progress == TAU_PROGRESS_FAILED) {
            fail_sending(async, errno, now_ns);
            return;
        }
        tau_core_sent(&async->core, size);
    }
}

/* --- the loop's side ------------------------------------------------------------------------- */

static void run_timers(struct tau_async *async, int64_t now_ns)
{
    struct tau_timer *next;
    for (struct tau_timer *timer = async->timers; timer != NULL; timer = next) {
        next = timer->next;
        if (now_ns >= timer->deadline_ns)
            timer->expire(timer, now_ns);
    }
}

static void work(struct tau_async *async, unsigned events, int64_t now_ns)
{
    bool had_socket = async->fd >= 0;
    if (async->core.phase == TAU_CORE_OPENING)
        continue_opening(async, now_ns);
    else if (tau_core_is_open(&async->core) && (events & TAU_EVENT_READ) != 0)
        receive(async, now_ns);
    run_timers(async, now_ns);
    tau_core_tick(&async->core, now_ns);
    follow_core(async);
    if (!had_socket && tau_core_wants_opening(&async->core, now_ns))
        start_opening(async, now_ns);
    if (async->single_receive && (events & TAU_EVENT_READ) != 0)
        return;
    send_output(async, now_ns);
    follow_core(async);
}

void tau_async_on_ready(struct tau_async *async, unsigned events)
{
    int64_t now_ns = tau_clock_now_ns();
    tau_async_enter(async);
    if (!async->doomed)
        work(async, events, now_ns);
    if (async->core.unstarted > 0) /* some in callbacks: later than when the turn began */
        tau_core_start_deadlines(&async->core, tau_clock_now_ns());
    async->announced_wanted = tau_async_wanted(async);
    async->announced_deadline_ns = next_deadline_ns(async);
    tau_async_leave(async);
}

int tau_async_fd(const struct tau_async *async)
{
    return async->fd;
}

unsigned tau_async_wanted(const struct tau_async *async)
{
    if (async->fd < 0)
        return 0;
    if (async->core.phase == TAU_CORE_OPENING)
        return TAU_EVENT_WRITE;
    return TAU_EVENT_READ | (tau_core_has_output(&async->core) ? TAU_EVENT_WRITE : 0u);
}

int tau_async_timeout_ms(const struct tau_async *async)
{
    int64_t deadline_ns = next_deadline_ns(async);
    if (deadline_ns == TAU_NEVER)
        return -1;
    if (deadline_ns <= 0)
        return 0;
    int64_t left_ns = deadline_ns - tau_clock_now_ns();
    if (left_ns <= 0)
        return 0;
    int64_t left_ms = (left_ns + TAU_NS_PER_MS - 1) / TAU_NS_PER_MS;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

void tau_async_set_changed(struct tau_async *async, tau_async_changed_callback *changed,
                           void *user_data)
{
    async->changed = changed;
    async->changed_user_data = user_data;
}

void tau_async_flush(struct tau_async *async)
{
    if (async->entered > 0 || async->write_blocked)
        return;
    int64_t now_ns = tau_clock_now_ns();
    tau_async_enter(async);
    tau_core_start_deadlines(&async->core, now_ns);
    send_output(async, now_ns);
    follow_core(async);
    bool doomed = async->doomed;
    tau_async_leave(async);
    if (!doomed)
        tau_async_announce(async);
}

void tau_async_connect(struct tau_async *async)
{
    if (async->doomed)
        return;
    tau_core_open(&async->core, tau_clock_now_ns());
    tau_async_announce(async);
}

/* --- requests -------------------------------------------------------------------------------- */

enum tau_status tau_async_begin(struct tau_async *async, const struct tau_call *call,
                                size_t payload_size, struct tau_writer *ret_payload)
{
    return tau_core_begin(&async->core, call, payload_size, ret_payload);
}

void tau_async_commit(struct tau_async *async, const struct tau_call *call,
                      const struct tau_writer *payload, tau_any_callback *callback,
                      tau_any_callback *batch_callback, void *user_data)
{
    struct tau_pending item = {
        .call = call,
        .callback = callback,
        .batch_callback = batch_callback,
        .user_data = user_data,
        .timeout_ms = async->request_timeout_ms,
    };
    tau_core_commit(&async->core, payload, &item);
    tau_async_announce(async);
}

enum tau_status tau_async_cancel(struct tau_async *async)
{
    enum tau_status status = tau_core_cancel(&async->core);
    tau_async_announce(async);
    return status;
}

void tau_async_set_timeout_ms(struct tau_async *async, uint32_t timeout_ms)
{
    async->request_timeout_ms = timeout_ms;
}

size_t tau_async_outstanding(const struct tau_async *async)
{
    return async->core.outstanding;
}

bool tau_async_supports(const struct tau_async *async, enum tau_opcode opcode)
{
    return tau_core_supports(&async->core, (uint8_t)opcode);
}

const struct tau_server_info *tau_async_server(const struct tau_async *async)
{
    return &async->core.server;
}

/* --- timers ---------------------------------------------------------------------------------- */

void tau_async_add_timer(struct tau_async *async, struct tau_timer *timer)
{
    timer->next = async->timers;
    async->timers = timer;
}

void tau_async_remove_timer(struct tau_async *async, struct tau_timer *timer)
{
    struct tau_timer **link = &async->timers;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
}

/* --- making and freeing ---------------------------------------------------------------------- */

enum tau_status tau_async_new(const struct tau_options *options, struct tau_async **ret_async,
                              struct tau_error *error)
{
    struct tau_settings settings;
    enum tau_status status = tau_settings_read(options, &settings, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct tau_async *async = tau_memory_allocate(&settings.core.allocator, sizeof(*async));
    if (async == NULL)
        return tau_fault_status(error, TAU_STATUS_NO_MEMORY);
    memset(async, 0, sizeof(*async));
    async->settings = settings;
    async->fd = -1;
    async->candidate_deadline_ns = TAU_NEVER;
    async->request_timeout_ms = settings.core.request_timeout_ms;
    async->reported = TAU_LINK_CONNECTING;
    async->announced_deadline_ns = TAU_NEVER;
    tau_core_init(&async->core, &settings.core);
    tau_core_open(&async->core, tau_clock_now_ns());
    *ret_async = async;
    return TAU_STATUS_SUCCESS;
}

void tau_async_free(struct tau_async *async)
{
    if (async == NULL || async->doomed)
        return;
    async->doomed = true;
    tau_async_enter(async);
    close_socket(async);
    tau_core_close(&async->core);
    tau_async_leave(async);
}
