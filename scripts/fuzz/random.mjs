// @ts-check
// Numbers that are the same for the same seed, on every machine.

/** @typedef {ReturnType<typeof createRandom>} Random */

/** @param {number} seed @param {number} [stream] a second number, so that each mutant has a sequence of its own. */
export function createRandom(seed, stream = 0) {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  /** From 0 to `limit - 1`. @param {number} limit */
  const below = limit => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    /** True in one of `count` cases. @param {number} count */
    oneIn: count => below(count) === 0,
    /** @template T @param {readonly [T, ...T[]] | readonly T[]} choices @returns {T} */
    pick: choices => /** @type {T} */ (choices[below(choices.length)]),
    /** @param {number} length */
    bytes: length => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
