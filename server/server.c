// SPDX-License-Identifier: MIT
// The coordinator.
#include "server.h"

#include "config/certificate.h"
#include "config/files.h"
#include "engine/engine.h"
#include "net/network.h"
#include "storage_watch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct taud_server {
    const struct taud_config *config;
    struct taud_log *log;
    struct taud_backend *backend;
    struct taud_engine *engine;
    struct taud_network *network;
    struct taud_recovery recovery;
    struct taud_storage_watch watch;
    struct taud_certificate_source certificate_source;
    bool engine_started;
    bool network_started;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct taud_server_error *error, bool usage,
                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->usage = usage;
    return false;
}

// --- making --------------------------------------------------------------------------------------

static enum taud_durability durability_of(const struct taud_config *config)
{
    switch ((enum taud_config_durability)config->durability) {
    case TAUD_CONFIG_INTERVAL:
        return TAUD_DURABILITY_INTERVAL;
    case TAUD_CONFIG_OS:
        return TAUD_DURABILITY_OS;
    case TAUD_CONFIG_SYNC:
        break;
    }
    return TAUD_DURABILITY_SYNC;
}

static bool make_engine(struct taud_server *server, struct taud_server_error *error)
{
    struct {
        uint64_t file_seed;
        uint8_t hash_seed[32];
    } random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return fail(error, false, "no randomness: %s", strerror(errno));
    struct taud_error engine_error = {.text = ""};
    struct taud_local_options local = {.directory = server->config->data_directory,
                                       .file_seed = random.file_seed};
    if (taud_local_backend_new(&local, &server->backend, &engine_error) != TAU_STATUS_SUCCESS)
        return fail(error, false, "%s", engine_error.text);
    struct taud_engine_options options = {
        .backend = server->backend,
        .memory_bytes = server->config->memory_bytes,
        .durability = durability_of(server->config),
        .sync_interval_ms = (uint32_t)server->config->sync_interval_ms,
        .query_threads = (uint32_t)server->config->query_threads,
    };
    memcpy(options.seed, random.hash_seed, sizeof options.seed);
    if (taud_engine_new(&options, &server->engine, &engine_error) != TAU_STATUS_SUCCESS)
        return fail(error, false, "%s", engine_error.text);
    return true;
}

static bool make_network(struct taud_server *server, struct taud_server_error *error)
{
    struct taud_network_error network_error;
    struct taud_network_options options = {
        .config = server->config, .engine = server->engine, .log = server->log};
    server->network = taud_network_new(&options, &network_error);
    return server->network != NULL || fail(error, network_error.usage, "%s", network_error.text);
}

struct taud_server *taud_server_new(const struct taud_config *config, struct taud_log *log,
                                    struct taud_server_error *ret_error)
{
    struct taud_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        fail(ret_error, false, "no memory for the server");
        return NULL;
    }
    server->config = config;
    server->log = log;
    if (!make_engine(server, ret_error) || !make_network(server, ret_error)) {
        taud_server_free(server);
        return NULL;
    }
    return server;
}

// --- starting ------------------------------------------------------------------------------------

static bool start_engine(struct taud_server *server, struct taud_server_error *error)
{
    struct taud_error engine_error = {.text = ""};
    if (taud_engine_startup(server->engine, &server->recovery, &engine_error) != TAU_STATUS_SUCCESS)
        return fail(error, false, "data directory %s: %s", server->config->data_directory,
                    engine_error.text);
    server->engine_started = true;
    return true;
}

static void log_start(const struct taud_server *server)
{
    const struct taud_recovery *found = &server->recovery;
    char durability[64];
    taud_config_durability(server->config, durability);
    taud_log_write(server->log, TAUD_LOG_INFO,
                   "started: data in %s, durability %s, %llu workers, at most %llu connections",
                   server->config->data_directory, durability,
                   (unsigned long long)server->config->workers,
                   (unsigned long long)server->config->max_connections);
    taud_log_write(server->log, TAUD_LOG_INFO,
                   "replayed %llu records with %llu points; %llu series, %llu lenses",
                   (unsigned long long)found->record_count, (unsigned long long)found->point_count,
                   (unsigned long long)found->series_count, (unsigned long long)found->lens_count);
    if (found->cut_bytes > 0)
        taud_log_write(server->log, TAUD_LOG_WARNING,
                       "cut %llu bytes off the end of the log that were not written whole",
                       (unsigned long long)found->cut_bytes);
    if (found->quarantined_count > 0)
        taud_log_write(server->log, TAUD_LOG_ERROR,
                       "put %llu damaged pieces of the log with %llu bytes into quarantine",
                       (unsigned long long)found->quarantined_count,
                       (unsigned long long)found->quarantined_bytes);
    if (found->refused_count > 0)
        taud_log_write(server->log, TAUD_LOG_ERROR,
                       "%llu records did not fit what is before them and were left out",
                       (unsigned long long)found->refused_count);
    const struct taud_certificate_source *certificate = &server->certificate_source;
    if (certificate->path[0] != '\0')
        taud_log_write(server->log, TAUD_LOG_INFO, "certificate %s %s",
                       certificate->generated ? "generated in" : "read from", certificate->path);
}

bool taud_server_startup(struct taud_server *server, char *const environment[],
                         struct taud_server_error *ret_error)
{
    const struct taud_config *config = server->config;
    struct taud_config_error config_error;
    struct taud_network_error network_error;
    struct tau_certificate certificate;
    if (!taud_directory_create(config->data_directory))
        return fail(ret_error, false, "cannot use the data directory %s: %s",
                    config->data_directory, strerror(errno));
    enum taud_config_result loaded = taud_certificate_load(
        config, environment, &certificate, &server->certificate_source, &config_error);
    if (loaded != TAUD_CONFIG_OK)
        return fail(ret_error, loaded == TAUD_CONFIG_USAGE, "%s", config_error.text);
    if (!taud_network_bind(server->network, &network_error))
        return fail(ret_error, network_error.usage, "%s", network_error.text);
    if (!start_engine(server, ret_error))
        return false;
    server->network_started = true;
    bool started = taud_network_startup(server->network, &certificate, &network_error);
    explicit_bzero(&certificate, sizeof certificate);
    if (!started)
        return fail(ret_error, network_error.usage, "%s", network_error.text);
    log_start(server);
    taud_storage_watch_begin(&server->watch, server->engine, server->log, &server->recovery);
    return true;
}

void taud_server_announce(const struct taud_server *server, FILE *out)
{
    fprintf(out, "taud %s listening on ", TAU_VERSION);
    taud_network_addresses(server->network, out);
    const struct taud_certificate_source *certificate = &server->certificate_source;
    if (certificate->path[0] != '\0')
        fprintf(out, ", certificate %s %s", certificate->generated ? "generated in" : "in",
                certificate->path);
    fputc('\n', out);
    fflush(out);
}

// --- running and stopping ------------------------------------------------------------------------

void taud_server_run(struct taud_server *server)
{
    taud_network_run(server->network);
}

static void log_stop(const struct taud_server *server)
{
    const struct taud_network *network = server->network;
    taud_log_write(server->log, TAUD_LOG_INFO,
                   "stopped: %llu connections, %llu refused, %llu requests, %llu errors, "
                   "%llu bytes in, %llu bytes out",
                   (unsigned long long)taud_network_counter(network, TAUD_COUNT_ACCEPTED),
                   (unsigned long long)taud_network_counter(network, TAUD_COUNT_REFUSED),
                   (unsigned long long)taud_network_counter(network, TAUD_COUNT_REQUESTS),
                   (unsigned long long)taud_network_counter(network, TAUD_COUNT_ERRORS),
                   (unsigned long long)taud_network_counter(network, TAUD_COUNT_READ_BYTES),
                   (unsigned long long)taud_network_counter(network, TAUD_COUNT_WRITE_BYTES));
}

void taud_server_stop(struct taud_server *server)
{
    bool served = server->network_started && server->engine_started;
    if (server->network_started)
        taud_network_stop(server->network);
    server->network_started = false;
    if (server->engine_started)
        taud_engine_stop(server->engine);
    server->engine_started = false;
    if (served)
        log_stop(server);
}

void taud_server_free(struct taud_server *server)
{
    if (server == NULL)
        return;
    taud_server_stop(server);
    taud_network_free(server->network);
    taud_engine_free(server->engine);
    if (server->backend != NULL)
        server->backend->free(server->backend);
    free(server);
}
