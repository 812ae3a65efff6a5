/* SPDX-License-Identifier: MIT */
/*
 * Example: follow a series and print every new point, with the asynchronous client on a libevent
 * loop. The next question is asked a moment after the last answer, so none is missed and none is
 * doubled. The server is taken from TAU_SERVER, the certificate from TAU_CERTIFICATE (64
 * hexadecimal digits).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <tau/client.h>
#include <tau/libevent.h>

struct tail {
    struct event_base *base;
    struct tau_async *async;
    struct event *pause;
    struct tau_label label;
    int64_t next; /* the first timestamp that was not printed */
    long left;    /* points still to be printed; negative for no end */
    bool failed;
};

static bool print_batch(void *user_data, const struct tau_query_range_response *batch)
{
    struct tail *tail = user_data;
    for (size_t i = 0; i < batch->timestamps.count && tail->left != 0; i++) {
        int64_t timestamp = tau_i64_at(batch->timestamps, i);
        printf("%" PRId64 " %g\n", timestamp, tau_f64_at(batch->values, i));
        tail->next = timestamp + (timestamp < INT64_MAX);
        tail->left -= tail->left > 0;
    }
    fflush(stdout);
    return tail->left != 0;
}

static void on_done(void *user_data, enum tau_status status, const struct tau_error *error)
{
    static const struct timeval moment = {.tv_usec = 200000};
    struct tail *tail = user_data;
    if (status == TAU_STATUS_SUCCESS || tau_status_is_retryable(status)) {
        evtimer_add(tail->pause, &moment);
        return;
    }
    if (status != TAU_STATUS_CANCELLED) {
        fprintf(stderr, "%s\n", error->message);
        tail->failed = true;
    }
    event_base_loopbreak(tail->base);
}

static void ask(evutil_socket_t fd, short events, void *user_data)
{
    struct tail *tail = user_data;
    struct tau_query_range_request request = {
        .label = tail->label, .from = tail->next, .to = INT64_MAX};
    (void)fd;
    (void)events;
    enum tau_status status =
        tau_async_query_range(tail->async, &request, print_batch, on_done, tail);
    if (status != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", tau_status_text(status));
        tail->failed = true;
        event_base_loopbreak(tail->base);
    }
}

static bool follow(struct tail *tail, const struct tau_options *options)
{
    struct tau_libevent adapter;
    struct tau_error error;
    if (tau_async_new(options, &tail->async, &error) != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", error.message);
        return false;
    }
    tail->base = event_base_new();
    tail->pause = evtimer_new(tail->base, ask, tail);
    tau_libevent_attach(&adapter, tail->async, tail->base);
    ask(-1, 0, tail);
    if (!tail->failed)
        event_base_dispatch(tail->base);
    tau_libevent_detach(&adapter);
    tau_async_free(tail->async);
    event_free(tail->pause);
    event_base_free(tail->base);
    return !tail->failed;
}

int main(int argc, char **argv)
{
    struct tau_options options;
    struct tail tail = {.next = INT64_MIN, .left = -1};
    const char *certificate = getenv("TAU_CERTIFICATE");

    tau_options_init(&options);
    options.address = getenv("TAU_SERVER");
    options.reconnect = true;
    if (argc < 2 || argc > 3 || certificate == NULL ||
        tau_label_from_text(argv[1], &tail.label) != TAU_STATUS_SUCCESS ||
        tau_certificate_from_hex(certificate, &options.certificate) != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "usage: TAU_CERTIFICATE=HEX %s SERIES [POINTS]\n", argv[0]);
        return 2;
    }
    if (argc == 3)
        tail.left = strtol(argv[2], NULL, 10);
    return follow(&tail, &options) ? EXIT_SUCCESS : EXIT_FAILURE;
}
