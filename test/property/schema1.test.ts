import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import { escapeAsGo, goJson } from "../../src/oci/legacy/go-json.ts";
import { parseSchema1 } from "../../src/oci/schema1/schema1.ts";
import { schema1Config } from "../../src/oci/schema1/schema1-config.ts";
import { schema1Payload } from "../../src/oci/schema1/schema1-payload.ts";
import { rawMembers } from "../../src/util/json/raw-members.ts";
import { schema1Bytes, schema1Document, signSchema1 } from "../support/schema1-images.ts";

const members = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { noNullPrototype: true });

describe("rawMembers()", () => {
  test("rawMembers() gives every member back, however the object is laid out", () => {
    fc.assert(
      fc.property(members, fc.nat({ max: 4 }), (object, indent) => {
        const found = rawMembers(escapeAsGo(JSON.stringify(object, undefined, indent)));
        expect([...found]).toEqual(Object.entries(object).map(([key, value]) => [key, goJson(value)]));
      }),
    );
  });
});

describe("schema1Payload()", () => {
  const payload = schema1Bytes(schema1Document([{}, { isThrowaway: true }]));
  const signed = signSchema1(payload);

  test("M-04 no altered byte goes unseen: it is refused, or the payload is another", () => {
    fc.assert(
      fc.property(fc.nat({ max: payload.length - 3 }), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const altered = Buffer.from(signed);
        altered[place] = (altered[place] ?? 0) ^ change;
        try {
          expect(Buffer.from(schema1Payload(altered, "t")).equals(payload)).toBe(false);
        } catch (error) {
          if (!(error instanceof ArchiveError)) throw error;
        }
      }),
    );
  });

  test("any bytes are a view with a config, or an ArchiveError", () => {
    const step = fc.record({
      created: fc.option(fc.string(), { nil: undefined }),
      docker_version: fc.constantFrom("1.6.0", "1.8.3", "x", ""),
      config: fc.jsonValue(),
      container_config: fc.jsonValue(),
      throwaway: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4 }), steps => {
        try {
          const bytes = schema1Bytes(schema1Document(steps.map(json => ({ json }))));
          const config = schema1Config(parseSchema1(schema1Payload(bytes, "t"), "t"), [], "t");
          expect(JSON.parse(Buffer.from(config).toString("utf8")).history).toHaveLength(steps.length);
        } catch (error) {
          if (!(error instanceof ArchiveError)) throw error;
        }
      }),
    );
  });
});
