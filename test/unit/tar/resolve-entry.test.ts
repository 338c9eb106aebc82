import { expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { indexTar } from "../../../src/tar/tar-index.ts";
import { memoryTar, tarArchive, tarEntry } from "../../support/tar-builder.ts";

const sym = (name: string, linkName: string): Uint8Array => tarEntry({ name, type: "2", linkName });
const hard = (name: string, linkName: string): Uint8Array => tarEntry({ name, type: "1", linkName });
const file = (name: string): Uint8Array => tarEntry({ name, body: name });

async function outcome(name: string, ...entries: Uint8Array[]): Promise<string> {
  const index = await indexTar(memoryTar(tarArchive(entries)), { what: 'archive "a.tar"' });
  try {
    return `-> ${index.resolve(name).name}`;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    expect(error.message).toMatch(/^Cannot read entry ".*" from archive "a\.tar": .*, expected /);
    return error.reason;
  }
}

test.each<[string, string, Uint8Array[], string]>([
  ["a file", "a/layer.tar", [file("a/layer.tar")], "-> a/layer.tar"],
  ["a leading ./", "./a", [file("a")], "-> a"],
  [
    "a symlink to a neighbour folder",
    "b/layer.tar",
    [sym("b/layer.tar", "../a/layer.tar"), file("a/layer.tar")],
    "-> a/layer.tar",
  ],
  ["a symlink in its own folder", "b/l", [sym("b/l", "./f"), file("b/f")], "-> b/f"],
  ["a hard link from the root", "b/l", [hard("b/l", "./a/f"), file("a/f")], "-> a/f"],
  ["a link to a link", "x", [sym("x", "y"), hard("y", "d/z"), file("d/z")], "-> d/z"],
  ["a missing name", "x", [file("a")], "no-such-entry"],
  ["a folder", "d", [tarEntry({ name: "d/", type: "5" })], "not-a-file"],
  ["a dangling link", "x", [sym("x", "gone")], "link-target-missing"],
  ["a link to a folder", "x", [sym("x", "d"), tarEntry({ name: "d/", type: "5" })], "not-a-file"],
  ["a link to itself", "x", [sym("x", "x")], "link-cycle"],
  ["a circle of three", "x", [sym("x", "y"), hard("y", "z"), sym("z", "x")], "link-cycle"],
  ["an absolute link", "x", [sym("x", "/etc/passwd"), file("etc/passwd")], "link-absolute"],
  ["a way out", "d/x", [sym("d/x", "../../etc/passwd"), file("etc/passwd")], "link-escape"],
  ["a way out and in again", "d/x", [sym("d/x", "../../d/f"), file("d/f")], "link-escape"],
  ["a hard link out", "d/x", [hard("d/x", "../f"), file("f")], "link-escape"],
  ["a step through a link", "x", [sym("x", "y/f"), sym("y", "d"), file("d/f")], "link-through-link"],
  [
    "a step through a link and back",
    "x",
    [sym("x", "y/../f"), sym("y", "d/e"), file("d/e/f"), file("f")],
    "link-through-link",
  ],
  ["a step through a file", "x", [sym("x", "f/../g"), file("f"), file("g")], "link-through-link"],
  ["a name below a link", "y/f", [sym("y", "d"), file("d/f")], "link-through-link"],
  ["a name with ..", "d/../f", [file("f")], "dot-dot-segment"],
])("TarIndex.resolve() meets %s", async (_, name, entries, expected) => {
  expect(await outcome(name, ...entries)).toBe(expected);
});

test("TarIndex.resolve() follows 8 hops and refuses the ninth", async () => {
  const chain = (hops: number): Uint8Array[] => [
    ...Array.from({ length: hops }, (_, at) => sym(`l${at}`, at + 1 === hops ? "end" : `l${at + 1}`)),
    file("end"),
  ];
  expect(await outcome("l0", ...chain(8))).toBe("-> end");
  expect(await outcome("l0", ...chain(9))).toBe("link-hops");
});
