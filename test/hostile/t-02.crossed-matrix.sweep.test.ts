// The smuggling matrix, crossed: every construction × the entry it aims at × before or behind the good image × plain or
// gzip. What is refused must be refused for its own reason, with nothing visible in the registry.
import { describe, expect, test } from "vitest";
import { gnuLong, paxEntry, paxRecord, type TarFields, tarArchive, tarEntry } from "../support/tar-builder.ts";
import { archiveOf, imageWith, type Part, pushBytes, refused } from "./t-image.ts";

const TARGETS: readonly Part[] = ["manifest.json", "index.json", "oci-layout", "config", "layer"];
const EVIL = '[{"Config":"evil.json","RepoTags":["app:1"],"Layers":[]}]';
const image = imageWith();

/** Entries to put beside the good image, aimed at the entry of that name. */
type Construction = (name: string, good: Uint8Array) => readonly Uint8Array[];
/** A planted entry of that name, odd in one way. */
const planted =
  (fields: TarFields | ((name: string) => TarFields)): Construction =>
  name => [tarEntry({ name, body: EVIL, ...(typeof fields === "function" ? fields(name) : fields) })];
/** A header whose body holds the planted entry. */
const hiding =
  (fields: TarFields, ...before: readonly Uint8Array[]): Construction =>
  name => [...before, tarEntry({ name: "innocent", body: tarEntry({ name, body: EVIL }), ...fields })];
const renamed =
  (extension: (name: string) => Uint8Array, fields: TarFields = {}): Construction =>
  name => [extension(name), tarEntry({ name: "innocent", body: EVIL, ...fields })];
const records = (...list: readonly (readonly [string, string])[]): Uint8Array =>
  tarEntry({ type: "x", body: Buffer.concat(list.map(([key, value]) => paxRecord(key, value))) });
const hiddenBytes = tarEntry({ name: "manifest.json", body: EVIL }).length;

const REFUSED: readonly (readonly [string, string, Construction])[] = [
  ["01 a second entry", "duplicate-name", planted({})],
  ["01 the same entry again", "duplicate-identical", (name, body) => [tarEntry({ name, body })]],
  ["01 a second entry with fields missing", "duplicate-name", planted({ body: '[{"Config":"evil.json"}]' })],
  ["02 a second one behind ./", "duplicate-cleaned-name", planted(name => ({ name: `./${name}` }))],
  ["02 a second one behind ././", "dot-segment", planted(name => ({ name: `././${name}` }))],
  [
    "03 PAX size over header size 0",
    "pax-size-over-empty",
    hiding({ size: 0 }, paxEntry({ size: String(hiddenBytes) })),
  ],
  ["04 PAX size 0 over the header's", "pax-size-mismatch", hiding({}, paxEntry({ size: "0" }))],
  ["04 PAX size 512 over the header's", "pax-size-mismatch", hiding({}, paxEntry({ size: "512" }))],
  ["05 a global PAX size", "pax-global", hiding({}, paxEntry({ size: "0" }, "g"))],
  ["05 a global PAX path", "pax-global", name => [paxEntry({ path: name }, "g"), tarEntry({ name: "x", body: EVIL })]],
  ["06 PAX size, then a GNU name", "mixed-meta", hiding({}, paxEntry({ size: "0" }), gnuLong("innocent"))],
  ["06 a GNU name, then PAX size", "mixed-meta", hiding({}, gnuLong("innocent"), paxEntry({ size: "0" }))],
  ["08 a negative base-256 size", "bad-size", hiding({ sizeField: new Uint8Array(12).fill(0xff) })],
  ["08 an empty size", "bad-size", hiding({ sizeField: "" })],
  ["10 a directory with a body", "directory-with-body", hiding({ name: "d/", type: "5" })],
  ["11 a symlink with a body", "symlink-with-body", hiding({ type: "2", linkName: "x" })],
  ["12 a hard link with a body", "hardlink-with-body", hiding({ type: "1", linkName: "x" })],
  ["13 an unknown type", "bad-type", hiding({ type: "Q" })],
  ["13 a contiguous file", "bad-type", planted({ type: "7" })],
  ["16 a PAX path", "duplicate-pax-name", renamed(path => paxEntry({ path }))],
  ["16 a PAX path behind ./", "duplicate-pax-name", renamed(path => paxEntry({ path: `./${path}` }))],
  ["17 a PAX path with NUL", "pax-nul", renamed(path => paxEntry({ path: `${path}\0.bak` }))],
  ["18 two PAX paths", "pax-repeated-key", renamed(path => records(["path", "x"], ["path", path]))],
  ["19 a GNU long name", "duplicate-gnu-name", renamed(gnuLong as (name: string) => Uint8Array)],
  ["19 a GNU long name with a second one behind its NUL", "bytes-after-nul", renamed(name => gnuLong(`x\0${name}`))],
  ["20 bytes behind the name's NUL", "bytes-after-nul", planted(name => ({ name: `${name}\0junk` }))],
  ["21 a wrong checksum", "bad-checksum", planted({ checksumField: "012345\0 " })],
  ["25 a name with ..", "dot-dot-segment", planted(name => ({ name: `x/../${name}` }))],
  ["25 an empty segment", "empty-segment", planted(name => ({ name: `x//${name}` }))],
  ["25 a backslash", "backslash-in-name", planted(name => ({ name: `x\\${name}` }))],
  ["26 an absolute name", "absolute-name", planted(name => ({ name: `/${name}` }))],
  ["an entry below the file", "file-and-folder", planted(name => ({ name: `${name}/x` }))],
  ["a folder of the file's name", "file-and-folder", planted(name => ({ name: `${name}/`, type: "5", body: "" }))],
  ["a file with a slash at its end", "file-with-slash", planted(name => ({ name: `${name}/` }))],
  ["a PAX path over a name with a slash", "file-with-slash", renamed(path => paxEntry({ path }), { name: "d/" })],
  ["T-20 a sparse name", "sparse-entry", renamed(name => paxEntry({ "GNU.sparse.name": name }))],
  ["T-20 old GNU sparse", "sparse-entry", planted({ type: "S", magic: "gnu" })],
  ["a volume label", "pax-key", renamed(name => paxEntry({ "GNU.volume.label": name }))],
  ["a PAX path in another charset", "pax-charset", renamed(path => records(["hdrcharset", "BINARY"], ["path", path]))],
  ["a GNU header with a prefix", "gnu-prefix", planted({ magic: "gnu", prefix: "x" })],
  ["a v7 header with a prefix", "bad-magic", planted({ magic: "v7", patches: { 345: "x" } })],
  ["a star header", "star-header", planted({ patches: { 508: "tar\0" } })],
  ["a mode that is no number", "bad-number", planted({ patches: { 100: "zzzz" } })],
  [
    "T-05 a NUL in a PAX linkpath",
    "pax-nul",
    renamed(name => paxEntry({ linkpath: `x\0${name}` }), { type: "2", body: "" }),
  ],
  ["a link target for a file", "link-target-without-link", renamed(name => gnuLong(name, "K"))],
  ["a symlink of its name", "duplicate-name", planted({ type: "2", linkName: "x", body: "" })],
  ["a hard link of its name", "duplicate-name", planted({ type: "1", linkName: "x", body: "" })],
];
// Where a metadata name would be a link, that is refused before the second entry of the name is.
const LINK_REASONS: Readonly<Record<string, string>> = {
  "a symlink of its name": "metadata-symlink",
  "a hard link of its name": "metadata-hardlink",
};

describe("T-02 crossed smuggling matrix (CVE-2025-62518, CVE-2026-33055)", () => {
  test("T-02 / it has at least 200 variants", () => {
    expect(REFUSED.length * TARGETS.length * 2).toBeGreaterThanOrEqual(200);
  });

  test.each(REFUSED)("T-02 / %s is refused as %s, wherever it aims and stands", async (what, reason, construct) => {
    for (const target of TARGETS) {
      const { name, body } = image[target];
      const extra = construct(name, body);
      const isMetadata = target !== "config" && target !== "layer";
      const why = (isMetadata ? LINK_REASONS[what] : undefined) ?? reason;
      expect(await pushBytes(archiveOf(image, extra)), `${target}, before`).toEqual(refused(why));
      // What passes by cannot be compared with what comes later.
      const passing = why === "duplicate-identical" ? "duplicate-name" : why;
      const gzip = await pushBytes(archiveOf(image, [], extra), "gzip");
      expect(gzip, `${target}, behind, gzip`).toEqual(refused(passing));
    }
  });

  test.each([
    ["14 one zero block", "data-after-zero-block", 512],
    ["15 two zero blocks", "data-after-end", 1024],
    ["T-28 the end of a record of 10 KiB", "data-after-end", 10_240],
  ])("T-02 / %s between two images is refused as %s", async (_, reason, zeros) => {
    const other = imageWith({ config: text => text.replace("amd64", "arm64") });
    for (const [first, second] of [
      [image, other],
      [other, image],
      [image, image],
    ] as const) {
      for (const wrapper of ["plain", "gzip"] as const) {
        const bytes = Buffer.concat([
          tarArchive([archiveOf(first)], 0).subarray(0, -1024),
          new Uint8Array(zeros),
          archiveOf(second),
        ]);
        expect(await pushBytes(bytes, wrapper)).toEqual(refused(reason));
      }
    }
  });
});

describe("T-02 crossed controls", () => {
  const long = `long/${"n".repeat(120)}`;
  test.each<[string, Construction]>([
    ["00 nothing", () => []],
    [
      "07 a base-256 size",
      () => [tarEntry({ name: "x", sizeField: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), body: "x" })],
    ],
    ["09 a blank-padded size", () => [tarEntry({ name: "x", sizeField: "          1 ", body: "x" })]],
    ["24 another case", name => [tarEntry({ name: name.toUpperCase(), body: EVIL })]],
    [
      "a PAX header named like it",
      name => [tarEntry({ name, type: "x", body: paxRecord("mtime", "1.5") }), tarEntry({ name: "x" })],
    ],
    [
      "a GNU long name header named like it",
      name => [tarEntry({ name, type: "L", body: `${long}\0` }), tarEntry({ name: "x" })],
    ],
    ["the name in a comment", name => [paxEntry({ comment: name }, "g")]],
    ["an entry in a folder", name => [tarEntry({ name: `sub/${name}`, body: EVIL })]],
    [
      "a chain of links that nothing refers to",
      name => [
        tarEntry({ name: "l1", type: "2", linkName: "l2" }),
        tarEntry({ name: "l2", type: "1", linkName: name }),
      ],
    ],
  ])("T-02 / control %s is accepted, wherever it stands", async (_, construct) => {
    const plain = await pushBytes(archiveOf(image));
    expect(plain).toMatchObject({ reason: "pushed", files: ["image.tar"] });
    expect(plain.visible).toContain("app:1");
    for (const target of TARGETS) {
      const extra = construct(image[target].name, image[target].body);
      expect(await pushBytes(archiveOf(image, extra)), `${target}, before`).toEqual(plain);
      // A global header wants an entry behind it.
      const behind = [...extra, tarEntry({ name: "last" })];
      expect(await pushBytes(archiveOf(image, [], behind), "gzip"), `${target}, behind, gzip`).toEqual(plain);
    }
  });
});
