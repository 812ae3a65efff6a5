// SPDX-License-Identifier: MIT
//
// Declarations of tcp.js.
import { OpenOptions } from './open.js';
import { Client } from './operations.js';

export interface TcpOptions extends OpenOptions {
    host?: string;
    port?: number;
    /** A Unix socket, in place of host and port. */
    path?: string;
}

/** Opens a client over TCP, or over the Unix socket at `path`. */
export function connectTcp(options: TcpOptions): Promise<Client>;
