// SPDX-License-Identifier: MIT
// The coordinator: what it makes of the configuration, what it says and logs, the order of its
// start and stop, and each part that may be missing.
#include "memory_fault.h"
#include "peer.h"
#include "scratch.h"

#include "engine/engine.h"
#include "net/address.h"
#include "net/network.h"
#include "server.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// --- seams ---------------------------------------------------------------------------------------

static struct taud_engine_options engine_options; // of the engine that was made last
static struct taud_recovery damage;               // what the next start finds besides

enum tau_status __real_taud_engine_new(const struct taud_engine_options *options,
                                       struct taud_engine **ret_engine, struct taud_error *error);
enum tau_status __wrap_taud_engine_new(const struct taud_engine_options *options,
                                       struct taud_engine **ret_engine, struct taud_error *error);

enum tau_status __wrap_taud_engine_new(const struct taud_engine_options *options,
                                       struct taud_engine **ret_engine, struct taud_error *error)
{
    engine_options = *options;
    return __real_taud_engine_new(options, ret_engine, error);
}

enum tau_status __real_taud_engine_startup(struct taud_engine *engine,
                                           struct taud_recovery *ret_recovery,
                                           struct taud_error *error);
enum tau_status __wrap_taud_engine_startup(struct taud_engine *engine,
                                           struct taud_recovery *ret_recovery,
                                           struct taud_error *error);

enum tau_status __wrap_taud_engine_startup(struct taud_engine *engine,
                                           struct taud_recovery *ret_recovery,
                                           struct taud_error *error)
{
    enum tau_status status = __real_taud_engine_startup(engine, ret_recovery, error);
    ret_recovery->cut_bytes += damage.cut_bytes;
    ret_recovery->quarantined_count += damage.quarantined_count;
    ret_recovery->quarantined_bytes += damage.quarantined_bytes;
    ret_recovery->refused_count += damage.refused_count;
    return status;
}

// --- fixture -------------------------------------------------------------------------------------

struct fixture {
    char directory[SCRATCH_PATH_SIZE];
    char data_directory[SCRATCH_PATH_SIZE + 8];
    char log_path[SCRATCH_PATH_SIZE + 8];
    char address[SCRATCH_PATH_SIZE + 16];
    char certificate[96];
    char *environment[2];
    struct taud_config config;
    struct taud_log *log;
    struct taud_server *server;
    struct taud_server_error error;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    scratch_make(f->directory);
    snprintf(f->data_directory, sizeof f->data_directory, "%s/data", f->directory);
    snprintf(f->log_path, sizeof f->log_path, "%s/log", f->directory);
    snprintf(f->address, sizeof f->address, "unix:%s/socket", f->directory);
    int length = snprintf(f->certificate, sizeof f->certificate, "TAU_CERTIFICATE=");
    for (size_t index = 0; index < sizeof PEER_CERTIFICATE.bytes; index++)
        length += snprintf(f->certificate + length, sizeof f->certificate - (size_t)length, "%02x",
                           PEER_CERTIFICATE.bytes[index]);
    f->environment[0] = f->certificate;
    struct taud_log_options options = {.level = TAUD_LOG_INFO, .path = f->log_path};
    f->log = taud_log_new(&options);
    assert_non_null(f->log);
    f->config = (struct taud_config){.listen = {f->address},
                                     .listen_count = 1,
                                     .listen_name = "--listen",
                                     .data_directory = f->data_directory,
                                     .durability = TAUD_CONFIG_SYNC,
                                     .memory_bytes = 64 << 20,
                                     .buffer_memory_bytes = 16 << 20,
                                     .workers = 2,
                                     .max_connections = 100,
                                     .frame_timeout_ms = 60 * 1000,
                                     .backlog = 16};
    damage = (struct taud_recovery){0};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    taud_server_free(f->server);
    taud_log_free(f->log);
    scratch_remove(f->directory);
    free(f);
    return 0;
}

static bool make(struct fixture *f)
{
    f->server = taud_server_new(&f->config, f->log, &f->error);
    return f->server != NULL;
}

static bool startup(struct fixture *f)
{
    return taud_server_startup(f->server, f->environment, &f->error);
}

static void start(struct fixture *f)
{
    assert_true(make(f));
    assert_true(startup(f));
}

static void end(struct fixture *f)
{
    taud_server_free(f->server);
    f->server = NULL;
}

static void *run_server(void *user_data)
{
    taud_server_run(user_data);
    return NULL;
}

static int connect_peer(const struct fixture *f)
{
    struct taud_address address;
    assert_true(taud_address_parse(f->address, &address));
    int peer = peer_open((const struct sockaddr *)&address.storage, address.size);
    peer_connect(peer);
    return peer;
}

static bool logged(const struct fixture *f, const char *expected)
{
    char *text = scratch_text(f->log_path);
    bool found = strstr(text, expected) != NULL;
    free(text);
    return found;
}

// Whether another server could have the data now.
static bool is_free(const struct fixture *f)
{
    struct taud_backend *other;
    struct taud_error error = {.text = ""};
    struct taud_local_options options = {.directory = f->data_directory};
    assert_int_equal(taud_local_backend_new(&options, &other, &error), TAU_STATUS_SUCCESS);
    bool opened = other->open(other, &error) == TAU_STATUS_SUCCESS;
    if (opened)
        other->close(other);
    other->free(other);
    return opened;
}

// --- a whole life --------------------------------------------------------------------------------

// Serves a peer that creates a series and appends a point, until it is told to stop.
static void serve_one_peer(struct fixture *f)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_server, f->server), 0);
    int peer = connect_peer(f);
    peer_create(peer, "series");
    peer_expect(peer, TAU_OPCODE_OK, NULL, 0);
    peer_append(peer, "series", 7);
    peer_expect(peer, TAU_OPCODE_OK, NULL, 0);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    shutdown(peer, SHUT_WR);
    taud_server_stop(f->server);
    peer_expect_end(peer);
    close(peer);
}

static void starts_serves_and_stops(void **state)
{
    struct fixture *f = *state;
    start(f);
    char expected[256];
    snprintf(expected, sizeof expected,
             "started: data in %s, durability sync, 2 workers, at most 100 connections",
             f->data_directory);
    assert_true(logged(f, expected));
    assert_true(logged(f, "replayed 0 records with 0 points; 0 series, 0 lenses"));
    assert_false(is_free(f));
    serve_one_peer(f);
    assert_true(is_free(f)); // the engine is stopped too, not only freed some day
    assert_true(logged(f, "stopped: 1 connections, 0 refused, 3 requests, 0 errors, "));
    taud_server_stop(f->server); // a second time: nothing, and nothing said
    end(f);
    start(f);
    assert_true(logged(f, "replayed 2 records with 1 points; 1 series, 0 lenses"));
    taud_server_stop(f->server);
    assert_true(logged(f, "stopped: 0 connections, 0 refused, 0 requests, 0 errors, "));
    char *text = scratch_text(f->log_path);
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, "stopped:")) != NULL; at++)
        count++;
    assert_int_equal(count, 2);
    assert_null(strstr(text, "\"error\"")); // a log that was whole is not complained of
    assert_null(strstr(text, "\"warning\""));
    free(text);
}

static void logs_what_is_wrong_with_what_it_found(void **state)
{
    struct fixture *f = *state;
    damage = (struct taud_recovery){
        .cut_bytes = 41, .quarantined_count = 42, .quarantined_bytes = 43, .refused_count = 44};
    start(f);
    assert_true(logged(f, "\"warning\",\"message\":\"cut 41 bytes off the end of the log"));
    assert_true(
        logged(f, "\"error\",\"message\":\"put 42 damaged pieces of the log with 43 bytes"));
    assert_true(logged(f, "\"error\",\"message\":\"44 records did not fit"));
}

static void expect_announced(const struct fixture *f, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    taud_server_announce(f->server, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void announces_addresses_and_certificate(void **state)
{
    struct fixture *f = *state;
    char expected[512];
    start(f); // the certificate comes from the environment: there is no file to be told
    snprintf(expected, sizeof expected, "taud %s listening on %s\n", TAU_VERSION, f->address);
    expect_announced(f, expected);
    end(f);
    f->environment[0] = NULL;
    start(f);
    snprintf(expected, sizeof expected,
             "taud %s listening on %s, certificate generated in %s/certificate\n", TAU_VERSION,
             f->address, f->data_directory);
    expect_announced(f, expected);
    assert_true(logged(f, "certificate generated in"));
    end(f);
    start(f);
    snprintf(expected, sizeof expected, "taud %s listening on %s, certificate in %s/certificate\n",
             TAU_VERSION, f->address, f->data_directory);
    expect_announced(f, expected);
    assert_true(logged(f, "certificate read from"));
}

// --- configuration -------------------------------------------------------------------------------

static void makes_the_engine_that_the_options_ask_for(void **state)
{
    struct fixture *f = *state;
    const struct {
        enum taud_config_durability option;
        enum taud_durability durability;
    } cases[] = {{TAUD_CONFIG_SYNC, TAUD_DURABILITY_SYNC},
                 {TAUD_CONFIG_INTERVAL, TAUD_DURABILITY_INTERVAL},
                 {TAUD_CONFIG_OS, TAUD_DURABILITY_OS}};
    uint8_t seed[sizeof engine_options.seed] = {0};
    f->config.sync_interval_ms = 250;
    for (size_t index = 0; index < 3; index++) {
        f->config.durability = cases[index].option;
        assert_true(make(f));
        assert_int_equal(engine_options.durability, cases[index].durability);
        assert_int_equal(engine_options.memory_bytes, f->config.memory_bytes);
        assert_int_equal(engine_options.sync_interval_ms, 250);
        assert_memory_not_equal(engine_options.seed, seed, sizeof seed); // secret, so never again
        memcpy(seed, engine_options.seed, sizeof seed);
        end(f);
    }
}

static void tells_which_option_is_wrong(void **state)
{
    struct fixture *f = *state;
    f->config.listen[0] = (char[]){"nowhere"};
    assert_false(make(f));
    assert_true(f->error.usage);
    assert_non_null(strstr(f->error.text, "option --listen: \"nowhere\""));
    f->config.listen[0] = f->address;
    f->config.memory_bytes = 1;
    assert_false(make(f));
    assert_false(f->error.usage);
    assert_true(strlen(f->error.text) > 10);
    f->config.memory_bytes = 64 << 20;
    f->certificate[strlen(f->certificate) - 1] = 'x';
    assert_true(make(f));
    assert_false(startup(f));
    assert_true(f->error.usage);
    assert_non_null(strstr(f->error.text, "TAU_CERTIFICATE"));
}

// --- what is in the way --------------------------------------------------------------------------

static void needs_a_data_directory(void **state)
{
    struct fixture *f = *state;
    int file = open(f->data_directory, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    assert_true(make(f));
    assert_false(startup(f));
    assert_false(f->error.usage);
    char expected[256];
    snprintf(expected, sizeof expected, "cannot use the data directory %s: Not a directory",
             f->data_directory);
    assert_string_equal(f->error.text, expected);
}

// The address is tried first: a port in use is found before a long replay, and nothing is touched.
static void needs_its_address_before_its_data(void **state)
{
    struct fixture *f = *state;
    int file = open(strchr(f->address, ':') + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    assert_true(make(f));
    assert_false(startup(f));
    assert_false(f->error.usage);
    assert_non_null(strstr(f->error.text, "cannot listen on unix:"));
    assert_int_equal(rmdir(f->data_directory), 0); // it is empty
}

static void needs_a_data_directory_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct taud_backend *other; // of a server that runs there
    struct taud_error error = {.text = ""};
    struct taud_local_options options = {.directory = f->data_directory};
    assert_int_equal(taud_local_backend_new(&options, &other, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(other->open(other, &error), TAU_STATUS_SUCCESS);
    assert_true(make(f));
    assert_false(startup(f));
    assert_false(f->error.usage);
    char expected[256];
    snprintf(expected, sizeof expected, "data directory %s: ", f->data_directory);
    assert_ptr_equal(strstr(f->error.text, expected), f->error.text);
    assert_true(strlen(f->error.text) > strlen(expected));
    other->close(other);
    other->free(other);
}

static void needs_each_part_to_be_made(void **state)
{
    struct fixture *f = *state;
    for (size_t count = 0; f->server == NULL; count++) {
        assert_true(count < 500);
        f->error.text[0] = '\0';
        memory_fault_after(count);
        bool made = make(f);
        assert_true(memory_fault_end() != made);
        assert_true(made || strlen(f->error.text) > 10);
    }
    taud_server_free(NULL);
}

static void needs_each_part_to_be_started(void **state)
{
    struct fixture *f = *state;
    bool started = false;
    for (size_t count = 0; !started; count++) {
        assert_true(count < 500);
        assert_true(make(f));
        f->error.text[0] = '\0';
        memory_fault_after(count);
        started = startup(f);
        assert_true(memory_fault_end() || started);
        assert_true(started || strlen(f->error.text) > 10);
        end(f);
    }
    assert_true(make(f));
    assert_true(startup(f)); // none of them has spoiled the data
}

static void frees_what_was_never_started(void **state)
{
    struct fixture *f = *state;
    assert_true(make(f));
    taud_server_stop(f->server);
    assert_false(logged(f, "stopped"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(starts_serves_and_stops),
        CASE(logs_what_is_wrong_with_what_it_found),
        CASE(announces_addresses_and_certificate),
        CASE(makes_the_engine_that_the_options_ask_for),
        CASE(tells_which_option_is_wrong),
        CASE(needs_a_data_directory),
        CASE(needs_its_address_before_its_data),
        CASE(needs_a_data_directory_of_its_own),
        CASE(needs_each_part_to_be_made),
        CASE(needs_each_part_to_be_started),
        CASE(frees_what_was_never_started),
    };
    taud_network_hold_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
