// SPDX-License-Identifier: MIT
//
// Declarations of index.js.
export type { CallOptions, ClientBase } from './client.js';
export * from './codec.js';
export * from './errors.js';
export * from './model.js';
export * from './open.js';
export * from './operations.js';
export * from './session.js';
export * from './stream.js';
export * from './websocket.js';
