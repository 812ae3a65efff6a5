/* SPDX-License-Identifier: MIT */
/*
 * Non-blocking sockets and the monotonic clock.
 */
#include "socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

static void resolve_local(const char *path, struct tau_candidates *ret_candidates)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    memcpy(local.sun_path, path, strlen(path) + 1);
    memcpy(&ret_candidates->addresses[0], &local, sizeof(local));
    ret_candidates->sizes[0] = sizeof(local);
    ret_candidates->count = 1;
}

enum tau_status tau_socket_resolve(const struct tau_address *address,
                                   struct tau_candidates *ret_candidates, struct tau_error *error)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    ret_candidates->count = 0;
    if (address->local) {
        resolve_local(address->host, ret_candidates);
        return TAU_STATUS_SUCCESS;
    }
    int result = getaddrinfo(address->host, address->port, &hints, &found);
    if (result != 0)
        return tau_fault(error, TAU_STATUS_CONNECTION_FAILED, 0, "cannot resolve %s: %s",
                         address->host, gai_strerror(result));
    for (struct addrinfo *item = found; item != NULL; item = item->ai_next) {
        size_t count = ret_candidates->count;
        if (count == TAU_SOCKET_CANDIDATES ||
            item->ai_addrlen > sizeof(ret_candidates->addresses[0]))
            continue;
        memcpy(&ret_candidates->addresses[count], item->ai_addr, item->ai_addrlen);
        ret_candidates->sizes[count] = item->ai_addrlen;
        ret_candidates->count++;
    }
    freeaddrinfo(found);
    return TAU_STATUS_SUCCESS;
}

static bool is_this_machine(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, address, sizeof(ipv4));
        return ntohl(ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, address, sizeof(ipv6));
    return IN6_IS_ADDR_LOOPBACK(&ipv6.sin6_addr);
}

/* Within one machine nothing is lost and there is no path to learn about: a congestion control that
   paces what is sent (bbr, where it is the system's default) sets a timer for every 64 KiB in vain.
   Reno never paces, and every system has it and lets everybody choose it. */
static void send_without_pacing(int fd)
{
    static const char name[] = "reno";
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof(name) - 1);
}

/* These shape the traffic but are not needed for it; a failure is no reason to give up. */
static void set_stream_options(int fd, const struct sockaddr *address, uint32_t user_timeout_ms)
{
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (is_this_machine(address))
        send_without_pacing(fd);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (user_timeout_ms > 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms,
                         sizeof(user_timeout_ms));
}

enum tau_progress tau_socket_open(const struct tau_candidates *candidates, size_t which,
                                  uint32_t user_timeout_ms, int *ret_fd)
{
    const struct sockaddr *address = (const struct sockaddr *)&candidates->addresses[which];
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return TAU_PROGRESS_FAILED;
    if (address->sa_family != AF_UNIX)
        set_stream_options(fd, address, user_timeout_ms);
    if (connect(fd, address, candidates->sizes[which]) == 0) {
        *ret_fd = fd;
        return TAU_PROGRESS_DONE;
    }
    if (errno == EINPROGRESS || errno == EINTR) {
        *ret_fd = fd;
        return TAU_PROGRESS_WAIT;
    }
    int failure = errno;
    close(fd);
    errno = failure;
    return TAU_PROGRESS_FAILED;
}

enum tau_progress tau_socket_opened(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    int failure = 0;
    socklen_t size = sizeof(failure);
    if (poll(&item, 1, 0) <= 0)
        return TAU_PROGRESS_WAIT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
        return TAU_PROGRESS_FAILED;
    errno = failure;
    return failure == 0 ? TAU_PROGRESS_DONE : TAU_PROGRESS_FAILED;
}

static enum tau_progress judge_failure(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TAU_PROGRESS_WAIT
                                                                     : TAU_PROGRESS_FAILED;
}

enum tau_progress tau_socket_receive(int fd, uint8_t *room, size_t capacity, size_t *ret_size)
{
    ssize_t size = recv(fd, room, capacity, 0);
    if (size < 0)
        return judge_failure();
    *ret_size = (size_t)size;
    return size == 0 ? TAU_PROGRESS_END : TAU_PROGRESS_DONE;
}

enum tau_progress tau_socket_send(int fd, const struct tau_slice *slices, size_t count,
                                  size_t *ret_size)
{
    struct iovec vectors[TAU_SOCKET_SLICES];
    if (count > TAU_SOCKET_SLICES)
        count = TAU_SOCKET_SLICES;
    for (size_t i = 0; i < count; i++) {
        vectors[i].iov_base = (void *)(uintptr_t)slices[i].data;
        vectors[i].iov_len = slices[i].size;
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    ssize_t size = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (size < 0)
        return judge_failure();
    *ret_size = (size_t)size;
    return TAU_PROGRESS_DONE;
}

void tau_socket_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t tau_clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t tau_clock_coarse_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}
