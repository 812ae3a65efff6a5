// SPDX-License-Identifier: MIT
// The limit of file descriptors: raised as far as the process may, and held against what the
// connections will need.
#ifndef TAUD_CONFIG_DESCRIPTORS_H
#define TAUD_CONFIG_DESCRIPTORS_H

#include "config/config.h"

// Returns OK, or USAGE with one line that names both numbers when the connections cannot fit.
__attribute__((warn_unused_result)) enum taud_config_result
taud_descriptors_prepare(const struct taud_config *config, struct taud_config_error *ret_error);

#endif
