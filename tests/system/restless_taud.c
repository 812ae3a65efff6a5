// SPDX-License-Identifier: MIT
// taud with limits so small that it never rests: under the load of a test it flushes, commits
// manifests, begins segments of the log, trims it and compacts all the time. The linker leads the
// calls of server.c here; all else is taud as it is.
#include "engine/backend.h"
#include "engine/engine.h"

enum {
    SEGMENT_BYTES = 64 << 10,
    FLUSH_LOG_BYTES = 96 << 10,
};

enum tau_status __real_taud_engine_new(const struct taud_engine_options *options,
                                       struct taud_engine **ret_engine, struct taud_error *error);
enum tau_status __wrap_taud_engine_new(const struct taud_engine_options *options,
                                       struct taud_engine **ret_engine, struct taud_error *error);
enum tau_status __real_taud_local_backend_new(const struct taud_local_options *options,
                                              struct taud_backend **ret_backend,
                                              struct taud_error *error);
enum tau_status __wrap_taud_local_backend_new(const struct taud_local_options *options,
                                              struct taud_backend **ret_backend,
                                              struct taud_error *error);

enum tau_status __wrap_taud_engine_new(const struct taud_engine_options *options,
                                       struct taud_engine **ret_engine, struct taud_error *error)
{
    struct taud_engine_options small = *options;
    small.flush_log_bytes = FLUSH_LOG_BYTES;
    return __real_taud_engine_new(&small, ret_engine, error);
}

enum tau_status __wrap_taud_local_backend_new(const struct taud_local_options *options,
                                              struct taud_backend **ret_backend,
                                              struct taud_error *error)
{
    struct taud_local_options small = *options;
    small.segment_bytes = SEGMENT_BYTES;
    return __real_taud_local_backend_new(&small, ret_backend, error);
}
