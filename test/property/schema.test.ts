import fc from "fast-check";
import { safeParse } from "valibot";
import { describe, expect, test } from "vitest";
import { descriptorSchema } from "../../src/oci/descriptor-schema.ts";
import {
  array,
  boolean,
  fields,
  freeMap,
  nullish,
  number,
  onlyFields,
  rule,
  type Schema,
  string,
  transformed,
  union,
  unknown,
} from "../../src/util/json/schema.ts";

const hex = (length: number): string => "0123456789abcdef".repeat(length / 16);
const isShort = (value: unknown): value is string => typeof value === "string" && value.length < 3;
const everything = fields({
  mediaType: string(),
  size: nullish(number()),
  digest: nullish(rule("short", "a short text", isShort)),
  platform: nullish(onlyFields("other", { os: string(), variant: nullish(boolean()) })),
  annotations: nullish(freeMap(string())),
  urls: nullish(union([array(string()), transformed(string(), (word): readonly string[] => [word])])),
  os: unknown(),
});

const leaves = fc.constantFrom<unknown>(null, true, 0, 7, -1, 1.5, "", "ab", "linux", `sha256:${hex(64)}`);
const keys = fc.constantFrom("mediaType", "digest", "size", "os", "architecture", "variant", "__proto__");
/** Of right and wrong types. */
const values = fc.oneof(leaves, fc.array(leaves, { maxLength: 3 }), fc.dictionary(keys, leaves, { maxKeys: 3 }));

/** What passes nearly always, so that deep faults are met, too. */
const likely = fc.record(
  {
    mediaType: fc.oneof({ weight: 9, arbitrary: fc.constant("a/b") }, values),
    digest: fc.oneof({ weight: 9, arbitrary: fc.constantFrom("ab", `sha256:${hex(64)}`) }, values),
    size: fc.oneof({ weight: 9, arbitrary: fc.nat() }, values),
    platform: fc.oneof({ weight: 9, arbitrary: fc.constantFrom({ os: "linux", architecture: "arm" }, {}) }, values),
    annotations: fc.oneof({ weight: 9, arbitrary: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }) }, values),
    urls: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(["a"], "a") }, values),
    os: leaves,
  },
  { requiredKeys: ["mediaType", "os"] },
);

describe("the quick check says the same as the general one", () => {
  const schemas: Readonly<Record<string, Schema<unknown>>> = { descriptorSchema, "each kind of schema": everything };
  test.each(Object.entries(schemas))("%s", (_, schema) => {
    let passed = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: likely }, values), value => {
        const json: unknown = JSON.parse(JSON.stringify(value));
        const general = safeParse(schema, json, { abortEarly: true });
        const quick = schema.quick(json);
        expect(typeof quick === "symbol").toBe(!general.success);
        if (!general.success) return;
        passed += 1;
        expect(quick).toEqual(general.output);
      }),
      { numRuns: 2000 },
    );
    expect(passed).toBeGreaterThan(50);
  });
});
