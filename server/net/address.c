// SPDX-License-Identifier: MIT
// Addresses as people write them.
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum {
    HOST_SIZE = 256,
    IPV6_NETWORK_BYTES = 8,
};

static bool parse_port(const char *text, in_port_t *ret_port)
{
    unsigned port = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    port = (unsigned)strtoul(text, NULL, 10);
    if (port > 65535)
        return false;
    *ret_port = htons((uint16_t)port);
    return true;
}

static bool parse_unix(const char *path, struct taud_address *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (*path == '\0' || strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    memset(ret_address, 0, sizeof *ret_address);
    memcpy(&ret_address->storage, &address, sizeof address);
    ret_address->size = sizeof address;
    return true;
}

static void set_ipv4(struct taud_address *ret_address, struct in_addr host, in_port_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = host, .sin_port = port};
    memset(ret_address, 0, sizeof *ret_address);
    memcpy(&ret_address->storage, &address, sizeof address);
    ret_address->size = sizeof address;
}

static void set_ipv6(struct taud_address *ret_address, struct in6_addr host, in_port_t port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = host, .sin6_port = port};
    memset(ret_address, 0, sizeof *ret_address);
    memcpy(&ret_address->storage, &address, sizeof address);
    ret_address->size = sizeof address;
}

// A name has a letter in it: what has only digits and dots must be a whole IPv4 address.
static bool resolve(const char *host, in_port_t port, struct taud_address *ret_address)
{
    if (strpbrk(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL ||
        strchr(host, ':') != NULL)
        return false;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    bool good = true;
    if (found->ai_family == AF_INET)
        set_ipv4(ret_address, ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr, port);
    else if (found->ai_family == AF_INET6)
        set_ipv6(ret_address, ((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr, port);
    else
        good = false;
    freeaddrinfo(found);
    return good;
}

bool taud_address_parse(const char *text, struct taud_address *ret_address)
{
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, ret_address);
    const char *colon = strrchr(text, ':');
    in_port_t port;
    if (colon == NULL || !parse_port(colon + 1, &port))
        return false;
    bool bracket = text[0] == '[';
    const char *start = bracket ? text + 1 : text;
    const char *end = bracket ? colon - 1 : colon;
    if (end <= start || end - start >= HOST_SIZE || (bracket && *end != ']'))
        return false;
    char host[HOST_SIZE];
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (bracket) {
        if (inet_pton(AF_INET6, host, &ipv6) != 1)
            return false;
        set_ipv6(ret_address, ipv6, port);
        return true;
    }
    if (inet_pton(AF_INET, host, &ipv4) == 1) {
        set_ipv4(ret_address, ipv4, port);
        return true;
    }
    return resolve(host, port, ret_address);
}

void taud_address_format(const struct taud_address *address, char text[TAUD_ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->storage.ss_family == AF_UNIX) {
        snprintf(text, TAUD_ADDRESS_TEXT_SIZE, "unix:%s", taud_address_path(address));
    } else if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
        inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof host);
        snprintf(text, TAUD_ADDRESS_TEXT_SIZE, "[%s]:%u", host, ntohs(ipv6->sin6_port));
    } else {
        const struct sockaddr_in *ipv4 = (const void *)&address->storage;
        inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof host);
        snprintf(text, TAUD_ADDRESS_TEXT_SIZE, "%s:%u", host, ntohs(ipv4->sin_port));
    }
}

bool taud_address_is_unix(const struct taud_address *address)
{
    return address->storage.ss_family == AF_UNIX;
}

bool taud_address_is_loopback(const struct taud_address *address)
{
    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *)&address->storage;
        return ntohl(ipv4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
    return address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr);
}

const char *taud_address_path(const struct taud_address *address)
{
    return ((const struct sockaddr_un *)(const void *)&address->storage)->sun_path;
}

struct taud_penalty_key taud_address_penalty_key(const struct taud_address *address)
{
    struct taud_penalty_key key = {{0}};
    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *)&address->storage;
        memcpy(key.bytes, &ipv4->sin_addr, sizeof ipv4->sin_addr);
        key.bytes[15] = 4;
    } else if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
        memcpy(key.bytes, &ipv6->sin6_addr, IPV6_NETWORK_BYTES);
        key.bytes[15] = 6;
    }
    return key;
}
