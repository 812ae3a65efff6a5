// SPDX-License-Identifier: MIT
//
// Declarations of codec.js.
export { HEADER_SIZE } from './model.js';

/** What a header says. */
export interface Header {
    readonly opcode: number;
    readonly flags: number;
    readonly payloadLength: number;
}

/** A payload's value, by the keys of its fields. */
export type PayloadValue = Record<string, unknown>;

/** The bits of a number. A NaN has those of the quiet one: Numbers do not tell them apart. */
export function bitsOf(number: number): bigint;
/** The number that has these bits. */
export function numberOf(bits: bigint): number;
/** The same memory as bits: each of a Float64Array's values exactly, NaNs too. */
export function bitsView(values: Float64Array): BigUint64Array;
/** The same memory as numbers. */
export function numbersView(bits: BigUint64Array): Float64Array;
/** A label as text, without the zeros behind it; what is not UTF-8 is shown as U+FFFD. */
export function labelText(label: Uint8Array): string;

/** What a header says; throws a TauDecodeError where it is none. */
export function decodeHeader(bytes: Uint8Array, also?: (opcode: number) => boolean): Header;
/** The value of a payload, by the name that the specification gives it. */
export function decode(name: string, bytes: Uint8Array): PayloadValue;
/** A payload by its name in the specification, `room` bytes left free before it. */
export function encode(name: string, value: PayloadValue, room?: number): Uint8Array;
/** A whole frame. */
export function encodeFrame(
    opcode: number, name: string, value: PayloadValue, flags?: number
): Uint8Array;
