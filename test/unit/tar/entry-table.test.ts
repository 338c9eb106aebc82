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
  expect([...table.values()]).toEqual(entries);
  expect([...table.keys()]).toEqual(["z/y/x", "ünï", "z/y", "a"]);
  expect([...table]).toEqual(entries.map(entry => [entry.name, entry]));
  expect(table.size).toBe(4);
  expect(table.pathCount).toBe(6);
  const seen: string[] = [];
  table.forEach((entry, name, map) => {
    seen.push(`${name} ${entry.type} ${map === table}`);
  });
  expect(seen).toEqual(["z/y/x file true", "ünï symlink true", "z/y directory true", "a file true"]);
});

test("EntryTable does not know implied folders or names in disguise", () => {
  const table = new EntryTable();
  table.add(entryOf("dir/\ufffd"), "header");
  expect(table.has("dir/\ufffd")).toBe(true);
  expect(table.has("dir/\ud800")).toBe(false);
  expect(table.has("dir")).toBe(false);
  expect(table.has("")).toBe(false);
  expect(table.get("n".repeat(5000))).toBeUndefined();
});

test("EntryTable lets directories repeat and nothing else", () => {
  const table = new EntryTable();
  table.add(entryOf("d", "directory"), "header");
  expect(table.add(entryOf("d", "directory", 9999), "header")).toBeUndefined();
  expect([...table.values()]).toEqual([entryOf("d", "directory")]);
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
  expect(names.findIndex((name, at) => table.get(name)?.bodyOffset !== at)).toBe(-1);
  expect(table.pathCount).toBe(20_000 + 20_000 + 977);
});
