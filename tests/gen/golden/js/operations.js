// SPDX-License-Identifier: MIT
//
// The client: a method for each operation of the specification.
//
// Generated from the specification in protocol/ by gen/taugen; changes are lost.
import { ClientBase } from './client.js';
import { operations } from './model.js';

/** A client of one connection; connectTcp and connectWebSocket make one. */
export class Client extends ClientBase {
    /**
     * Opens the session.
     *
     * @param request.key The key.
     * @param options Its signal and its timeoutMs.
     * @throws {TauError} Above all denied, invalid_payload.
     */
    hello(request, options) {
        return this.call(operations.HELLO, request, options);
    }

    /**
     * Stores a pair.
     *
     * @param request.key The key.
     * @param request.moment The time.
     * @param request.weight The weight.
     * @param options Its signal and its timeoutMs.
     * @throws {TauError} Above all invalid_payload, unknown_outcome.
     */
    put(request, options) {
        return this.call(operations.PUT, request, options);
    }

    /**
     * Reads a pair.
     *
     * @param request.colour The colour.
     * @param request.exact Whether exactly.
     * @param request.note A note.
     * @param request.after Not before.
     * @param request.reason What for. Version 1 added it; an older side leaves it out.
     * @param options Its signal and its timeoutMs.
     * @returns `pair`: The pair; `pairs`: The others; `latest`: The last one's time. No meaning
     *     while `count` is 0; `shade`: Its shade. Version 1 added it; an older side leaves it out;
     *     `rumours`: When it was heard of. Version 1 added it; an older side leaves it out.
     * @throws {TauError} Above all invalid_payload.
     */
    get(request, options) {
        return this.call(operations.GET, request, options);
    }

    /**
     * Reads all moments.
     *
     * @param request.limit The most.
     * @param options Its signal and its timeoutMs.
     * @returns Batches, each with `moments`: Moments.
     * @throws {TauError} Above all invalid_payload.
     */
    walk(request, options) {
        return this.stream(operations.WALK, request, options);
    }

    /**
     * Blends tints.
     *
     * @param request.ground What lies below.
     * @param request.glaze What lies above.
     * @param request.tints What is blended.
     * @param request.shades How strong each is.
     * @param options Its signal and its timeoutMs.
     * @returns `colours`: What came of it.
     * @throws {TauError} Above all invalid_payload.
     */
    blend(request, options) {
        return this.call(operations.BLEND, request, options);
    }
}
