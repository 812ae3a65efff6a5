// SPDX-License-Identifier: MIT
//
// Declarations of client.js.
import { TauError } from './errors.js';
import { Operation } from './model.js';
import { ServerInfo } from './session.js';
import { TauStream } from './stream.js';

/** How long a call waits; either way the request may have been executed. */
export interface CallOptions {
    /** For an answer; 0 for ever. A stream's begins again with each batch. */
    timeoutMs?: number;
    signal?: AbortSignal;
}

export class ClientBase {
    protected constructor();
    /** What the server said of itself in NEGOTIATE; null on a session without it. */
    readonly server: ServerInfo | null;
    /** Resolves when the connection is over, with the error that ended it or null. */
    readonly closed: Promise<TauError | null>;
    /** Whether the server offers an operation, with the layout that is known here. */
    supports(operation: Operation): boolean;
    /** Ends the connection at once. Requests that wait fail; `disconnect` ends it in order. */
    close(): void;
    /** Sends a request and resolves to its answer: what the methods of the operations do. */
    call(operation: Operation, request: object, options?: CallOptions): Promise<unknown>;
    /** Sends a request that is answered by a stream. */
    stream(operation: Operation, request: object, options?: CallOptions): TauStream<unknown>;
}
