// SPDX-License-Identifier: MIT
//
// The transport over WebSocket, for browsers and for Node where a class of this shape is global or
// given. Bytes travel in binary messages, cut anywhere. A browser's WebSocket cannot be held back:
// there the batches of a stream wait in memory until they are read.
import { TauArgumentError, TauProtocolError } from './errors.js';
import { open } from './open.js';

function transportOver(WebSocketClass, url, protocols, handlers) {
    const socket = new WebSocketClass(url, protocols);
    let failure = null;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => handlers.open();
    socket.onmessage = ({ data }) => {
        if (data instanceof ArrayBuffer) {
            handlers.bytes(new Uint8Array(data));
        } else {
            handlers.end(new TauProtocolError('a message of text'));
        }
    };
    socket.onerror = (event) => {
        failure = event.error ?? new Error(event.message ?? 'the WebSocket failed');
    };
    socket.onclose = () => handlers.end(failure);
    return {
        write: (bytes) => socket.send(bytes),
        close: () => socket.close(),
        pause: () => socket.pause?.(),
        resume: () => socket.resume?.(),
    };
}

/** Opens a client over WebSocket. */
export async function connectWebSocket(url, options) {
    const { WebSocket: WebSocketClass = globalThis.WebSocket, protocols = [] } = options;
    if (typeof WebSocketClass !== 'function') {
        throw new TauArgumentError('WebSocket: there is no global class of this name; give one');
    }
    return open((handlers) => transportOver(WebSocketClass, url, protocols, handlers), options);
}
