// SPDX-License-Identifier: MIT
// Everything that has sockets: listeners, workers, signals.
#include "net/network.h"

#include "net/listener.h"
#include "net/worker.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXTRA_MAX = 64 }; // connections beyond the maximum that are being told so

struct taud_network {
    const struct taud_config *config;
    struct taud_log *log;
    struct taud_budget budget;
    struct taud_penalties *penalties;
    struct event_base *base;
    int signal_file; // -1 for none
    struct event *signals;
    struct taud_listener listeners[TAUD_LISTEN_MAX];
    size_t listener_count;
    struct taud_worker *workers;
    size_t worker_count; // initialised
    size_t next_worker;  // where the search for the one with the fewest begins
};

__attribute__((format(printf, 3, 4))) static bool fail(struct taud_network_error *error, bool usage,
                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->usage = usage;
    return false;
}

// --- handing over --------------------------------------------------------------------------------

static struct taud_worker *emptiest_worker(struct taud_network *network, uint64_t *ret_total)
{
    struct taud_worker *best = NULL;
    uint32_t fewest = UINT32_MAX;
    uint64_t total = 0;
    for (size_t step = 0; step < network->worker_count; step++) {
        struct taud_worker *worker =
            &network->workers[(network->next_worker + step) % network->worker_count];
        uint32_t count = atomic_load_explicit(&worker->connection_count, memory_order_relaxed);
        total += count;
        if (count < fewest) {
            fewest = count;
            best = worker;
        }
    }
    network->next_worker++;
    *ret_total = total;
    return best;
}

static void on_accepted(void *user_data, int file, const struct taud_address *peer)
{
    struct taud_network *network = user_data;
    uint64_t total;
    struct taud_worker *worker = emptiest_worker(network, &total);
    bool refuse = total >= network->config->max_connections;
    struct taud_penalty_key key = taud_address_penalty_key(peer);
    if (total >= network->config->max_connections + EXTRA_MAX ||
        !taud_worker_adopt(worker, file, &key, refuse))
        close(file);
}

// --- signals -------------------------------------------------------------------------------------

static sigset_t handled_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

void taud_network_hold_signals(void)
{
    const sigset_t signals = handled_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static void on_stop_signal(struct taud_network *network, const char *name)
{
    taud_log_write(network->log, TAUD_LOG_INFO, "stopping: %s", name);
    event_base_loopbreak(network->base);
}

static void on_hangup(struct taud_network *network)
{
    if (taud_log_reopen(network->log))
        taud_log_write(network->log, TAUD_LOG_INFO, "log opened anew");
    else
        taud_log_write(network->log, TAUD_LOG_ERROR, "cannot open the log anew: %s",
                       strerror(errno));
}

static void on_signals(evutil_socket_t file, short what, void *user_data)
{
    struct taud_network *network = user_data;
    struct signalfd_siginfo signal;
    (void)what;
    while (read(file, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        if (signal.ssi_signo != SIGHUP) {
            on_stop_signal(network, signal.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
            break;
        }
        on_hangup(network);
    }
}

static bool add_signals(struct taud_network *network)
{
    const sigset_t signals = handled_signals();
    network->signal_file = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (network->signal_file < 0)
        return false;
    network->signals =
        event_new(network->base, network->signal_file, EV_READ | EV_PERSIST, on_signals, network);
    return network->signals != NULL && event_add(network->signals, NULL) == 0;
}

// --- life ----------------------------------------------------------------------------------------

static bool parse_addresses(struct taud_network *network, struct taud_network_error *error)
{
    const struct taud_config *config = network->config;
    for (size_t index = 0; index < config->listen_count; index++) {
        struct taud_listener *listener = &network->listeners[index];
        *listener = (struct taud_listener){.file = -1};
        if (!taud_address_parse(config->listen[index], &listener->address))
            return fail(error, true,
                        "option %s: \"%.120s\" is not allowed; expected HOST:PORT, "
                        "[IPV6]:PORT or unix:PATH, where HOST is known and PORT is 0 to 65535",
                        config->listen_name, config->listen[index]);
        network->listener_count++;
    }
    return true;
}

static bool init_workers(struct taud_network *network, const struct taud_network_options *options)
{
    const struct taud_config *config = options->config;
    network->workers =
        aligned_alloc(_Alignof(struct taud_worker), config->workers * sizeof(struct taud_worker));
    if (network->workers == NULL)
        return false;
    for (uint32_t index = 0; index < config->workers; index++) {
        struct taud_worker_options worker = {
            .index = index,
            .engine = options->engine,
            .budget = &network->budget,
            .penalties = network->penalties,
            .log = options->log,
            .idle_timeout_ms = config->idle_timeout_ms,
            .frame_timeout_ms = config->frame_timeout_ms,
            .always_commit_inline = config->durability != TAUD_CONFIG_SYNC,
            .busy_poll = true,
        };
        network->worker_count = index + 1;
        if (!taud_worker_init(&network->workers[index], &worker))
            return false;
    }
    return true;
}

struct taud_network *taud_network_new(const struct taud_network_options *options,
                                      struct taud_network_error *ret_error)
{
    struct taud_network *network = calloc(1, sizeof *network);
    if (network == NULL) {
        fail(ret_error, false, "no memory for the network");
        return NULL;
    }
    network->signal_file = -1;
    network->config = options->config;
    network->log = options->log;
    network->budget.limit_bytes = options->config->buffer_memory_bytes;
    if (!parse_addresses(network, ret_error)) {
        taud_network_free(network);
        return NULL;
    }
    network->penalties = taud_penalties_new();
    network->base = event_base_new();
    if (network->penalties == NULL || network->base == NULL || !add_signals(network) ||
        !init_workers(network, options)) {
        fail(ret_error, false, "no memory or descriptors for %llu workers: %s",
             (unsigned long long)options->config->workers, strerror(errno));
        taud_network_free(network);
        return NULL;
    }
    return network;
}

static bool fail_listening(const struct taud_network *network, size_t index,
                           struct taud_network_error *error)
{
    return fail(error, false, "cannot listen on %.200s: %s", network->config->listen[index],
                strerror(errno));
}

bool taud_network_bind(struct taud_network *network, struct taud_network_error *ret_error)
{
    for (size_t index = 0; index < network->listener_count; index++) {
        struct taud_listener_options options = {.address = network->listeners[index].address,
                                                .log = network->log,
                                                .accepted = on_accepted,
                                                .user_data = network};
        if (!taud_listener_bind(&network->listeners[index], &options))
            return fail_listening(network, index, ret_error);
    }
    return true;
}

bool taud_network_startup(struct taud_network *network, const struct tau_certificate *certificate,
                          struct taud_network_error *ret_error)
{
    for (size_t index = 0; index < network->worker_count; index++) {
        if (!taud_worker_startup(&network->workers[index], certificate))
            return fail(ret_error, false, "cannot start worker %zu of %zu: %s", index + 1,
                        network->worker_count, strerror(errno));
    }
    for (size_t index = 0; index < network->listener_count; index++) {
        if (!taud_listener_startup(&network->listeners[index], network->base,
                                   (int)network->config->backlog))
            return fail_listening(network, index, ret_error);
    }
    return true;
}

void taud_network_addresses(const struct taud_network *network, FILE *out)
{
    for (size_t index = 0; index < network->listener_count; index++) {
        char text[TAUD_ADDRESS_TEXT_SIZE];
        taud_address_format(&network->listeners[index].address, text);
        fprintf(out, "%s%s", index == 0 ? "" : " ", text);
    }
}

void taud_network_run(struct taud_network *network)
{
    event_base_dispatch(network->base);
}

void taud_network_stop(struct taud_network *network)
{
    for (size_t index = 0; index < network->listener_count; index++)
        taud_listener_done(&network->listeners[index]);
    for (size_t index = 0; index < network->worker_count; index++)
        taud_worker_stop(&network->workers[index]);
    for (size_t index = 0; index < network->worker_count; index++)
        taud_worker_join(&network->workers[index]);
}

uint64_t taud_network_counter(const struct taud_network *network, enum taud_counter counter)
{
    uint64_t sum = 0;
    for (size_t index = 0; index < network->worker_count; index++)
        sum += taud_counter_value(&network->workers[index].statistics, counter);
    return sum;
}

void taud_network_free(struct taud_network *network)
{
    if (network == NULL)
        return;
    for (size_t index = 0; index < network->listener_count; index++)
        taud_listener_done(&network->listeners[index]);
    for (size_t index = 0; index < network->worker_count; index++)
        taud_worker_done(&network->workers[index]);
    free(network->workers);
    if (network->signals != NULL)
        event_free(network->signals);
    if (network->signal_file >= 0)
        close(network->signal_file);
    if (network->base != NULL)
        event_base_free(network->base);
    taud_penalties_free(network->penalties);
    free(network);
}
