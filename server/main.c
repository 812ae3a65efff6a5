// SPDX-License-Identifier: MIT
// taud: reads the configuration, starts the server, runs it, stops it. Every failure is one line on
// standard error. Exit codes: 0 stopped as asked, 1 failed, 2 wrong options; those of a command are
// its own.
#include "config/command.h"
#include "config/descriptors.h"
#include "config/files.h"
#include "maintenance.h"
#include "net/network.h"
#include "observe/log.h"
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

static int complain(int code, const char *text)
{
    fprintf(stderr, "taud: %s\n", text);
    return code;
}

static int serve(const struct taud_config *config, struct taud_log *log)
{
    struct taud_server_error error = {.text = ""};
    struct taud_server *server = taud_server_new(config, log, &error);
    if (server == NULL)
        return complain(error.usage ? EXIT_USAGE : EXIT_FAILED, error.text);
    int code = EXIT_OK;
    if (!taud_server_startup(server, environ, &error)) {
        code = complain(error.usage ? EXIT_USAGE : EXIT_FAILED, error.text);
    } else if (config->pid_file != NULL && !taud_pid_file_write(config->pid_file)) {
        snprintf(error.text, sizeof error.text, "cannot write the pid file %.500s: %s",
                 config->pid_file, strerror(errno));
        code = complain(EXIT_FAILED, error.text);
    } else {
        taud_server_announce(server, stdout);
        taud_server_run(server);
        taud_server_stop(server);
        if (config->pid_file != NULL)
            taud_pid_file_remove(config->pid_file);
    }
    taud_server_free(server);
    return code;
}

static int run(const struct taud_config *config)
{
    struct taud_config_error error;
    if (taud_descriptors_prepare(config, &error) != TAUD_CONFIG_OK)
        return complain(EXIT_USAGE, error.text);
    struct taud_log_options options = {.level = (enum taud_log_level)config->log_level,
                                       .format = (enum taud_log_format)config->log_format,
                                       .path = config->log_file};
    struct taud_log *log = taud_log_new(&options);
    if (log == NULL) {
        snprintf(error.text, sizeof error.text, "option --log-file: cannot write %.300s: %s",
                 config->log_file != NULL ? config->log_file : "standard error", strerror(errno));
        return complain(EXIT_FAILED, error.text);
    }
    signal(SIGPIPE, SIG_IGN); // a client or a reader of the log that goes away is no reason to end
    int code = serve(config, log);
    taud_log_free(log);
    return code;
}

// Does what the first argument says, where that is a command. Returns false where it is none.
static bool run_command(int argc, char *argv[], int *ret_code)
{
    struct taud_command command;
    struct taud_config_error error;
    enum taud_config_result result = taud_command_read(argc, argv, &command, &error);
    if (result == TAUD_CONFIG_HELP) {
        taud_config_help(stdout);
        *ret_code = EXIT_OK;
    } else if (result != TAUD_CONFIG_OK) {
        *ret_code = complain(EXIT_USAGE, error.text);
    } else if (command.kind != TAUD_COMMAND_NONE) {
        *ret_code = (int)taud_maintenance_run(&command, stdout, stderr);
    } else {
        return false;
    }
    return true;
}

int main(int argc, char *argv[])
{
    int code = EXIT_OK;
    if (run_command(argc, argv, &code))
        return code;
    taud_network_hold_signals();
    struct taud_config config;
    struct taud_config_error error;
    enum taud_config_result result = taud_config_load(argc, argv, environ, &config, &error);
    switch (result) {
    case TAUD_CONFIG_OK:
        code = run(&config);
        break;
    case TAUD_CONFIG_HELP:
        taud_config_help(stdout);
        break;
    case TAUD_CONFIG_VERSION:
        printf("taud %s\n", TAU_VERSION);
        break;
    case TAUD_CONFIG_USAGE:
        code = complain(EXIT_USAGE, error.text);
        break;
    case TAUD_CONFIG_FAILED:
        code = complain(EXIT_FAILED, error.text);
        break;
    }
    taud_config_done(&config);
    return code;
}
