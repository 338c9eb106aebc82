import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { gnuLong, memoryTar, paxEntry, paxRecord, tarArchive, tarEntry } from "../support/tar-builder.ts";

// Each of these was found by comparing readers: it was accepted here, and read differently by one of them.
async function verdictOf(...entries: Uint8Array[]): Promise<string> {
  try {
    const { entries: found } = await indexTar(memoryTar(tarArchive(entries)));
    return [...found.keys()].join(" ");
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return error.reason;
  }
}
const first = tarEntry({ name: "first", body: "x" });

describe("tar headers that readers take differently", () => {
  const fields = { mode: 100, uid: 108, gid: 116, mtime: 136, devmajor: 329, devminor: 337 };
  test.each(Object.entries(fields))(
    "T-02 a %s that is no number ends the archive in Python: refused",
    async (_, at) => {
      for (const junk of [
        "zzzz\0\0\0\0",
        "0000648\0",
        "-1\0\0\0\0\0\0",
        "0x10\0\0\0\0",
        "1_0\0\0\0\0\0",
        "\0junk\0\0\0",
        "12\0junk\0",
      ]) {
        const hidden = tarEntry({ name: "manifest.json", patches: { [at]: junk } });
        expect(await verdictOf(first, hidden), junk).toBe("bad-number");
      }
    },
  );

  test.each(Object.entries(fields))("T-02 a %s in any form that tools write is accepted", async (_, at) => {
    const forms = ["0000644\0", "    644 ", "00000644", "100644 \0", "\0\0\0\0\0\0\0\0", "        "];
    const base256 = [Uint8Array.of(0x80, 0, 0, 0, 0x7f, 0, 0, 1), new Uint8Array(8).fill(0xff)];
    for (const form of [...forms, ...base256]) {
      const field = Buffer.concat([Buffer.from(form), Buffer.alloc(4)]).subarray(0, at === fields.mtime ? 12 : 8);
      expect(await verdictOf(first, tarEntry({ name: "a", patches: { [at]: field } })), String(form)).toBe("first a");
    }
  });

  test.each<[string, Uint8Array]>([
    ["a PAX path", paxEntry({ path: "layer.tar" })],
    ["a GNU long name", gnuLong("layer.tar")],
  ])(
    "T-02 a file named as a folder under %s hides its body from Python and tar-stream: refused",
    async (_, extension) => {
      for (const type of ["0", 0]) {
        const body = tarEntry({ name: "manifest.json" });
        expect(await verdictOf(extension, tarEntry({ name: "folder/", type, body }), first)).toBe("file-with-slash");
        expect(await verdictOf(extension, tarEntry({ name: "", prefix: "p", type, body }), first)).toBe(
          "file-with-slash",
        );
      }
      expect(await verdictOf(extension, tarEntry({ name: "folder", body: "x" }), first)).toBe("layer.tar first");
    },
  );

  test.each(["x", "g"])(
    "T-21 a PAX header (%s) without a record makes tar-stream lose its place: refused",
    async type => {
      expect(await verdictOf(tarEntry({ type }), first)).toBe("pax-empty");
    },
  );

  test.each(["GNU.volume.label", "GNU.volume.filename", "GNU.dumpdir"])(
    "T-20 PAX key %s makes GNU tar list another entry: refused",
    async key => {
      expect(await verdictOf(paxEntry({ [key]: "planted" }), first)).toBe("pax-key");
    },
  );

  test.each([" path", "\tpath", "  size"])(
    "T-21 a blank before a PAX key (%j) is skipped by GNU tar: refused",
    async key => {
      expect(await verdictOf(tarEntry({ type: "x", body: paxRecord(key, "512") }), first)).toBe("pax-key");
    },
  );
});
