// SPDX-License-Identifier: MIT
//
// Declarations of the specification's tables.
//
// Generated from the specification in protocol/ by gen/taugen; changes are lost.

/** The statuses. */
export type StatusName = 'success' | 'bad_frame' | 'bad_opcode' | 'denied' | 'invalid_payload' |
    'unknown_outcome' | 'timeout';

/** The operations. */
export type OperationName = 'HELLO' | 'PUT' | 'GET' | 'WALK' | 'BLEND';

/** The limits. */
export type LimitName = 'payload_bytes' | 'unauthenticated_payload_bytes' | 'stream_frame_bytes' |
    'items';

/** The features. */
export type FeatureName = 'long_errors';

export interface Status {
    readonly name: StatusName;
    readonly code: number;
    readonly class: 'ok' | 'request' | 'retry' | 'fatal' | 'unknown';
    readonly local: boolean;
    readonly doc: string;
}

export interface Operation {
    readonly name: OperationName;
    readonly opcode: number;
    readonly method: string;
    readonly stream: boolean;
    readonly write: boolean;
    readonly negotiated: boolean;
    readonly extensible: boolean;
    readonly reply: number;
    readonly request: string;
    readonly response: string;
    readonly fingerprint: bigint;
}

export const HEADER_SIZE: number;
export const protocol: {
    readonly name: string;
    readonly version: number;
    readonly fingerprint: bigint;
    readonly defaultListen: string;
    /** The opcodes of frames that a server sends unasked. */
    readonly firstPush: number;
    readonly lastPush: number;
};
export const limits: Readonly<Record<LimitName, {
    readonly number: number;
    readonly value: number;
}>>;
export const features: Readonly<Record<FeatureName, bigint>>;
export const statuses: Readonly<Record<StatusName, Status>>;
export const operations: Readonly<Record<OperationName, Operation>>;
