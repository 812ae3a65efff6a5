// SPDX-License-Identifier: MIT
// Drives a fuzz target where libFuzzer is not linked in: `target FILE...` runs those inputs, and
// `target --random COUNT` runs that many made of a fixed seed, so that each test run sees the same.
// Half of the random inputs change a few bytes of the one before, which reaches deeper than noise.

#include <string.h>

#include "fuzz.h"

enum { MAX_INPUT = 4096 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    if (!data || size < 0 || fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    fclose(file);
    return 0;
}

// Small numbers and edge values are what decoders trip over, so they come often.
static uint8_t random_byte(uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF};
    uint64_t r = next_random(state);
    return r & 1 ? edges[r >> 8 & 7] : (uint8_t)(r >> 16);
}

static void run_random(unsigned long count)
{
    uint64_t state = 0x9E3779B97F4A7C15u;
    static uint8_t input[MAX_INPUT];
    size_t size = 0;
    for (unsigned long i = 0; i < count; i++) {
        if (i % 2 == 0) {
            size = next_random(&state) % (i % 64 == 0 ? MAX_INPUT : 160);
            for (size_t k = 0; k < size; k++)
                input[k] = random_byte(&state);
        } else {
            for (size_t k = next_random(&state) % 4 + 1; k > 0 && size > 0; k--)
                input[next_random(&state) % size] = random_byte(&state);
        }
        uint8_t *copy = malloc(size ? size : 1); // its own block, so that ASan sees its end
        fuzz_require(copy != NULL, "no memory");
        memcpy(copy, input, size);
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
    printf("%lu inputs\n", count);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--random") == 0) {
        run_random(strtoul(argv[2], NULL, 10));
        return 0;
    }
    for (int i = 1; i < argc; i++)
        if (run_file(argv[i]))
            return 1;
    return 0;
}
