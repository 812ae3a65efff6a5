// SPDX-License-Identifier: MIT
//
// Declarations of open.js.
import { Client } from './operations.js';
import { SessionOptions } from './session.js';

export interface OpenOptions extends SessionOptions {
    /** The server's pre-shared key: its 32 bytes, or their 64 hexadecimal digits. */
    certificate: string | Uint8Array;
    /** What calls wait for an answer where they say nothing themselves; 0 for ever. */
    timeoutMs?: number;
    /** What opening may take, all in all for each try; 10 seconds where it is not given. */
    connectTimeoutMs?: number;
    /** Gives opening up. */
    signal?: AbortSignal;
    /** By what name the client presents itself. */
    clientName?: string;
    /** Whether to NEGOTIATE; only servers of the protocol's first day need false. */
    negotiate?: boolean;
}

/** What a transport tells. */
export interface TransportHandlers {
    open(): void;
    bytes(bytes: Uint8Array): void;
    end(cause: unknown): void;
}

/** What carries the bytes of a session. */
export interface Transport {
    write(bytes: Uint8Array): unknown;
    close(): void;
    pause?(): void;
    resume?(): void;
}

/** Opens a client over the transport that `reach` begins to connect. */
export function open(
    reach: (handlers: TransportHandlers) => Transport, options: OpenOptions
): Promise<Client>;
