// SPDX-License-Identifier: MIT
//
// Declarations of websocket.js.
import { OpenOptions } from './open.js';
import { Client } from './operations.js';

/** A class like that of browsers. */
export type WebSocketClass = new (url: string, protocols?: string[]) => {
    binaryType: string;
    send(bytes: Uint8Array): void;
    close(): void;
};

export interface WebSocketOptions extends OpenOptions {
    /** Needed where no class of this name is global. */
    WebSocket?: WebSocketClass;
    protocols?: string[];
}

/** Opens a client over WebSocket. */
export function connectWebSocket(url: string, options: WebSocketOptions): Promise<Client>;
