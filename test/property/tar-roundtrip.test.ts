import fc from "fast-check";
import { extract, pack } from "tar-stream";
import { expect, test } from "vitest";
import { decodeHeader, encodeHeader } from "../../src/tar/header.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { encodeSlotHeader, planGaps, planTar } from "../../src/tar/tar-plan.ts";
import { gnuLong, memoryTar, paxEntry, tarArchive, tarEntry } from "../support/tar-builder.ts";

const size = fc.oneof(fc.nat(3000), fc.nat({ max: Number.MAX_SAFE_INTEGER }), fc.constantFrom(2 ** 33 - 1, 2 ** 33));
const segment = fc
  .string({ unit: "binary", minLength: 1, maxLength: 12 })
  .filter(text => !/[/\\\p{Cc}\p{Cs}]/u.test(text) && text !== "." && text !== "..");
const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map(parts => parts.join("/"));
const shortName = name.filter(text => Buffer.byteLength(text) <= 100);

interface Planned {
  readonly name: string;
  readonly size: number;
}
/** No name twice, none that is a folder of another. */
function isConsistent(files: readonly Planned[]): boolean {
  const names = new Set(files.map(file => file.name));
  const isBelow = (text: string): boolean =>
    text.split("/").some((_, at, parts) => at > 0 && names.has(parts.slice(0, at).join("/")));
  return names.size === files.length && ![...names].some(isBelow);
}
const files = (sizes: fc.Arbitrary<number>): fc.Arbitrary<Planned[]> =>
  fc.array(fc.record({ name: shortName, size: sizes }), { maxLength: 12 }).filter(isConsistent);

test("decodeHeader() gives back what encodeHeader() was given", () => {
  fc.assert(
    fc.property(shortName, size, (text, bytes) => {
      const header = decodeHeader(encodeHeader(text, bytes), { what: "the archive", offset: 0 });
      expect({ ...header, name: Buffer.from(header.name).toString(), linkName: header.linkName.length }).toEqual({
        name: text,
        size: bytes,
        type: "file",
        linkName: 0,
      });
    }),
  );
});

test("planTar() keeps slots apart and 512-aligned, and gaps fill exactly what is left", () => {
  fc.assert(
    fc.property(files(fc.nat(2 ** 40)), planned => {
      const plan = planTar(planned);
      const parts = [
        ...[...plan.slots.values()].flatMap(slot => [
          [slot.headerOffset, 512] as const,
          [slot.bodyOffset, slot.size] as const,
        ]),
        ...planGaps(plan).map(gap => [gap.position, gap.length] as const),
      ].sort(([a, lengthA], [b, lengthB]) => a - b || lengthA - lengthB);
      let end = 0;
      for (const [position, length] of parts) {
        expect(position).toBe(end);
        end += length;
      }
      expect(end).toBe(plan.totalBytes);
      for (const slot of plan.slots.values()) expect(slot.headerOffset % 512).toBe(0);
    }),
  );
});

test("indexTar() of a planned archive is the plan", async () => {
  await fc.assert(
    fc.asyncProperty(files(fc.nat(2000)), fc.integer({ min: 1, max: 2000 }), async (planned, maxRead) => {
      const plan = planTar(planned);
      const bytes = Buffer.alloc(plan.totalBytes, 0xaa);
      for (const slot of plan.slots.values()) bytes.set(encodeSlotHeader(slot), slot.headerOffset);
      for (const { position, length } of planGaps(plan)) bytes.fill(0, position, position + length);
      const { entries, warnings } = await indexTar(memoryTar(bytes, maxRead));
      expect(warnings).toEqual([]);
      expect([...entries.values()]).toEqual(
        [...plan.slots.values()].map(slot => ({
          name: slot.name,
          type: "file",
          bodyOffset: slot.bodyOffset,
          size: slot.size,
        })),
      );
    }),
  );
});

test("indexTar() sees under any layout what the builder made", async () => {
  const layout = fc.array(
    fc.record({ name, size: fc.nat(1500), how: fc.constantFrom("plain", "dot", "pax", "gnu", "v7") }),
    { maxLength: 10 },
  );
  await fc.assert(
    fc.asyncProperty(layout.filter(isConsistent), fc.nat(25), async (planned, endBlocks) => {
      const expected: unknown[] = [];
      const parts: Uint8Array[] = [];
      let offset = 0;
      for (const { name: text, size: bytes, how } of planned) {
        const isLong = Buffer.byteLength(text) > 98;
        const body = Buffer.alloc(bytes, 0x55);
        const before =
          how === "gnu" || (isLong && how !== "pax")
            ? [gnuLong(text)]
            : how === "pax"
              ? [paxEntry({ path: text })]
              : [];
        const shown = before.length > 0 ? "cut" : how === "dot" ? `./${text}` : text;
        const made = [...before, tarEntry({ name: shown, body, magic: how === "v7" ? "v7" : "posix" })];
        for (const part of made) offset += part.length;
        expected.push({ name: text, type: "file", bodyOffset: offset - Math.ceil(bytes / 512) * 512, size: bytes });
        parts.push(...made);
      }
      fc.pre(offset + endBlocks > 0);
      const { entries, warnings } = await indexTar(memoryTar(tarArchive(parts, endBlocks)));
      expect([...entries.values()]).toEqual(expected);
      expect(warnings).toHaveLength(endBlocks < 2 ? 1 : 0);
    }),
  );
});

test("indexTar() lists what tar-stream lists, on archives that tar-stream wrote", async () => {
  const long = fc
    .string({ unit: fc.constantFrom("a", "é", "f", "x", "/b"), minLength: 90, maxLength: 200 })
    .filter(text => !text.startsWith("/") && text.split("/").length <= 64);
  const layout = fc.array(fc.record({ name: fc.oneof(name, long), size: fc.nat(1200) }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(layout.filter(isConsistent), async planned => {
      const writer = pack();
      for (const { name: text, size: bytes } of planned)
        writer.entry({ name: text, mtime: new Date(1.5e12) }, Buffer.alloc(bytes, 1));
      for (const [at, { name: text }] of planned.entries()) {
        writer.entry({ name: `links/${at}`, type: at % 2 === 0 ? "symlink" : "link", linkname: text });
      }
      writer.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of writer as AsyncIterable<Buffer>) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const listed: unknown[] = [];
      const reader = extract();
      reader.end(bytes);
      for await (const entry of reader) {
        const { header } = entry;
        const type = header.type === "link" ? "hardlink" : header.type;
        listed.push({ name: header.name, type, size: header.size, linkName: header.linkname ?? undefined });
        entry.resume();
      }
      const { entries } = await indexTar(memoryTar(bytes));
      expect([...entries.values()].map(({ bodyOffset: _, ...entry }) => ({ linkName: undefined, ...entry }))).toEqual(
        listed,
      );
      for (const { bodyOffset, size: length } of entries.values()) {
        expect(bytes.subarray(bodyOffset, bodyOffset + length).every(byte => byte === 1)).toBe(true);
      }
    }),
  );
});
