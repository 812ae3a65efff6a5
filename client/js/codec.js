// SPDX-License-Identifier: MIT
//
// The codec: frames and payloads to values and back, by the tables that the specification was
// compiled to. It knows no connection; decode.js and encode.js are its halves, bytes.js the order
// of bytes, text and the bits of an f64.
export { bitsOf, bitsView, labelText, numberOf, numbersView } from './bytes.js';
export { decode, decodeHeader } from './decode.js';
export { encode, encodeFrame } from './encode.js';
export { HEADER_SIZE } from './model.js';
