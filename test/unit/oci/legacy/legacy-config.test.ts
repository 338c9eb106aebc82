import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../../src/errors.ts";
import { legacyConfig, parseLegacyLayer } from "../../../../src/oci/legacy/legacy-config.ts";
import { parseRepositories } from "../../../../src/oci/legacy/legacy-names.ts";
import { sha256Of } from "../../../support/memory-blobs.ts";

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

  test.each([{}, { id: 1 }, { id: ID, parent: 2 }, { id: ID, container_config: { Cmd: "x" } }])(
    "refuses %j, whose fields are of another kind",
    document => {
      expect(reasonOf(() => layer(document))).not.toBe("accepted");
    },
  );
});

describe("legacyConfig()", () => {
  const base = layer({
    id: PARENT,
    created: "2015-11-03T22:13:20Z",
    container_config: { Cmd: ["/bin/sh", "-c", "base"] },
  });
  const top = layer({
    id: ID,
    parent: PARENT,
    created: "2015-11-04T22:13:20Z",
    author: "me",
    comment: "a comment",
    throwaway: true,
    Size: 7,
    parent_id: PARENT,
    layer_id: ID,
    os: "linux",
    architecture: "amd64",
    config: { Cmd: ["a && b <c>"] },
  });
  const diffIds = [sha256Of(Buffer.from("1")), sha256Of(Buffer.from("2"))];

  test("is the top layer's JSON without its place in the chain, keys sorted, with rootfs and history", () => {
    const json = Buffer.from(legacyConfig([base, top], diffIds)).toString();
    expect(json).toBe(
      '{"architecture":"amd64","author":"me","comment":"a comment","config":{"Cmd":["a \\u0026\\u0026 b \\u003cc\\u003e"]},' +
        '"created":"2015-11-04T22:13:20Z","history":[' +
        '{"created":"2015-11-03T22:13:20Z","created_by":"/bin/sh -c base"},' +
        '{"created":"2015-11-04T22:13:20Z","author":"me","comment":"a comment"}],' +
        `"os":"linux","rootfs":{"type":"layers","diff_ids":${JSON.stringify(diffIds)}}}`,
    );
  });

  test("writes what Go would write, byte for byte, and nothing that breaks JSON", () => {
    const odd = layer({ id: ID, os: "\u2028\u2029é\u0001\\", __proto__: null });
    const bytes = legacyConfig([odd], [diffIds[0] ?? sha256Of(Buffer.alloc(0))]);
    expect(Buffer.from(bytes).toString()).toContain('"os":"\\u2028\\u2029é\\u0001\\\\"');
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ os: "\u2028\u2029é\u0001\\" });
  });
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
