// SPDX-License-Identifier: MIT
// The handler that serves the specification: the document as it was generated. It knows nothing of
// what stands in it.
#include "service/specification.h"
#include "taud_handlers.h"

enum tau_status taud_handle_specification(struct taud_context *context,
                                          struct tau_specification_response *ret_response)
{
    (void)context;
    ret_response->document =
        (struct tau_slice){.data = taud_specification, .size = taud_specification_size};
    return TAU_STATUS_SUCCESS;
}
