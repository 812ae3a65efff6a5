// SPDX-License-Identifier: MIT
// A keyed hash of 32 bytes. NH (Black et al., "UMAC: Fast and Secure Message Authentication", 1999)
// over 64-bit words: without the key no two labels collide in its 128 bits with a chance above
// 2^-64, so labels chosen by an enemy spread like any others; one more product folds it to 64 bits.
#ifndef TAUD_ENGINE_HASH_H
#define TAUD_ENGINE_HASH_H

#include <stdint.h>
#include <string.h>

struct taud_hash_key {
    uint64_t words[6];
};

// Spreads 32 secret bytes over the six words of a key.
static inline void taud_hash_key_init(struct taud_hash_key *key, const uint8_t seed[32])
{
    uint64_t state[4];
    memcpy(state, seed, sizeof state);
    uint64_t sum = 0;
    for (int i = 0; i < 6; i++) {
        sum += state[i & 3] + UINT64_C(0x9e3779b97f4a7c15);
        uint64_t word = sum;
        word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
        key->words[i] = word ^ (word >> 31);
    }
}

__extension__ typedef unsigned __int128 taud_u128;

static inline uint64_t taud_hash_label(const struct taud_hash_key *key, const uint8_t label[32])
{
    uint64_t word[4];
    memcpy(word, label, sizeof word);
    const uint64_t *k = key->words;
    taud_u128 sum = (taud_u128)(word[0] + k[0]) * (word[1] + k[1]) +
                    (taud_u128)(word[2] + k[2]) * (word[3] + k[3]);
    taud_u128 folded = (taud_u128)((uint64_t)sum ^ k[4]) * ((uint64_t)(sum >> 64) ^ k[5] ^ 1);
    uint64_t hash = (uint64_t)folded ^ (uint64_t)(folded >> 64);
    return hash ^ (hash >> 32);
}

#endif
