import { expect, test } from "vitest";
import { EntryTable } from "../../../src/tar/entry-table.ts";
import type { TarEntry } from "../../../src/tar/tar-entry.ts";

const entryOf = (name: string, type: TarEntry["type"] = "file", bodyOffset = 512): TarEntry => ({
  name,
  type,
  ...(type === "symlink" ? { linkName: `../${name}` } : {}),
  bodyOffset,
  size: 7,
});

test("EntryTable gives entries back as they came, in their order", () => {
  const table = new EntryTable();
  const entries = [
    entryOf("z/y/x", "file", 2 ** 52),
    entryOf("ünï", "symlink"),
    entryOf("z/y", "directory"),
    entryOf("a"),
  ];
  for (const entry of entries) expect(table.add(entry, "header")).toBeUndefined();
  expect([...table.entries]).toEqual(entries.map(entry => [entry.name, entry]));
  expect(table.pathCount).toBe(6);
  expect(table.textLength).toBe("z/y/xünïz/ya../ünï".length);
});

test("EntryTable does not list folders that only entries below them imply", () => {
  const table = new EntryTable();
  table.add(entryOf("dir/file"), "header");
  expect(table.entries.has("dir")).toBe(false);
  expect(table.add(entryOf("dir"), "header")).toEqual({ kind: "file-and-folder", first: undefined, origin: "header" });
  expect(table.add(entryOf("dir", "directory"), "header")).toBeUndefined();
  expect(table.entries.has("dir")).toBe(true);
});

test("EntryTable lets directories repeat and nothing else", () => {
  const table = new EntryTable();
  table.add(entryOf("d", "directory"), "header");
  expect(table.add(entryOf("d", "directory", 9999), "header")).toBeUndefined();
  expect([...table.entries.values()]).toEqual([entryOf("d", "directory")]);
  const first = entryOf("f");
  table.add(first, "gnu");
  expect(table.add(entryOf("f", "hardlink"), "header")).toEqual({ kind: "repeated", first, origin: "gnu" });
  expect(table.add(entryOf("d"), "header")?.kind).toBe("file-and-folder");
  expect(table.add(entryOf("f/g/h"), "header")?.kind).toBe("file-and-folder");
});

test("EntryTable finds each of 20 000 names with all their folders", () => {
  const table = new EntryTable();
  const names = Array.from({ length: 20_000 }, (_, at) => `folder-${at % 977}/${at}/layer.tar`);
  for (const [at, name] of names.entries()) table.add(entryOf(name, "file", at), "header");
  expect(names.findIndex((name, at) => table.entries.get(name)?.bodyOffset !== at)).toBe(-1);
  expect(table.pathCount).toBe(20_000 + 20_000 + 977);
});
