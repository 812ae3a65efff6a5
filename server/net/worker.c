// SPDX-License-Identifier: MIT
// A worker: the event loop, and what happens at the end of each of its turns.
#include "net/worker.h"

#include "transport/alarm.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    STOP_MS = 5000,               // what is not finished then is closed
    GATHER_NS = 80 * 1000,        // a commit waits so long for as many writers as lately wrote
    GATHER_PASSES = 64,           // and for no more passes of the loop
    INLINE_REQUESTS_MAX = 512,    // a larger group is worth a thread of its own
    INLINE_BYTES_MAX = 16 * 1024, // of log, likewise
    INLINE_INPUT_MAX = 64 * 1024, // of requests: batches are read while the last are synced
    INLINE_SLOW_NS = 1000 * 1000, // a commit that took longer here would hold other connections up
    INLINE_PAUSE = 256,           // so many are not done here then, before it is tried again
    POLL_REQUESTS_MAX = 128,    // more at once make up for a wake-up, and others need the processor
    POLL_INPUT_MAX = 16 * 1024, // likewise, of their bytes
};

static const uint64_t NOTHING_AWAITED = UINT64_MAX;

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t taud_worker_now(struct taud_worker *worker)
{
    if (!worker->now_valid) {
        worker->now_ms = monotonic_ns() / 1000000;
        worker->now_valid = true;
    }
    return worker->now_ms;
}

// --- waking --------------------------------------------------------------------------------------

static void wake(struct taud_worker *worker)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(worker->wake_file, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
}

static void on_post(void *user_data)
{
    wake(user_data);
}

// Whether what is awaited at `position` is there, or will never be.
static bool is_settled(const struct taud_worker *worker, uint64_t position)
{
    return position != NOTHING_AWAITED &&
           taud_engine_outcome(worker->options.engine, position) != TAU_STATUS_WOULD_BLOCK;
}

// On the thread that committed, after the durable position moved. The worker says what it awaits
// before it looks at that position, so that one of the two always sees the other.
static void on_durable(void *user_data)
{
    struct taud_worker *worker = user_data;
    if (!is_settled(worker, atomic_load(&worker->announced)))
        return;
    atomic_store(&worker->woken, true);
    if (!pthread_equal(worker->self, pthread_self()))
        wake(worker);
}

static enum tau_status log_outcome(void *context, uint64_t position)
{
    return taud_engine_outcome(context, position);
}

static bool log_has_room(void *context)
{
    return taud_engine_log_has_room(context);
}

// --- messages ------------------------------------------------------------------------------------

static void adopt(struct taud_worker *worker, struct taud_adopt_message *message)
{
    struct taud_connection *connection =
        worker->stop_by_ms != 0 ? NULL : taud_connection_manager_take(&worker->connections);
    if (connection == NULL) {
        close(message->file);
        atomic_fetch_sub_explicit(&worker->connection_count, 1, memory_order_relaxed);
    } else {
        taud_connection_start(connection, worker, message->file, worker->next_identity++,
                              &message->address, message->refuse);
    }
    free(message);
}

static void complete(struct taud_pending *pending)
{
    if (pending->block == NULL) {
        taud_pending_free(pending);
        return;
    }
    struct taud_connection *connection = (struct taud_connection *)pending->session;
    taud_connection_complete(connection, pending);
}

static void push(struct taud_worker *worker, struct taud_push_message *message)
{
    struct taud_connection *connection = (struct taud_connection *)message->session;
    if (taud_session_push(&worker->transport, message))
        taud_connection_resume(connection);
}

static void answer(struct taud_alarm *alarm)
{
    struct taud_session *session = taud_alarm_answer(alarm);
    if (session != NULL)
        taud_connection_resume((struct taud_connection *)session);
}

static void stop_connection(struct taud_connection *connection)
{
    taud_connection_stop(connection);
}

static void begin_stop(struct taud_worker *worker)
{
    if (worker->stop_by_ms != 0)
        return;
    worker->stop_by_ms = taud_worker_now(worker) + STOP_MS;
    taud_connection_manager_each(&worker->connections, stop_connection);
}

static void handle_message(struct taud_worker *worker, struct taud_message *message)
{
    switch (message->kind) {
    case TAUD_MESSAGE_ADOPT:
        adopt(worker, (struct taud_adopt_message *)message);
        break;
    case TAUD_MESSAGE_COMPLETION:
        complete((struct taud_pending *)message);
        break;
    case TAUD_MESSAGE_PUSH:
        push(worker, (struct taud_push_message *)message);
        break;
    case TAUD_MESSAGE_ALARM:
        answer((struct taud_alarm *)message);
        break;
    case TAUD_MESSAGE_STOP:
        begin_stop(worker);
        break;
    }
}

// Frees messages that came when nobody handles them any more.
static void drop_messages(struct taud_message *message)
{
    while (message != NULL) {
        struct taud_message *next = message->next;
        if (message->kind == TAUD_MESSAGE_COMPLETION) {
            taud_pending_free((struct taud_pending *)message);
        } else if (message->kind == TAUD_MESSAGE_ALARM) {
            taud_alarm_drop((struct taud_alarm *)message);
        } else if (message->kind == TAUD_MESSAGE_ADOPT) {
            close(((struct taud_adopt_message *)message)->file);
            free(message);
        } else if (message->kind == TAUD_MESSAGE_PUSH) {
            free(message);
        }
        message = next;
    }
}

static void on_wake(evutil_socket_t file, short what, void *user_data)
{
    struct taud_worker *worker = user_data;
    (void)what;
    uint64_t count;
    ssize_t size = read(file, &count, sizeof count);
    (void)size;
    struct taud_message *message = taud_mailbox_collect(worker->mailbox);
    while (message != NULL) {
        struct taud_message *next = message->next;
        handle_message(worker, message);
        message = next;
    }
}

static void on_timer(evutil_socket_t file, short what, void *user_data)
{
    struct taud_worker *worker = user_data;
    (void)file;
    (void)what;
    worker->timer_ms = UINT64_MAX;
}

// --- the end of a turn ---------------------------------------------------------------------------

static void run_events(struct taud_worker *worker, int flags)
{
    worker->now_valid = false;
    event_base_loop(worker->base, EVLOOP_ONCE | flags);
}

static void expire(struct taud_worker *worker)
{
    if (worker->wheel.count == 0)
        return;
    uint64_t now = taud_worker_now(worker);
    struct taud_timer *timer;
    while ((timer = taud_wheel_take(&worker->wheel, now)) != NULL)
        taud_connection_expire(TAUD_LINKED(timer, struct taud_connection, timer));
}

static void resume_ready(struct taud_worker *worker)
{
    struct taud_link ready;
    taud_list_move(&worker->ready, &ready);
    struct taud_link *link;
    while ((link = taud_list_take(&ready)) != NULL)
        taud_connection_resume(TAUD_LINKED(link, struct taud_connection, ready));
}

static void release_waiting(struct taud_worker *worker)
{
    struct taud_link waiting;
    taud_list_move(&worker->waiting, &waiting);
    worker->awaited = NOTHING_AWAITED;
    struct taud_link *link;
    while ((link = taud_list_take(&waiting)) != NULL)
        taud_connection_released(TAUD_LINKED(link, struct taud_connection, waiting));
}

void taud_worker_await(struct taud_worker *worker, struct taud_link *link, uint64_t position)
{
    if (!taud_link_used(link))
        taud_list_add(&worker->waiting, link);
    if (position < worker->awaited)
        worker->awaited = position;
}

// Tells the durable callback what is worth a wake-up. Returns whether that is there already.
static bool announce(struct taud_worker *worker)
{
    if (taud_list_empty(&worker->waiting))
        worker->awaited = NOTHING_AWAITED;
    atomic_store(&worker->announced, worker->awaited);
    return worker->awaited != 0 && is_settled(worker, worker->awaited);
}

void taud_worker_wrote(struct taud_worker *worker, uint64_t position)
{
    if (position > worker->written)
        worker->written = position;
    worker->group_writers++;
}

static uint64_t request_count(const struct taud_worker *worker)
{
    return taud_counter_value(&worker->statistics, TAUD_COUNT_REQUESTS);
}

static uint64_t input_bytes(const struct taud_worker *worker)
{
    return taud_counter_value(&worker->statistics, TAUD_COUNT_READ_BYTES);
}

// Serves other connections that are ready before the commit, so that it covers them too, and waits
// a little for as many as lately wrote together: a loop that commits for the first of them halves
// its groups.
static void gather(struct taud_worker *worker)
{
    if (worker->connections.count < 2)
        return;
    uint64_t until = 0;
    for (int pass = 0; pass < GATHER_PASSES; pass++) {
        uint32_t served = worker->connection_turns;
        run_events(worker, EVLOOP_NONBLOCK);
        if (worker->connection_turns != served)
            continue;
        if (worker->group_writers >= worker->last_writers)
            return;
        uint64_t now = monotonic_ns();
        if (until == 0)
            until = now + GATHER_NS;
        else if (now >= until)
            return;
    }
}

static bool is_committing(const struct taud_worker *worker)
{
    return worker->committing != 0 &&
           taud_engine_outcome(worker->options.engine, worker->committing) ==
               TAU_STATUS_WOULD_BLOCK;
}

// Whether to commit in this loop, which saves two wake-ups: where little was written, nothing else
// is ready (gather has seen to that), and the disk is quick or nobody else is there to wait for it.
static bool commit_here(struct taud_worker *worker, bool busy)
{
    if (worker->options.always_commit_inline)
        return true;
    if (busy || request_count(worker) - worker->group_requests > INLINE_REQUESTS_MAX ||
        worker->written - worker->committing > INLINE_BYTES_MAX ||
        input_bytes(worker) - worker->group_input > INLINE_INPUT_MAX)
        return false;
    if (worker->connections.count < 2 || worker->inline_pause == 0)
        return true;
    worker->inline_pause--;
    return false;
}

static void commit_inline(struct taud_worker *worker)
{
    uint64_t began = monotonic_ns();
    taud_engine_commit(worker->options.engine, worker->written, TAUD_COMMIT_INLINE);
    if (monotonic_ns() - began > INLINE_SLOW_NS)
        worker->inline_pause = INLINE_PAUSE;
    worker->now_valid = false;
}

// Asks for the commit of what this turn wrote: here, or by the engine's thread while this loop goes
// on.
static void commit(struct taud_worker *worker)
{
    if (worker->written <= worker->committing)
        return;
    bool busy = is_committing(worker);
    if (!busy && !worker->options.always_commit_inline)
        gather(worker);
    bool here = commit_here(worker, busy);
    worker->committing = worker->written;
    worker->group_requests = request_count(worker);
    worker->group_input = input_bytes(worker);
    worker->last_writers = worker->group_writers;
    worker->group_writers = 0;
    taud_count(&worker->statistics, TAUD_COUNT_COMMITS, 1);
    if (here)
        commit_inline(worker);
    else
        taud_engine_commit(worker->options.engine, worker->written, TAUD_COMMIT_BACKGROUND);
}

// Sessions wait for room in the log: somebody must be committing what fills it. Returns false when
// there is nothing to commit: then it is promised to writes on other threads, which may end without
// having written anything, and nobody will say so.
static bool commit_all(struct taud_worker *worker)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(worker->options.engine, &figures);
    if (figures.durable_position >= figures.log_position)
        return taud_engine_awaits_flush(worker->options.engine); // whose end is told
    taud_engine_commit(worker->options.engine, figures.log_position, TAUD_COMMIT_BACKGROUND);
    return true;
}

static void end_turn(struct taud_worker *worker)
{
    expire(worker);
    resume_ready(worker);
    commit(worker);
    bool settled = announce(worker);
    if (taud_list_empty(&worker->waiting))
        return;
    bool full = !taud_engine_log_has_room(worker->options.engine);
    bool look_again = full && !commit_all(worker);
    bool was_full = worker->log_was_full;
    worker->log_was_full = full;
    if (atomic_exchange(&worker->woken, false) || settled || (was_full && !full)) {
        release_waiting(worker);
        settled = announce(worker);
    }
    if (look_again || settled || (!full && worker->log_was_full)) // full again for one of those
        atomic_store(&worker->woken, true);
}

static void set_timer(struct taud_worker *worker)
{
    uint64_t next_ms = taud_wheel_next_ms(&worker->wheel);
    if (worker->stop_by_ms != 0 && worker->stop_by_ms < next_ms)
        next_ms = worker->stop_by_ms;
    if (next_ms >= worker->timer_ms)
        return;
    uint64_t now = taud_worker_now(worker);
    uint64_t wait_ms = next_ms > now ? next_ms - now : 0;
    struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000),
                           .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    if (event_add(worker->timer_event, &wait) == 0)
        worker->timer_ms = next_ms;
}

static void close_connection(struct taud_connection *connection)
{
    taud_connection_close(connection);
}

static bool has_more_to_do(const struct taud_worker *worker)
{
    return !taud_list_empty(&worker->ready) || worker->written > worker->committing ||
           (!taud_list_empty(&worker->waiting) && atomic_load(&worker->woken));
}

// Whether to look out for a request before it sleeps: once after each turn in which little was
// served, while nothing waits for the log, which others have to write.
static bool may_poll(struct taud_worker *worker)
{
    if (!worker->options.busy_poll || worker->polled_turns == worker->connection_turns ||
        worker->connections.count == 0 || !taud_list_empty(&worker->waiting))
        return false;
    uint64_t requests = request_count(worker) - worker->polled_requests;
    uint64_t input = input_bytes(worker) - worker->polled_input;
    worker->polled_turns = worker->connection_turns;
    worker->polled_requests += requests;
    worker->polled_input += input;
    return requests <= POLL_REQUESTS_MAX && input <= POLL_INPUT_MAX &&
           taud_busy_poll_served(&worker->busy_poll);
}

// Looks out for a request. Gives way between two looks: a client on the same processor must run to
// send it, and whoever else wants the processor needs it more.
static void poll_events(struct taud_worker *worker)
{
    uint64_t began = monotonic_ns();
    uint64_t took = 0;
    while (took < TAUD_BUSY_POLL_NS) {
        run_events(worker, EVLOOP_NONBLOCK);
        if (worker->connection_turns != worker->polled_turns)
            return;
        sched_yield();
        took = monotonic_ns() - began;
    }
    taud_busy_poll_in_vain(&worker->busy_poll, took);
}

static void *run(void *user_data)
{
    struct taud_worker *worker = user_data;
    worker->self = pthread_self();
    while (worker->stop_by_ms == 0 || worker->connections.count > 0) {
        set_timer(worker);
        if (has_more_to_do(worker))
            run_events(worker, EVLOOP_NONBLOCK);
        else if (may_poll(worker))
            poll_events(worker);
        else
            run_events(worker, 0);
        end_turn(worker);
        if (worker->stop_by_ms != 0 && taud_worker_now(worker) >= worker->stop_by_ms)
            taud_connection_manager_each(&worker->connections, close_connection);
    }
    return NULL;
}

// --- life ----------------------------------------------------------------------------------------

static bool init_transport(struct taud_worker *worker)
{
    const struct taud_worker_options *options = &worker->options;
    worker->log_watch = (struct taud_log_watch){
        .context = options->engine, .outcome = log_outcome, .has_room = log_has_room};
    struct taud_transport_options transport = {
        .engine = options->engine,
        .mailbox = worker->mailbox,
        .budget = options->budget,
        .penalties = options->penalties,
        .statistics = &worker->statistics,
        .log = &worker->log_watch,
    };
    return taud_transport_init(&worker->transport, &transport);
}

static bool init_events(struct taud_worker *worker)
{
    worker->wake_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct event_config *config = event_config_new();
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        worker->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (worker->wake_file < 0 || worker->base == NULL)
        return false;
    worker->wake_event =
        event_new(worker->base, worker->wake_file, EV_READ | EV_PERSIST, on_wake, worker);
    worker->timer_event = evtimer_new(worker->base, on_timer, worker);
    return worker->wake_event != NULL && worker->timer_event != NULL &&
           event_add(worker->wake_event, NULL) == 0;
}

bool taud_worker_init(struct taud_worker *worker, const struct taud_worker_options *options)
{
    memset(worker, 0, sizeof *worker);
    worker->options = *options;
    worker->timer_ms = UINT64_MAX;
    worker->awaited = NOTHING_AWAITED;
    worker->announced = NOTHING_AWAITED;
    worker->wake_file = -1;
    worker->next_identity = ((uint64_t)options->index + 1) << 48;
    taud_list_init(&worker->waiting);
    taud_list_init(&worker->ready);
    taud_connection_manager_init(&worker->connections);
    taud_wheel_init(&worker->wheel, taud_worker_now(worker));
    taud_busy_poll_init(&worker->busy_poll);
    worker->read_buffer = malloc(TAUD_READ_HEADROOM + TAUD_READ_BYTES);
    worker->mailbox = taud_mailbox_new(on_post, worker);
    return worker->read_buffer != NULL && worker->mailbox != NULL && init_transport(worker) &&
           init_events(worker) &&
           taud_engine_on_durable(options->engine, on_durable, worker) == TAU_STATUS_SUCCESS;
}

bool taud_worker_startup(struct taud_worker *worker, const struct tau_certificate *certificate)
{
    worker->transport.certificate = *certificate;
    int error = pthread_create(&worker->thread, NULL, run, worker);
    worker->thread_started = error == 0;
    if (error != 0)
        errno = error;
    return worker->thread_started;
}

void taud_worker_stop(struct taud_worker *worker)
{
    if (!worker->thread_started)
        return;
    worker->stop_message.kind = TAUD_MESSAGE_STOP;
    bool posted = taud_mailbox_post(worker->mailbox, &worker->stop_message);
    assert(posted); // the mailbox is closed after the thread has ended
    (void)posted;
}

void taud_worker_join(struct taud_worker *worker)
{
    if (worker->thread_started)
        pthread_join(worker->thread, NULL);
    worker->thread_started = false;
}

void taud_worker_done(struct taud_worker *worker)
{
    assert(!worker->thread_started && worker->connections.count == 0);
    if (worker->mailbox != NULL) {
        drop_messages(taud_mailbox_close(worker->mailbox));
        taud_mailbox_release(worker->mailbox);
    }
    if (worker->timer_event != NULL)
        event_free(worker->timer_event);
    if (worker->wake_event != NULL)
        event_free(worker->wake_event);
    if (worker->base != NULL)
        event_base_free(worker->base);
    if (worker->wake_file >= 0)
        close(worker->wake_file);
    taud_transport_done(&worker->transport);
    taud_connection_manager_done(&worker->connections);
    free(worker->read_buffer);
}

bool taud_worker_adopt(struct taud_worker *worker, int file, const struct taud_penalty_key *address,
                       bool refuse)
{
    struct taud_adopt_message *message = malloc(sizeof *message);
    if (message == NULL)
        return false;
    *message = (struct taud_adopt_message){
        .message.kind = TAUD_MESSAGE_ADOPT, .file = file, .refuse = refuse, .address = *address};
    atomic_fetch_add_explicit(&worker->connection_count, 1, memory_order_relaxed);
    if (taud_mailbox_post(worker->mailbox, &message->message))
        return true;
    atomic_fetch_sub_explicit(&worker->connection_count, 1, memory_order_relaxed);
    free(message);
    return false;
}

void taud_worker_closed(struct taud_worker *worker, struct taud_connection *connection)
{
    taud_connection_manager_give(&worker->connections, connection);
    atomic_fetch_sub_explicit(&worker->connection_count, 1, memory_order_relaxed);
}
