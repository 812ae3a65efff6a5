// SPDX-License-Identifier: MIT
//
// Declarations of errors.js.
import { OperationName, StatusName, statuses } from './model.js';

export interface TauErrorOptions {
    cause?: unknown;
    operation?: OperationName | null;
}

/** Any failure of a call. `status` is the specification's name, or a number without one. */
export class TauError extends Error {
    constructor(status: StatusName | number, message?: string, options?: TauErrorOptions);
    readonly status: StatusName | number;
    readonly code: number;
    readonly statusClass: (typeof statuses)[StatusName]['class'];
    readonly operation: OperationName | null;
    /** What led to this error: for an outcome that is unknown, why no answer came. */
    readonly cause?: unknown;
    /** Whether the same call may succeed later. */
    readonly retryable: boolean;
    /** Whether the session, or every later call like this one, is over. */
    readonly fatal: boolean;
    /** Whether a write may have happened although no answer says so. */
    readonly outcomeUnknown: boolean;
}

/** The server's refusal. The details are null unless the server explained itself. */
export class TauServerError extends TauError {
    /** The number of the request's field at fault. */
    readonly field: number | null;
    /** Its name in the specification. */
    readonly fieldName: string | null;
    /** Where in the payload that was seen. */
    readonly offset: number | null;
    /** The error in words. */
    readonly detail: string | null;
}

/** The connection could not be made, or ended. */
export class TauConnectionError extends TauError {}

/** The server sent what the protocol does not allow. */
export class TauProtocolError extends TauError {
    constructor(message: string, options?: TauErrorOptions);
}

/** A deadline passed, or the caller's signal was aborted. */
export class TauAbortError extends TauError {}

/** An argument that no request can be made of. */
export class TauArgumentError extends TauError {
    constructor(message: string, options?: TauErrorOptions);
}

/** Bytes that are no frame, or not the payload they should be: which field, and where. */
export class TauDecodeError extends TauError {
    readonly field: number | null;
    readonly offset: number;
}
