// SPDX-License-Identifier: MIT
// Drives a fuzz target where libFuzzer is not linked in: `target PATH...` runs those inputs,
// folders with all their files, and with `--random COUNT` in front then so many that the target's
// own mutator makes of them and of each other, by a fixed seed, so that each test run sees the
// same. At the end a target that counts says what it was led to; with `--all` nothing may be left
// out.

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "dice.h"
#include "fuzz.h"

enum { POOL = 2048, PATH_SIZE = 4096 };

struct entry {
    uint8_t *data;
    size_t size;
};

static struct entry pool[POOL]; // what has been run, for making others of
static size_t pool_count;

// Targets that count define it.
__attribute__((weak)) int fuzz_report(FILE *out)
{
    (void)out;
    return 0;
}

static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); // its own block, so that a sanitizer sees its end
    fuzz_require(copy != NULL, "no memory");
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void keep(const uint8_t *data, size_t size, size_t place)
{
    if (size > FUZZ_INPUT_MAX)
        return;
    uint8_t *copy = malloc(size ? size : 1);
    fuzz_require(copy != NULL, "no memory");
    if (size > 0)
        memcpy(copy, data, size);
    free(pool[place].data);
    pool[place].data = copy;
    pool[place].size = size;
    if (place == pool_count)
        pool_count++;
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat found;
    if (file == NULL || fstat(fileno(file), &found) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)found.st_size;
    uint8_t *data = malloc(size ? size : 1);
    int good = data != NULL && fread(data, 1, size, file) == size;
    if (good) {
        run(data, size);
        if (pool_count < POOL)
            keep(data, size, pool_count);
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    fclose(file);
    return good ? 0 : 1;
}

static int run_path(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    int result = count < 0 ? run_file(path) : 0;
    for (int i = 0; i < count; i++) {
        char name[PATH_SIZE];
        snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            result |= run_file(name);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return result;
}

static void run_random(unsigned long count)
{
    static uint8_t input[FUZZ_INPUT_MAX];
    struct dice dice = {1};
    if (pool_count == 0)
        keep(input, 0, 0);
    for (unsigned long i = 0; i < count; i++) {
        const struct entry *a = &pool[dice_below(&dice, pool_count)];
        const struct entry *b = &pool[dice_below(&dice, pool_count)];
        unsigned seed = (unsigned)dice_next(&dice);
        size_t size = 0;
        if (dice_once_in(&dice, 8))
            size = LLVMFuzzerCustomCrossOver(a->data, a->size, b->data, b->size, input,
                                             sizeof input, seed);
        if (size == 0) {
            memcpy(input, a->data, a->size);
            size = a->size;
        }
        size = LLVMFuzzerCustomMutator(input, size, sizeof input, seed);
        run(input, size);
        if (pool_count < POOL)
            keep(input, size, pool_count);
        else if (dice_once_in(&dice, 16))
            keep(input, size, dice_below(&dice, POOL));
    }
    printf("%lu inputs\n", count);
}

int main(int argc, char **argv)
{
    unsigned long random = 0;
    int all = 0, result = 0;
    for (int i = 1; i < argc && result == 0; i++) {
        if (strcmp(argv[i], "--random") == 0 && i + 1 < argc)
            random = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--all") == 0)
            all = 1;
        else
            result = run_path(argv[i]);
    }
    run_random(random);
    int missing = fuzz_report(stdout);
    if (all && missing > 0)
        fprintf(stderr, "%d of them were never reached\n", missing);
    for (size_t i = 0; i < pool_count; i++)
        free(pool[i].data);
    return result != 0 || (all && missing > 0);
}
