// SPDX-License-Identifier: MIT
// The limit of file descriptors.
#include "config/descriptors.h"

#include <sys/resource.h>

enum {
    OTHER_DESCRIPTORS = 128, // connections that are being refused, log, listeners, standard files
    DESCRIPTORS_PER_WORKER = 4,
};

enum taud_config_result taud_descriptors_prepare(const struct taud_config *config,
                                                 struct taud_config_error *ret_error)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return TAUD_CONFIG_OK;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    uint64_t others = OTHER_DESCRIPTORS + DESCRIPTORS_PER_WORKER * config->workers;
    uint64_t needed = config->max_connections + others;
    if (limit.rlim_cur == RLIM_INFINITY || needed <= limit.rlim_cur)
        return TAUD_CONFIG_OK;
    uint64_t most = limit.rlim_cur > others ? limit.rlim_cur - others : 0;
    snprintf(ret_error->text, sizeof ret_error->text,
             "option --max-connections: %llu is not allowed; expected at most %llu, since this "
             "process may open %llu files (ulimit -Hn)",
             (unsigned long long)config->max_connections, (unsigned long long)most,
             (unsigned long long)limit.rlim_cur);
    return TAUD_CONFIG_USAGE;
}
