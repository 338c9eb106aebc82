import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../../src/errors.ts";
import { parseLegacyLayer } from "../../../../src/oci/legacy/legacy-layer.ts";
import { parseRepositories } from "../../../../src/oci/legacy/legacy-names.ts";

const ID = "a".repeat(64);
const PARENT = "b".repeat(64);

function layer(document: object): ReturnType<typeof parseLegacyLayer> {
  return parseLegacyLayer(Buffer.from(JSON.stringify(document)), "a.tar");
}

function reasonOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ArchiveError) return error.reason;
    throw error;
  }
  return "accepted";
}

describe("parseLegacyLayer()", () => {
  test("reads what a chain needs, and takes empty fields for none", () => {
    const full = layer({
      id: ID,
      parent: PARENT,
      created: "2015-11-03T22:13:20Z",
      author: "me",
      container_config: { Cmd: ["/bin/sh", "-c", "x"] },
    });
    expect(full).toMatchObject({ id: ID, parent: PARENT, author: "me", command: ["/bin/sh", "-c", "x"] });
    const empty = layer({ id: ID, parent: "", author: "", comment: null, container_config: { Cmd: null } });
    expect(empty.parent).toBeUndefined();
    expect(empty.author).toBeUndefined();
    expect(empty.command).toEqual([]);
    expect(layer({ id: ID, container_config: { Cmd: "run me" } }).command).toEqual(["run me"]);
  });

  test.each([
    { id: "../../etc/passwd" },
    { id: ID.toUpperCase() },
    { id: ID.slice(1) },
    { id: ID, parent: "../x" },
    { id: ID, parent: `${PARENT}\n` },
  ])("refuses $id with parent $parent", document => {
    expect(reasonOf(() => layer(document))).toBe("legacy-id");
  });

  test.each([{}, { id: 1 }, { id: ID, parent: 2 }, { id: ID, container_config: { Cmd: [1] } }])(
    "refuses %j, whose fields are of another kind",
    document => {
      expect(reasonOf(() => layer(document))).not.toBe("accepted");
    },
  );
});

describe("parseRepositories()", () => {
  const read = (value: unknown): ReturnType<typeof parseRepositories> =>
    parseRepositories(Buffer.from(JSON.stringify(value)), "a.tar");

  test("gives names as found, with the ids of their layers", () => {
    expect(read({ app: { "1": ID, latest: PARENT }, "host:5000/x/y": { "2": ID } })).toEqual([
      { text: "app:1", id: ID },
      { text: "app:latest", id: PARENT },
      { text: "host:5000/x/y:2", id: ID },
    ]);
    expect(read({})).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ["an id that is a path", { app: { "1": "../../x" } }, "legacy-id"],
    ["an id that is short", { app: { "1": "abc" } }, "legacy-id"],
  ])("refuses %s", (_what, value, reason) => {
    expect(reasonOf(() => read(value))).toBe(reason);
  });
});
