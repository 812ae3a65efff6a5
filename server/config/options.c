// SPDX-License-Identifier: MIT
// The table of options and the four sources that fill them. An option is one row; its name gives
// the command line's --name, the environment's TAU_NAME and the file's key. Later sources in the
// order default, file, environment, command line replace what earlier ones said.
#include "config/command.h"
#include "config/config.h"
#include "config/quantity.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_type {
    OPTION_TEXT,
    OPTION_LISTEN,
    OPTION_COUNT,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_CHOICE,
    OPTION_DURABILITY,
};

struct option {
    const char *name;
    const char *argument;
    enum option_type type;
    size_t offset;
    uint64_t minimum;
    uint64_t maximum;
    const char *allowed;        // in words, for messages
    const char *const *choices; // ended by NULL: all of OPTION_CHOICE, else words to offer
    const char *standard;       // the default; NULL for none
    const char *standard_words; // for --help, where the default is computed
    const char *help;
};

static const char *const LOG_LEVELS[] = {"error", "warning", "info", "debug", NULL};
static const char *const LOG_FORMATS[] = {"auto", "text", "json", NULL};
static const char *const DURABILITIES[] = {"sync", "os", "interval=100ms", NULL};

#define FIELD(name) offsetof(struct taud_config, name)

static const struct option OPTIONS[] = {
    {.name = "listen",
     .argument = "ADDRESS",
     .type = OPTION_LISTEN,
     .allowed = "HOST:PORT, [IPV6]:PORT or unix:PATH, at most 16 of them",
     .standard = "127.0.0.1:7701",
     .help = "accept connections here: HOST:PORT, [IPV6]:PORT or unix:PATH; may be given several "
             "times or with commas; port 0 takes a free one and prints it"},
    {.name = "data-dir",
     .argument = "DIRECTORY",
     .type = OPTION_TEXT,
     .offset = FIELD(data_directory),
     .allowed = "the path of a directory",
     .standard_words = "/var/lib/tau for root, else ${XDG_DATA_HOME:-~/.local/share}/tau",
     .help = "keep the data here; created if missing"},
    {.name = "durability",
     .argument = "MODE",
     .type = OPTION_DURABILITY,
     .choices = DURABILITIES,
     .allowed = "sync, os or interval=DURATION from 1ms to 1h, as in interval=100ms",
     .standard = "sync",
     .help = "sync: what was acknowledged survives a power cut; interval=100ms: up to that much "
             "may be lost in one; os: survives a killed process, not a power cut"},
    {.name = "memory",
     .argument = "SIZE",
     .type = OPTION_SIZE,
     .offset = FIELD(memory_bytes),
     .minimum = UINT64_C(16) << 20,
     .maximum = UINT64_C(1) << 50,
     .allowed = "a size from 16M to 1024T, as in 512M or 8G",
     .standard_words = "half of the machine's",
     .help = "memory for series, new points, indexes and cache; the rest is on disk"},
    {.name = "buffer-memory",
     .argument = "SIZE",
     .type = OPTION_SIZE,
     .offset = FIELD(buffer_memory_bytes),
     .minimum = UINT64_C(16) << 20,
     .maximum = UINT64_C(1) << 40,
     .allowed = "a size from 16M to 1T, as in 256M",
     .standard = "256M",
     .help = "hold at most this much of requests and replies that are under way"},
    {.name = "certificate-file",
     .argument = "FILE",
     .type = OPTION_TEXT,
     .offset = FIELD(certificate_file),
     .allowed = "the path of a file with 64 hexadecimal characters",
     .standard_words = "`certificate` in the data directory, generated at the first start",
     .help = "read the certificate here, unless TAU_CERTIFICATE holds it"},
    {.name = "workers",
     .argument = "COUNT",
     .type = OPTION_COUNT,
     .offset = FIELD(workers),
     .minimum = 1,
     .maximum = 1024,
     .allowed = "a number from 1 to 1024",
     .standard_words = "the number of processors",
     .help = "serve connections with this many threads"},
    {.name = "query-threads",
     .argument = "COUNT",
     .type = OPTION_COUNT,
     .offset = FIELD(query_threads),
     .minimum = 1,
     .maximum = 256,
     .allowed = "a number from 1 to 256",
     .standard_words = "the number of processors",
     .help = "answer questions to many series with this many threads"},
    {.name = "max-connections",
     .argument = "COUNT",
     .type = OPTION_COUNT,
     .offset = FIELD(max_connections),
     .minimum = 1,
     .maximum = 10000000,
     .allowed = "a number from 1 to 10000000",
     .standard = "10000",
     .help = "refuse connections beyond this many"},
    {.name = "idle-timeout",
     .argument = "DURATION",
     .type = OPTION_DURATION,
     .offset = FIELD(idle_timeout_ms),
     .minimum = 0,
     .maximum = UINT64_C(365) * 86400 * 1000,
     .allowed = "a duration up to 365d, as in 300s, or 0 for never",
     .standard = "300s",
     .help = "close a connection on which nothing happened for so long; 0 for never"},
    {.name = "frame-timeout",
     .argument = "DURATION",
     .type = OPTION_DURATION,
     .offset = FIELD(frame_timeout_ms),
     .minimum = 100,
     .maximum = 3600 * 1000,
     .allowed = "a duration from 100ms to 1h, as in 15s",
     .standard = "15s",
     .help = "close a connection whose frame is not complete so long after its first byte"},
    {.name = "backlog",
     .argument = "COUNT",
     .type = OPTION_COUNT,
     .offset = FIELD(backlog),
     .minimum = 1,
     .maximum = 65535,
     .allowed = "a number from 1 to 65535",
     .standard = "1024",
     .help = "let the kernel hold this many connections that are not accepted yet"},
    {.name = "log-level",
     .argument = "LEVEL",
     .type = OPTION_CHOICE,
     .offset = FIELD(log_level),
     .choices = LOG_LEVELS,
     .allowed = "error, warning, info or debug",
     .standard = "info",
     .help = "log this and what is worse"},
    {.name = "log-format",
     .argument = "FORMAT",
     .type = OPTION_CHOICE,
     .offset = FIELD(log_format),
     .choices = LOG_FORMATS,
     .allowed = "auto, text or json",
     .standard = "auto",
     .help = "text, json (one object a line) or auto: text on a terminal, json otherwise"},
    {.name = "log-file",
     .argument = "FILE",
     .type = OPTION_TEXT,
     .offset = FIELD(log_file),
     .allowed = "the path of a file",
     .standard_words = "standard error",
     .help = "append the log to this file; SIGHUP opens it anew"},
    {.name = "pid-file",
     .argument = "FILE",
     .type = OPTION_TEXT,
     .offset = FIELD(pid_file),
     .allowed = "the path of a file",
     .standard_words = "none",
     .help = "write the process's number here while the server runs"},
};

enum {
    OPTION_TOTAL = sizeof OPTIONS / sizeof OPTIONS[0],
    NAME_SIZE = TAUD_CONFIG_NAME_SIZE,
};

// Where a value comes from; sources are applied in this order, each over the ones before.
enum source {
    SOURCE_DEFAULT,
    SOURCE_FILE,
    SOURCE_ENVIRONMENT,
    SOURCE_COMMAND_LINE,
};

struct loader {
    struct taud_config *config;
    struct taud_config_error *error;
    enum source listen_source; // the source that the listen addresses came from
    enum taud_config_result result;
    const char *file; // while a file is read
};

__attribute__((format(printf, 3, 4))) static bool
fail(struct loader *loader, enum taud_config_result result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(loader->error->text, sizeof loader->error->text, format, arguments);
    va_end(arguments);
    loader->result = result;
    return false;
}

static const struct option *find_option(const char *name, size_t length)
{
    assert(name != NULL);
    for (size_t index = 0; index < OPTION_TOTAL; index++) {
        if (strlen(OPTIONS[index].name) == length && memcmp(OPTIONS[index].name, name, length) == 0)
            return &OPTIONS[index];
    }
    return NULL;
}

static void environment_name(const struct option *option, char name[NAME_SIZE])
{
    int length = snprintf(name, NAME_SIZE, "TAU_%s", option->name);
    assert(length < NAME_SIZE);
    for (int index = 0; index < length; index++)
        name[index] = name[index] == '-' ? '_' : (char)toupper((unsigned char)name[index]);
}

// How a message names the option: as the person wrote it, and where.
static void written_name(const struct loader *loader, const struct option *option,
                         enum source source, char name[NAME_SIZE])
{
    switch (source) {
    case SOURCE_ENVIRONMENT:
        environment_name(option, name);
        break;
    case SOURCE_FILE:
        snprintf(name, NAME_SIZE, "%s in %.90s", option->name, loader->file);
        break;
    default:
        snprintf(name, NAME_SIZE, "--%s", option->name);
    }
}

static bool refuse(struct loader *loader, const struct option *option, enum source source,
                   const char *value)
{
    char name[NAME_SIZE];
    written_name(loader, option, source, name);
    return fail(loader, TAUD_CONFIG_USAGE, "option %s: \"%.100s\" is not allowed; expected %s",
                name, value, option->allowed);
}

static bool set_text(struct loader *loader, char **field, const char *value, size_t length)
{
    char *copy = strndup(value, length);
    if (copy == NULL)
        return fail(loader, TAUD_CONFIG_FAILED, "no memory for the configuration");
    free(*field);
    *field = copy;
    return true;
}

static bool parse_count(const char *text, uint64_t *ret)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0)
        return false;
    *ret = number;
    return true;
}

static bool parse_choice(const char *const *choices, const char *text, uint64_t *ret)
{
    for (uint64_t index = 0; choices[index] != NULL; index++) {
        if (strcmp(choices[index], text) == 0) {
            *ret = index;
            return true;
        }
    }
    return false;
}

static bool parse_durability(const char *text, struct taud_config *config)
{
    static const char INTERVAL[] = "interval=";
    uint64_t interval_ms = 0;
    uint64_t durability = TAUD_CONFIG_SYNC;
    if (strcmp(text, "os") == 0) {
        durability = TAUD_CONFIG_OS;
    } else if (strncmp(text, INTERVAL, sizeof INTERVAL - 1) == 0) {
        durability = TAUD_CONFIG_INTERVAL;
        if (!taud_duration_parse(text + sizeof INTERVAL - 1, &interval_ms) || interval_ms < 1 ||
            interval_ms > 3600 * 1000)
            return false;
    } else if (strcmp(text, "sync") != 0) {
        return false;
    }
    config->durability = durability;
    config->sync_interval_ms = interval_ms;
    return true;
}

// Adds the addresses of a list with commas; the first from a new source replaces the earlier.
static bool set_listen(struct loader *loader, const struct option *option, enum source source,
                       const char *value)
{
    struct taud_config *config = loader->config;
    if (loader->listen_source != source) {
        for (size_t index = 0; index < config->listen_count; index++)
            free(config->listen[index]);
        memset(config->listen, 0, sizeof config->listen);
        config->listen_count = 0;
        loader->listen_source = source;
        written_name(loader, option, source, config->listen_name);
    }
    const char *start = value;
    do {
        size_t length = strcspn(start, ",");
        if (length == 0 || config->listen_count == TAUD_LISTEN_MAX)
            return refuse(loader, option, source, value);
        if (!set_text(loader, &config->listen[config->listen_count], start, length))
            return false;
        config->listen_count++;
        start += length;
    } while (*start++ == ',');
    return true;
}

static bool set_option(struct loader *loader, const struct option *option, enum source source,
                       const char *value)
{
    void *field = (char *)loader->config + option->offset;
    uint64_t number = 0;
    bool good = false;
    switch (option->type) {
    case OPTION_TEXT:
        if (*value == '\0')
            return refuse(loader, option, source, value);
        return set_text(loader, field, value, strlen(value));
    case OPTION_LISTEN:
        return set_listen(loader, option, source, value);
    case OPTION_DURABILITY:
        return parse_durability(value, loader->config) || refuse(loader, option, source, value);
    case OPTION_CHOICE:
        good = parse_choice(option->choices, value, &number);
        break;
    case OPTION_COUNT:
        good = parse_count(value, &number);
        break;
    case OPTION_SIZE:
        good = taud_size_parse(value, &number);
        break;
    case OPTION_DURATION:
        good = taud_duration_parse(value, &number);
        break;
    }
    if (!good)
        return refuse(loader, option, source, value);
    if (option->type != OPTION_CHOICE && (number < option->minimum || number > option->maximum))
        return refuse(loader, option, source, value);
    memcpy(field, &number, sizeof number);
    return true;
}

// --- sources -------------------------------------------------------------------------------

static bool default_data_directory(struct loader *loader)
{
    char path[4096];
    const char *home = getenv("HOME");
    const char *data = getenv("XDG_DATA_HOME");
    if (geteuid() == 0)
        snprintf(path, sizeof path, "/var/lib/tau");
    else if (data != NULL && data[0] == '/')
        snprintf(path, sizeof path, "%s/tau", data);
    else if (home != NULL && home[0] == '/')
        snprintf(path, sizeof path, "%s/.local/share/tau", home);
    else
        return fail(loader, TAUD_CONFIG_USAGE,
                    "option --data-dir: there is no default without HOME; expected the path of a "
                    "directory");
    return set_text(loader, &loader->config->data_directory, path, strlen(path));
}

static bool apply_defaults(struct loader *loader)
{
    for (size_t index = 0; index < OPTION_TOTAL; index++) {
        const struct option *option = &OPTIONS[index];
        if (option->standard != NULL &&
            !set_option(loader, option, SOURCE_DEFAULT, option->standard))
            return false;
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    loader->config->workers = processors < 1 ? 1 : processors > 1024 ? 1024 : (uint64_t)processors;
    loader->config->query_threads = loader->config->workers < 256 ? loader->config->workers : 256;
    uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);
    uint64_t half = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
    uint64_t least = UINT64_C(16) << 20;
    loader->config->memory_bytes = half > least ? half : least;
    return true;
}

static int take_file_entry(void *user_data, const char *section, const char *name,
                           const char *value)
{
    struct loader *loader = user_data;
    if (loader->result != TAUD_CONFIG_OK)
        return 0;
    const struct option *option = find_option(name, strlen(name));
    if (option == NULL || (section[0] != '\0' && strcmp(section, "taud") != 0)) {
        fail(loader, TAUD_CONFIG_USAGE,
             "option %.100s in %s is not known; expected a name from taud --help, in section "
             "[taud] or in none",
             name, loader->file);
        return 0;
    }
    return set_option(loader, option, SOURCE_FILE, value != NULL ? value : "") ? 1 : 0;
}

static bool apply_file(struct loader *loader, const char *path)
{
    loader->file = path;
    errno = 0;
    int line = ini_parse(path, take_file_entry, loader);
    loader->file = NULL;
    if (loader->result != TAUD_CONFIG_OK)
        return false;
    if (line == -1)
        return fail(loader, TAUD_CONFIG_FAILED, "option --config: cannot read %s: %s", path,
                    strerror(errno));
    if (line != 0)
        return fail(loader, TAUD_CONFIG_USAGE, "%s:%d: expected NAME = VALUE, [taud] or a comment",
                    path, line);
    return true;
}

static const char *environment_value(char *const environment[], const char *name)
{
    size_t length = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return NULL;
}

static bool apply_environment(struct loader *loader, char *const environment[])
{
    for (size_t index = 0; index < OPTION_TOTAL; index++) {
        char name[NAME_SIZE];
        environment_name(&OPTIONS[index], name);
        const char *value = environment_value(environment, name);
        if (value != NULL && !set_option(loader, &OPTIONS[index], SOURCE_ENVIRONMENT, value))
            return false;
    }
    return true;
}

// One argument of the command line: `--name=value` or `--name value`.
struct argument {
    const char *name; // behind the dashes
    size_t name_length;
    const char *value; // NULL where none follows
};

// Takes the argument at *index and steps over it.
static bool next_argument(struct loader *loader, int argc, char *const argv[], int *index,
                          struct argument *ret)
{
    const char *text = argv[*index];
    if (strncmp(text, "--", 2) != 0 || text[2] == '\0')
        return fail(loader, TAUD_CONFIG_USAGE,
                    "unexpected argument \"%.100s\"; expected a command or options as in taud "
                    "--help",
                    text);
    ret->name = text + 2;
    ret->name_length = strcspn(ret->name, "=");
    *index += 1;
    if (ret->name[ret->name_length] == '=')
        ret->value = ret->name + ret->name_length + 1;
    else
        ret->value = *index < argc ? argv[(*index)++] : NULL;
    return true;
}

static bool is_word(const char *text, const char *long_name, const char *short_name)
{
    return strcmp(text, long_name) == 0 || strcmp(text, short_name) == 0;
}

static bool is_name(const struct argument *argument, const char *name)
{
    return strlen(name) == argument->name_length &&
           memcmp(name, argument->name, argument->name_length) == 0;
}

// Goes over the command line. With ret_file only --config is looked for; without, all is set.
static bool scan_command_line(struct loader *loader, int argc, char *const argv[],
                              const char **ret_file)
{
    int index = 1;
    while (index < argc) {
        if (is_word(argv[index], "--help", "-h")) {
            loader->result = TAUD_CONFIG_HELP;
            return false;
        }
        if (is_word(argv[index], "--version", "-V")) {
            loader->result = TAUD_CONFIG_VERSION;
            return false;
        }
        struct argument argument = {0};
        if (!next_argument(loader, argc, argv, &index, &argument))
            return false;
        bool is_config = is_name(&argument, "config");
        const struct option *option = find_option(argument.name, argument.name_length);
        if (option == NULL && !is_config)
            return fail(loader, TAUD_CONFIG_USAGE,
                        "option --%.*s is not known; expected one of those in taud --help",
                        (int)(argument.name_length < 100 ? argument.name_length : 100),
                        argument.name);
        if (argument.value == NULL)
            return fail(loader, TAUD_CONFIG_USAGE, "option --%.*s has no value; expected %s",
                        (int)argument.name_length, argument.name,
                        is_config ? "the path of a file" : option->allowed);
        if (is_config && ret_file != NULL)
            *ret_file = argument.value;
        else if (!is_config && ret_file == NULL &&
                 !set_option(loader, option, SOURCE_COMMAND_LINE, argument.value))
            return false;
    }
    return true;
}

enum taud_config_result taud_config_load(int argc, char *const argv[], char *const environment[],
                                         struct taud_config *ret,
                                         struct taud_config_error *ret_error)
{
    memset(ret, 0, sizeof *ret);
    ret_error->text[0] = '\0';
    struct loader loader = {.config = ret, .error = ret_error};
    const char *file = environment_value(environment, "TAU_CONFIG");
    bool good = scan_command_line(&loader, argc, argv, &file) && apply_defaults(&loader) &&
                (file == NULL || apply_file(&loader, file)) &&
                apply_environment(&loader, environment) &&
                scan_command_line(&loader, argc, argv, NULL) &&
                (ret->data_directory != NULL || default_data_directory(&loader));
    assert(good == (loader.result == TAUD_CONFIG_OK));
    (void)good;
    return loader.result;
}

void taud_config_done(struct taud_config *config)
{
    for (size_t index = 0; index < config->listen_count; index++)
        free(config->listen[index]);
    free(config->data_directory);
    free(config->certificate_file);
    free(config->log_file);
    free(config->pid_file);
    memset(config, 0, sizeof *config);
}

// --- words ---------------------------------------------------------------------------------

static void print_wrapped(FILE *out, const char *text)
{
    enum { INDENT = 6, WIDTH = 88 };
    int column = 0;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column != 0 && column + 1 + length > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%*s%.*s", column == 0 ? INDENT : 1, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static const char ABOUT[] =
    "The Tau time-series database server. Every option may also stand in the environment as\n"
    "TAU_OPTION or in a file as `option = value`; the command line goes first, then the\n"
    "environment, then the file. The certificate, 64 hexadecimal characters, comes from\n"
    "TAU_CERTIFICATE or a file, never from the command line.";

static const struct taud_config_section SECTIONS[] = {
    {"Sizes and durations",
     "Sizes: 512M, 8G (K, M, G and T are powers of 1024). Durations: 100ms, 30s, 5m, 1h."},
    {"Signals", "Signals: SIGTERM and SIGINT stop gracefully, SIGHUP opens the log file anew."},
    {"Exit status", "Exit codes: 0 stopped as asked, 1 failed, 2 wrong options; those of a "
                    "command are its own."},
};

_Static_assert(sizeof SECTIONS / sizeof SECTIONS[0] == TAUD_CONFIG_SECTION_COUNT,
               "the header tells how many there are");

// Where the others may stand; it is no row of the table, which it comes before.
static const struct option CONFIG_OPTION = {
    .name = "config",
    .argument = "FILE",
    .allowed = "the path of a file",
    .standard_words = "none",
    .help = "read options from this INI file",
};

const char *taud_config_about(void)
{
    return ABOUT;
}

const struct taud_config_section *taud_config_section(size_t index)
{
    assert(index < TAUD_CONFIG_SECTION_COUNT);
    return &SECTIONS[index];
}

bool taud_config_option(size_t index, struct taud_config_option *ret)
{
    if (index > OPTION_TOTAL)
        return false;
    const struct option *option = index == 0 ? &CONFIG_OPTION : &OPTIONS[index - 1];
    *ret = (struct taud_config_option){
        .name = option->name,
        .argument = option->argument,
        .allowed = option->allowed,
        .standard = option->standard != NULL ? option->standard : option->standard_words,
        .help = option->help,
        .choices = option->choices,
        .repeated = option->type == OPTION_LISTEN,
    };
    environment_name(option, ret->environment);
    return true;
}

static void help_usage(FILE *out)
{
    struct taud_command_text text;
    const struct taud_command_option *option = taud_command_option();
    for (size_t index = 0; taud_command_text(index, &text); index++)
        fprintf(out, "       taud %s [--%s %s] %s\n", text.name, option->name, option->argument,
                text.argument);
}

static void help_commands(FILE *out)
{
    struct taud_command_text text;
    const struct taud_command_option *option = taud_command_option();
    fputs("Instead of serving:\n\n", out);
    for (size_t index = 0; taud_command_text(index, &text); index++) {
        fprintf(out, "  %s %s\n", text.name, text.argument);
        print_wrapped(out, text.help);
    }
    fprintf(out, "\n  option of these: --%s %s\n", option->name, option->argument);
    print_wrapped(out, option->help);
    fputc('\n', out);
}

void taud_config_help(FILE *out)
{
    struct taud_config_option option;
    fputs("usage: taud [--OPTION VALUE]...\n", out);
    help_usage(out);
    fprintf(out, "\n%s\n\n", ABOUT);
    for (size_t index = 0; taud_config_option(index, &option); index++) {
        fprintf(out, "  --%s %s  [%s]\n", option.name, option.argument, option.environment);
        print_wrapped(out, option.help);
        fprintf(out, "      (default: %s)\n", option.standard);
    }
    fputs("  --help, --version\n      print this text, or the version, and end\n\n", out);
    help_commands(out);
    for (size_t index = 0; index < TAUD_CONFIG_SECTION_COUNT; index++)
        fprintf(out, "%s\n", SECTIONS[index].text);
}

void taud_config_durability(const struct taud_config *config, char text[64])
{
    if (config->durability == TAUD_CONFIG_INTERVAL)
        snprintf(text, 64, "interval=%llums", (unsigned long long)config->sync_interval_ms);
    else
        snprintf(text, 64, "%s", config->durability == TAUD_CONFIG_OS ? "os" : "sync");
}
