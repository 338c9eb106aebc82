// @ts-check
// Archives that image tools could have written: every dialect, number form and extension of the accepted grammar.
import { createHash } from "node:crypto";
import { fixChecksum, header, pad, paxRecord, setField } from "./tar-bytes.mjs";

/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {{ bytes: Buffer, headers: number[], metas: { start: number, length: number }[] }} Archive */

const SIZE_FORMS = ["plain", "plain", "base256", "blanks", "full", "short", "blank-nul"];
const DIALECTS = /** @type {(keyof typeof import("./tar-bytes.mjs").MAGICS)[]} */ (["posix", "posix", "gnu", "v7"]);
const BODY_SIZES = [0, 1, 30, 511, 512, 513, 1024, 1500];

/** @param {Random} random */
function hex(random) {
  return createHash("sha256")
    .update(String(random.below(6)))
    .digest("hex");
}

/** @param {Random} random */
function fileName(random) {
  const names = [
    "manifest.json",
    "index.json",
    "oci-layout",
    "repositories",
    `${hex(random)}.json`,
    `${hex(random)}/layer.tar`,
    `${hex(random)}/VERSION`,
    `blobs/sha256/${hex(random)}`,
    `blobs/sha512/${hex(random)}${hex(random)}`,
    `sha256:${hex(random)}`,
    `été/${random.below(100)} ö.tar`,
    `deep/${"folder/".repeat(random.below(20))}f${random.below(9)}`,
    `long/${"n".repeat(80 + random.below(120))}`,
    ` blank ${random.below(9)} -> "x`,
    `name ${random.below(50)}`,
  ];
  return `${random.oneIn(6) ? "./" : ""}${random.pick(names)}`;
}

/** A body that would show up as entries if a reader lost its place. @param {Random} random */
function planted(random) {
  const body = Buffer.from('[{"Config":"planted.json"}]');
  const name = random.pick(["manifest.json", "planted", "index.json"]);
  return Buffer.concat(
    [header({ name, type: "0", size: body.length }), pad(body), random.oneIn(2) ? Buffer.alloc(1024) : ""].map(part =>
      Buffer.from(part),
    ),
  );
}

/** @param {Random} random */
function body(random) {
  if (random.oneIn(3)) return planted(random);
  return Buffer.alloc(random.pick(BODY_SIZES), 1 + random.below(255));
}

/** Records that change nothing. @param {Random} random @returns {Buffer[]} */
function idleRecords(random) {
  /** @type {[string, string | Uint8Array][]} */
  const all = [
    ["mtime", random.pick(["1.5", "-1", "1700000000.123456789", "0"])],
    ["atime", "1700000000"],
    ["ctime", "1700000000.5"],
    ["uid", random.pick(["0", "4294967294", "70000"])],
    ["gid", "70000"],
    ["uname", random.pick(["root", "été", ""])],
    ["gname", "wheel"],
    ["comment", random.pick(["c", `c`.repeat(600), "12 path=planted\n", "30 hdrcharset=BINARY\n"])],
    ["hdrcharset", "ISO-IR 10646 2000 UTF-8"],
    ["SCHILY.xattr.security.capability", random.bytes(20)],
    ["SCHILY.xattr.user.a", "12 path=planted\n"],
    ["LIBARCHIVE.creationtime", "1700000000"],
    ["SCHILY.dev", "5"],
    ["VENDOR.path", "planted"],
    ["MSWINDOWS.rawsd", "AQ=="],
    ["path ", "planted"],
    ["pathx", "planted"],
    ["Path", "planted"],
  ];
  const kept = all.filter(() => random.oneIn(5));
  if (kept.length === 0) kept.push(["mtime", "1.5"]);
  return kept.map(([key, value]) => paxRecord(key, value));
}

/** Numbers that nobody interprets, in every form that tools write. @param {Random} random @param {Buffer} block */
function varyIdleFields(random, block) {
  if (random.oneIn(2)) return;
  const eight = () =>
    random.pick([
      "",
      "0000755\0",
      "    644 ",
      "100644 \0",
      "00000644",
      Uint8Array.of(0x80, 0, 0, 0, 0, 0, 1, 0),
      "       \0",
    ]);
  for (const field of /** @type {const} */ (["mode", "uid", "gid"]))
    if (random.oneIn(3)) setField(block, field, eight());
  const times = [
    "",
    "14371541345\0",
    "14371541345 ",
    "           0",
    Uint8Array.of(0xff, ...Buffer.alloc(11, 0xff)),
    Uint8Array.of(0x80, ...Buffer.alloc(10), 9),
  ];
  if (random.oneIn(2)) setField(block, "mtime", random.pick(times));
  if (random.oneIn(3)) setField(block, "uname", random.pick(["root", "été", random.bytes(32)]));
  if (random.oneIn(3)) setField(block, "gname", random.pick(["root", random.bytes(32)]));
  if (random.oneIn(3)) setField(block, "devmajor", random.pick(["0000000\0", "", "0000010\0", "      0\0"]));
  fixChecksum(block, random.pick(["posix", "blanks", "long"]));
}

class Writer {
  /** @type {Buffer[]} */
  #parts = [];
  #length = 0;
  /** @type {number[]} */
  headers = [];
  /** @type {{ start: number, length: number }[]} */
  metas = [];

  /** @param {Buffer} block @param {Uint8Array} body @param {boolean} isMeta */
  add(block, body, isMeta) {
    this.headers.push(this.#length);
    if (isMeta) this.metas.push({ start: this.#length + 512, length: body.length });
    this.raw(block);
    this.raw(pad(body));
  }

  /** @param {Buffer} bytes */
  raw(bytes) {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** @returns {Archive} */
  archive() {
    return { bytes: Buffer.concat(this.#parts), headers: this.headers, metas: this.metas };
  }
}

/** @param {Random} random @param {Writer} writer @param {{ name: string, type: string, link: string, body: Buffer }} entry */
function write(random, writer, { name, type, link, body }) {
  const magic = random.pick(DIALECTS);
  const sizeForm = random.pick(SIZE_FORMS);
  const nameBytes = Buffer.from(name);
  let [prefix, short] = ["", /** @type {string | Uint8Array} */ (name)];
  const isLong = nameBytes.length > 100;
  const slash = nameBytes.subarray(0, 155).lastIndexOf(0x2f);
  const fitsPrefix =
    magic === "posix" && slash > 1 && nameBytes.length - slash - 1 <= 100 && slash < nameBytes.length - 1;
  if (fitsPrefix && (isLong || random.oneIn(6)) && !random.oneIn(3)) {
    prefix = nameBytes.subarray(0, slash).toString();
    short = nameBytes.subarray(slash + 1);
  } else if (isLong || random.oneIn(8) || Buffer.byteLength(link) > 100) {
    if (random.oneIn(2)) {
      const records = [
        paxRecord("path", name),
        ...(link === "" || random.oneIn(2) ? [] : [paxRecord("linkpath", link)]),
      ];
      if (Buffer.byteLength(link) > 100 && records.length === 1) records.push(paxRecord("linkpath", link));
      const meta = Buffer.concat([...records, ...idleRecords(random)]);
      writer.add(
        header({
          name: random.pick(["PaxHeaders/f", "./PaxHeaders.0/x", "manifest.json"]),
          type: "x",
          size: meta.length,
        }),
        meta,
        true,
      );
    } else {
      const long = (/** @type {string} */ text, /** @type {string} */ type) => {
        const meta = Buffer.concat([Buffer.from(text), Buffer.alloc(1 + (random.oneIn(6) ? random.below(600) : 0))]);
        writer.add(
          header({ name: "././@LongLink", type, size: meta.length, magic: random.pick(["gnu", "gnu", "posix"]) }),
          meta,
          true,
        );
      };
      const isLinkLong = link !== "" && (Buffer.byteLength(link) > 100 || random.oneIn(2));
      const linkFirst = random.oneIn(2);
      if (isLinkLong && linkFirst) long(link, "K");
      long(name, "L");
      if (isLinkLong && !linkFirst) long(link, "K");
    }
    short = random.oneIn(3) ? random.pick(["innocent", "manifest.json", "x"]) : nameBytes.subarray(0, 100);
  } else if (random.oneIn(4)) {
    const sized = random.oneIn(4) ? [paxRecord("size", String(body.length))] : [];
    const meta = Buffer.concat([...sized, ...idleRecords(random)]);
    writer.add(header({ name: "PaxHeaders/f", type: "x", size: meta.length }), meta, true);
  }
  const block = header({
    name: short,
    type,
    size: body.length,
    link: Buffer.from(link).subarray(0, 100),
    magic,
    sizeForm,
    prefix,
  });
  varyIdleFields(random, block);
  writer.add(block, body, false);
}

/** An archive of one to seven entries; nearly all are inside the accepted grammar. @param {Random} random @returns {Archive} */
export function generate(random) {
  const writer = new Writer();
  const names = new Set();
  if (random.oneIn(8)) writer.add(header({ name: "./", type: "5", size: 0 }), Buffer.alloc(0), false);
  for (let count = 1 + random.below(6); count > 0; count -= 1) {
    const name = fileName(random);
    const clean = name.replace(/^\.\//, "");
    if (names.has(clean) && !random.oneIn(40)) continue;
    names.add(clean);
    const isMetadata = /^(manifest\.json|index\.json|oci-layout)$/.test(clean);
    const kind = isMetadata ? "file" : random.pick(["file", "file", "file", "folder", "symlink", "hardlink"]);
    const [, folder] = /^(.*)\/[^/]*$/.exec(name) ?? [];
    if (random.oneIn(10) && folder !== undefined)
      write(random, writer, { name: `${folder}/`, type: "5", link: "", body: Buffer.alloc(0) });
    if (random.oneIn(15)) {
      const meta = paxRecord("comment", hex(random));
      writer.add(header({ name: "pax_global_header", type: "g", size: meta.length }), meta, true);
    }
    const link = random.pick([
      `../${hex(random)}/layer.tar`,
      "layer.tar",
      `blobs/sha256/${hex(random)}`,
      `far/${"l".repeat(110)}`,
    ]);
    if (kind === "file")
      write(random, writer, { name, type: random.pick(["0", "0", "\0"]), link: "", body: body(random) });
    else if (kind === "folder")
      write(random, writer, { name: `${name}${random.pick(["", "/"])}`, type: "5", link: "", body: Buffer.alloc(0) });
    else write(random, writer, { name, type: kind === "symlink" ? "2" : "1", link, body: Buffer.alloc(0) });
  }
  const end = random.pick([1024, 1024, 1024, 10_240, 512, 0, 1536, 2048]);
  writer.raw(Buffer.alloc(end));
  return writer.archive();
}
