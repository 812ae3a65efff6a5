/* SPDX-License-Identifier: MIT */
/* The prompt on a terminal of its own: lines that run, keys, history, and how it ends. */
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "command_rig.h"
#include "memory_fault.h"
#include "terminal/prompt.h"

/* The terminal library forgets a few bytes for each editor; that is not for this test to find. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:_nc_trim_sgr0\n";
}

#define PROMPT     "tau> "
#define TIMEOUT_MS 10000

#define CTRL_C "\x03"
#define CTRL_D "\x04"
#define UP     "\x1b[A"

/* Somebody who types the next line as soon as there is a prompt. */
struct typist {
    const char *const *lines; /* up to NULL */
    int terminal;
    int stop[2];
    char screen[16384];
    size_t size;
};

static char directory[64];

static int begin(void **state)
{
    strcpy(directory, "/tmp/tau-prompt-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    setenv("XDG_STATE_HOME", directory, 1);
    setenv("HOME", directory, 1);
    setenv("TERM", "xterm", 1);
    return rig_begin(state);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int end(void **state)
{
    int result = nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return rig_end(state) == 0 ? result : -1;
}

/* Reads what is shown, until a prompt was shown so many times; false when that does not come. */
static bool watch_screen(struct typist *typist, size_t prompts)
{
    for (;;) {
        size_t seen = 0;
        for (const char *at = strstr(typist->screen, PROMPT); at != NULL;
             at = strstr(at + 1, PROMPT)) {
            seen++;
        }
        struct pollfd items[] = {{.fd = typist->terminal, .events = POLLIN},
                                 {.fd = typist->stop[0], .events = POLLIN}};
        if (seen >= prompts || poll(items, 2, TIMEOUT_MS) <= 0 || items[0].revents == 0) {
            return seen >= prompts;
        }
        ssize_t count = read(typist->terminal, typist->screen + typist->size,
                             sizeof(typist->screen) - 1 - typist->size);
        if (count <= 0) {
            return false;
        }
        typist->size += (size_t)count;
    }
}

/* The editor shows its prompt first and takes the keys of signals for its own after that. */
static bool wait_for_editor(const struct typist *typist)
{
    struct termios mode;
    for (int waited_ms = 0; waited_ms < TIMEOUT_MS; waited_ms++) {
        if (tcgetattr(typist->terminal, &mode) == 0 && (mode.c_lflag & (ICANON | ISIG)) == 0) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

/* Types, then hangs on to read what is shown behind the last line. */
static void *type(void *argument)
{
    struct typist *typist = argument;
    size_t prompts = 0;
    for (; typist->lines[prompts] != NULL; prompts++) {
        const char *line = typist->lines[prompts];
        size_t size = strlen(line);
        if (!watch_screen(typist, prompts + 1) || !wait_for_editor(typist)) {
            line = CTRL_D; /* the prompt must not wait for ever */
            size = 1;
        }
        if (write(typist->terminal, line, size) != (ssize_t)size) {
            abort();
        }
    }
    watch_screen(typist, SIZE_MAX);
    return NULL;
}

/* Makes the terminal; its other end takes the place of the standard streams that the editor uses.
 */
static void open_terminal(struct typist *typist, int saved[2])
{
    struct winsize size = {.ws_col = 80, .ws_row = 24};
    typist->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(typist->terminal >= 0);
    assert_int_equal(grantpt(typist->terminal), 0);
    assert_int_equal(unlockpt(typist->terminal), 0);
    assert_int_equal(ioctl(typist->terminal, TIOCSWINSZ, &size), 0);
    int other = open(ptsname(typist->terminal), O_RDWR | O_NOCTTY);
    assert_true(other >= 0 && pipe(typist->stop) == 0);
    fflush(stdout);
    for (int fd = 0; fd < 2; fd++) {
        saved[fd] = dup(fd);
        dup2(other, fd);
    }
    close(other);
}

static void close_terminal(struct typist *typist, const int saved[2])
{
    fflush(stdout);
    for (int fd = 0; fd < 2; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    clearerr(stdin);
    close(typist->terminal);
    close(typist->stop[0]);
    close(typist->stop[1]);
}

/* Lets somebody type these lines at the prompt, one for each prompt. Returns the exit code. */
static int converse(struct command_rig *rig, struct typist *typist, const char *const *lines)
{
    int saved[2];
    pthread_t thread;
    *typist = (struct typist){.lines = lines};
    open_terminal(typist, saved);
    assert_int_equal(pthread_create(&thread, NULL, type, typist), 0);
    int code = cli_prompt(rig->cli);
    fflush(stdout);
    bool told = write(typist->stop[1], "", 1) == 1;
    pthread_join(thread, NULL);
    close_terminal(typist, saved);
    assert_true(told);
    capture_flush(&rig->capture);
    rig->out = rig->capture.out;
    rig->err = rig->capture.err;
    return code;
}

/* The text of the history's file. */
static void read_history(const char *path, char *ret_text, size_t size)
{
    char full[128];
    snprintf(full, sizeof(full), "%s/%s", directory, path);
    FILE *file = fopen(full, "r");
    assert_non_null(file);
    ret_text[fread(ret_text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void test_lines_run_on_one_connection(void **state)
{
    static const char *const lines[] = {"create kitchen\r", "ping\r", "\r", "  \r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    char greeting[128];
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    snprintf(greeting, sizeof(greeting),
             "tau-cli " TAU_VERSION ", connected to rig at %s. Type `help` for help.\n",
             rig->cli->options.server);
    assert_ptr_equal(strstr(rig->out, greeting), rig->out);
    assert_non_null(strstr(rig->out, "round_trip_us"));
    assert_string_equal(rig->err, "ok\n");
    assert_true(rig->cli->interactive);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 1);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 1);
}

static void test_ways_to_leave(void **state)
{
    static const char *const quit[] = {"quit\r", NULL};
    static const char *const end_of_input[] = {CTRL_D, NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    assert_int_equal(converse(rig, &typist, quit), CLI_OK);
    assert_int_equal(converse(rig, &typist, end_of_input), CLI_OK);
    assert_string_equal(rig->err, "");
}

/* What is wrong is told, and the prompt comes back. */
static void test_failures_end_nothing(void **state)
{
    static const char *const lines[] = {"get 'kitchen\r", "pign\r", "ping -c 0\r",
                                        "ping\r",         "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_non_null(strstr(rig->err, "a quote is not closed\n"));
    assert_non_null(strstr(rig->err, "did you mean `ping`?\n"));
    assert_non_null(strstr(rig->err, "ping: --count"));
    assert_null(strstr(rig->err, "tau-cli:"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
}

/* Ctrl-C drops the line that is being typed, wherever the cursor stands in it. */
static void test_drop_line(void **state)
{
    static const char *const lines[] = {"create kitchen\x01" CTRL_C, "ping\r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_non_null(strstr(typist.screen, "^C"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
}

/* A signal ends the command that runs, neither the prompt nor the command behind it. */
static void test_interrupted_command(void **state)
{
    static const char *const lines[] = {"ping -c 2 -i 1h\r", "list\r", "exit\r", NULL};
    static const char *const labels[] = {"hall", "kitchen"};
    struct command_rig *rig = *state;
    struct typist typist;
    rig_pong(rig);
    rig_interrupt(rig);
    rig_reply_labels(rig, labels, 2, false);
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
    assert_non_null(strstr(rig->out, "series\nhall\nkitchen\n"));
}

/* A word that is the only one to go on with is completed and ended; several are listed. */
static void test_completion(void **state)
{
    static const char *const lines[] = {"pin\t-c 1\r", "l\t\b\x15ping\r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 2);
    assert_non_null(strstr(typist.screen, "latest"));
    assert_non_null(strstr(typist.screen, "lens-get"));
    assert_non_null(strstr(typist.screen, "list"));
}

/* What several words have in common is typed, and goes on without a blank. */
static void test_completion_of_labels(void **state)
{
    static const char *const labels[] = {"kitchen.in", "kitchen.out"};
    static const char *const lines[] = {"latest k\tin\r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    struct tau_label label = label_of("kitchen.in");
    rig_reply_labels(rig, labels, 2, false);
    rig_refuse(rig, TAU_OPCODE_QUERY_LATEST, TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_memory_equal(rig_request(rig, TAU_OPCODE_QUERY_LATEST, 0).data, &label, sizeof(label));
}

static void test_nothing_to_complete(void **state)
{
    static const char *const lines[] = {"xyz\t\r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_non_null(strchr(typist.screen, '\a'));
    assert_non_null(strstr(rig->err, "there is no command `xyz`"));
}

/* The history is kept from one prompt to the next, in a directory that is the user's alone. */
static void test_history(void **state)
{
    static const char *const first[] = {"ping -c 1\r", "\r", "exit\r", NULL};
    static const char *const second[] = {UP UP "\r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    struct stat status;
    char path[128];
    char text[1024];
    assert_int_equal(converse(rig, &typist, first), CLI_OK);
    read_history("tau/history", text, sizeof(text));
    assert_non_null(strstr(text, "ping"));
    snprintf(path, sizeof(path), "%s/tau", directory);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(converse(rig, &typist, second), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 2);
}

/* A state directory that is none is not taken; without any the prompt works all the same. */
static void test_where_history_lies(void **state)
{
    static const char *const lines[] = {"ping\r", "exit\r", NULL};
    struct command_rig *rig = *state;
    struct typist typist;
    char text[1024];
    setenv("XDG_STATE_HOME", "relative", 1);
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    read_history(".local/state/tau/history", text, sizeof(text));
    assert_non_null(strstr(text, "ping"));
    unsetenv("HOME");
    assert_int_equal(converse(rig, &typist, lines), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 2);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    assert_int_equal(cli_prompt(rig->cli), CLI_NO_CONNECTION);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "(connection_failed)"));
    assert_int_equal(rig->capture.out_size, 0);
    assert_false(rig->cli->interactive);
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    assert_int_equal(cli_prompt(rig->cli), CLI_ERROR);
    assert_true(memory_fault_end());
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "(no_memory)"));
}

#define PROMPT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMPT_TEST(test_lines_run_on_one_connection),
        PROMPT_TEST(test_ways_to_leave),
        PROMPT_TEST(test_failures_end_nothing),
        PROMPT_TEST(test_drop_line),
        PROMPT_TEST(test_interrupted_command),
        PROMPT_TEST(test_completion),
        PROMPT_TEST(test_completion_of_labels),
        PROMPT_TEST(test_nothing_to_complete),
        PROMPT_TEST(test_history),
        PROMPT_TEST(test_where_history_lies),
        PROMPT_TEST(test_no_server),
        PROMPT_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
