// SPDX-License-Identifier: MIT
// The server's certificate, a pre-shared key: from the environment, else from a file, else
// generated at the first start. It never comes from the command line, and never goes into a
// message.
#ifndef TAUD_CONFIG_CERTIFICATE_H
#define TAUD_CONFIG_CERTIFICATE_H

#include "config/config.h"

#include <tau/protocol.h>

struct taud_certificate_source {
    bool generated;  // at this start
    char path[4096]; // the file it came from, or ""
};

// Looks for TAU_CERTIFICATE in the environment, then for config->certificate_file, then for
// `certificate` in the data directory, which is created with mode 0600 where it is missing.
// Returns OK, USAGE (malformed) or FAILED (a file or no randomness), then with one line.
__attribute__((warn_unused_result)) enum taud_config_result
taud_certificate_load(const struct taud_config *config, char *const environment[],
                      struct tau_certificate *ret_certificate,
                      struct taud_certificate_source *ret_source,
                      struct taud_config_error *ret_error);

#endif
