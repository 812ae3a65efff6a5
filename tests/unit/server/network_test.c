// SPDX-License-Identifier: MIT
// The network on real sockets: addresses and what is said of those that cannot be had, to whom a
// connection goes, the maximum, signals, and what is missing at the start.
#include "engine_rig.h"
#include "memory_fault.h"
#include "peer.h"

#include "net/address.h"
#include "net/network.h"
#include "net/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum {
    WORKERS = 3,
    TOLD = 64, // so many beyond the maximum are told that they are
};

// --- seams ---------------------------------------------------------------------------------------

// The workers that connections were handed to, in this order.
static struct taud_worker *adopters[64];
static _Atomic size_t adopter_count;

bool __real_taud_worker_adopt(struct taud_worker *worker, int file,
                              const struct taud_penalty_key *address, bool refuse);
bool __wrap_taud_worker_adopt(struct taud_worker *worker, int file,
                              const struct taud_penalty_key *address, bool refuse);

bool __wrap_taud_worker_adopt(struct taud_worker *worker, int file,
                              const struct taud_penalty_key *address, bool refuse)
{
    size_t count = atomic_load(&adopter_count);
    if (count < sizeof adopters / sizeof adopters[0])
        adopters[count] = worker;
    atomic_store(&adopter_count, count + 1);
    return __real_taud_worker_adopt(worker, file, address, refuse);
}

static int threads_before_failure = -1;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    if (threads_before_failure >= 0 && threads_before_failure-- == 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, start, argument);
}

// --- fixture -------------------------------------------------------------------------------------

struct fixture {
    struct engine_rig rig;
    char log_directory[SCRATCH_PATH_SIZE + 8];
    char log_path[SCRATCH_PATH_SIZE + 16];
    char tcp_address[TAUD_ADDRESS_TEXT_SIZE];
    char unix_address[SCRATCH_PATH_SIZE + 24];
    struct taud_config config;
    struct taud_log *log;
    struct taud_network *network;
    struct taud_network_error error;
    pthread_t thread; // that runs the network
    bool running;
};

static void make_network(struct fixture *f)
{
    struct taud_network_options options = {
        .config = &f->config, .engine = f->rig.engine, .log = f->log};
    f->network = taud_network_new(&options, &f->error);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    engine_rig_init(&f->rig, NULL);
    snprintf(f->log_directory, sizeof f->log_directory, "%s/logs", f->rig.directory);
    snprintf(f->log_path, sizeof f->log_path, "%s/log", f->log_directory);
    snprintf(f->tcp_address, sizeof f->tcp_address, "127.0.0.1:0");
    snprintf(f->unix_address, sizeof f->unix_address, "unix:%s/socket", f->rig.directory);
    char command[SCRATCH_PATH_SIZE + 16];
    snprintf(command, sizeof command, "mkdir %s", f->log_directory);
    assert_int_equal(system(command), 0);
    struct taud_log_options options = {.level = TAUD_LOG_INFO, .path = f->log_path};
    f->log = taud_log_new(&options);
    assert_non_null(f->log);
    f->config = (struct taud_config){.listen = {f->tcp_address, f->unix_address},
                                     .listen_count = 2,
                                     .listen_name = "--listen",
                                     .workers = WORKERS,
                                     .max_connections = 1000,
                                     .buffer_memory_bytes = 64 << 20,
                                     .frame_timeout_ms = 60 * 1000,
                                     .backlog = 128};
    engine_rig_startup(&f->rig);
    atomic_store(&adopter_count, 0);
    make_network(f);
    assert_non_null(f->network);
    *state = f;
    return 0;
}

static void *run_network(void *user_data)
{
    taud_network_run(user_data);
    return NULL;
}

static void run(struct fixture *f)
{
    f->running = pthread_create(&f->thread, NULL, run_network, f->network) == 0;
    assert_true(f->running);
}

static void start(struct fixture *f)
{
    assert_true(taud_network_bind(f->network, &f->error));
    assert_true(taud_network_startup(f->network, &PEER_CERTIFICATE, &f->error));
    run(f);
}

static void end_run(struct fixture *f, int number)
{
    assert_int_equal(kill(getpid(), number), 0);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
    f->running = false;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->running)
        end_run(f, SIGTERM);
    if (f->network != NULL)
        taud_network_stop(f->network);
    engine_rig_stop(&f->rig);
    taud_network_free(f->network);
    taud_log_free(f->log);
    engine_rig_done(&f->rig);
    free(f);
    return 0;
}

static struct taud_address unix_address(const struct fixture *f)
{
    struct taud_address address;
    assert_true(taud_address_parse(f->unix_address, &address));
    return address;
}

static int open_peer(const struct fixture *f)
{
    struct taud_address address = unix_address(f);
    return peer_open((const struct sockaddr *)&address.storage, address.size);
}

static int connect_peer(const struct fixture *f)
{
    int peer = open_peer(f);
    peer_connect(peer);
    return peer;
}

// Waits until the worker has no connection any more.
static void wait_until_empty(struct taud_worker *worker)
{
    for (int turn = 0; atomic_load(&worker->connection_count) > 0; turn++) {
        assert_true(turn < PEER_PATIENCE_S * 1000);
        usleep(1000);
    }
}

// Waits until the log holds the text; it may be written by another thread.
static void expect_logged(const char *path, const char *expected)
{
    for (int turn = 0;; turn++) {
        char *text = scratch_text(path);
        bool found = strstr(text, expected) != NULL;
        free(text);
        if (found)
            return;
        assert_true(turn < PEER_PATIENCE_S * 1000);
        usleep(1000);
    }
}

// --- addresses -----------------------------------------------------------------------------------

static void refuses_a_malformed_address_by_its_option(void **state)
{
    struct fixture *f = *state;
    char *good = f->config.listen[1];
    taud_network_free(f->network);
    f->config.listen[1] = (char[]){"127.0.0.1:65536"};
    make_network(f);
    assert_null(f->network);
    assert_true(f->error.usage);
    assert_non_null(strstr(f->error.text, "option --listen: \"127.0.0.1:65536\" is not allowed"));
    f->config.listen[1] = good;
    make_network(f);
    assert_non_null(f->network);
}

static void tells_the_addresses_that_it_got(void **state)
{
    struct fixture *f = *state;
    start(f);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    taud_network_addresses(f->network, out);
    fclose(out);
    unsigned port = 0;
    int end = 0;
    assert_int_equal(sscanf(text, "127.0.0.1:%u %n", &port, &end), 1);
    assert_true(port > 0 && end > 0);
    assert_string_equal(text + end, f->unix_address);
    text[end - 1] = '\0';
    struct taud_address address;
    assert_true(taud_address_parse(text, &address));
    int peer = peer_open((const struct sockaddr *)&address.storage, address.size);
    peer_connect(peer); // and serves there
    close(peer);
    free(text);
}

static void names_the_address_that_it_cannot_take(void **state)
{
    struct fixture *f = *state;
    struct taud_address address = unix_address(f);
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); // a server that is there already
    assert_int_equal(bind(other, (const struct sockaddr *)&address.storage, address.size), 0);
    assert_int_equal(listen(other, 1), 0);
    assert_false(taud_network_bind(f->network, &f->error));
    assert_false(f->error.usage);
    char expected[256];
    snprintf(expected, sizeof expected, "cannot listen on %s: Address already in use",
             f->unix_address);
    assert_string_equal(f->error.text, expected);
    close(other);
    assert_true(taud_network_bind(f->network, &f->error)); // its place may be taken then
}

static void names_the_address_on_which_it_cannot_listen(void **state)
{
    struct fixture *f = *state;
    struct taud_address address;
    f->config.listen_count = 1;
    // Another one takes the port between the two phases of the start.
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_true(taud_address_parse("127.0.0.1:0", &address));
    assert_int_equal(bind(other, (const struct sockaddr *)&address.storage, address.size), 0);
    assert_int_equal(getsockname(other, (struct sockaddr *)&address.storage, &address.size), 0);
    taud_address_format(&address, f->tcp_address);
    taud_network_free(f->network);
    make_network(f);
    assert_true(taud_network_bind(f->network, &f->error));
    assert_int_equal(listen(other, 1), 0);
    assert_false(taud_network_startup(f->network, &PEER_CERTIFICATE, &f->error));
    char expected[256];
    snprintf(expected, sizeof expected, "cannot listen on %s: Address already in use",
             f->tcp_address);
    assert_string_equal(f->error.text, expected);
    close(other);
}

// --- to whom a connection goes -------------------------------------------------------------------

static void hands_each_connection_to_the_emptiest_worker(void **state)
{
    struct fixture *f = *state;
    int peers[2 * WORKERS];
    start(f);
    for (size_t index = 0; index < 2 * WORKERS; index++)
        peers[index] = connect_peer(f);
    for (size_t index = 0; index < 2 * WORKERS; index++)
        assert_int_equal(atomic_load(&adopters[index]->connection_count), 2);
    for (size_t index = 0; index < 2 * WORKERS; index++) { // one worker loses both of its
        if (adopters[index] == adopters[1])
            close(peers[index]);
    }
    wait_until_empty(adopters[1]);
    int again[2] = {connect_peer(f), connect_peer(f)};
    assert_int_equal(atomic_load(&adopter_count), 2 * WORKERS + 2);
    assert_ptr_equal(adopters[2 * WORKERS], adopters[1]);
    assert_ptr_equal(adopters[2 * WORKERS + 1], adopters[1]);
    for (size_t index = 0; index < 2 * WORKERS; index++) {
        if (adopters[index] != adopters[1])
            close(peers[index]);
    }
    close(again[0]);
    close(again[1]);
}

static void adds_counters_up_over_all_workers(void **state)
{
    struct fixture *f = *state;
    int peers[2 * WORKERS];
    start(f);
    for (size_t index = 0; index < 2 * WORKERS; index++)
        peers[index] = connect_peer(f);
    assert_int_equal(taud_network_counter(f->network, TAUD_COUNT_ACCEPTED), 2 * WORKERS);
    assert_int_equal(taud_network_counter(f->network, TAUD_COUNT_REQUESTS), 2 * WORKERS);
    assert_int_equal(taud_network_counter(f->network, TAUD_COUNT_REFUSED), 0);
    for (size_t index = 0; index < 2 * WORKERS; index++)
        close(peers[index]);
}

static void tells_connections_beyond_the_maximum(void **state)
{
    struct fixture *f = *state;
    f->config.max_connections = 2;
    start(f);
    int first = connect_peer(f), second = connect_peer(f);
    int third = open_peer(f);
    peer_expect_error(third, TAU_STATUS_TOO_MANY_CONNECTIONS);
    peer_expect_end(third);
    close(third);
    close(first);
    wait_until_empty(adopters[0]);
    wait_until_empty(adopters[2]);
    first = connect_peer(f); // there is a place again
    assert_int_equal(taud_network_counter(f->network, TAUD_COUNT_REFUSED), 1);
    close(first);
    close(second);
}

static void tells_no_more_of_them_than_it_can(void **state)
{
    struct fixture *f = *state;
    f->config.max_connections = 1;
    start(f);
    int first = connect_peer(f);
    _Atomic uint32_t *count = &adopters[0]->connection_count;
    atomic_fetch_add(count, TOLD - 1); // as if they were there and being told
    int told = open_peer(f);
    peer_expect_error(told, TAU_STATUS_TOO_MANY_CONNECTIONS);
    peer_expect_end(told);
    atomic_fetch_add(count, 1);
    int untold = open_peer(f);
    peer_expect_end(untold);
    assert_int_equal(atomic_load(&adopter_count), 2);
    atomic_fetch_sub(count, TOLD);
    close(untold);
    close(told);
    close(first);
}

// --- signals and the end -------------------------------------------------------------------------

static void ends_at_either_signal(void **state)
{
    struct fixture *f = *state;
    start(f);
    end_run(f, SIGINT);
    expect_logged(f->log_path, "stopping: SIGINT");
    run(f);
    end_run(f, SIGTERM);
    expect_logged(f->log_path, "stopping: SIGTERM");
}

static void opens_its_log_anew_at_a_hangup(void **state)
{
    struct fixture *f = *state;
    char moved[SCRATCH_PATH_SIZE + 16];
    start(f);
    snprintf(moved, sizeof moved, "%s/log.1", f->log_directory);
    assert_int_equal(rename(f->log_path, moved), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    expect_logged(f->log_path, "log opened anew");
    char away[SCRATCH_PATH_SIZE + 8];
    snprintf(away, sizeof away, "%s/away", f->rig.directory);
    assert_int_equal(rename(f->log_directory, away), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    snprintf(moved, sizeof moved, "%s/log", away); // it writes on where it wrote
    expect_logged(moved, "cannot open the log anew: No such file or directory");
    int peer = connect_peer(f);
    close(peer);
}

static void ends_its_connections_and_takes_no_more(void **state)
{
    struct fixture *f = *state;
    start(f);
    int peer = connect_peer(f);
    peer_create(peer, "series");
    peer_expect(peer, TAU_OPCODE_OK, NULL, 0);
    end_run(f, SIGTERM);
    struct taud_address address = unix_address(f);
    int waiting = open_peer(f); // the kernel takes it; nobody accepts any more
    shutdown(peer, SHUT_WR);
    taud_network_stop(f->network);
    peer_expect_end(peer);
    int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (const struct sockaddr *)&address.storage, address.size), -1);
    assert_int_equal(taud_network_counter(f->network, TAUD_COUNT_CLOSED), 1);
    taud_network_stop(f->network); // a second time
    close(late);
    close(waiting);
    close(peer);
}

// --- what is missing -----------------------------------------------------------------------------

static void says_which_worker_has_no_thread(void **state)
{
    struct fixture *f = *state;
    assert_true(taud_network_bind(f->network, &f->error));
    threads_before_failure = 1;
    bool started = taud_network_startup(f->network, &PEER_CERTIFICATE, &f->error);
    threads_before_failure = -1;
    assert_false(started);
    assert_string_equal(f->error.text,
                        "cannot start worker 2 of 3: Resource temporarily unavailable");
    assert_false(f->error.usage);
    taud_network_stop(f->network); // the first worker runs already
}

static void needs_each_of_its_parts(void **state)
{
    struct fixture *f = *state;
    taud_network_free(f->network);
    f->network = NULL;
    for (size_t count = 0; f->network == NULL; count++) {
        assert_true(count < 200);
        memory_fault_after(count);
        make_network(f);
        assert_true(memory_fault_end() == (f->network == NULL));
        if (f->network == NULL)
            assert_non_null(strstr(f->error.text, "no memory"));
    }
    taud_network_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(refuses_a_malformed_address_by_its_option),
        CASE(tells_the_addresses_that_it_got),
        CASE(names_the_address_that_it_cannot_take),
        CASE(names_the_address_on_which_it_cannot_listen),
        CASE(hands_each_connection_to_the_emptiest_worker),
        CASE(adds_counters_up_over_all_workers),
        CASE(tells_connections_beyond_the_maximum),
        CASE(tells_no_more_of_them_than_it_can),
        CASE(ends_at_either_signal),
        CASE(opens_its_log_anew_at_a_hangup),
        CASE(ends_its_connections_and_takes_no_more),
        CASE(says_which_worker_has_no_thread),
        CASE(needs_each_of_its_parts),
    };
    taud_network_hold_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
