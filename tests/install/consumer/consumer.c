/* SPDX-License-Identifier: MIT */
/*
 * A program that uses the installed library, in C11 and in C++. It needs no server: there is nobody
 * on the path that it is given, and it checks that it is told so.
 */
#include <stdio.h>
#include <string.h>

#include <tau/client.h>

static int check(int holds, const char *what)
{
    if (!holds)
        fprintf(stderr, "%s\n", what);
    return holds ? 0 : 1;
}

int main(void)
{
    struct tau_options options;
    struct tau_client *client = NULL;
    struct tau_label label;
    struct tau_error error;
    char text[TAU_LABEL_TEXT_SIZE];
    int failed = 0;

    tau_options_init(&options);
    options.address = "unix:/nonexistent/tau.sock";
    failed += check(tau_label_from_text("cpu\\x00load", &label) == TAU_STATUS_SUCCESS, "label");
    failed += check(tau_label_to_text(&label, text) == 11, "text");
    failed += check(strcmp(tau_client_version(), CONSUMER_VERSION) == 0, "version");
    failed += check(strcmp(tau_status_name(TAU_STATUS_OUT_OF_ORDER), "out_of_order") == 0, "name");
    failed += check(tau_client_new(&options, &client, &error) == TAU_STATUS_CONNECTION_FAILED,
                    "connect");
    failed += check(tau_status_is_retryable(error.status), "class");
    tau_client_free(client);
    return failed;
}
