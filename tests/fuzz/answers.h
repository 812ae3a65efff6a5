// SPDX-License-Identifier: MIT
// What a server must answer to a client's bytes, as the specification has it: each request exactly
// once and in order, the checks of the header in theirs, responses that can be decoded, nothing
// behind the end. Knows no server.
#ifndef TAU_FUZZ_ANSWERS_H
#define TAU_FUZZ_ANSWERS_H

#include "tally.h"
#include "tau_codec.h"
#include "wire/slice.h"

enum { ANSWER_OK, ANSWER_ERROR, ANSWER_KINDS };

// Requires that `replies` answers `requests` to a server with this certificate, and counts the
// answers by the operation's place in tau_operations.
void answers_check(struct tau_slice requests, struct tau_slice replies,
                   const struct tau_certificate *certificate, struct tally *tally);

#endif
