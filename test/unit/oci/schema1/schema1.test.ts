import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../../src/errors.ts";
import { isSchema1, parseSchema1 } from "../../../../src/oci/schema1/schema1.ts";
import { schema1Payload } from "../../../../src/oci/schema1/schema1-payload.ts";
import { schema1Bytes, schema1Document, schema1Id, signSchema1 } from "../../../support/schema1-images.ts";

const LAYER = `sha256:${"1".repeat(64)}`;
const OTHER = `sha256:${"2".repeat(64)}`;
const STEPS = [{ layer: LAYER }, { isThrowaway: true }, { layer: OTHER }];

function reasonOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ArchiveError) return error.reason;
    throw error;
  }
  return "accepted";
}

function reasonOfDocument(change: (document: ReturnType<typeof parts>) => object): string {
  const bytes = schema1Bytes(change(parts()));
  return reasonOf(() => parseSchema1(bytes, "registry.lan/app"));
}

function parts(): { fsLayers: object[]; history: object[] } & Record<string, unknown> {
  return schema1Document(STEPS) as ReturnType<typeof parts>;
}

describe("parseSchema1()", () => {
  test("parseSchema1() turns the order round and drops the layers of throwaway steps", () => {
    const { steps } = parseSchema1(schema1Bytes(parts()), "t");
    expect(steps.map(({ layer }) => layer)).toEqual([LAYER, undefined, OTHER]);
    expect(steps.map(({ json }) => json.id)).toEqual([0, 1, 2].map(schema1Id));
  });

  test("parseSchema1() drops a step that has the id of the one below it", () => {
    const document = parts();
    document.history.splice(1, 0, ...document.history.slice(1, 2));
    document.fsLayers.splice(1, 0, { blobSum: `sha256:${"3".repeat(64)}` });
    const { steps } = parseSchema1(schema1Bytes(document), "t");
    expect(steps.map(({ layer }) => layer)).toEqual([LAYER, undefined, OTHER]);
  });

  const step = (json: object): object => ({ v1Compatibility: JSON.stringify(json) });
  test.each([
    ["fewer layers than steps", "schema1-history", doc => ({ ...doc, fsLayers: doc.fsLayers.slice(1) })],
    ["more layers than steps", "schema1-history", doc => ({ ...doc, history: doc.history.slice(0, 2) })],
    ["no layer", "schema1-history", doc => ({ ...doc, fsLayers: [], history: [] })],
    [
      "too many layers",
      "schema1-history",
      doc => ({
        ...doc,
        fsLayers: Array.from({ length: 1025 }, () => ({ blobSum: LAYER })),
        history: Array.from({ length: 1025 }, () => step({ id: schema1Id(0) })),
      }),
    ],
    [
      "a chain that closes",
      "schema1-chain",
      doc => ({
        ...doc,
        history: [
          step({ id: schema1Id(1), parent: schema1Id(0) }),
          step({ id: schema1Id(0), parent: schema1Id(1) }),
          step({ id: schema1Id(1), parent: schema1Id(0) }),
        ],
      }),
    ],
    [
      "a base with a parent",
      "schema1-chain",
      doc => ({
        ...doc,
        history: [...doc.history.slice(0, 2), step({ id: schema1Id(0), parent: schema1Id(9) })],
      }),
    ],
    [
      "a parent that is not below",
      "schema1-chain",
      doc => ({
        ...doc,
        history: [step({ id: schema1Id(2), parent: schema1Id(0) }), ...doc.history.slice(1)],
      }),
    ],
    [
      "an id that is a path",
      "legacy-id",
      doc => ({
        ...doc,
        history: [step({ id: "../../etc" }), ...doc.history.slice(1)],
      }),
    ],
    [
      "a digest that is none",
      "bad-digest",
      doc => ({
        ...doc,
        fsLayers: [{ blobSum: "sha256:../x" }, ...doc.fsLayers.slice(1)],
      }),
    ],
    [
      "a step that is no JSON",
      "json-syntax",
      doc => ({
        ...doc,
        history: [{ v1Compatibility: "{" }, ...doc.history.slice(1)],
      }),
    ],
    [
      "a step with a repeated key",
      "json-duplicate-key",
      doc => ({
        ...doc,
        history: [{ v1Compatibility: '{"id":"a","id":"b"}' }, ...doc.history.slice(1)],
      }),
    ],
    [
      "a throwaway that is a text",
      "json-type",
      doc => ({
        ...doc,
        history: [step({ id: schema1Id(2), parent: schema1Id(1), throwaway: "true" }), ...doc.history.slice(1)],
      }),
    ],
    ["a second meaning", "manifest-shape", doc => ({ ...doc, layers: [] })],
    ["schema version 2", "manifest-version", doc => ({ ...doc, schemaVersion: 2 })],
  ] as readonly (readonly [string, string, (document: ReturnType<typeof parts>) => object])[])(
    "M-04 parseSchema1() refuses %s",
    (_what, reason, change) => expect(reasonOfDocument(change)).toBe(reason),
  );
});

describe("schema1Payload()", () => {
  const payload = schema1Bytes(parts());

  test("schema1Payload() gives what the signatures sign, the document itself without any", () => {
    expect(Buffer.from(schema1Payload(signSchema1(payload), "t")).equals(payload)).toBe(true);
    expect(Buffer.from(schema1Payload(signSchema1(payload, { times: 3 }), "t")).equals(payload)).toBe(true);
    expect(schema1Payload(payload, "t")).toBe(payload);
  });

  test.each([
    ["no signature in the list", { times: 0 }],
    ["hundreds of signatures", { times: 65 }],
    ["a length behind the end", { length: 10_000_000 }],
    ["a tail that adds fields", { tail: ',"fsLayers":[]}' }],
    ["a header that is not base64url", { protected: "a+b/" }],
    ["a header of a megabyte", { protected: "A".repeat(100_000) }],
    ["a field outside of what is signed", { unsigned: '"tag2": "evil",\n' }],
  ])("M-04 schema1Payload() refuses %s", (_what, options) => {
    expect(reasonOf(() => schema1Payload(signSchema1(payload, options), "t"))).toBe("schema1-signature");
  });

  test("M-04 schema1Payload() refuses signatures that sign different parts, and a field that comes again unsigned", () => {
    const [one, two] = [signSchema1(payload), signSchema1(payload, { length: payload.length - 3 })].map(bytes =>
      JSON.parse(bytes.toString("utf8")),
    );
    const mixed = schema1Bytes({ ...one, signatures: [...one.signatures, ...two.signatures] });
    expect(reasonOf(() => schema1Payload(mixed, "t"))).toBe("schema1-signature");
    const again = signSchema1(payload, { unsigned: '"tag": "evil",\n' });
    expect(reasonOf(() => schema1Payload(again, "t"))).toBe("json-duplicate-key");
  });

  test("schema1Payload() refuses a length that is no integer, and a cut in the middle of a field", () => {
    const header = Buffer.from('{"formatLength":1.5,"formatTail":"fQ"}').toString("base64url");
    expect(reasonOf(() => schema1Payload(signSchema1(payload, { protected: header }), "t"))).toBe("json-number");
    expect(reasonOf(() => schema1Payload(signSchema1(payload, { length: 40 }), "t"))).toMatch(/^json-/);
  });
});

describe("isSchema1()", () => {
  test("isSchema1() goes by the document, never by what it is announced as", () => {
    expect(isSchema1(schema1Bytes(parts()))).toBe(true);
    expect(isSchema1(signSchema1(schema1Bytes(parts())))).toBe(true);
    expect(isSchema1(Buffer.from('{"schemaVersion":2,"annotations":{"a":"\\"fsLayers\\"","fsLayers":"x"}}'))).toBe(
      false,
    );
    expect(isSchema1(Buffer.from('{"fsLayers":'))).toBe(false);
    expect(isSchema1(Buffer.from("[]"))).toBe(false);
  });
});
