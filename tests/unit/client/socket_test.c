/* SPDX-License-Identifier: MIT */
/*
 * Sockets that never block and never raise a signal, against peers of this machine; names that are
 * resolved; and the two clocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopback.h"
#include "socket.h"

static struct tau_candidates only(const struct sockaddr_in *address)
{
    struct tau_candidates candidates = {.count = 1};
    memcpy(&candidates.addresses[0], address, sizeof(*address));
    candidates.sizes[0] = sizeof(*address);
    return candidates;
}

static enum tau_status resolve(const char *text, struct tau_candidates *ret_candidates,
                               struct tau_error *error)
{
    struct tau_address address;
    assert_int_equal(tau_address_parse(text, &address, NULL), TAU_STATUS_SUCCESS);
    return tau_socket_resolve(&address, ret_candidates, error);
}

static int reset_resolver(void **state)
{
    (void)state;
    memset(&fake_resolver, 0, sizeof(fake_resolver));
    return 0;
}

/* --- resolving ------------------------------------------------------------------------------- */

static void numbers_are_read_as_they_are(void **state)
{
    (void)state;
    struct tau_candidates found;
    assert_int_equal(resolve("127.0.0.1:7701", &found, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(found.count, 1);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&found.addresses[0];
    assert_int_equal(found.sizes[0], sizeof(*v4));
    assert_int_equal(v4->sin_family, AF_INET);
    assert_int_equal(ntohs(v4->sin_port), 7701);
    assert_int_equal(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(resolve("[::1]:80", &found, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(found.count, 1);
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&found.addresses[0];
    assert_int_equal(v6->sin6_family, AF_INET6);
    assert_int_equal(ntohs(v6->sin6_port), 80);
}

static void a_path_is_not_resolved(void **state)
{
    (void)state;
    struct tau_candidates found;
    assert_int_equal(resolve("unix:/run/tau.sock", &found, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.addresses[0].ss_family, AF_UNIX);
    assert_int_equal(fake_resolver.asked, 0);
}

static void a_name_that_is_unknown_says_so(void **state)
{
    (void)state;
    struct tau_candidates found = {.count = 5};
    struct tau_error error;
    fake_resolver.failure = EAI_NONAME;
    assert_int_equal(resolve("db.example", &found, &error), TAU_STATUS_CONNECTION_FAILED);
    assert_int_equal(found.count, 0);
    assert_non_null(strstr(error.message, "cannot resolve db.example"));
    assert_non_null(strstr(error.message, gai_strerror(EAI_NONAME)));
}

/* No more than there is room for, in the resolver's order, and none that is cut. */
static void a_host_has_so_many_addresses(void **state)
{
    (void)state;
    struct tau_candidates found;
    for (uint16_t i = 0; i < TAU_SOCKET_CANDIDATES + 2; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(i)};
        fake_resolver_add(&address);
    }
    fake_resolver.sizes[3] = sizeof(struct sockaddr_storage) + 1;
    assert_int_equal(resolve("db.example", &found, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(found.count, TAU_SOCKET_CANDIDATES);
    for (size_t i = 0; i < found.count; i++) {
        const struct sockaddr_in *address = (const struct sockaddr_in *)&found.addresses[i];
        assert_int_equal(ntohs(address->sin_port), i < 3 ? i : i + 1);
    }
    assert_int_equal(fake_resolver.held, 0);
}

/* --- opening --------------------------------------------------------------------------------- */

/* Waits until an attempt has ended, as the loop would. */
static enum tau_progress wait_opened(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&item, 1, 5000), 1);
    return tau_socket_opened(fd);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static void a_socket_is_made_for_our_traffic(void **state)
{
    (void)state;
    struct sockaddr_in address;
    int listener = loopback_listen(&address);
    struct tau_candidates candidates = only(&address);
    int fd = -1;
    assert_int_not_equal(tau_socket_open(&candidates, 0, 12000, &fd), TAU_PROGRESS_FAILED);
    assert_int_equal(wait_opened(fd), TAU_PROGRESS_DONE);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_not_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_not_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 12000);
    tau_socket_close(fd);
    assert_int_not_equal(tau_socket_open(&candidates, 0, 0, &fd), TAU_PROGRESS_FAILED);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    tau_socket_close(fd);
    close(listener);
}

/* The congestion control of a socket, "" for none. */
static const char *congestion_of(int fd, char name[16])
{
    socklen_t size = 16;
    memset(name, 0, 16);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
    return name;
}

static void only_what_stays_on_this_machine_is_sent_without_pacing(void **state)
{
    (void)state;
    struct sockaddr_in address;
    char name[16], usual[16];
    int listener = loopback_listen(&address);
    struct tau_candidates candidates = only(&address);
    int fd = -1;
    assert_int_not_equal(tau_socket_open(&candidates, 0, 0, &fd), TAU_PROGRESS_FAILED);
    assert_string_equal(congestion_of(fd, name), "reno");
    tau_socket_close(fd);
    address.sin_addr.s_addr = htonl(0xc0000201); /* of documentation: nobody answers */
    candidates = only(&address);
    if (tau_socket_open(&candidates, 0, 0, &fd) != TAU_PROGRESS_FAILED) {
        assert_string_equal(congestion_of(fd, name), congestion_of(listener, usual));
        tau_socket_close(fd);
    }
    close(listener);
}

static void the_candidate_that_was_named_is_tried(void **state)
{
    (void)state;
    struct sockaddr_in address[2];
    int nobody = loopback_refuse(&address[0]);
    int listener = loopback_listen(&address[1]);
    struct tau_candidates candidates = only(&address[0]);
    memcpy(&candidates.addresses[1], &address[1], sizeof(address[1]));
    candidates.sizes[1] = sizeof(address[1]);
    candidates.count = 2;
    int fd = -1;
    assert_int_not_equal(tau_socket_open(&candidates, 1, 0, &fd), TAU_PROGRESS_FAILED);
    assert_int_equal(wait_opened(fd), TAU_PROGRESS_DONE);
    tau_socket_close(fd);
    close(listener);
    close(nobody);
}

static void nobody_listens_on_a_port(void **state)
{
    (void)state;
    struct sockaddr_in address;
    int nobody = loopback_refuse(&address);
    struct tau_candidates candidates = only(&address);
    int fd = -1;
    enum tau_progress progress = tau_socket_open(&candidates, 0, 0, &fd);
    if (progress == TAU_PROGRESS_WAIT) {
        progress = wait_opened(fd);
        assert_int_equal(errno, ECONNREFUSED);
        tau_socket_close(fd);
    }
    assert_int_equal(progress, TAU_PROGRESS_FAILED);
    close(nobody);
}

static void an_attempt_that_is_swallowed_waits(void **state)
{
    (void)state;
    struct sockaddr_in address;
    struct loopback_full full = loopback_fill(&address);
    struct tau_candidates candidates = only(&address);
    int fd = -1;
    assert_int_equal(tau_socket_open(&candidates, 0, 0, &fd), TAU_PROGRESS_WAIT);
    assert_int_equal(tau_socket_opened(fd), TAU_PROGRESS_WAIT);
    tau_socket_close(fd);
    loopback_close(full);
}

/* On the machine itself the answer is there at once, and a failure leaves nothing open. */
static void a_path_is_connected_at_once_or_never(void **state)
{
    (void)state;
    char text[64];
    snprintf(text, sizeof(text), "unix:/tmp/tau-socket-test-%d", (int)getpid());
    struct tau_candidates candidates;
    int fd = -1;
    assert_int_equal(resolve(text, &candidates, NULL), TAU_STATUS_SUCCESS);
    int lowest = lowest_descriptor();
    assert_int_equal(tau_socket_open(&candidates, 0, 0, &fd), TAU_PROGRESS_FAILED);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fd, -1);
    assert_int_equal(lowest_descriptor(), lowest);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    const struct sockaddr *local = (const struct sockaddr *)&candidates.addresses[0];
    assert_int_equal(bind(listener, local, candidates.sizes[0]), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(tau_socket_open(&candidates, 0, 0, &fd), TAU_PROGRESS_DONE);
    assert_int_equal(tau_socket_opened(fd), TAU_PROGRESS_DONE);
    tau_socket_close(fd);
    close(listener);
    unlink(text + 5);
}

static void no_descriptor_is_a_failure(void **state)
{
    (void)state;
    struct sockaddr_in address;
    int listener = loopback_listen(&address);
    struct tau_candidates candidates = only(&address);
    struct rlimit before;
    int fd = -1;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)lowest_descriptor(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum tau_progress progress = tau_socket_open(&candidates, 0, 0, &fd);
    int failure = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(progress, TAU_PROGRESS_FAILED);
    assert_int_equal(failure, EMFILE);
    assert_int_equal(fd, -1);
    close(listener);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* A connection: ours does not block. */
static void connect_pair(int *ret_ours, int *ret_peer)
{
    struct sockaddr_in address;
    int listener = loopback_listen(&address);
    struct tau_candidates candidates = only(&address);
    assert_int_not_equal(tau_socket_open(&candidates, 0, 0, ret_ours), TAU_PROGRESS_FAILED);
    *ret_peer = accept(listener, NULL, NULL);
    assert_true(*ret_peer >= 0);
    assert_int_equal(wait_opened(*ret_ours), TAU_PROGRESS_DONE);
    close(listener);
}

static void wait_readable(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 5000), 1);
}

static void receiving_tells_what_came(void **state)
{
    (void)state;
    int ours;
    int peer;
    uint8_t room[8];
    size_t size = 99;
    connect_pair(&ours, &peer);
    assert_int_equal(tau_socket_receive(ours, room, sizeof(room), &size), TAU_PROGRESS_WAIT);
    assert_int_equal(size, 99);
    assert_int_equal(write(peer, "0123456789", 10), 10);
    wait_readable(ours);
    assert_int_equal(tau_socket_receive(ours, room, sizeof(room), &size), TAU_PROGRESS_DONE);
    assert_int_equal(size, 8);
    assert_memory_equal(room, "01234567", 8);
    assert_int_equal(tau_socket_receive(ours, room, sizeof(room), &size), TAU_PROGRESS_DONE);
    assert_int_equal(size, 2);
    close(peer);
    wait_readable(ours);
    assert_int_equal(tau_socket_receive(ours, room, sizeof(room), &size), TAU_PROGRESS_END);
    tau_socket_close(ours);
}

static void a_connection_that_was_reset_has_failed(void **state)
{
    (void)state;
    int ours;
    int peer;
    uint8_t room[8];
    size_t size = 0;
    connect_pair(&ours, &peer);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(peer);
    wait_readable(ours);
    assert_int_equal(tau_socket_receive(ours, room, sizeof(room), &size), TAU_PROGRESS_FAILED);
    assert_int_equal(errno, ECONNRESET);
    struct tau_slice slice = {.data = room, .size = sizeof(room)};
    assert_int_equal(tau_socket_send(ours, &slice, 1, &size), TAU_PROGRESS_FAILED);
    assert_int_equal(errno, EPIPE); // and SIGPIPE did not end us
    tau_socket_close(ours);
}

static void slices_are_sent_one_behind_the_other(void **state)
{
    (void)state;
    int ours;
    int peer;
    uint8_t bytes[TAU_SOCKET_SLICES + 1];
    uint8_t received[TAU_SOCKET_SLICES + 1];
    struct tau_slice slices[TAU_SOCKET_SLICES + 1];
    size_t size = 0;
    connect_pair(&ours, &peer);
    for (size_t i = 0; i <= TAU_SOCKET_SLICES; i++) {
        bytes[i] = (uint8_t)i;
        slices[i] = (struct tau_slice){.data = &bytes[i], .size = 1};
    }
    assert_int_equal(tau_socket_send(ours, slices, TAU_SOCKET_SLICES + 1, &size),
                     TAU_PROGRESS_DONE);
    assert_int_equal(size, TAU_SOCKET_SLICES); // the rest is for another call
    assert_int_equal(recv(peer, received, sizeof(received), 0), TAU_SOCKET_SLICES);
    assert_memory_equal(received, bytes, TAU_SOCKET_SLICES);
    close(peer);
    tau_socket_close(ours);
}

static void a_full_socket_takes_no_more(void **state)
{
    (void)state;
    static const uint8_t bytes[1 << 20];
    struct tau_slice slice = {.data = bytes, .size = sizeof(bytes)};
    enum tau_progress progress = TAU_PROGRESS_DONE;
    int ours;
    int peer;
    size_t total = 0;
    connect_pair(&ours, &peer);
    while (progress == TAU_PROGRESS_DONE && total < (size_t)1 << 30) {
        size_t size = 0;
        progress = tau_socket_send(ours, &slice, 1, &size);
        total += size;
    }
    assert_int_equal(progress, TAU_PROGRESS_WAIT);
    assert_true(total > 0);
    close(peer);
    tau_socket_close(ours);
}

static void closing_is_for_what_is_open(void **state)
{
    (void)state;
    int lowest = lowest_descriptor();
    errno = 0;
    tau_socket_close(-1);
    assert_int_equal(errno, 0);
    int fd = dup(STDERR_FILENO);
    assert_int_equal(fd, lowest);
    tau_socket_close(fd);
    assert_int_equal(lowest_descriptor(), lowest);
}

/* --- the clocks ------------------------------------------------------------------------------ */

static void the_clocks_go_forward_and_the_coarse_one_behind(void **state)
{
    (void)state;
    int64_t before_ns = tau_clock_now_ns();
    int64_t coarse_before_ns = tau_clock_coarse_ns();
    for (int i = 0; i < 10000; i++) {
        int64_t coarse_ns = tau_clock_coarse_ns();
        int64_t now_ns = tau_clock_now_ns();
        assert_true(now_ns >= before_ns);
        assert_true(coarse_ns >= coarse_before_ns);
        assert_true(coarse_ns <= now_ns);
        assert_true(now_ns - coarse_ns < (int64_t)60 * 1000 * 1000 * 1000); // of the same origin
        before_ns = now_ns;
        coarse_before_ns = coarse_ns;
    }
}

static void the_clock_measures_time(void **state)
{
    (void)state;
    int64_t begin_ns = tau_clock_now_ns();
    usleep(2000);
    assert_in_range(tau_clock_now_ns() - begin_ns, 2000 * 1000, (int64_t)60 * 1000 * 1000 * 1000);
}

#define RESOLVING(name) cmocka_unit_test_setup_teardown(name, reset_resolver, reset_resolver)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESOLVING(numbers_are_read_as_they_are),
        RESOLVING(a_path_is_not_resolved),
        RESOLVING(a_name_that_is_unknown_says_so),
        RESOLVING(a_host_has_so_many_addresses),
        cmocka_unit_test(a_socket_is_made_for_our_traffic),
        cmocka_unit_test(only_what_stays_on_this_machine_is_sent_without_pacing),
        cmocka_unit_test(the_candidate_that_was_named_is_tried),
        cmocka_unit_test(nobody_listens_on_a_port),
        cmocka_unit_test(an_attempt_that_is_swallowed_waits),
        cmocka_unit_test(a_path_is_connected_at_once_or_never),
        cmocka_unit_test(no_descriptor_is_a_failure),
        cmocka_unit_test(receiving_tells_what_came),
        cmocka_unit_test(a_connection_that_was_reset_has_failed),
        cmocka_unit_test(slices_are_sent_one_behind_the_other),
        cmocka_unit_test(a_full_socket_takes_no_more),
        cmocka_unit_test(closing_is_for_what_is_open),
        cmocka_unit_test(the_clocks_go_forward_and_the_coarse_one_behind),
        cmocka_unit_test(the_clock_measures_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
