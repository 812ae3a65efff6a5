// SPDX-License-Identifier: MIT
// The client against a server that may send anything: every request completes exactly once, nothing
// crashes, and no more is kept than the input can account for.
//
// Prefix of an input: how many requests (the highest bit: the session was not opened yet), the size
// of the pieces in which the rest arrives and after how many batches a stream is stopped, the
// requests.

#include <string.h>

#include "fuzz.h"
#include "rig.h"
#include "tally.h"

enum { REQUESTS_MAX = 16, KINDS = 5 };

enum { COMPLETED, REFUSED, LOST, OUTCOMES };

static struct tally tally = {
    .columns = {"answered", "refused", "lost"}, .column_count = OUTCOMES, .needed = 1 << COMPLETED};

static size_t make_requests(struct rig *rig, const uint8_t *choices, size_t count)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        enum tau_status status = TAU_STATUS_SUCCESS;
        switch (choices[i] % KINDS) {
        case 0:
            status = rig_append(rig, i + 1);
            break;
        case 1:
            status = rig_query(rig, i + 1);
            break;
        case 2:
            status = rig_range(rig, i + 1);
            break;
        case 3:
            status = rig_latest(rig, i + 1);
            break;
        default:
            status = rig_ping(rig, i + 1);
        }
        made += status == TAU_STATUS_SUCCESS;
    }
    return made;
}

// Counts how the requests ended, by their kind.
static void note_outcomes(const struct rig *rig, const uint8_t *choices)
{
    for (size_t i = 0; i < rig->count; i++) {
        const struct completion *ended = &rig->log[i];
        size_t outcome = ended->status == TAU_STATUS_SUCCESS   ? COMPLETED
                         : ended->status >= TAU_STATUS_TIMEOUT ? LOST
                                                               : REFUSED;
        tally_add(&tally, choices[ended->tag - 1] % KINDS, outcome);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    if (size < FUZZ_PREFIX || !rig_begin(&rig, NULL))
        return 0;
    const uint8_t *choices = data + 2, *replies = data + FUZZ_PREFIX;
    size_t piece = data[1] >> 2;
    rig.stop_after = data[1] & 3;
    if (data[0] & 0x80)
        rig_open(&rig);
    else
        rig_ready(&rig);
    size_t made = make_requests(&rig, choices, data[0] % (REQUESTS_MAX + 1));
    rig_flush(&rig);
    size_t before = rig_memory.live_bytes;
    rig_memory.peak_bytes = before;
    rig_feed(&rig, replies, size - FUZZ_PREFIX, piece);
    fuzz_require(rig_memory.peak_bytes <= before + 2 * TAU_INPUT_BASE_SIZE + 4 * size,
                 "no more memory than the input explains");
    rig_advance(&rig, 2000);
    tau_core_close(rig.core);
    fuzz_require(rig.count == made, "every request completes once");
    note_outcomes(&rig, choices);
    rig_end(&rig);
    fuzz_require(rig_memory.live_blocks == 0, "nothing is left");
    return 0;
}

static const char *row_name(size_t row)
{
    static const char *const names[KINDS] = {"append", "query_point", "query_range", "query_latest",
                                             "ping"};
    return row < KINDS ? names[row] : NULL;
}

int fuzz_report(FILE *out)
{
    return tally_print(&tally, row_name, out);
}
