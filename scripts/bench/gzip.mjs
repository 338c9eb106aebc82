// @ts-check
// The choice of gzip level and block size: every candidate on the same pieces of the image, in one process, in turn.
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { crc32, gzipSync } from "node:zlib";
import { deflate as libdeflate } from "libdeflate";
import { memberWriter } from "../../src/compress/gzip/gzip-member.mjs";
import { table } from "./report.mjs";

const MIB = 2 ** 20;
const pieceBytes = 4 * MIB;
const profileLevel = 2;
/** @type {Record<number, string>} */
const ownLevels = { 1: "imgpack gzip:1 (fast)", 2: "imgpack gzip:2 (small)" };

/**
 * @typedef {object} Candidate
 * @property {string} label
 * @property {(piece: Uint8Array) => number} compress gives the bytes of the output
 */

/** @type {Candidate[]} */
const levels = [
  ...(await Promise.all(
    [1, 2, 4, 6, 9].map(async level => ({
      label: ownLevels[level] ?? `imgpack gzip:${level} (libdeflate)`,
      compress: await members(level, MIB),
    })),
  )),
  ...[1, 2].map(level => ({
    label: `libdeflate ${level}, 1 MiB blocks`,
    compress: (/** @type {Uint8Array} */ piece) => sum(piece, MIB, block => unprobed(block, libdeflate, level)),
  })),
  ...[1, 4, 6].map(level => ({
    label: `Node's zlib ${level}, whole`,
    compress: (/** @type {Uint8Array} */ piece) => gzipSync(piece, { level }).length,
  })),
];

/** @type {Candidate[]} */
const blocks = await Promise.all(
  [256, 512, 1024].map(async kib => ({
    label: `${kib} KiB blocks`,
    compress: await members(profileLevel, kib * 1024),
  })),
);

/** @type {Candidate[]} */
const probes = [
  { label: "imgpack gzip:2", compress: await members(2, MIB) },
  { label: "imgpack gzip:4, with its probe", compress: await members(4, MIB) },
  {
    label: "libdeflate 4, without a probe",
    compress: piece => sum(piece, MIB, block => unprobed(block, libdeflate, 4)),
  },
];

/** @param {number} level @param {number} blockBytes */
async function members(level, blockBytes) {
  const target = new Uint8Array(blockBytes + 65536);
  const writeMember = await memberWriter(level);
  return (/** @type {Uint8Array} */ piece) => sum(piece, blockBytes, block => writeMember(block, target));
}

/**
 * Deflate and checksum as in a member, whatever the content.
 * @param {Uint8Array} block @param {typeof libdeflate} compress @param {number} level
 */
function unprobed(block, compress, level) {
  crc32(block);
  return compress(block, level).length + 18;
}

/** @param {Uint8Array} piece @param {number} blockBytes @param {(block: Uint8Array) => number} compress */
function sum(piece, blockBytes, compress) {
  let bytes = 0;
  for (let at = 0; at < piece.length; at += blockBytes) bytes += compress(piece.subarray(at, at + blockBytes));
  return bytes;
}

/**
 * @param {string} archive a plain archive
 * @returns {Promise<string>} markdown
 */
export async function gzipSection(archive) {
  /** @type {[string, string, Candidate[], AsyncGenerator<Uint8Array>][]} */
  const parts = [
    ["Level", "Pieces of 4 MiB spread over the image", levels, imagePieces(archive)],
    ["Block size", "The same pieces", blocks, imagePieces(archive)],
    ["Compressed content", "The same pieces, each compressed before", probes, compressedPieces(archive)],
    ["Random content", "Pieces of 4 MiB", probes, randomPieces()],
  ];
  const sections = ["## Choice of gzip level and block size"];
  for (const [title, input, candidates, pieces] of parts) {
    const { count, rows } = await compare(candidates, pieces);
    sections.push(
      `### ${title}`,
      `${input}: ${count}. One thread, all candidates in turn on each piece.`,
      table(["", "output / input", "MB per CPU s"], rows),
    );
  }
  return sections.join("\n\n");
}

/** @param {Candidate[]} candidates @param {AsyncGenerator<Uint8Array>} pieces */
async function compare(candidates, pieces) {
  const totals = candidates.map(() => ({ output: 0, microseconds: 0 }));
  let input = 0;
  let count = 0;
  for await (const piece of pieces) {
    // The first piece runs twice: compiling is nobody's cost.
    if (count === 0) for (const { compress } of candidates) compress(piece);
    count++;
    input += piece.length;
    for (const [index, total] of totals.entries()) {
      const before = process.cpuUsage();
      total.output += candidates[index]?.compress(piece) ?? 0;
      const { user, system } = process.cpuUsage(before);
      total.microseconds += user + system;
    }
  }
  const rows = totals.map(({ output, microseconds }, index) => [
    candidates[index]?.label ?? "",
    (output / input).toFixed(4),
    (input / microseconds).toFixed(1),
  ]);
  return { count, rows };
}

/** @param {string} archive */
async function* imagePieces(archive) {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const count = Math.min(64, Math.floor(size / pieceBytes));
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let index = 0; index < count; index++) {
      const spread = ((size - pieceBytes) * index) / Math.max(1, count - 1);
      const { bytesRead } = await file.read(piece, 0, pieceBytes, Math.floor(spread / MIB) * MIB);
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** @param {string} archive */
async function* compressedPieces(archive) {
  for await (const piece of imagePieces(archive)) yield gzipSync(piece);
}

async function* randomPieces() {
  for (let index = 0; index < 8; index++) yield randomBytes(pieceBytes);
}
