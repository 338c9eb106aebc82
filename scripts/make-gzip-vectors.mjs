// @ts-check
// Writes fixtures/gzip-profile-v2.json; with --check it compares instead, also under another Node build. The profile
// is frozen: a difference is a fault of the code, never a reason to write the file again.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { memberWriter } from "../src/compress/gzip/gzip-member.mjs";
import { gzipInput } from "../test/support/gzip-inputs.mjs";

const FILE = new URL("../fixtures/gzip-profile-v2.json", import.meta.url);
/** Both of our own encoder, and two of libdeflate. */
const LEVELS = [1, 2, 4, 9];
const BLOCK_BYTES = 1024 * 1024;

/** @type {{ name: string, parts: import("../test/support/gzip-inputs.mjs").InputPart[] }[]} */
const INPUTS = [
  { name: "empty", parts: [] },
  { name: "one-byte", parts: [{ rule: "noise", bytes: 1 }] },
  { name: "small-noise", parts: [{ rule: "noise", bytes: 40_000 }] },
  { name: "small-words", parts: [{ rule: "words", bytes: 40_000 }] },
  { name: "one-block-of-words", parts: [{ rule: "words", bytes: BLOCK_BYTES }] },
  { name: "one-block-and-a-byte", parts: [{ rule: "words", bytes: BLOCK_BYTES + 1 }] },
  { name: "zeros", parts: [{ rule: "zeros", bytes: 2 * BLOCK_BYTES + 512 }] },
  { name: "phrase", parts: [{ rule: "phrase", bytes: BLOCK_BYTES + 65_537 }] },
  { name: "noise-of-three-blocks", parts: [{ rule: "noise", bytes: 3 * BLOCK_BYTES }] },
  { name: "probe-edge-below", parts: [{ rule: "noise", bytes: 65_535 }] },
  { name: "probe-edge-above", parts: [{ rule: "noise", bytes: 65_536 }] },
  { name: "dense-histogram-that-shrinks", parts: [{ rule: "echo", bytes: BLOCK_BYTES }] },
  { name: "literals-of-one-block", parts: [{ rule: "noise", bytes: 40_960, values: 128 }] },
  { name: "literals-of-two-blocks", parts: [{ rule: "noise", bytes: 40_961, values: 128 }] },
  { name: "density-just-below", parts: [{ rule: "noise", bytes: 200_000, values: 208 }] },
  { name: "density-just-above", parts: [{ rule: "noise", bytes: 200_000, values: 210 }] },
  {
    name: "mixed",
    parts: [
      { rule: "words", bytes: 700_000 },
      { rule: "noise", bytes: 1_500_000 },
      { rule: "zeros", bytes: 300_000 },
      { rule: "echo", bytes: 90_000 },
      { rule: "noise", bytes: 600_000, values: 64 },
      { rule: "phrase", bytes: 77 },
    ],
  },
];

/** @param {Uint8Array} bytes */
const sha256 = bytes => createHash("sha256").update(bytes).digest("hex");

/** @param {Uint8Array} input @param {number} level */
async function gzip(input, level) {
  const members = [];
  const writeMember = await memberWriter(level);
  for (let start = 0; start < input.length || start === 0; start += BLOCK_BYTES) {
    const target = new Uint8Array(BLOCK_BYTES + 1024);
    members.push(target.subarray(0, writeMember(input.subarray(start, start + BLOCK_BYTES), target)));
  }
  return Buffer.concat(members);
}

const vectors = [];
for (const { name, parts } of INPUTS) {
  const input = gzipInput(parts);
  const levels = [];
  for (const level of LEVELS) {
    const output = await gzip(input, level);
    levels.push({ level, gzipBytes: output.length, gzipSha256: sha256(output) });
  }
  vectors.push({ name, parts, inputBytes: input.length, inputSha256: sha256(input), levels });
}
const text = `${JSON.stringify({ profile: "imgpack-gzip-v2", vectors }, null, 2)}\n`;
if (process.argv.includes("--check")) {
  const isEqual = (await readFile(FILE, "utf8")) === text;
  const { node, zlib } = process.versions;
  process.stdout.write(`${isEqual ? "equal" : "DIFFERENT"}: Node ${node}, zlib ${zlib}, ${process.arch}\n`);
  if (!isEqual) process.exitCode = 1;
} else {
  await writeFile(FILE, text);
}
