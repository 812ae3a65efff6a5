/* SPDX-License-Identifier: MIT */
/*
 * Taking a server's address apart. An IPv6 address without brackets has no port: it would not be
 * clear where it ends.
 */
#include "address.h"

#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "fault.h"

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT "7701"

static enum tau_status refuse(struct tau_error *error, const char *text)
{
    return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                     "%.200s is not an address; expected HOST:PORT, [IPV6]:PORT or unix:PATH",
                     text);
}

static bool copy(char *to, size_t capacity, const char *from, size_t size)
{
    if (size == 0 || size >= capacity)
        return false;
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

/* 1 to 65535 in decimal. */
static bool parse_port(const char *text, char *ret_port, size_t capacity)
{
    unsigned port = 0;
    for (const char *digit = text; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || digit - text >= 5)
            return false;
        port = port * 10 + (unsigned)(*digit - '0');
    }
    return port >= 1 && port <= 65535 && copy(ret_port, capacity, text, strlen(text));
}

static enum tau_status parse_local(const char *text, const char *path,
                                   struct tau_address *ret_address, struct tau_error *error)
{
    struct tau_address address = {.local = true};
    struct sockaddr_un local;
    size_t size = strlen(path);
    if (size >= sizeof(local.sun_path) || !copy(address.host, sizeof(address.host), path, size))
        return refuse(error, text);
    *ret_address = address;
    return TAU_STATUS_SUCCESS;
}

/* Finds host and port; the port is NULL where there is none. */
static bool split(const char *text, const char **ret_host, size_t *ret_size, const char **ret_port)
{
    const char *colon = strrchr(text, ':');
    *ret_host = text;
    *ret_port = NULL;
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return false;
        *ret_host = text + 1;
        *ret_size = (size_t)(end - text - 1);
        *ret_port = end[1] == ':' ? end + 2 : NULL;
    } else if (colon == NULL || strchr(text, ':') != colon) {
        *ret_size = strlen(text);
    } else {
        *ret_size = (size_t)(colon - text);
        *ret_port = colon + 1;
    }
    return true;
}

enum tau_status tau_address_parse(const char *text, struct tau_address *ret_address,
                                  struct tau_error *error)
{
    struct tau_address address = {.host = DEFAULT_HOST, .port = DEFAULT_PORT};
    const char *host;
    const char *port;
    size_t size;
    if (text == NULL) {
        *ret_address = address;
        return TAU_STATUS_SUCCESS;
    }
    if (strncmp(text, "unix:", 5) == 0)
        return parse_local(text, text + 5, ret_address, error);
    if (!split(text, &host, &size, &port) || !copy(address.host, sizeof(address.host), host, size))
        return refuse(error, text);
    if (port != NULL && !parse_port(port, address.port, sizeof(address.port)))
        return refuse(error, text);
    *ret_address = address;
    return TAU_STATUS_SUCCESS;
}
