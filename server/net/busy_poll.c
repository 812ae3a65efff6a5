// SPDX-License-Identifier: MIT
// The allowance for looking out in vain. It is a sum and not a pattern of the last results: a
// client that is now quick and now slow, or a processor that others take away for milliseconds at
// times, costs no more by that.
#include "net/busy_poll.h"

void taud_busy_poll_init(struct taud_busy_poll *poll)
{
    poll->allowance_ns = TAUD_BUSY_POLL_SAVED_NS;
}

bool taud_busy_poll_served(struct taud_busy_poll *poll)
{
    poll->allowance_ns += TAUD_BUSY_POLL_EARNED_NS;
    if (poll->allowance_ns > TAUD_BUSY_POLL_SAVED_NS)
        poll->allowance_ns = TAUD_BUSY_POLL_SAVED_NS;
    return poll->allowance_ns > 0;
}

void taud_busy_poll_in_vain(struct taud_busy_poll *poll, uint64_t took_ns)
{
    const uint64_t most = (uint64_t)(poll->allowance_ns + TAUD_BUSY_POLL_OWED_NS);
    poll->allowance_ns -= (int64_t)(took_ns < most ? took_ns : most);
}
