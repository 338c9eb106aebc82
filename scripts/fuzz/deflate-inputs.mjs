// @ts-check
// Inputs for the deflate encoder, made by rule: repetitions at all distances, and what is at the edges of its design.

/** @typedef {import("./random.mjs").Random} Random */

const KIB = 1024;
const BLOCK_BYTES = 32 * KIB;
const EDGES = [1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 257, 258, 259, 260, 261, 262, 516, 517, 518, 519];
const BLOCK_EDGES = [BLOCK_BYTES, BLOCK_BYTES + BLOCK_BYTES / 4, 2 * BLOCK_BYTES, 2 * BLOCK_BYTES + BLOCK_BYTES / 4];

/** @param {Random} random */
function sizeOf(random) {
  if (random.oneIn(400)) return 1024 * KIB - random.below(20);
  if (random.oneIn(6)) return Math.max(0, random.pick(BLOCK_EDGES) + random.below(41) - 20);
  if (random.oneIn(3)) return random.below(60);
  return random.below(random.pick([300, 3000, 20_000, 100_000]));
}

/** @param {Random} random @returns {Buffer} of up to 1 MiB */
export function deflateInput(random) {
  const result = Buffer.alloc(sizeOf(random));
  const values = random.pick([1, 2, 3, 7, 40, 200, 256, 256]);
  const first = random.below(256);
  let at = 0;
  while (at < result.length) {
    const length = Math.min(
      result.length - at,
      random.oneIn(2) ? random.pick(EDGES) : 1 + random.below(random.oneIn(9) ? 40_000 : 40),
    );
    // The first bytes have nothing to repeat.
    const rule = at === 0 ? 0 : random.below(5);
    if (rule < 2) for (let index = 0; index < length; index += 1) result[at + index] = first + random.below(values);
    else if (rule === 2) result.fill(random.below(256), at, at + length);
    else repeat(result, at, length, distanceOf(random, at));
    at += length;
  }
  return result;
}

/** @param {Random} random @param {number} at */
function distanceOf(random, at) {
  const far = random.pick([
    1, 2, 3, 4, 5, 7, 8, 16, 100, 4096, 32_766, 32_767, 32_768, 32_769, 32_770, 65_535, 65_536, 65_537,
  ]);
  return Math.min(at, random.oneIn(2) ? far : 1 + random.below(40_000));
}

/** @param {Buffer} result @param {number} at @param {number} length @param {number} distance */
function repeat(result, at, length, distance) {
  for (let index = at; index < at + length; index += 1) result[index] = result[index - distance] ?? 0;
}
