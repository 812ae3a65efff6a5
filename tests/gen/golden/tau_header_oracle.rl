/* SPDX-License-Identifier: MIT
 *
 * Reads a frame header byte by byte; only tests use it.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_header_oracle.h"

%%{
    machine tau_header_oracle;
    alphtype unsigned char;
    access oracle->;

    action bad_magic { oracle->status = TAU_STATUS_BAD_FRAME; }
    action bad_version { oracle->status = TAU_STATUS_BAD_FRAME; }
    action bad_opcode { oracle->status = TAU_STATUS_BAD_OPCODE; }
    action bad_length { oracle->status = TAU_STATUS_BAD_FRAME; }
    action opcode { oracle->header.opcode = fc; }
    action flags { oracle->header.flags = fc; }
    action length { oracle->header.payload_length = oracle->header.payload_length << 8 | fc; }
    action done { oracle->done = true; }

    magic = ( 'T' 'A' 'U' ) @err(bad_magic);
    version = 0x01 @err(bad_version);
    opcode = ( 0x01 | 0x02 | 0x03 | 0x04 | 0x05 | 0xf0 | 0xff ) $opcode @err(bad_opcode);
    flags = any $flags;
    payload_length = ( ( 0x00 0x00 0x00..0x02 any )
        | ( 0x00 0x00 0x03 0x00..0xe7 )
        | ( 0x00 0x00 0x03 0xe8 ) ) $length @err(bad_length);

    main := magic version opcode flags payload_length @done;
}%%

%% write data nofinal noerror noentry;

void tau_header_oracle_init(struct tau_header_oracle *oracle)
{
    *oracle = (struct tau_header_oracle){.status = TAU_STATUS_SUCCESS};
    oracle->cs = tau_header_oracle_start;
}

static void feed_byte(struct tau_header_oracle *oracle, const uint8_t *p)
{
    const uint8_t *pe = p + 1;
    const uint8_t *eof = NULL;

    %% write exec;

    (void)eof;
    oracle->taken++;
}

void tau_header_oracle_feed(struct tau_header_oracle *oracle, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (oracle->done || oracle->status != TAU_STATUS_SUCCESS)
            return;
        feed_byte(oracle, bytes + i);
    }
}
