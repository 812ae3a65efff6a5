/* SPDX-License-Identifier: MIT */
/*
 * A client's options after they were checked and copied, whatever version of the header they came
 * from.
 */
#ifndef TAU_SETTINGS_H
#define TAU_SETTINGS_H

#include <tau/options.h>

#include "address.h"
#include "core.h"

struct tau_settings {
    struct tau_address address;
    struct tau_core_config core;
    tau_link_callback *on_link;
    void *link_user_data;
};

/* Returns success or invalid_argument. */
enum tau_status tau_settings_read(const struct tau_options *given,
                                  struct tau_settings *ret_settings, struct tau_error *error);

#endif
