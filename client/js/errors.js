// SPDX-License-Identifier: MIT
//
// What this package throws and rejects with: TauError and its kinds, nothing else. A status is one
// of the specification; whether it is worth another try, ends the session, or leaves a write's
// outcome open follows from its class there.
import { statuses } from './model.js';

const byCode = new Map(Object.values(statuses).map((status) => [status.code, status]));

/** The name of a status that has one, else its number. */
export function statusName(code) {
    return byCode.get(code)?.name ?? code;
}

/** The number of a status given by its name or number, undefined where there is none. */
export function statusCode(status) {
    if (typeof status === 'string') {
        return Object.hasOwn(statuses, status) ? statuses[status].code : undefined;
    }
    return status;
}

/** Any failure of a call. `status` is the specification's name, or a number without one. */
export class TauError extends Error {
    constructor(status, message, { cause, operation = null } = {}) {
        const known = statuses[status];
        super(message ?? known?.doc ?? `status ${status}`, cause === undefined ? {} : { cause });
        this.name = new.target.name;
        this.status = status;
        this.code = known ? known.code : status;
        this.statusClass = known ? known.class : 'request';
        this.operation = operation;
    }

    /** Whether the same call may succeed later. */
    get retryable() {
        return this.statusClass === 'retry';
    }

    /** Whether the session, or every later call like this one, is over. */
    get fatal() {
        return this.statusClass === 'fatal';
    }

    /** Whether a write may have happened although no answer says so. */
    get outcomeUnknown() {
        return this.statusClass === 'unknown';
    }
}

/** A text as a terminal may be given it: what is not seen is shown, and does nothing. */
function shown(text) {
    return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
        (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

/**
 * The server's refusal. `field`, `offset` and `detail` are null unless it explained itself;
 * `detail` is its text as it came, the message what may be printed of it.
 */
export class TauServerError extends TauError {
    constructor(status, operation, { field = null, fieldName = null, offset = null, text } = {}) {
        super(status, text ? shown(text) : undefined, { operation });
        this.field = field;
        this.fieldName = fieldName;
        this.offset = offset;
        this.detail = text ?? null;
    }
}

/** The connection could not be made, or ended. */
export class TauConnectionError extends TauError {}

/** The server sent what the protocol does not allow. */
export class TauProtocolError extends TauError {
    constructor(message, options) {
        super('protocol_error', message, options);
    }
}

/** A deadline passed, or the caller's signal was aborted. */
export class TauAbortError extends TauError {}

/** An argument that no request can be made of. */
export class TauArgumentError extends TauError {
    constructor(message, options) {
        super('invalid_argument', message, options);
    }
}

/** Bytes that are no frame, or not the payload they should be: which field, and where. */
export class TauDecodeError extends TauError {
    constructor(status, field, offset, expected) {
        super(status, `expected ${expected}, at offset ${offset}`);
        this.field = field;
        this.offset = offset;
    }
}
