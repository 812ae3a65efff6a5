// SPDX-License-Identifier: MIT
//
// Serves the package and js_page.mjs to a headless Chromium, with the bridge behind them, and tells
// what the page found.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { startBridge } from './js_bridge.mjs';

const [host, port, browser] = process.argv.slice(2);

const PAGE = '<!doctype html><title>Tau</title><script type="module" src="/page.mjs"></script>';
const PATIENCE_MS = 60000;

function task(url) {
    const vectors = readFileSync(process.env.TAU_VECTORS, 'utf8').trimEnd().split('\n')
        .map((line) => JSON.parse(line)).filter(({ frame }) => frame !== undefined);
    return JSON.stringify({ certificate: process.env.TAU_CERTIFICATE, url, vectors });
}

/** What a path of the test's server holds: its type and text, or nothing. */
function contents(name, url) {
    const module = /^\/js\/(\w+\.js)$/.exec(name);
    if (module) {
        return ['text/javascript', readFileSync(path.join(process.env.TAU_JS, module[1]))];
    }
    return {
        '/': ['text/html', PAGE],
        '/page.mjs': ['text/javascript', readFileSync(new URL('js_page.mjs', import.meta.url))],
        '/task': ['application/json', task(url)],
    }[name];
}

async function serve(url, onFindings) {
    const server = http.createServer(async (request, response) => {
        if (request.method === 'POST') {
            const parts = [];
            for await (const part of request) {
                parts.push(part);
            }
            response.end();
            onFindings(JSON.parse(Buffer.concat(parts)));
            return;
        }
        const [type, text] = contents(request.url, url) ?? [];
        response.writeHead(type ? 200 : 404, type ? { 'Content-Type': type } : {}).end(text);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return server;
}

test('the page', async () => {
    const bridge = await startBridge({ host, port: Number(port) });
    const room = mkdtempSync(path.join(tmpdir(), 'tau-browser-'));
    let tell;
    const told = new Promise((resolve) => {
        tell = resolve;
    });
    const server = await serve(bridge.url, tell);
    const child = spawn(browser, [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
        '--remote-debugging-port=0', `--user-data-dir=${room}`,
        `http://127.0.0.1:${server.address().port}/`,
    ], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    let log = '';
    child.stderr.on('data', (bytes) => {
        log += bytes;
    });
    const timer = setTimeout(() => tell(null), PATIENCE_MS);
    const ended = once(child, 'close').then(() => tell(null));
    const result = await told;
    clearTimeout(timer);
    if (child.exitCode === null) {
        process.kill(-child.pid, 'SIGKILL'); // Debian's is a script that starts the browser
    }
    await ended;
    bridge.stop();
    server.close();
    server.closeAllConnections();
    rmSync(room, { recursive: true, force: true, maxRetries: 5 });
    assert(result !== null, `the page told nothing\n${log}`);
    assert.deepEqual(result.findings, []);
    assert(result.vectors > 250);
});
