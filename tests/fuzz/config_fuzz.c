// SPDX-License-Identifier: MIT
// Any text as taud's configuration file. It is taken or refused, with one line that says why; what
// is taken is within the bounds that the struct has.

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "fuzz.h"

static void check_taken(const struct taud_config *config)
{
    char text[64];
    fuzz_require(config->listen_count > 0 && config->listen_count <= TAUD_LISTEN_MAX,
                 "more or fewer addresses than there may be");
    for (size_t i = 0; i < config->listen_count; i++)
        fuzz_require(config->listen[i] != NULL && config->listen[i][0] != '\0',
                     "an address without text");
    fuzz_require(config->durability <= TAUD_CONFIG_OS, "a durability that does not exist");
    fuzz_require(config->log_level <= 3 && config->log_format <= 2, "a choice that does not exist");
    fuzz_require(config->workers > 0 && config->memory_bytes > 0, "nothing to work with");
    taud_config_durability(config, text);
    fuzz_require(strlen(text) < sizeof text, "the durability has no end");
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static int file = -1;
    if (file < 0)
        file = memfd_create("configuration", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        fuzz_require(0, "no file in memory");
    char path[64], program[] = "taud", option[] = "--config";
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    char *arguments[] = {program, option, path, NULL}, *environment[] = {NULL};
    struct taud_config config;
    struct taud_config_error error = {.text = ""};
    enum taud_config_result result = taud_config_load(3, arguments, environment, &config, &error);
    if (result == TAUD_CONFIG_OK) {
        check_taken(&config);
    } else {
        fuzz_require(result == TAUD_CONFIG_USAGE, "a file leads to something else than a refusal");
        fuzz_require(error.text[0] != '\0', "a file is refused without a word");
        fuzz_require(memchr(error.text, '\0', sizeof error.text) != NULL, "the word has no end");
    }
    taud_config_done(&config);
}
