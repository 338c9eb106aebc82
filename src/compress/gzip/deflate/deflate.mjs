// @ts-check
import { DEFLATE_WASM } from "./deflate-wasm.mjs";

/** Highest level of our own encoder: 1 is fast, 2 is small. */
export const LAST_LEVEL = 2;

/**
 * Compresses at most 1 MiB to a deflate stream (RFC 1951) that depends on nothing but the input and the level.
 * @typedef {(input: Uint8Array, level: number) => Uint8Array} Deflate the result is valid until the next call
 */

/** @type {Deflate | undefined} */
let encoder;

/** @type {Deflate} */
export function deflate(input, level) {
  encoder ??= createDeflate(Buffer.from(DEFLATE_WASM, "base64"));
  return encoder(input, level);
}

/**
 * @param {Uint8Array} wasm
 * @returns {Deflate}
 */
export function createDeflate(wasm) {
  const { WebAssembly } = /** @type {WebAssemblyGlobal} */ (/** @type {unknown} */ (globalThis));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
  const memory = new Uint8Array(exports.memory.buffer);
  const inputAddress = exports.inputAddress();
  const outputAddress = exports.outputAddress();
  return (input, level) => {
    memory.set(input, inputAddress);
    const bytes = exports.deflate(input.length, level);
    return memory.subarray(outputAddress, outputAddress + bytes);
  };
}

/**
 * @typedef {object} DeflateExports
 * @property {{ buffer: ArrayBuffer }} memory of a fixed size
 * @property {() => number} inputAddress
 * @property {() => number} outputAddress
 * @property {(bytes: number, level: number) => number} deflate
 */

/**
 * Node's types have no WebAssembly without those of the browser.
 * @typedef {object} WebAssemblyGlobal
 * @property {{ Module: new (wasm: Uint8Array) => object, Instance: new (module: object) => { exports: DeflateExports } }} WebAssembly
 */
