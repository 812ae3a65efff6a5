// SPDX-License-Identifier: MIT
// A worker by itself: what it is handed, who syncs what its turns wrote while it goes on, a log
// that fails, when it looks out for requests and when it sleeps, its end, and what is missing at
// its start. What connections do stands in connection_test.c.
#include "worker_rig.h"

#include "memory_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// --- seams ---------------------------------------------------------------------------------------

// The clock that the worker reads runs ahead of the system's by so much, or stands still there.
static _Atomic int64_t ahead_s;
static _Atomic int64_t stands_at_s; // 0: it does not

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int result = __real_clock_gettime(clock, ret);
    ret->tv_sec += (time_t)atomic_load(&ahead_s);
    if (atomic_load(&stands_at_s) != 0)
        *ret = (struct timespec){.tv_sec = (time_t)atomic_load(&stands_at_s)};
    return result;
}

// Looks at what came, between which the worker gives way.
static _Atomic uint64_t looks;

int __real_sched_yield(void);
int __wrap_sched_yield(void);

int __wrap_sched_yield(void)
{
    atomic_fetch_add(&looks, 1);
    return __real_sched_yield();
}

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, start, argument);
}

// A disk that the test makes slow, holds up, or breaks.
static _Atomic bool disk_held;
static _Atomic unsigned disk_delay_us;
static _Atomic bool disk_broken;
static _Atomic size_t disk_waiting; // threads that are held up
static _Atomic size_t disk_calls_of_worker;
static _Atomic pthread_t disk_worker; // the thread whose calls are counted

static int use_disk(void)
{
    if (pthread_equal(pthread_self(), atomic_load(&disk_worker)))
        atomic_fetch_add(&disk_calls_of_worker, 1);
    atomic_fetch_add(&disk_waiting, 1);
    usleep(atomic_load(&disk_delay_us));
    while (atomic_load(&disk_held))
        usleep(200);
    atomic_fetch_sub(&disk_waiting, 1);
    return atomic_load(&disk_broken) ? -EIO : 0;
}

static int64_t disk_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    int error = use_disk();
    return error != 0 ? error : taud_io_posix()->write(context, file, data, size, offset);
}

static int disk_sync(void *context, int file)
{
    int error = use_disk();
    return error != 0 ? error : taud_io_posix()->sync(context, file);
}

static const struct taud_io *disk_io(void)
{
    static struct taud_io io;
    io = *taud_io_posix();
    io.write = disk_write;
    io.sync = disk_sync;
    return &io;
}

// While it stands still no time is over: a worker that looks out does so until something comes.
static void stop_clock(void)
{
    struct timespec now;
    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    atomic_store(&stands_at_s, now.tv_sec + atomic_load(&ahead_s) + 1);
}

static void let_clock_go_on(void)
{
    atomic_fetch_add(&ahead_s, 2);
    atomic_store(&stands_at_s, 0);
}

// --- fixture -------------------------------------------------------------------------------------

static struct worker_rig *new_rig(bool always_commit_inline, bool busy_poll)
{
    struct worker_rig *w = calloc(1, sizeof *w);
    struct worker_rig_options options = {.io = disk_io(),
                                         .frame_timeout_ms = 60 * 1000,
                                         .always_commit_inline = always_commit_inline,
                                         .busy_poll = busy_poll};
    atomic_store(&ahead_s, 0);
    atomic_store(&looks, 0);
    atomic_store(&disk_worker, 0);
    worker_rig_init(w, &options);
    return w;
}

static int setup_unstarted(void **state)
{
    *state = new_rig(false, false);
    return 0;
}

static int setup(void **state)
{
    *state = new_rig(false, false);
    worker_rig_startup(*state);
    return 0;
}

static int setup_inline(void **state)
{
    *state = new_rig(true, false);
    worker_rig_startup(*state);
    return 0;
}

static int setup_looking(void **state)
{
    *state = new_rig(false, true);
    stop_clock();
    worker_rig_startup(*state);
    return 0;
}

static int teardown(void **state)
{
    atomic_store(&disk_held, false);
    atomic_store(&disk_delay_us, 0);
    atomic_store(&stands_at_s, 0);
    worker_rig_done(*state);
    atomic_store(&disk_broken, false);
    free(*state);
    return 0;
}

static void watch_disk(struct worker_rig *w)
{
    atomic_store(&disk_calls_of_worker, 0);
    atomic_store(&disk_worker, w->worker->thread);
}

static void wait_for_disk(void)
{
    for (int turn = 0; turn < PEER_PATIENCE_S * 1000 && atomic_load(&disk_waiting) == 0; turn++)
        usleep(1000);
    assert_true(atomic_load(&disk_waiting) > 0);
}

static void create_series(int peer)
{
    peer_create(peer, "series");
    peer_expect(peer, TAU_OPCODE_OK, NULL, 0);
}

static void ping(int peer)
{
    peer_send(peer, TAU_OPCODE_PING, NULL, 0);
    peer_expect(peer, TAU_OPCODE_PONG, NULL, 0);
}

// Gives a peer less patience than the 10 s after which an old timer would wake the worker anyway.
static int impatient(int peer)
{
    struct timeval patience = {.tv_sec = 5};
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return peer;
}

// While a writer waits for a disk that is held up, others are served on: not only in the moment
// before the worker begins to commit.
static void expect_others_served(int writer, int other)
{
    wait_for_disk();
    for (int round = 0; round < 4; round++) {
        ping(other);
        assert_true(peer_hears_nothing(writer, 5));
    }
    atomic_store(&disk_held, false);
}

static void wait_for_count(struct worker_rig *w, uint32_t count)
{
    for (int turn = 0; turn < PEER_PATIENCE_S * 1000; turn++) {
        if (atomic_load(&w->worker->connection_count) == count)
            break;
        usleep(1000);
    }
    assert_int_equal(atomic_load(&w->worker->connection_count), count);
}

enum { LARGE_POINTS = 5000 }; // more than 16 KiB of log, however well it is packed

static void send_large_batch(int peer)
{
    size_t size = 32 + 4 + LARGE_POINTS * 16;
    uint8_t *payload = calloc(1, size);
    memcpy(payload, "series", 6);
    tau_store_u32(payload + 32, LARGE_POINTS);
    uint64_t random = 1;
    for (int64_t index = 0; index < LARGE_POINTS; index++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        tau_store_i64(payload + 36 + index * 8, index);
        tau_store_u64(payload + 36 + (LARGE_POINTS + index) * 8, random);
    }
    peer_send(peer, TAU_OPCODE_BATCH_APPEND, payload, size);
    free(payload);
}

static void expect_large_batch(int peer)
{
    uint8_t stored[8] = {0};
    tau_store_u32(stored, LARGE_POINTS);
    peer_expect(peer, TAU_OPCODE_OK, stored, sizeof stored);
}

// --- what it is handed ---------------------------------------------------------------------------

static void serves_what_came_before_its_start(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_open(w, false);
    assert_int_equal(atomic_load(&w->worker->connection_count), 1);
    worker_rig_startup(w);
    peer_connect(peer);
    close(peer);
}

static void closes_what_it_never_came_to_serve(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_open(w, false);
    taud_worker_stop(w->worker); // nothing runs: nothing happens
    taud_worker_join(w->worker);
    assert_true(peer_hears_nothing(peer, 0));
    teardown(state);
    peer_expect_end(peer);
    close(peer);
    setup_unstarted(state);
}

static void leaves_a_socket_that_it_cannot_take_to_the_caller(void **state)
{
    struct worker_rig *w = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct taud_penalty_key key = {{0}};
    memory_fault_after(0);
    bool adopted = taud_worker_adopt(w->worker, pair[0], &key, false);
    assert_true(memory_fault_end());
    assert_false(adopted);
    assert_int_equal(atomic_load(&w->worker->connection_count), 0);
    assert_true(fcntl(pair[0], F_GETFD) >= 0);
    close(pair[0]);
    close(pair[1]);
}

static void counts_the_connections_that_it_has(void **state)
{
    struct worker_rig *w = *state;
    int peers[3];
    for (int index = 0; index < 3; index++)
        peers[index] = worker_rig_connect(w);
    assert_int_equal(atomic_load(&w->worker->connection_count), 3);
    close(peers[1]);
    wait_for_count(w, 2);
    assert_int_equal(taud_counter_value(&w->worker->statistics, TAUD_COUNT_ACCEPTED), 3);
    close(peers[0]);
    close(peers[2]);
}

static void takes_the_time_once_a_turn(void **state)
{
    struct worker_rig *w = *state; // without its thread
    w->worker->now_valid = false;
    uint64_t now_ms = taud_worker_now(w->worker);
    atomic_store(&ahead_s, 3600);
    assert_int_equal(taud_worker_now(w->worker), now_ms);
    w->worker->now_valid = false; // as at the begin of a turn
    assert_true(taud_worker_now(w->worker) >= now_ms + 3600 * 1000);
}

static void remembers_the_highest_position(void **state)
{
    struct worker_rig *w = *state; // without its thread
    taud_worker_wrote(w->worker, 70);
    taud_worker_wrote(w->worker, 50);
    assert_int_equal(w->worker->written, 70);
    assert_int_equal(w->worker->group_writers, 2);
}

// --- commits -------------------------------------------------------------------------------------

static void commits_once_for_many_writes_of_a_turn(void **state)
{
    struct worker_rig *w = *state;
    enum { WRITES = 200, FRAME = TAU_HEADER_SIZE + 48 };
    int peer = worker_rig_connect(w);
    create_series(peer);
    uint64_t before = taud_counter_value(&w->worker->statistics, TAUD_COUNT_COMMITS);
    static uint8_t frames[WRITES * FRAME];
    struct tau_header header = {.opcode = TAU_OPCODE_APPEND, .payload_length = 48};
    for (int64_t index = 0; index < WRITES; index++) {
        uint8_t *frame = frames + index * FRAME;
        tau_header_store(frame, &header);
        memcpy(frame + TAU_HEADER_SIZE, "series", 6);
        tau_store_i64(frame + TAU_HEADER_SIZE + 32, index);
    }
    peer_send_bytes(peer, frames, sizeof frames);
    for (int index = 0; index < WRITES; index++)
        peer_expect(peer, TAU_OPCODE_OK, NULL, 0);
    uint64_t commits = taud_counter_value(&w->worker->statistics, TAUD_COUNT_COMMITS) - before;
    assert_true(commits >= 1 && commits <= WRITES / 20);
    ping(peer); // nothing was written, so there is nothing to commit
    assert_int_equal(taud_counter_value(&w->worker->statistics, TAUD_COUNT_COMMITS) - before,
                     commits);
    close(peer);
}

static void serves_others_while_a_large_batch_is_synced(void **state)
{
    struct worker_rig *w = *state;
    int writer = impatient(worker_rig_connect(w)), other = worker_rig_connect(w);
    create_series(writer);
    atomic_store(&disk_held, true);
    send_large_batch(writer);
    expect_others_served(writer, other);
    expect_large_batch(writer);
    close(writer);
    close(other);
}

static void holds_nobody_up_once_the_disk_was_slow(void **state)
{
    struct worker_rig *w = *state;
    int writer = impatient(worker_rig_connect(w)), other = worker_rig_connect(w);
    create_series(writer);
    atomic_store(&disk_delay_us, 3000);
    peer_append(writer, "series", 1);
    peer_expect(writer, TAU_OPCODE_OK, NULL, 0);
    atomic_store(&disk_held, true);
    peer_append(writer, "series", 2);
    expect_others_served(writer, other);
    peer_expect(writer, TAU_OPCODE_OK, NULL, 0);
    close(writer);
    close(other);
}

static void commits_all_by_itself_where_it_is_told_to(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    create_series(peer);
    watch_disk(w);
    send_large_batch(peer);
    expect_large_batch(peer);
    assert_true(atomic_load(&disk_calls_of_worker) > 0);
    close(peer);
}

static void leaves_a_large_batch_to_the_engine(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    create_series(peer);
    watch_disk(w);
    send_large_batch(peer);
    expect_large_batch(peer);
    assert_int_equal(atomic_load(&disk_calls_of_worker), 0);
    close(peer);
}

static void says_outcome_unknown_when_the_disk_breaks(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    create_series(peer);
    atomic_store(&disk_broken, true);
    peer_append(peer, "series", 1);
    peer_expect_error(peer, TAU_STATUS_OUTCOME_UNKNOWN);
    peer_append(peer, "series", 2);
    peer_expect_error(peer, TAU_STATUS_READ_ONLY);
    ping(peer);
    close(peer);
}

// --- looking out ---------------------------------------------------------------------------------

// Waits until it sleeps. Returns how often it had looked.
static uint64_t looks_until_sleep(void)
{
    uint64_t before = 0;
    uint64_t now = atomic_load(&looks);
    for (int turn = 0; turn < PEER_PATIENCE_S * 50; turn++) {
        before = now;
        usleep(20 * 1000);
        now = atomic_load(&looks);
        if (now == before)
            break;
    }
    assert_int_equal(now, before);
    return now;
}

static void expect_looks_after(uint64_t before)
{
    enum { MANY = 100 };
    for (int turn = 0; turn < PEER_PATIENCE_S * 1000; turn++) {
        if (atomic_load(&looks) >= before + MANY)
            return;
        usleep(1000);
    }
    assert_true(atomic_load(&looks) >= before + MANY);
}

static void ping_at_once(int peer, size_t count)
{
    static uint8_t frames[TAU_HEADER_SIZE * 200];
    struct tau_header header = {.opcode = TAU_OPCODE_PING};
    assert_true(count * TAU_HEADER_SIZE <= sizeof frames);
    for (size_t index = 0; index < count; index++)
        tau_header_store(frames + index * TAU_HEADER_SIZE, &header);
    peer_send_bytes(peer, frames, count * TAU_HEADER_SIZE);
    for (size_t index = 0; index < count; index++)
        peer_expect(peer, TAU_OPCODE_PONG, NULL, 0);
}

static void looks_out_for_the_next_request(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    uint64_t before = 0;
    for (int round = 0; round < 3; round++) {
        ping(peer);
        expect_looks_after(before);
        before = atomic_load(&looks);
    }
    let_clock_go_on();
    before = looks_until_sleep();
    usleep(100 * 1000);
    assert_int_equal(atomic_load(&looks), before); // without requests it sleeps
    ping(peer);
    close(peer);
}

static void looks_out_only_where_it_is_told_to(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    stop_clock();
    for (int round = 0; round < 20; round++)
        ping(peer);
    let_clock_go_on();
    assert_int_equal(looks_until_sleep(), 0);
    close(peer);
}

// The most requests after which it looks are 128.
static void sleeps_at_once_after_much_work(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    create_series(peer);
    expect_looks_after(atomic_load(&looks)); // so what came before is counted
    ping_at_once(peer, 129);
    uint64_t before = looks_until_sleep();
    send_large_batch(peer);
    expect_large_batch(peer);
    assert_int_equal(looks_until_sleep(), before);
    ping_at_once(peer, 128);
    expect_looks_after(before);
    let_clock_go_on();
    close(peer);
}

static void sleeps_while_it_waits_for_the_log(void **state)
{
    struct worker_rig *w = *state;
    int writer = worker_rig_connect(w), other = worker_rig_connect(w);
    create_series(writer);
    atomic_store(&disk_held, true);
    send_large_batch(writer);
    wait_for_disk();
    uint64_t before = looks_until_sleep();
    ping(other);
    assert_int_equal(looks_until_sleep(), before);
    let_clock_go_on();
    atomic_store(&disk_held, false);
    expect_large_batch(writer);
    close(writer);
    close(other);
}

// A client that is always slower than the worker looks: that is tried as often as was saved up for.
static void soon_sleeps_at_once_where_it_looked_in_vain(void **state)
{
    struct worker_rig *w = *state;
    enum { ROUNDS = 150, TRIES = TAUD_BUSY_POLL_SAVED_NS / TAUD_BUSY_POLL_NS + 3 };
    let_clock_go_on();
    uint64_t first = atomic_load(&looks);
    int peer = worker_rig_connect(w);
    int rounds_with_looks = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = atomic_load(&looks);
        ping(peer);
        usleep(2000);
        rounds_with_looks += atomic_load(&looks) != before;
    }
    assert_true(atomic_load(&looks) > first); // one that stood still may have used up all
    assert_true(rounds_with_looks <= 2 * TRIES); // one may end within the round behind its own
    close(peer);
}

static void stops_while_it_looks_out(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    ping(peer);
    expect_looks_after(0);
    taud_worker_stop(w->worker);
    peer_expect_end(peer);
    let_clock_go_on();
    close(peer);
    taud_worker_join(w->worker);
}

// --- its end -------------------------------------------------------------------------------------

static void takes_nobody_over_while_it_stops(void **state)
{
    struct worker_rig *w = *state;
    int peer = worker_rig_connect(w);
    taud_worker_stop(w->worker);
    peer_expect_end(peer); // the worker now waits for this end
    int late = worker_rig_open(w, false);
    peer_expect_end(late);
    close(late);
    close(peer);
    taud_worker_join(w->worker);
}

static void closes_by_its_deadline_what_does_not_finish(void **state)
{
    struct worker_rig *w = *state;
    int deaf = worker_rig_connect(w);
    uint8_t frames[100 * TAU_HEADER_SIZE];
    struct tau_header header = {.opcode = TAU_OPCODE_PING};
    for (size_t index = 0; index < 100; index++)
        tau_header_store(frames + index * TAU_HEADER_SIZE, &header);
    struct timeval patience = {.tv_usec = 50 * 1000};
    assert_int_equal(setsockopt(deaf, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    while (send(deaf, frames, sizeof frames, MSG_NOSIGNAL) == (ssize_t)sizeof frames)
        continue; // until its replies are in the way
    taud_worker_stop(w->worker);
    int witness = worker_rig_open(w, false);
    peer_expect_end(witness); // so the stop has begun
    close(witness);
    wait_for_count(w, 1);
    struct timespec began, ended;
    __real_clock_gettime(CLOCK_MONOTONIC, &began);
    atomic_store(&ahead_s, 6);           // behind the end of the stop, before every other deadline
    witness = worker_rig_open(w, false); // wakes it
    taud_worker_join(w->worker);
    __real_clock_gettime(CLOCK_MONOTONIC, &ended);
    assert_true(ended.tv_sec - began.tv_sec < 4);
    assert_int_equal(w->worker->connections.count, 0);
    close(witness);
    close(deaf);
}

// --- its start -----------------------------------------------------------------------------------

static void says_why_there_is_no_thread(void **state)
{
    struct worker_rig *w = *state;
    no_threads = true;
    errno = 0;
    bool started = taud_worker_startup(w->worker, &PEER_CERTIFICATE);
    no_threads = false;
    assert_false(started);
    assert_int_equal(errno, EAGAIN);
    worker_rig_startup(w); // and may be tried again
}

static void needs_each_of_its_parts(void **state)
{
    struct worker_rig *w = *state;
    struct taud_worker_options options = w->worker->options;
    struct taud_worker *worker = aligned_alloc(_Alignof(struct taud_worker), sizeof *worker);
    bool made = false;
    for (size_t count = 0; !made; count++) {
        assert_true(count < 100);
        memory_fault_after(count);
        made = taud_worker_init(worker, &options);
        assert_true(memory_fault_end() != made);
        taud_worker_done(worker);
    }
    // The engine would wake the one that was made at its next commit, but there is none.
    free(worker);
}

#define CASE(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define UNSTARTED(name) cmocka_unit_test_setup_teardown(name, setup_unstarted, teardown)
#define LOOKING(name)   cmocka_unit_test_setup_teardown(name, setup_looking, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNSTARTED(serves_what_came_before_its_start),
        UNSTARTED(closes_what_it_never_came_to_serve),
        CASE(leaves_a_socket_that_it_cannot_take_to_the_caller),
        CASE(counts_the_connections_that_it_has),
        UNSTARTED(takes_the_time_once_a_turn),
        UNSTARTED(remembers_the_highest_position),
        CASE(commits_once_for_many_writes_of_a_turn),
        CASE(serves_others_while_a_large_batch_is_synced),
        CASE(holds_nobody_up_once_the_disk_was_slow),
        cmocka_unit_test_setup_teardown(commits_all_by_itself_where_it_is_told_to, setup_inline,
                                        teardown),
        CASE(leaves_a_large_batch_to_the_engine),
        CASE(says_outcome_unknown_when_the_disk_breaks),
        LOOKING(looks_out_for_the_next_request),
        CASE(looks_out_only_where_it_is_told_to),
        LOOKING(sleeps_at_once_after_much_work),
        LOOKING(sleeps_while_it_waits_for_the_log),
        LOOKING(soon_sleeps_at_once_where_it_looked_in_vain),
        LOOKING(stops_while_it_looks_out),
        CASE(takes_nobody_over_while_it_stops),
        CASE(closes_by_its_deadline_what_does_not_finish),
        UNSTARTED(says_why_there_is_no_thread),
        UNSTARTED(needs_each_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
