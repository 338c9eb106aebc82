// @ts-check
// Inputs of the gzip vectors, made by rule so that no big file is kept. Also runs outside the test runner.

/**
 * x ← 1664525·x + 1013904223 mod 2³², from x = 1; each step gives the upper 16 bits of x.
 * @returns {() => number}
 */
function createLcg() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 16;
  };
}

const PHRASE = new TextEncoder().encode("Layers are read in place and compressed block by block.\n");
/** Bytes after which "echo" repeats itself: its histogram is that of noise, and yet it shrinks. */
const ECHO_BYTES = 1000;

/** @type {Record<string, (target: Uint8Array, values: number) => void>} */
const RULES = {
  zeros: () => undefined,
  noise(target, values) {
    const next = createLcg();
    for (let index = 0; index < target.length; index += 1) target[index] = (next() * values) >>> 16;
  },
  words(target) {
    const next = createLcg();
    for (let index = 0; index < target.length; ) {
      const word = `${(next() & 1023).toString(36)}${(next() & 15).toString(2)} `;
      for (let at = 0; at < word.length && index < target.length; at += 1, index += 1) {
        target[index] = word.charCodeAt(at);
      }
    }
  },
  phrase(target) {
    for (let index = 0; index < target.length; index += 1) target[index] = PHRASE[index % PHRASE.length] ?? 0;
  },
  echo(target) {
    const next = createLcg();
    for (let index = 0; index < target.length; index += 1) {
      target[index] = index < ECHO_BYTES ? next() >>> 8 : (target[index - ECHO_BYTES] ?? 0);
    }
  },
};

/** @param {readonly { rule: string, bytes: number, values?: number }[]} parts */
export function gzipInput(parts) {
  const result = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes, 0));
  let start = 0;
  for (const { rule, bytes, values = 256 } of parts) {
    const fill = RULES[rule];
    if (fill === undefined) throw new Error(`no such rule: ${rule}`);
    fill(result.subarray(start, start + bytes), values);
    start += bytes;
  }
  return result;
}
