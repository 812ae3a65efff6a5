// SPDX-License-Identifier: MIT
//
// Declarations of session.js.
import { PayloadValue } from './codec.js';
import { TauError } from './errors.js';
import { LimitName, Operation } from './model.js';

/** What a server says of itself in NEGOTIATE. */
export interface ServerInfo {
    readonly name: string;
    /** The features that hold on this session, as bits. */
    readonly features: bigint;
    /** The fingerprint of its whole specification. */
    readonly specification: bigint;
    /** The limits that it runs with. */
    readonly limits: Readonly<Partial<Record<LimitName, bigint>>>;
    /** The fingerprints of the operations that it offers, by opcode. */
    readonly operations: ReadonlyMap<number, bigint>;
}

export interface SessionOptions {
    /** The most requests that may wait for their answers. */
    maxRequests?: number;
    /** The most bytes that these requests may have. */
    maxBytes?: number;
    /** The most bytes of a stream that are received for requests behind it and not read; 64 MiB. */
    maxStreamBytes?: number;
}

/** Where the answer to a request goes: batches of a stream, then one of done and fail. */
export interface Sink {
    batch?(value: PayloadValue, size: number): void;
    done(value: PayloadValue): void;
    fail(error: TauError): void;
}

/** A request under way. */
export interface Entry {
    readonly operation: Operation;
    readonly sent: boolean;
}

/** The state of one session, without I/O. */
export class Session {
    constructor(options?: SessionOptions);
    /** Null before NEGOTIATE. */
    readonly server: ServerInfo | null;
    readonly ended: boolean;
    /** Why it ended; null after a DISCONNECT. */
    readonly failure: TauError | null;
    /** Why an operation cannot be sent now, or null. */
    refusal(operation: Operation): TauError | null;
    /** Queues a request; throws where it cannot be made. */
    request(operation: Operation, value: PayloadValue, sink: Sink): Entry;
    /** Somebody took a batch of this size. */
    taken(entry: Entry, size: number): void;
    /** Whether `most` batches of a stream were not taken, and nobody waits for what follows. */
    stalls(most: number): boolean;
    /** All bytes that are to be sent, in one piece, or null. They count as sent from now on. */
    takeOutput(): Uint8Array | null;
    /** Ends a request for its caller; its reply, when it comes, is passed over. */
    abandon(entry: Entry, error: TauError): void;
    /** Abandons a request; if it is a stream, the server is told. */
    stop(entry: Entry, error: TauError): void;
    /** Ends the session: every request that waits fails. */
    end(error?: TauError | null): void;
    /** Takes received bytes, cut anywhere, and answers what they complete. */
    receive(bytes: Uint8Array): void;
}
