// SPDX-License-Identifier: MIT
// The client against a server that may send anything: every request completes exactly once, nothing
// crashes, and no more is kept than the input can account for. The first bytes of an input choose the
// requests and the pieces in which the rest, the server's side of the conversation, arrives.

#include <string.h>

#include "fuzz.h"
#include "rig.h"

enum { MAX_REQUESTS = 32 };

static size_t make_requests(struct rig *rig, const uint8_t *choices, size_t count)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        enum tau_status status = TAU_STATUS_SUCCESS;
        switch (choices[i] % 5) {
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    size_t requests = size > 0 ? data[0] % MAX_REQUESTS : 0;
    if (size < 2 + requests || !rig_begin(&rig, NULL))
        return 0;
    size_t piece = data[1] >> 2;
    rig.stop_after = data[1] & 3;
    if (data[0] & 0x80)
        rig_open(&rig);
    else
        rig_ready(&rig);
    size_t made = make_requests(&rig, data + 2, requests);
    rig_flush(&rig);
    size_t before = rig_memory.live_bytes;
    rig_memory.peak_bytes = before;
    rig_feed(&rig, data + 2 + requests, size - 2 - requests, piece);
    fuzz_require(rig_memory.peak_bytes <= before + 2 * TAU_INPUT_BASE_SIZE + 4 * size,
                 "no more memory than the input explains");
    rig_advance(&rig, 2000);
    tau_core_close(rig.core);
    fuzz_require(rig.count == made, "every request completes once");
    rig_end(&rig);
    fuzz_require(rig_memory.live_blocks == 0, "nothing is left");
    return 0;
}
