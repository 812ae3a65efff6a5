/* SPDX-License-Identifier: MIT */
/*
 * The addresses of the socket tests. Whatever cannot be set up ends the program.
 */
#include "loopback.h"

#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition) ((condition) ? (void)0 : abort())

struct fake_resolver fake_resolver;

/* --- addresses ------------------------------------------------------------------------------- */

static int bind_loopback(struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_address = address;
    return fd;
}

int loopback_listen(struct sockaddr_in *ret_address)
{
    int fd = bind_loopback(ret_address);
    CHECK(listen(fd, 8) == 0);
    return fd;
}

int loopback_refuse(struct sockaddr_in *ret_address)
{
    return bind_loopback(ret_address);
}

/* A queue for none still takes one; the attempts after it wait for a place. */
struct loopback_full loopback_fill(struct sockaddr_in *ret_address)
{
    struct loopback_full full = {.listener = bind_loopback(ret_address)};
    CHECK(listen(full.listener, 0) == 0);
    full.guest = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(full.guest >= 0);
    CHECK(connect(full.guest, (struct sockaddr *)ret_address, sizeof(*ret_address)) == 0);
    struct pollfd queued = {.fd = full.listener, .events = POLLIN};
    CHECK(poll(&queued, 1, 5000) == 1);
    return full;
}

void loopback_close(struct loopback_full full)
{
    close(full.guest);
    close(full.listener);
}

int lowest_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    CHECK(fd >= 0);
    close(fd);
    return fd;
}

/* --- the resolver ---------------------------------------------------------------------------- */

void fake_resolver_add(const struct sockaddr_in *address)
{
    CHECK(fake_resolver.count < LOOPBACK_ANSWERS);
    memcpy(&fake_resolver.addresses[fake_resolver.count], address, sizeof(*address));
    fake_resolver.sizes[fake_resolver.count++] = sizeof(*address);
}

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret_found);
void __real_freeaddrinfo(struct addrinfo *found);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret_found);
void __wrap_freeaddrinfo(struct addrinfo *found);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret_found)
{
    fake_resolver.asked++;
    if (fake_resolver.failure != 0)
        return fake_resolver.failure;
    if (fake_resolver.count == 0)
        return __real_getaddrinfo(host, port, hints, ret_found);
    struct addrinfo *items = calloc(fake_resolver.count, sizeof(*items));
    CHECK(items != NULL);
    for (size_t i = 0; i < fake_resolver.count; i++) {
        items[i].ai_addr = (struct sockaddr *)&fake_resolver.addresses[i];
        items[i].ai_addrlen = fake_resolver.sizes[i];
        items[i].ai_next = i + 1 < fake_resolver.count ? &items[i + 1] : NULL;
    }
    fake_resolver.held++;
    *ret_found = items;
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *found)
{
    if (fake_resolver.count == 0) {
        __real_freeaddrinfo(found);
        return;
    }
    fake_resolver.held--;
    free(found);
}
