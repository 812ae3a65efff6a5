/* SPDX-License-Identifier: MIT */
/*
 * Options: their defaults, their checks, and how those of an older header are read. Fields are only
 * ever added at the end, so a smaller size means that the last fields keep their defaults.
 */
#include <tau/options.h>

#include <string.h>

#include "fault.h"
#include "settings.h"

#define DEFAULT_NAME "libtauclient " TAU_VERSION

static const struct tau_options default_options = {
    .size = sizeof(struct tau_options),
    .connect_timeout_ms = 5000,
    .request_timeout_ms = 30000,
    .negotiate = true,
    .announce_layouts = true,
    .reconnect_first_ms = 100,
    .reconnect_max_ms = 10000,
    .max_outstanding = 65536,
    .max_output_bytes = (size_t)16 * 1024 * 1024,
};

void tau_options_init_sized(struct tau_options *options, size_t size)
{
    size_t known = size < sizeof(default_options) ? size : sizeof(default_options);
    memset(options, 0, size);
    memcpy(options, &default_options, known);
    options->size = size;
}

static enum tau_status check(const struct tau_options *options, struct tau_error *error)
{
    if (options->max_outstanding == 0 || options->max_output_bytes == 0)
        return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                         "max_outstanding and max_output_bytes must not be 0");
    if (options->reconnect && (options->reconnect_first_ms == 0 ||
                               options->reconnect_first_ms > options->reconnect_max_ms))
        return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                         "reconnect_first_ms must be from 1 to reconnect_max_ms");
    const struct tau_allocator *allocator = options->allocator;
    if (allocator != NULL && (allocator->allocate == NULL || allocator->release == NULL))
        return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                         "an allocator needs both functions");
    if (options->client_name != NULL && strlen(options->client_name) > TAU_LIMIT_NAME_BYTES)
        return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                         "client_name is longer than %d bytes", (int)TAU_LIMIT_NAME_BYTES);
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_settings_read(const struct tau_options *given,
                                  struct tau_settings *ret_settings, struct tau_error *error)
{
    struct tau_options options = default_options;
    struct tau_settings settings = {0};
    if (given != NULL) {
        if (given->size < sizeof(given->size))
            return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                             "the options were not made by tau_options_init");
        memcpy(&options, given, given->size < sizeof(options) ? given->size : sizeof(options));
    }
    enum tau_status status = check(&options, error);
    if (status == TAU_STATUS_SUCCESS)
        status = tau_address_parse(options.address, &settings.address, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    const char *name = options.client_name != NULL ? options.client_name : DEFAULT_NAME;
    memcpy(settings.core.client_name, name, strlen(name) + 1);
    settings.core.allocator = options.allocator != NULL ? *options.allocator : tau_memory_default();
    settings.core.certificate = options.certificate;
    settings.core.connect_timeout_ms = options.connect_timeout_ms;
    settings.core.request_timeout_ms = options.request_timeout_ms;
    settings.core.negotiate = options.negotiate;
    settings.core.announce_layouts = options.announce_layouts;
    settings.core.reconnect = options.reconnect;
    settings.core.reconnect_first_ms = options.reconnect_first_ms;
    settings.core.reconnect_max_ms = options.reconnect_max_ms;
    settings.core.max_outstanding = options.max_outstanding;
    settings.core.max_output_bytes = options.max_output_bytes;
    settings.core.on_trace = options.on_trace;
    settings.core.trace_user_data = options.trace_user_data;
    settings.on_link = options.on_link;
    settings.link_user_data = options.link_user_data;
    *ret_settings = settings;
    return TAU_STATUS_SUCCESS;
}
