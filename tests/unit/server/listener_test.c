// SPDX-License-Identifier: MIT
// Listeners over real sockets: addresses that can be taken and those that cannot, what an accepted
// socket is like, and what happens when the kernel gives none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/listener.h"
#include "peer.h"
#include "scratch.h"

enum { BACKLOG = 256 };

// --- seams ---------------------------------------------------------------------------------------

static int accept_errors[8]; // what the next calls of accept4 fail with
static size_t accept_error_count;
static size_t accept_calls;

int __real_accept4(int file, struct sockaddr *address, socklen_t *size, int flags);
int __wrap_accept4(int file, struct sockaddr *address, socklen_t *size, int flags);

int __wrap_accept4(int file, struct sockaddr *address, socklen_t *size, int flags)
{
    accept_calls++;
    if (accept_error_count == 0)
        return __real_accept4(file, address, size, flags);
    errno = accept_errors[--accept_error_count];
    return -1;
}

static int events_before_failure = -1; // of libevent's allocations

static void *allocate_event(size_t size)
{
    return events_before_failure-- == 0 ? NULL : malloc(size);
}

// --- fixture -------------------------------------------------------------------------------------

struct fixture {
    char directory[SCRATCH_PATH_SIZE];
    char log_path[SCRATCH_PATH_SIZE + 8];
    char unix_address[SCRATCH_PATH_SIZE + 16];
    const char *unix_path; // in unix_address
    struct taud_log *log;
    struct event_base *base;
    struct taud_listener listener;
    int accepted[BACKLOG];
    size_t accepted_count;
    struct taud_address last_peer;
};

static void take_over(void *user_data, int file, const struct taud_address *peer)
{
    struct fixture *f = user_data;
    f->accepted[f->accepted_count++] = file;
    f->last_peer = *peer;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    scratch_make(f->directory);
    snprintf(f->log_path, sizeof f->log_path, "%s/log", f->directory);
    snprintf(f->unix_address, sizeof f->unix_address, "unix:%s/socket", f->directory);
    f->unix_path = f->unix_address + strlen("unix:");
    struct taud_log_options options = {.level = TAUD_LOG_DEBUG, .path = f->log_path};
    f->log = taud_log_new(&options);
    f->base = event_base_new();
    f->listener.file = -1;
    assert_true(f->log != NULL && f->base != NULL);
    accept_error_count = accept_calls = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    taud_listener_done(&f->listener);
    for (size_t index = 0; index < f->accepted_count; index++)
        close(f->accepted[index]);
    event_base_free(f->base);
    taud_log_free(f->log);
    scratch_remove(f->directory);
    free(f);
    return 0;
}

static bool bind_to(struct fixture *f, struct taud_listener *listener, const char *text)
{
    struct taud_listener_options options = {.log = f->log, .accepted = take_over, .user_data = f};
    assert_true(taud_address_parse(text, &options.address));
    return taud_listener_bind(listener, &options);
}

static void start(struct fixture *f, const char *text)
{
    assert_true(bind_to(f, &f->listener, text));
    assert_true(taud_listener_startup(&f->listener, f->base, BACKLOG));
}

static int open_client(const struct taud_address *address)
{
    return peer_open((const struct sockaddr *)&address->storage, address->size);
}

static bool can_connect(const struct taud_address *address)
{
    int client = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can = connect(client, (const struct sockaddr *)&address->storage, address->size) == 0;
    close(client);
    return can;
}

// Runs the loop until so many connections were accepted.
static void accept_until(struct fixture *f, size_t count)
{
    for (int turn = 0; turn < 1000 && f->accepted_count < count; turn++)
        event_base_loop(f->base, EVLOOP_ONCE);
    assert_int_equal(f->accepted_count, count);
}

// --- addresses -----------------------------------------------------------------------------------

static void accepts_only_once_started(void **state)
{
    struct fixture *f = *state;
    assert_true(bind_to(f, &f->listener, "127.0.0.1:0"));
    struct taud_address taken = {.size = sizeof taken.storage};
    assert_int_equal(getsockname(f->listener.file, (struct sockaddr *)&taken.storage, &taken.size),
                     0);
    assert_false(can_connect(&taken));
    assert_true(taud_listener_startup(&f->listener, f->base, BACKLOG));
    char before[TAUD_ADDRESS_TEXT_SIZE], after[TAUD_ADDRESS_TEXT_SIZE];
    taud_address_format(&taken, before);
    taud_address_format(&f->listener.address, after);
    assert_string_equal(before, after); // the port that it got
    assert_true(can_connect(&f->listener.address));
}

static void hands_over_a_socket_that_is_ready_for_use(void **state)
{
    struct fixture *f = *state;
    start(f, "127.0.0.1:0");
    int client = open_client(&f->listener.address);
    accept_until(f, 1);
    int file = f->accepted[0], on = 0;
    socklen_t size = sizeof on;
    assert_true((fcntl(file, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(file, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(getsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    assert_true(on != 0);
    char congestion[16] = "";
    size = sizeof congestion;
    assert_int_equal(getsockopt(file, IPPROTO_TCP, TCP_CONGESTION, congestion, &size), 0);
    assert_string_equal(congestion, "reno"); // whatever the system's default is
    struct sockaddr_in self = {.sin_port = 0};
    size = sizeof self;
    assert_int_equal(getsockname(client, (struct sockaddr *)&self, &size), 0);
    const struct sockaddr_in *peer = (const void *)&f->last_peer.storage;
    assert_int_equal(f->last_peer.size, sizeof self);
    assert_int_equal(peer->sin_port, self.sin_port);
    assert_int_equal(peer->sin_addr.s_addr, self.sin_addr.s_addr);
    close(client);
}

static void keeps_an_ipv6_address_to_ipv6(void **state)
{
    struct fixture *f = *state;
    // The one that could be had for IPv4 too; it is only taken, nothing listens there.
    if (!bind_to(f, &f->listener, "[::]:0")) {
        assert_true(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
        skip(); // this machine has no IPv6
    }
    int only = 0;
    socklen_t size = sizeof only;
    assert_int_equal(getsockopt(f->listener.file, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size), 0);
    assert_int_equal(only, 1);
}

static void refuses_a_port_that_is_taken(void **state)
{
    struct fixture *f = *state;
    start(f, "127.0.0.1:0");
    char taken[TAUD_ADDRESS_TEXT_SIZE];
    taud_address_format(&f->listener.address, taken);
    struct taud_listener second;
    errno = 0;
    assert_false(bind_to(f, &second, taken));
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(second.file, -1);
    taud_listener_done(&second);
    assert_true(can_connect(&f->listener.address));
}

// Two servers that start together may both bind; only one listens.
static void refuses_a_port_that_was_taken_since(void **state)
{
    struct fixture *f = *state;
    struct taud_listener second;
    assert_true(bind_to(f, &f->listener, "127.0.0.1:0"));
    struct taud_address taken = {.size = sizeof taken.storage};
    assert_int_equal(getsockname(f->listener.file, (struct sockaddr *)&taken.storage, &taken.size),
                     0);
    char text[TAUD_ADDRESS_TEXT_SIZE];
    taud_address_format(&taken, text);
    assert_true(bind_to(f, &second, text));
    assert_true(taud_listener_startup(&f->listener, f->base, BACKLOG));
    assert_false(taud_listener_startup(&second, f->base, BACKLOG));
    assert_int_equal(errno, EADDRINUSE);
    taud_listener_done(&second);
}

// --- unix sockets --------------------------------------------------------------------------------

static void makes_a_socket_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    mode_t mask = umask(0);
    start(f, f->unix_address);
    umask(mask);
    struct stat found;
    assert_int_equal(lstat(f->unix_path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0600);
    int client = open_client(&f->listener.address);
    accept_until(f, 1);
    close(client);
    taud_listener_done(&f->listener);
    assert_int_equal(lstat(f->unix_path, &found), -1); // it takes the file with it
}

static void takes_the_place_of_a_server_that_was_killed(void **state)
{
    struct fixture *f = *state;
    struct taud_listener killed;
    assert_true(bind_to(f, &killed, f->unix_address));
    close(killed.file); // and the file stays
    start(f, f->unix_address);
    assert_true(can_connect(&f->listener.address));
}

static void leaves_a_server_that_lives_alone(void **state)
{
    struct fixture *f = *state;
    start(f, f->unix_address);
    struct taud_listener second;
    errno = 0;
    assert_false(bind_to(f, &second, f->unix_address));
    assert_int_equal(errno, EADDRINUSE);
    taud_listener_done(&second);
    assert_true(can_connect(&f->listener.address)); // nor does the end of the second harm it
}

static void takes_a_server_that_is_busy_for_alive(void **state)
{
    struct fixture *f = *state;
    assert_true(bind_to(f, &f->listener, f->unix_address));
    assert_true(taud_listener_startup(&f->listener, f->base, 0));
    int clients[BACKLOG];
    size_t count = 0;
    bool full = false;
    while (!full) { // more wait than it has asked for: the kernel turns the rest away
        const struct taud_address *address = &f->listener.address;
        assert_true(count < BACKLOG);
        clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        full = connect(clients[count++], (const struct sockaddr *)&address->storage,
                       address->size) != 0;
    }
    assert_int_equal(errno, EAGAIN);
    struct taud_listener second;
    errno = 0;
    assert_false(bind_to(f, &second, f->unix_address));
    assert_int_equal(errno, EADDRINUSE);
    while (count > 0)
        close(clients[--count]);
}

static void leaves_other_files_alone(void **state)
{
    struct fixture *f = *state;
    int file = open(f->unix_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_int_equal(write(file, "precious", 8), 8);
    close(file);
    errno = 0;
    assert_false(bind_to(f, &f->listener, f->unix_address));
    assert_int_equal(errno, EEXIST);
    taud_listener_done(&f->listener);
    char *text = scratch_text(f->unix_path);
    assert_string_equal(text, "precious");
    free(text);
    char nowhere[SCRATCH_PATH_SIZE + 24];
    snprintf(nowhere, sizeof nowhere, "unix:%s/none/socket", f->directory);
    errno = 0;
    assert_false(bind_to(f, &f->listener, nowhere));
    assert_int_equal(errno, ENOENT);
}

// --- accepting -----------------------------------------------------------------------------------

static void leaves_room_for_signals_between_many(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 150 };
    int clients[MANY];
    start(f, f->unix_address);
    for (size_t index = 0; index < MANY; index++)
        clients[index] = open_client(&f->listener.address);
    event_base_loop(f->base, EVLOOP_ONCE);
    assert_true(f->accepted_count > 0 && f->accepted_count < MANY);
    accept_until(f, MANY);
    for (size_t index = 0; index < MANY; index++)
        close(clients[index]);
}

static void goes_on_behind_a_connection_that_is_gone(void **state)
{
    struct fixture *f = *state;
    const int gone[] = {ECONNABORTED, EINTR, EPROTO, ENETDOWN, EPERM};
    memcpy(accept_errors, gone, sizeof gone);
    accept_error_count = 5;
    start(f, "127.0.0.1:0");
    int client = open_client(&f->listener.address);
    event_base_loop(f->base, EVLOOP_ONCE);
    assert_int_equal(f->accepted_count, 1); // in the same turn
    char *text = scratch_text(f->log_path);
    assert_string_equal(text, "");
    free(text);
    close(client);
}

static void backs_off_when_no_descriptor_is_left(void **state)
{
    struct fixture *f = *state;
    accept_errors[0] = accept_errors[1] = EMFILE;
    accept_error_count = 2;
    start(f, "127.0.0.1:0");
    int client = open_client(&f->listener.address);
    event_base_loop(f->base, EVLOOP_ONCE);
    assert_int_equal(accept_calls, 1);
    for (int turn = 0; turn < 100; turn++)
        event_base_loop(f->base, EVLOOP_NONBLOCK);
    assert_int_equal(accept_calls, 1); // it does not spin on what it cannot accept
    accept_until(f, 1);                // and tries again by itself
    assert_int_equal(accept_calls, 4); // EMFILE again, the client, none behind it
    char *text = scratch_text(f->log_path);
    assert_non_null(strstr(text, "cannot accept connections: Too many open files"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); // once a second at most
    free(text);
    close(client);
}

// --- life ----------------------------------------------------------------------------------------

static void says_that_there_is_no_memory(void **state)
{
    struct fixture *f = *state;
    for (int failing = 0; failing < 2; failing++) {
        assert_true(bind_to(f, &f->listener, f->unix_address));
        events_before_failure = failing;
        errno = 0;
        bool started = taud_listener_startup(&f->listener, f->base, BACKLOG);
        assert_true(events_before_failure < 0); // it has happened
        assert_false(started);
        assert_int_equal(errno, ENOMEM);
        taud_listener_done(&f->listener);
    }
}

static void ends_whatever_it_was(void **state)
{
    struct fixture *f = *state;
    taud_listener_done(&f->listener); // never bound
    start(f, "127.0.0.1:0");
    int file = f->listener.file;
    struct taud_address address = f->listener.address;
    taud_listener_done(&f->listener);
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_false(can_connect(&address));
    taud_listener_done(&f->listener); // a second time
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    event_set_mem_functions(allocate_event, realloc, free);
    const struct CMUnitTest tests[] = {
        CASE(accepts_only_once_started),
        CASE(hands_over_a_socket_that_is_ready_for_use),
        CASE(keeps_an_ipv6_address_to_ipv6),
        CASE(refuses_a_port_that_is_taken),
        CASE(refuses_a_port_that_was_taken_since),
        CASE(makes_a_socket_for_its_owner_alone),
        CASE(takes_the_place_of_a_server_that_was_killed),
        CASE(leaves_a_server_that_lives_alone),
        CASE(takes_a_server_that_is_busy_for_alive),
        CASE(leaves_other_files_alone),
        CASE(leaves_room_for_signals_between_many),
        CASE(goes_on_behind_a_connection_that_is_gone),
        CASE(backs_off_when_no_descriptor_is_left),
        CASE(says_that_there_is_no_memory),
        CASE(ends_whatever_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
