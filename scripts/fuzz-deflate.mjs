// @ts-check
// Inputs made by rule through the deflate encoder. The checked build traps at a match that reaches outside the window or
// differs; zlib and a strict decoder inflate the result; the build that is shipped, and a fresh instance, must write the
// same bytes.
import { parseArgs } from "node:util";
import { inflateRawSync } from "node:zlib";
import { createDeflate } from "../src/compress/gzip/deflate/deflate.mjs";
import { strictInflate } from "../test/support/strict-inflate.mjs";
import { compileDeflate } from "./build/deflate-wasm.mjs";
import { deflateInput } from "./fuzz/deflate-inputs.mjs";
import { createRandom } from "./fuzz/random.mjs";

const usage = `usage: npm run fuzz:deflate -- [options]
  --count 100000   inputs
  --seed 1         another number gives other inputs
  --from 0         first input: a failure is repeated with its seed, --from and --count 1
  --json           figures as one line of JSON`;

const LEVELS = [1, 2];
/** The strict decoder and a fresh instance are slow. */
const STRICT_EVERY = 20;
const FRESH_EVERY = 200;
const SHOWN = 20;

/** @param {{ count: number, seed: number, from: number }} options */
async function fuzz({ count, seed, from }) {
  const started = performance.now();
  const wasm = await compileDeflate();
  const [shipped, checked] = [createDeflate(wasm), createDeflate(await compileDeflate({ isChecked: true }))];
  let [failures, bytes, deflated] = [0, 0, 0];
  /** @param {Buffer} input @param {number} level @param {number} number */
  const check = (input, level, number) => {
    const output = Buffer.from(checked(input, level));
    if (!inflateRawSync(output).equals(input)) throw new Error("zlib inflates it to other bytes");
    if (!output.equals(shipped(input, level))) throw new Error("the shipped build writes other bytes");
    if (number % STRICT_EVERY === 0 && !strictInflate(output, input.length).equals(input))
      throw new Error("the strict decoder inflates it to other bytes");
    if (number % FRESH_EVERY === 0 && !output.equals(createDeflate(wasm)(input, level)))
      throw new Error("a fresh instance writes other bytes");
    deflated += output.length;
  };
  for (let number = from; number < from + count; number += 1) {
    const input = deflateInput(createRandom(seed, number));
    bytes += input.length;
    for (const level of LEVELS) {
      try {
        check(input, level, number);
      } catch (error) {
        failures += 1;
        if (failures <= SHOWN) process.stderr.write(`seed ${seed}, input ${number}, level ${level}: ${error}\n`);
      }
    }
  }
  return { seed, inputs: count, failures, bytes, deflated, seconds: Math.round((performance.now() - started) / 1000) };
}

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const numbers = { count: Number(values.count), seed: Number(values.seed), from: Number(values.from) };
if (values.help || Object.values(numbers).some(Number.isNaN)) {
  process.stdout.write(`${usage}\n`);
} else {
  const figures = await fuzz(numbers);
  process.stdout.write(
    values.json
      ? `${JSON.stringify(figures)}\n`
      : `${figures.inputs} inputs, ${figures.failures} failures, ${figures.bytes} bytes in, ${figures.seconds} s\n`,
  );
  if (figures.failures > 0) process.exitCode = 1;
}
