// SPDX-License-Identifier: MIT
// A socket that accepts connections.
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 64,     // per turn, so that signals are heard between
    RETRY_US = 100 * 1000, // when no descriptor was left
    SOCKET_MODE = 0600,
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// --- binding -------------------------------------------------------------------------------------

// Removes the socket of a server that was killed; one that answers, or another kind of file, stays.
static bool remove_stale_socket(const struct taud_address *address)
{
    struct stat found;
    if (lstat(taud_address_path(address), &found) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(found.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    bool dead = connect(probe, (const struct sockaddr *)&address->storage, address->size) != 0 &&
                errno == ECONNREFUSED;
    close(probe);
    if (!dead) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(taud_address_path(address)) == 0;
}

static bool prepare(int file, const struct taud_address *address)
{
    int on = 1;
    if (taud_address_is_unix(address)) // Linux gives the socket's mode to what bind creates
        return fchmod(file, SOCKET_MODE) == 0 && remove_stale_socket(address);
    if (address->storage.ss_family == AF_INET6 &&
        setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return false;
    return setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
}

bool taud_listener_bind(struct taud_listener *listener, const struct taud_listener_options *options)
{
    const struct taud_address *address = &options->address;
    *listener = (struct taud_listener){.file = -1,
                                       .address = *address,
                                       .log = options->log,
                                       .accepted = options->accepted,
                                       .user_data = options->user_data};
    int file = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return false;
    if (!prepare(file, address) ||
        bind(file, (const struct sockaddr *)&address->storage, address->size) != 0) {
        int error = errno;
        close(file);
        errno = error;
        return false;
    }
    listener->file = file;
    listener->bound_path = taud_address_is_unix(address);
    return true;
}

// --- accepting -----------------------------------------------------------------------------------

static void back_off(struct taud_listener *listener, int error)
{
    struct timeval wait = {.tv_usec = RETRY_US};
    event_del(listener->accept_event);
    event_add(listener->retry_event, &wait);
    uint64_t held_back;
    if (taud_log_gate_pass(&listener->gate, now_ms(), &held_back))
        taud_log_write(listener->log, TAUD_LOG_WARNING,
                       "cannot accept connections: %s (%llu times more since)", strerror(error),
                       (unsigned long long)held_back);
}

// Whether the fault is of the one connection, which is gone, and not of this process.
static bool concerns_only_the_peer(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN ||
           error == EHOSTDOWN || error == EHOSTUNREACH || error == ENETUNREACH || error == ENONET ||
           error == ENOPROTOOPT || error == EPERM || error == EOPNOTSUPP;
}

// A client on this machine gets what it asks for without pacing: between processes nothing is lost,
// and a congestion control that spreads over time what is sent (bbr, where it is the system's
// default) sets a timer for every 64 KiB in vain. Reno never does, and everybody may choose it.
static void set_stream_options(int file, const struct taud_address *peer)
{
    static const char unpaced[] = "reno";
    int on = 1;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (taud_address_is_loopback(peer))
        setsockopt(file, IPPROTO_TCP, TCP_CONGESTION, unpaced, sizeof unpaced - 1);
}

static void on_accept(evutil_socket_t file, short what, void *user_data)
{
    struct taud_listener *listener = user_data;
    (void)what;
    for (int count = 0; count < ACCEPT_BATCH; count++) {
        struct taud_address peer = {.size = sizeof peer.storage};
        int accepted = accept4(file, (struct sockaddr *)&peer.storage, &peer.size,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (accepted < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return;
            if (concerns_only_the_peer(errno))
                continue;
            back_off(listener, errno);
            return;
        }
        if (!taud_address_is_unix(&listener->address))
            set_stream_options(accepted, &peer);
        listener->accepted(listener->user_data, accepted, &peer);
    }
}

static void on_retry(evutil_socket_t file, short what, void *user_data)
{
    struct taud_listener *listener = user_data;
    (void)file;
    (void)what;
    event_add(listener->accept_event, NULL);
}

bool taud_listener_startup(struct taud_listener *listener, struct event_base *base, int backlog)
{
    listener->accept_event =
        event_new(base, listener->file, EV_READ | EV_PERSIST, on_accept, listener);
    listener->retry_event = evtimer_new(base, on_retry, listener);
    errno = ENOMEM;
    if (listener->accept_event == NULL || listener->retry_event == NULL ||
        listen(listener->file, backlog) != 0 || event_add(listener->accept_event, NULL) != 0)
        return false;
    struct taud_address *address = &listener->address;
    if (taud_address_is_unix(address))
        return true;
    address->size = sizeof address->storage;
    return getsockname(listener->file, (struct sockaddr *)&address->storage, &address->size) == 0;
}

void taud_listener_done(struct taud_listener *listener)
{
    if (listener->accept_event != NULL)
        event_free(listener->accept_event);
    if (listener->retry_event != NULL)
        event_free(listener->retry_event);
    if (listener->bound_path)
        unlink(taud_address_path(&listener->address));
    if (listener->file >= 0)
        close(listener->file);
    *listener = (struct taud_listener){.file = -1};
}
