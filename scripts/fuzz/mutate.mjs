// @ts-check
// What an attacker or a bad medium does to an archive. Checksums are made right again, so that readers look further.
import { MAGIC_VALUES, NAMES, NUMBERS, RECORDS, TYPES, VALUES } from "./hostile-values.mjs";
import { FIELDS, fixChecksum, header, pad, paxRecord, setField, sizeField } from "./tar-bytes.mjs";

/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {import("./generate.mjs").Archive} Archive */
/** @typedef {(random: Random, archive: Archive, other: () => Archive) => Buffer} Mutation */

/** @param {Random} random @param {number} near */
function sizeValue(random, near) {
  const value = random.pick([0, 1, 30, 511, 512, 513, 1024, 1536, near, near + 512, Math.max(0, near - 512), 2 ** 33]);
  return sizeField(value, random.pick(["plain", "base256", "blanks", "full", "short", "blank-nul"]));
}

/** @type {Mutation} */
function field(random, { bytes, headers }) {
  const at = random.pick(headers);
  const block = bytes.subarray(at, at + 512);
  const name = /** @type {keyof typeof FIELDS} */ (random.pick(Object.keys(FIELDS)));
  const old = Number.parseInt(block.toString("latin1", 124, 136), 8) || 0;
  const text = () => random.pick([...NAMES, random.bytes(100), "p".repeat(155)]);
  /** @type {Partial<Record<keyof typeof FIELDS, () => string | Uint8Array>>} */
  const values = {
    name: text,
    link: text,
    prefix: text,
    size: () => (random.oneIn(3) ? random.pick(NUMBERS) : sizeValue(random, old)),
    type: () => (random.oneIn(5) ? random.bytes(1) : random.pick(TYPES)),
    magic: () => (random.oneIn(5) ? random.bytes(8) : random.pick(MAGIC_VALUES)),
    tail: () => random.pick(["\0\0\0\0\0\0\0\0tar\0", random.bytes(12), "x"]),
    uname: () => random.bytes(32),
    gname: () => random.bytes(32),
  };
  setField(block, name, (values[name] ?? (() => random.pick([...NUMBERS, random.bytes(8)])))());
  fixChecksum(block, random.pick(["posix", "posix", "blanks", "long"]));
  return bytes;
}

/** @type {Mutation} */
function headerBit(random, { bytes, headers }) {
  const at = random.pick(headers);
  const bit = at + random.below(512);
  bytes[bit] = (bytes[bit] ?? 0) ^ (1 << random.below(8));
  if (!random.oneIn(3)) fixChecksum(bytes.subarray(at, at + 512));
  return bytes;
}

/** @type {Mutation} */
function anyBit(random, { bytes }) {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

/** @type {Mutation} */
function checksum(random, { bytes, headers }) {
  const at = random.pick(headers);
  bytes.write(random.pick(["0000000\0", "        ", "\0\0\0\0\0\0\0\0", "012345\0 ", "-12345\0 "]), at + 148, "latin1");
  return bytes;
}

/** @type {Mutation} */
function metaBytes(random, { bytes, metas }) {
  if (metas.length === 0) return bytes;
  const { start, length } = random.pick(metas);
  for (let count = 1 + random.below(3); count > 0 && length > 0; count -= 1) {
    const at = start + random.below(length);
    bytes[at] = random.pick([0, 0x0a, 0x20, 0x3d, 0x2f, 0x30, 0x31, 0x39, 0x2e, 0xff, random.below(256)]);
  }
  return bytes;
}

/** An extension before some header, as large or small as it likes. @type {Mutation} */
function insertMeta(random, { bytes, headers }) {
  const at = random.pick(headers);
  const type = random.pick(["x", "x", "x", "g", "L", "K"]);
  let meta = Buffer.concat(
    Array.from({ length: 1 + random.below(2) }, () => paxRecord(random.pick(RECORDS), random.pick(VALUES))),
  );
  if (type === "L" || type === "K")
    meta = Buffer.from(
      `${random.pick(["manifest.json", "planted", "d/", "", "x"])}${random.pick(["\0", "", "\0x", "\0\0\0"])}`,
    );
  if (random.oneIn(12)) meta = Buffer.alloc(0);
  const block = header({
    name: random.pick(["PaxHeaders/f", "manifest.json", "d/"]),
    type,
    size: meta.length,
    magic: random.pick(["posix", "gnu", "v7"]),
  });
  return Buffer.concat([bytes.subarray(0, at), block, pad(meta), bytes.subarray(at)]);
}

/** @type {Mutation} */
function blocks(random, { bytes, headers }, other) {
  const count = Math.max(1, Math.floor(bytes.length / 512));
  const at = 512 * (random.oneIn(2) ? random.pick(headers) / 512 : random.below(count));
  const length = 512 * (1 + random.below(3));
  const part = bytes.subarray(at, at + length);
  const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([before, part, behind]);
    case 1:
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([before, Buffer.alloc(length), behind]);
    case 3:
      return Buffer.concat([before, random.bytes(512), behind]);
    case 4:
      return Buffer.concat([before, other().bytes]);
    default: {
      const to = 512 * random.below(count);
      const copy = Buffer.from(part);
      bytes.copy(bytes, at, to, to + copy.length);
      copy.copy(bytes, to);
      return bytes;
    }
  }
}

/** @type {Mutation} */
function truncate(random, { bytes, headers }) {
  if (random.oneIn(3)) return bytes.subarray(0, random.below(bytes.length + 1));
  return bytes.subarray(0, random.pick([random.pick(headers), 512 * random.below(bytes.length / 512 + 1)]));
}

/** @type {Mutation} */
function tail(random, { bytes }) {
  return Buffer.concat([
    bytes,
    random.pick([Buffer.alloc(512), Buffer.alloc(random.below(600)), random.bytes(5), Buffer.alloc(9000)]),
  ]);
}

/** Two whole archives, one behind the other. @type {Mutation} */
function concatenate(_random, { bytes }, other) {
  return Buffer.concat([bytes, other().bytes]);
}

const MUTATIONS = [
  field,
  field,
  field,
  field,
  headerBit,
  headerBit,
  anyBit,
  checksum,
  metaBytes,
  metaBytes,
  insertMeta,
  insertMeta,
  blocks,
  blocks,
  truncate,
  tail,
  concatenate,
];

/** One to three mutations; field offsets stay those of the first archive. @param {Random} random @param {Archive} archive @param {() => Archive} other */
export function mutate(random, archive, other) {
  let bytes = archive.bytes;
  for (let count = random.pick([1, 1, 1, 2, 2, 3]); count > 0; count -= 1) {
    const headers = archive.headers.filter(at => at + 512 <= bytes.length);
    const metas = archive.metas.filter(({ start, length }) => start + length <= bytes.length);
    if (headers.length === 0 || bytes.length < 512) return bytes;
    bytes = random.pick(MUTATIONS)(random, { bytes, headers, metas }, other);
  }
  return bytes;
}
