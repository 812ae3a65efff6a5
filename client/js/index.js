// SPDX-License-Identifier: MIT
//
// All of the package but TCP, which only Node has: that is `tauclient/tcp`.
export {
    bitsOf, bitsView, decode, decodeHeader, encode, encodeFrame, HEADER_SIZE, labelText, numberOf,
    numbersView,
} from './codec.js';
export {
    TauAbortError, TauArgumentError, TauConnectionError, TauDecodeError, TauError, TauProtocolError,
    TauServerError,
} from './errors.js';
export { features, limits, operations, protocol, statuses } from './model.js';
export { open } from './open.js';
export { Client } from './operations.js';
export { Session } from './session.js';
export { TauStream } from './stream.js';
export { connectWebSocket } from './websocket.js';
