/* SPDX-License-Identifier: MIT */
/*
 * The prompt, by libedit. One connection serves all commands. Ctrl-C drops the line that is being
 * typed, or ends the command that runs, and never the program.
 */
#include "terminal/prompt.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "run.h"
#include "terminal/complete.h"
#include "terminal/words.h"

#define HISTORY_LINES 1000
#define PATH_BYTES    4096

struct prompt {
    struct cli *cli;
    EditLine *editor;
    History *history;
    char path[PATH_BYTES]; /* of the history, or empty */
    struct cli_candidates candidates;
};

static char *prompt_text(EditLine *editor)
{
    static char text[] = "tau> ";
    (void)editor;
    return text;
}

static struct prompt *prompt_of(EditLine *editor)
{
    void *prompt = NULL;
    el_get(editor, EL_CLIENTDATA, &prompt);
    return prompt;
}

/* Ctrl-C while a line is typed: leaves it standing on the screen and begins an empty one. */
static unsigned char drop_line(EditLine *editor, int key)
{
    const LineInfoW *line = el_wline(editor);
    (void)key;
    el_cursor(editor, (int)(line->lastchar - line->cursor));
    el_deletestr(editor, (int)(line->lastchar - line->buffer));
    fputs("^C\n", stdout);
    return CC_REDISPLAY;
}

/* Ctrl-Z: the editor's handler of the signal puts the terminal in order before and after. */
static unsigned char suspend(EditLine *editor, int key)
{
    (void)editor;
    (void)key;
    raise(SIGTSTP);
    return CC_REFRESH;
}

static void list_candidates(const struct prompt *prompt)
{
    const struct cli_candidates *candidates = &prompt->candidates;
    unsigned columns;
    unsigned rows;
    size_t widest = 0;
    cli_terminal_size(STDOUT_FILENO, 80, 24, &columns, &rows);
    for (size_t i = 0; i < candidates->count; i++) {
        size_t width = cli_text_width(candidates->names[i], strlen(candidates->names[i]));
        widest = width > widest ? width : widest;
    }
    size_t per_row = columns / (widest + 2);
    per_row = per_row == 0 ? 1 : per_row;
    for (size_t i = 0; i < candidates->count; i++) {
        const char *name = candidates->names[i];
        int pad = (int)(widest + 2 - cli_text_width(name, strlen(name)));
        fprintf(stdout, "%s%s%*s", i % per_row == 0 ? "\n" : "", name, pad, "");
    }
    fputs(candidates->more ? "\n...\n" : "\n", stdout);
}

static unsigned char complete(EditLine *editor, int key)
{
    struct prompt *prompt = prompt_of(editor);
    const LineInfo *line = el_line(editor);
    size_t size = (size_t)(line->cursor - line->buffer);
    char *text = strndup(line->buffer, size);
    size_t begin;
    (void)key;
    if (text == NULL) {
        return CC_ERROR;
    }
    cli_complete(prompt->cli, text, &prompt->candidates, &begin);
    free(text);
    if (prompt->candidates.count == 0) {
        return CC_REFRESH_BEEP;
    }
    size_t typed = size - begin;
    size_t common = cli_candidates_common(&prompt->candidates);
    char rest[CLI_CANDIDATE_BYTES + 1] = "";
    memcpy(rest, prompt->candidates.names[0] + typed, common > typed ? common - typed : 0);
    if (prompt->candidates.count == 1 && !prompt->candidates.more && !prompt->candidates.goes_on) {
        strcat(rest, " ");
    }
    if (rest[0] != '\0') {
        return el_insertstr(editor, rest) == 0 ? CC_REFRESH : CC_ERROR;
    }
    list_candidates(prompt);
    return CC_REDISPLAY;
}

/* Makes the directory of a path and those above it. */
static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
}

/* The history lies in the state directory (XDG Base Directory Specification). */
static void open_history(struct prompt *prompt)
{
    HistEvent event;
    const char *state_home = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    history(prompt->history, &event, H_SETSIZE, HISTORY_LINES);
    history(prompt->history, &event, H_SETUNIQUE, 1);
    if (state_home != NULL && state_home[0] == '/') {
        length = snprintf(prompt->path, PATH_BYTES, "%s/tau/history", state_home);
    } else if (home != NULL && *home != '\0') {
        length = snprintf(prompt->path, PATH_BYTES, "%s/.local/state/tau/history", home);
    }
    if (length < 0 || length >= PATH_BYTES) {
        prompt->path[0] = '\0';
        return;
    }
    make_directories(prompt->path);
    history(prompt->history, &event, H_LOAD, prompt->path);
}

static void remember(struct prompt *prompt, const char *line)
{
    HistEvent event;
    history(prompt->history, &event, H_ENTER, line);
    if (prompt->path[0] != '\0') {
        history(prompt->history, &event, H_SAVE, prompt->path);
    }
}

static bool open_editor(struct prompt *prompt)
{
    prompt->editor = el_init("tau-cli", stdin, stdout, stderr);
    prompt->history = history_init();
    if (prompt->editor == NULL || prompt->history == NULL) {
        return false;
    }
    open_history(prompt);
    el_set(prompt->editor, EL_CLIENTDATA, prompt);
    el_set(prompt->editor, EL_PROMPT, prompt_text);
    el_set(prompt->editor, EL_EDITOR, "emacs");
    el_set(prompt->editor, EL_SIGNAL, 1);
    el_set(prompt->editor, EL_HIST, history, prompt->history);
    /* The wide call: the narrow one copies the names and never frees them. */
    el_wset(prompt->editor, EL_ADDFN, L"tau-complete", L"complete the word", complete);
    el_wset(prompt->editor, EL_ADDFN, L"tau-drop-line", L"drop the line", drop_line);
    el_wset(prompt->editor, EL_ADDFN, L"tau-suspend", L"suspend the program", suspend);
    el_set(prompt->editor, EL_BIND, "^I", "tau-complete", NULL);
    el_set(prompt->editor, EL_BIND, "^C", "tau-drop-line", NULL);
    el_set(prompt->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(prompt->editor, EL_BIND, "^Z", "tau-suspend", NULL);
    /* While a line is typed, the keys of signals are keys like any other. */
    el_set(prompt->editor, EL_SETTY, "-d", "-isig", NULL);
    el_source(prompt->editor, NULL);
    return true;
}

/* Runs one line. Returns false when it says to leave. */
static bool run_line(struct prompt *prompt, char *line)
{
    struct cli_interrupt interrupt;
    char *words[CLI_WORD_LIMIT + 1];
    size_t count;
    const char *error = cli_words_split(line, words, &count);
    if (error != NULL) {
        cli_complain(prompt->cli, "%s", error);
        return true;
    }
    if (count == 0) {
        return true;
    }
    if (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0) {
        return false;
    }
    cli_interrupt_begin(&interrupt);
    (void)cli_run(prompt->cli, (int)count, words);
    cli_interrupt_end(&interrupt);
    fflush(prompt->cli->out);
    return true;
}

static void read_lines(struct prompt *prompt)
{
    bool going = true;
    while (going) {
        int length = 0;
        const char *line = el_gets(prompt->editor, &length);
        if (line == NULL && length < 0 && errno == EINTR) {
            continue;
        }
        if (line == NULL || length <= 0) {
            fputc('\n', stdout);
            break;
        }
        char *copy = strdup(line);
        if (copy != NULL && strspn(copy, " \t\r\n") < strlen(copy)) {
            remember(prompt, line);
            going = run_line(prompt, copy);
        }
        free(copy);
    }
}

int cli_prompt(struct cli *cli)
{
    struct cli_interrupt interrupt;
    struct prompt *prompt = calloc(1, sizeof(*prompt));
    int code = cli_connect(cli);
    if (code != CLI_OK) {
        free(prompt);
        return code;
    }
    if (prompt == NULL) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    cli->interactive = true;
    prompt->cli = cli;
    /* Ctrl-C that is typed ahead, between two commands, ends neither. */
    cli_interrupt_begin(&interrupt);
    if (open_editor(prompt)) {
        const char *name = tau_client_server(cli->client)->name;
        fprintf(cli->out, "tau-cli " TAU_VERSION ", connected to %s%s%s. Type `help` for help.\n",
                *name != '\0' ? name : "taud", " at ", cli->options.server);
        read_lines(prompt);
    } else {
        cli_complain(cli, "the line editor cannot use this terminal");
        code = CLI_ERROR;
    }
    if (prompt->history != NULL) {
        history_end(prompt->history);
    }
    if (prompt->editor != NULL) {
        el_end(prompt->editor);
    }
    cli_interrupt_end(&interrupt);
    free(prompt);
    return code;
}
