// SPDX-License-Identifier: MIT
// A whole worker of taud over a socket pair, with the real engine on a disk in memory, against a
// client that may send anything in any pieces. Everything that the worker does is done here, in one
// thread and on a clock of the test's own: its thread is caught and run as a function, and each
// turn of its event loop lets the client take a step. So a run depends on its input alone. At the
// end every answer is held against the specification, and nothing may be left of the session.
//
// Prefix of an input: two bytes of seed for the pieces, options, unused.

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answers.h"
#include "dice.h"
#include "disk.h"
#include "fuzz.h"
#include "net/worker.h"

enum {
    SEGMENT_BYTES = 16 << 10,
    MEMORY_BYTES = 8 << 20,
    BUDGET_BYTES = 16 << 20,
    REPLIES_MAX = 8 << 20,
    STEPS_MAX = 100000,
    IDLE_NS = 20 * 1000 * 1000, // what passes when nothing happens
};

enum option {
    OPTION_WHOLE = 1,  // all at once, not in pieces
    OPTION_STAYS = 2,  // the client does not end its side: the server's deadlines have to
    OPTION_SLOW = 4,   // it takes few bytes at a time
    OPTION_DEAF = 240, // all of these: it goes away without taking anything
};

// The client's end of the pair.
struct client {
    struct taud_worker *worker;
    int file;
    struct dice dice;
    unsigned options;
    const uint8_t *data;
    size_t size;
    size_t sent;
    bool ended;
    uint8_t *replies;
    size_t replies_size;
    unsigned steps;
};

static struct client *client; // of the worker that is running; NULL: none is running
static uint64_t now_ns;       // the worker's clock
static void *(*caught)(void *);
static void *caught_data;
static bool catching;
static struct tally tally = {.columns = {"ok", "refused"},
                             .column_count = ANSWER_KINDS,
                             .needed = 1 << ANSWER_OK | 1 << ANSWER_ERROR};

// --- seams ---------------------------------------------------------------------------------------

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data);
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __real_event_base_loop(struct event_base *base, int flags);
int __wrap_event_base_loop(struct event_base *base, int flags);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data)
{
    if (!catching)
        return __real_pthread_create(thread, attributes, start, data);
    caught = start;
    caught_data = data;
    *thread = pthread_self();
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    return pthread_equal(thread, pthread_self()) ? 0 : __real_pthread_join(thread, result);
}

static _Thread_local bool on_own_clock;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC || !on_own_clock)
        return __real_clock_gettime(clock, time);
    time->tv_sec = (time_t)(now_ns / 1000000000);
    time->tv_nsec = (long)(now_ns % 1000000000);
    return 0;
}

// --- the client ----------------------------------------------------------------------------------

static bool is_deaf(const struct client *c)
{
    return (c->options & OPTION_DEAF) == OPTION_DEAF;
}

static bool send_piece(struct client *c)
{
    size_t left = c->size - c->sent;
    if (left == 0) {
        bool ends = !c->ended && (c->options & OPTION_STAYS) == 0;
        if (ends)
            shutdown(c->file, SHUT_WR);
        c->ended = true;
        return ends;
    }
    size_t most = dice_once_in(&c->dice, 2) ? 16 : 512;
    size_t piece = 1 + dice_below(&c->dice, most);
    if (piece > left || (c->options & OPTION_WHOLE) != 0)
        piece = left;
    ssize_t sent = send(c->file, c->data + c->sent, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        c->sent = c->size; // the server has closed
    else if (sent > 0)
        c->sent += (size_t)sent;
    return sent > 0;
}

static void leave(struct client *c)
{
    close(c->file);
    c->file = -1;
    taud_worker_stop(c->worker);
}

static bool receive(struct client *c)
{
    size_t most = REPLIES_MAX - c->replies_size;
    fuzz_require(most > 0, "endless replies");
    if ((c->options & OPTION_SLOW) != 0)
        most = 1 + dice_below(&c->dice, 2000);
    ssize_t size = recv(c->file, c->replies + c->replies_size, most, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN))
        leave(c);
    else if (size > 0)
        c->replies_size += (size_t)size;
    return size > 0 || c->file < 0;
}

static void client_step(struct client *c)
{
    fuzz_require(++c->steps < STEPS_MAX, "the worker does not end");
    bool moved = false;
    if (c->file >= 0)
        moved = send_piece(c);
    if (c->file >= 0 && is_deaf(c) && c->ended)
        leave(c);
    if (c->file >= 0 && !is_deaf(c))
        moved = receive(c) || moved;
    if (!moved)
        now_ns += IDLE_NS;
}

// A turn of the worker's loop: the client's step, and then what is ready, without waiting.
int __wrap_event_base_loop(struct event_base *base, int flags)
{
    if (client != NULL)
        client_step(client);
    return __real_event_base_loop(base, flags | EVLOOP_NONBLOCK);
}

// --- the server ----------------------------------------------------------------------------------

struct server {
    struct disk *disk;
    struct taud_backend *backend;
    struct taud_engine *engine;
    struct taud_budget budget;
    struct taud_penalties *penalties;
    struct taud_worker *worker;
};

static void start_engine(struct server *s)
{
    struct taud_error error = {.text = ""};
    struct taud_recovery recovery;
    s->disk = disk_new(false);
    struct taud_local_options local = {.directory = "data",
                                       .segment_bytes = SEGMENT_BYTES,
                                       .file_seed = 42,
                                       .io = disk_io(s->disk)};
    enum tau_status status = taud_local_backend_new(&local, &s->backend, &error);
    struct taud_engine_options options = {.backend = s->backend, .memory_bytes = MEMORY_BYTES};
    if (status == TAU_STATUS_SUCCESS)
        status = taud_engine_new(&options, &s->engine, &error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_engine_startup(s->engine, &recovery, &error);
    fuzz_require(status == TAU_STATUS_SUCCESS, error.text);
}

static void start_worker(struct server *s, const struct tau_certificate *certificate)
{
    s->budget.limit_bytes = BUDGET_BYTES;
    s->penalties = taud_penalties_new();
    s->worker = aligned_alloc(_Alignof(struct taud_worker), sizeof *s->worker);
    fuzz_require(s->penalties != NULL && s->worker != NULL, "no memory");
    struct taud_worker_options options = {.engine = s->engine,
                                          .budget = &s->budget,
                                          .penalties = s->penalties,
                                          .idle_timeout_ms = 30000,
                                          .frame_timeout_ms = 5000,
                                          .always_commit_inline = true};
    fuzz_require(taud_worker_init(s->worker, &options), "no worker");
    catching = true;
    bool started = taud_worker_startup(s->worker, certificate);
    catching = false;
    fuzz_require(started, "the worker does not start");
}

static void stop_server(struct server *s)
{
    taud_worker_join(s->worker);
    taud_engine_stop(s->engine);
    fuzz_require(s->worker->connections.count == 0, "a connection is left");
    fuzz_require(atomic_load(&s->budget.used_bytes) == 0, "memory of the session is left");
    taud_worker_done(s->worker);
    taud_engine_free(s->engine);
    s->backend->free(s->backend);
    taud_penalties_free(s->penalties);
    free(s->worker);
    disk_free(s->disk);
}

// Runs a client's session to its end.
static void serve(struct server *s, struct client *c)
{
    int pair[2];
    struct taud_penalty_key key = {{0}};
    int made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
    fuzz_require(made == 0, "no socket pair");
    c->file = pair[1];
    c->worker = s->worker;
    fuzz_require(taud_worker_adopt(s->worker, pair[0], &key, false), "not adopted");
    client = c;
    caught(caught_data);
    client = NULL;
    if (c->file >= 0)
        close(c->file);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t replies[REPLIES_MAX];
    struct tau_certificate certificate;
    memcpy(certificate.bytes, FUZZ_CERTIFICATE, sizeof certificate.bytes);
    if (size < FUZZ_PREFIX)
        return;
    struct client c = {.dice = {(uint64_t)data[0] << 8 | data[1]},
                       .options = data[2],
                       .data = data + FUZZ_PREFIX,
                       .size = size - FUZZ_PREFIX,
                       .replies = replies};
    struct server s = {0};
    on_own_clock = true;
    now_ns = UINT64_C(1000000000000);
    start_engine(&s);
    start_worker(&s, &certificate);
    serve(&s, &c);
    stop_server(&s);
    on_own_clock = false;
    if (!is_deaf(&c))
        answers_check(tau_slice_of(c.data, c.size), tau_slice_of(replies, c.replies_size),
                      &certificate, &tally);
}

static const char *row_name(size_t row)
{
    return row < TAU_OPERATION_COUNT ? tau_operations[row].name : NULL;
}

int fuzz_report(FILE *out)
{
    return tally_print(&tally, row_name, out);
}
