// SPDX-License-Identifier: MIT
//
// Declarations of the client and of what its methods take and give.
//
// Generated from the specification in protocol/ by gen/taugen; changes are lost.
import { CallOptions, ClientBase } from './client.js';
import { StatusName } from './model.js';
import { TauStream } from './stream.js';

/** A key and a time. */
export interface Pair {
    /** The key. */
    key: Uint8Array;
    /** The time. */
    moment: bigint;
}

/** A key and a time. As it is sent. */
export type PairInput = {
    /** The key. */
    key: string | Uint8Array;
    /** The time. */
    moment: bigint | number;
};

/** A colour. */
export type Colour = 'red' | 'blue';

/** A shade. */
export type Shade = 'light' | 'dark' | number;

/** A colour and its shade. */
export interface Tint {
    /** The time. */
    moment: bigint;
    /** The colour. */
    colour: Colour;
    /** The shade. */
    shade: Shade;
}

/** A colour and its shade. As it is sent. */
export type TintInput = {
    /** The time. */
    moment: bigint | number;
    /** The colour. */
    colour: Colour;
    /** The shade. */
    shade: Shade;
};

/** The request of HELLO. */
export type HelloRequest = {
    /** The key. */
    key: string | Uint8Array;
};

/** The request of PUT. */
export type PutRequest = {
    /** The key. */
    key: string | Uint8Array;
    /** The time. */
    moment: bigint | number;
} & (
    | { weight: number; weightBits?: undefined | null }
    | { weight?: number | null; weightBits: bigint }
);

/** The request of GET. */
export type GetRequest = {
    /** The colour. */
    colour: Colour;
    /** Whether exactly. */
    exact: boolean;
    /** A note. */
    note?: string | Uint8Array | null;
    /** Not before. */
    after?: bigint | number | null;
    /** What for. Version 1 added it; an older side leaves it out. */
    reason?: string | Uint8Array | null;
};

/** The answer to GET. */
export interface GetResponse {
    /** The pair. */
    pair: Pair | null;
    /** The others. */
    pairs: Array<Pair>;
    /** The last one's time. No meaning while `count` is 0. */
    latest: bigint;
    /** Its shade. Version 1 added it; an older side leaves it out. */
    shade: Shade | null;
    /** When it was heard of. Version 1 added it; an older side leaves it out. */
    rumours: BigInt64Array | null;
}

/** The request of WALK. */
export type WalkRequest = {
    /** The most. */
    limit: bigint | number;
};

/** One batch of the answer to WALK. */
export interface WalkResponse {
    /** Moments. */
    moments: BigInt64Array;
}

/** The request of BLEND. */
export type BlendRequest = {
    /** What lies below. */
    ground: TintInput;
    /** What lies above. */
    glaze?: TintInput | null;
    /** What is blended. */
    tints: Iterable<TintInput>;
    /** How strong each is. */
    shades: Iterable<Shade>;
};

/** The answer to BLEND. */
export interface BlendResponse {
    /** What came of it. */
    colours: Array<Colour>;
}

/** A client of one connection; connectTcp and connectWebSocket make one. */
export class Client extends ClientBase {
    /**
     * Opens the session.
     *
     * @param request.key The key.
     * @param options Its signal and its timeoutMs.
     * @throws {TauError} Above all denied, invalid_payload.
     */
    hello(request: HelloRequest, options?: CallOptions): Promise<void>;

    /**
     * Stores a pair.
     *
     * @param request.key The key.
     * @param request.moment The time.
     * @param request.weight The weight.
     * @param options Its signal and its timeoutMs.
     * @throws {TauError} Above all invalid_payload, unknown_outcome.
     */
    put(request: PutRequest, options?: CallOptions): Promise<void>;

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
    get(request: GetRequest, options?: CallOptions): Promise<GetResponse>;

    /**
     * Reads all moments.
     *
     * @param request.limit The most.
     * @param options Its signal and its timeoutMs.
     * @returns Batches, each with `moments`: Moments.
     * @throws {TauError} Above all invalid_payload.
     */
    walk(request: WalkRequest, options?: CallOptions): TauStream<WalkResponse>;

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
    blend(request: BlendRequest, options?: CallOptions): Promise<BlendResponse>;
}
