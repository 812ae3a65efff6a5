/* SPDX-License-Identifier: MIT */
/*
 * The line that says how far the work is goes to standard error, where that is a terminal, and is
 * taken away at the end. Ctrl-C ends the waiting; the server goes on.
 */
#include "work.h"

#include <inttypes.h>

#include "interrupt.h"

#define CLEAR "\r\033[K"

bool cli_work_tell(struct cli_work *work, uint64_t done, uint64_t total)
{
    struct cli *cli = work->cli;
    if (cli->terminal.err && total > 0) {
        fprintf(cli->err, CLEAR "%" PRIu64 " %%", done < total ? done * 100 / total : 100);
        fflush(cli->err);
        work->drawn = true;
    }
    return !cli_interrupted();
}

int cli_work_run(struct cli *cli, cli_work_ask *ask, const char *name)
{
    struct cli_work work = {.cli = cli};
    struct cli_interrupt interrupt;
    struct tau_error error;
    int code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    cli_interrupt_begin(&interrupt);
    enum tau_status status = ask(cli->client, name, &work, &error);
    cli_interrupt_end(&interrupt);
    if (work.drawn) {
        fputs(CLEAR, cli->err);
    }
    return status == TAU_STATUS_SUCCESS ? CLI_OK : cli_failed(cli, name, status, &error);
}
