// SPDX-License-Identifier: MIT
// The hash of labels: it is NH as defined, computed here another way; it hangs on every bit of
// label and key; and labels that look alike spread over shards and buckets whatever the key.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/hash.h"

#include <stdio.h>

enum { LABELS = 4096 };

static struct taud_hash_key key_of(uint8_t number)
{
    struct taud_hash_key key;
    uint8_t seed[32] = {number};
    taud_hash_key_init(&key, seed);
    return key;
}

static void name(uint8_t label[32], unsigned number)
{
    memset(label, 0, 32);
    snprintf((char *)label, 32, "host-%u.cpu.user", number);
}

static int compare_words(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static size_t count_different(uint64_t *words, size_t count)
{
    size_t different = count > 0;
    qsort(words, count, sizeof *words, compare_words);
    for (size_t i = 1; i < count; i++)
        different += words[i] != words[i - 1];
    return different;
}

// 64 x 64 bits by halves, as at school.
static void multiply(uint64_t a, uint64_t b, uint64_t *ret_high, uint64_t *ret_low)
{
    uint64_t a0 = a & UINT32_MAX, a1 = a >> 32, b0 = b & UINT32_MAX, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t carried = a0 * b1 + (middle & UINT32_MAX);
    *ret_low = a * b;
    *ret_high = a1 * b1 + (middle >> 32) + (carried >> 32);
}

static void it_is_nh_and_a_fold(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct taud_hash_key key = key_of((uint8_t)i);
        uint8_t label[32];
        uint64_t word[4], high[2], low[2];
        name(label, i);
        memcpy(word, label, sizeof word);
        for (int half = 0; half < 2; half++)
            multiply(word[2 * half] + key.words[2 * half],
                     word[2 * half + 1] + key.words[2 * half + 1], &high[half], &low[half]);
        uint64_t sum = low[0] + low[1];
        uint64_t sum_high = high[0] + high[1] + (sum < low[0]);
        multiply(sum ^ key.words[4], sum_high ^ key.words[5] ^ 1, &high[0], &low[0]);
        uint64_t expected = high[0] ^ low[0];
        expected ^= expected >> 32;
        assert_true(taud_hash_label(&key, label) == expected);
    }
}

// No two of the labels that differ from one in a single bit share a hash with it or each other.
static void every_bit_of_a_label_counts(void **state)
{
    (void)state;
    struct taud_hash_key key = key_of(3);
    uint64_t hashes[257];
    uint8_t label[32];
    name(label, 7);
    hashes[256] = taud_hash_label(&key, label);
    for (unsigned bit = 0; bit < 256; bit++) {
        label[bit / 8] ^= (uint8_t)(1U << bit % 8);
        hashes[bit] = taud_hash_label(&key, label);
        label[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(count_different(hashes, 257), 257);
}

// Each bit of the seed changes each word that it may reach, and no word stands twice in a key.
static void every_bit_of_the_seed_counts(void **state)
{
    (void)state;
    uint64_t hashes[257];
    for (unsigned bit = 0; bit <= 256; bit++) {
        struct taud_hash_key key, again;
        uint8_t seed[32] = {0}, label[32];
        if (bit < 256)
            seed[bit / 8] = (uint8_t)(1U << bit % 8);
        taud_hash_key_init(&key, seed);
        taud_hash_key_init(&again, seed);
        assert_memory_equal(&key, &again, sizeof key);
        name(label, 7);
        hashes[bit] = taud_hash_label(&key, label);
        assert_int_equal(count_different(key.words, 6), 6);
    }
    assert_int_equal(count_different(hashes, 257), 257);
}

// The upper 4 bits choose a shard, lower ones a bucket: each must be filled evenly.
static void labels_alike_spread_whatever_the_key(void **state)
{
    (void)state;
    static uint64_t hashes[LABELS];
    for (uint8_t number = 0; number < 32; number++) {
        struct taud_hash_key key = key_of(number);
        unsigned shards[16] = {0}, buckets[16] = {0};
        for (unsigned i = 0; i < LABELS; i++) {
            uint8_t label[32];
            name(label, i);
            hashes[i] = taud_hash_label(&key, label);
            shards[hashes[i] >> 60]++;
            buckets[hashes[i] & 15]++;
        }
        for (unsigned i = 0; i < 16; i++) { // 256 are expected; 7 deviations of 15.5 either way
            assert_in_range(shards[i], 256 - 108, 256 + 108);
            assert_in_range(buckets[i], 256 - 108, 256 + 108);
        }
        assert_int_equal(count_different(hashes, LABELS), LABELS);
    }
}

// Labels that share a shard and a bucket under one key do not under the next.
static void another_key_parts_what_one_put_together(void **state)
{
    (void)state;
    struct taud_hash_key one = key_of(1), other = key_of(2);
    unsigned together = 0, still = 0;
    uint64_t places[64];
    for (unsigned i = 0; together < 64; i++) {
        uint8_t label[32];
        name(label, i);
        if (taud_hash_label(&one, label) >> 56 == 0)
            places[together++] = taud_hash_label(&other, label) >> 56;
    }
    for (unsigned i = 1; i < 64; i++)
        still += places[i] == places[0];
    assert_true(still < 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_nh_and_a_fold),
        cmocka_unit_test(every_bit_of_a_label_counts),
        cmocka_unit_test(every_bit_of_the_seed_counts),
        cmocka_unit_test(labels_alike_spread_whatever_the_key),
        cmocka_unit_test(another_key_parts_what_one_put_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
