/* SPDX-License-Identifier: MIT */
/*
 * tau-cli: reads the options of the program, finds the command, runs it, and makes sure that what
 * it printed has arrived. Without a command, on a terminal, it is a prompt.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "command.h"
#include "decode/trace.h"
#include "help.h"
#include "run.h"
#include "terminal/prompt.h"

#define DEFAULT_SERVER     "127.0.0.1:7701"
#define DEFAULT_TIMEOUT_MS 30000

static void init(struct cli *cli)
{
    const char *server = getenv("TAU_SERVER");
    *cli = (struct cli){
        .options =
            {
                .server = server != NULL && *server != '\0' ? server : DEFAULT_SERVER,
                .timeout_ms = DEFAULT_TIMEOUT_MS,
                .unit = CLI_UNIT_NS,
            },
        .out = stdout,
        .err = stderr,
    };
    cli_terminal_init(&cli->terminal);
}

/* Flushes the data. A reader that has gone away is no error worth a word; a full disk is. */
static int finish_output(const struct cli *cli, int code)
{
    errno = 0;
    bool failed = fflush(cli->out) != 0 || ferror(cli->out) != 0;
    if (failed && errno != EPIPE) {
        cli_complain(cli, "standard output: %s", errno != 0 ? strerror(errno) : "write error");
    }
    return failed && code == CLI_OK ? CLI_ERROR : code;
}

int main(int argc, char **argv)
{
    struct cli cli;
    int code = CLI_OK;
    /* A reader that goes away, such as head, ends the program as it ends any other. */
    signal(SIGPIPE, SIG_DFL);
    /* The numbers stay those of the C locale: only characters are the user's. */
    setlocale(LC_CTYPE, "");
    init(&cli);
    int index = cli_global_options_read(&cli, argc, argv, &code);
    if (index >= 0 && index < argc) {
        code = cli_run(&cli, argc - index, argv + index);
    } else if (index >= 0 && cli.terminal.in && cli.terminal.out) {
        code = cli_prompt(&cli);
    } else if (index >= 0) {
        cli_complain(&cli, "a command is missing; --help lists them");
        code = CLI_USAGE;
    }
    code = finish_output(&cli, code);
    tau_client_free(cli.client);
    cli_trace_free(cli.trace);
    return code;
}
