export const LAST_LEVEL: number;

/**
 * Compresses at most 1 MiB to a deflate stream (RFC 1951) that depends on nothing but the input and the level, 1 or 2.
 *
 * @returns memory that is valid until the next call.
 */
export function deflate(input: Uint8Array, level: number): Uint8Array;

/** The same with an instance of its own of the compiled encoder. */
export function createDeflate(wasm: Uint8Array): (input: Uint8Array, level: number) => Uint8Array;
