import fc from "fast-check";
import { expect, test } from "vitest";
import { BadReferenceError } from "../../src/errors.ts";
import type { Digest } from "../../src/oci/digest.ts";
import {
  familiarName,
  formatReference,
  fullImageName,
  parseReference,
  type Reference,
  resolveDockerHub,
} from "../../src/oci/reference.ts";
import { cpuMs } from "../support/cpu-time.ts";

const ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789";
const text = (characters: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const separator = fc.constantFrom(".", "_", "__", "-", "--", "---");
const component = fc
  .tuple(text(ALNUM, 1, 6), fc.array(fc.tuple(separator, text(ALNUM, 1, 6)), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.map(([mark, part]) => mark + part).join(""));
const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map(parts => parts.join("/"));
const label = fc
  .tuple(text("abcdefghijklmnopqrstuvwxyz", 1, 8), text(`${ALNUM}-`, 0, 8))
  .map(([head, tail]) => `${head}${tail}z`);
const host = fc.oneof(
  fc.array(label, { minLength: 2, maxLength: 4 }).map(labels => labels.join(".")),
  fc.constant("localhost"),
  fc.ipV4(),
  fc
    .ipV6()
    .filter(address => address.length <= 45)
    .map(address => `[${address.toLowerCase()}]`),
);
const registry = fc
  .tuple(host, optional(fc.integer({ min: 1, max: 65_535 })))
  .map(([name, port]) => (port === undefined ? name : `${name}:${port}`));
const tag = fc
  .tuple(text(`${ALNUM}ABCXYZ_`, 1, 1), text(`${ALNUM}ABCXYZ_.-`, 0, 20))
  .map(([head, tail]) => head + tail);
const digest: fc.Arbitrary<Digest> = text("0123456789abcdef", 64, 64).map(hex => `sha256:${hex}` as const);

const reference: fc.Arbitrary<Reference> = fc
  .record({ registry: optional(registry), repository, tag: optional(tag), digest: optional(digest) })
  .filter(({ registry: named, repository: path }) => {
    const [first = "", ...rest] = path.split("/");
    // Such a first part reads as a registry.
    return named !== undefined || rest.length === 0 || !(first.includes(".") || first === "localhost");
  })
  .map(parts => ({
    ...(parts.registry === undefined ? {} : { registry: parts.registry }),
    repository: parts.repository,
    ...(parts.tag === undefined ? {} : { tag: parts.tag }),
    ...(parts.digest === undefined ? {} : { digest: parts.digest }),
  }));

function tryParse(input: string): Reference | undefined {
  try {
    return parseReference(input);
  } catch (error) {
    if (error instanceof BadReferenceError) return undefined;
    throw error;
  }
}

test("parseReference() reads back what formatReference() prints", () => {
  fc.assert(
    fc.property(reference, value => {
      expect(parseReference(formatReference(value))).toEqual(value);
    }),
    { numRuns: 1000 },
  );
});

test("parseReference() never reads a changed byte as the same reference, but for the case of a registry", () => {
  fc.assert(
    fc.property(reference, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, seed, byte) => {
      const original = formatReference(value);
      const at = seed % original.length;
      const character = String.fromCharCode(byte);
      fc.pre(character !== original[at]);
      const inRegistry = at < (value.registry ?? "").length;
      fc.pre(!(inRegistry && character.toLowerCase() === original[at]));
      const changed = tryParse(original.slice(0, at) + character + original.slice(at + 1));
      if (changed !== undefined) expect(changed).not.toEqual(value);
    }),
    { numRuns: 2000 },
  );
});

test("parseReference() answers any text with a reference that prints the same, or a BadReferenceError", () => {
  const anything = fc.oneof(fc.string({ unit: "binary" }), text(`${ALNUM}A.:/@_-[]%`, 0, 40));
  fc.assert(
    fc.property(anything, input => {
      const value = tryParse(input);
      if (value === undefined) return;
      const skipped = (value.registry ?? "").length;
      expect(formatReference(value).slice(skipped)).toBe(input.slice(skipped));
      expect(formatReference(value).slice(0, skipped)).toBe(input.slice(0, skipped).toLowerCase());
    }),
    { numRuns: 2000 },
  );
});

test("resolveDockerHub() is idempotent and familiarName() keeps the meaning", () => {
  fc.assert(
    fc.property(reference, value => {
      const full = resolveDockerHub(value);
      expect(resolveDockerHub(full)).toEqual(full);
      expect(fullImageName(familiarName(full))).toBe(formatReference(full));
    }),
    { numRuns: 1000 },
  );
});

test.each(["a", "-", "a-", "a.", "_", "/", "a/", ":", "@", "[", "[:", "a:", "@sha256:", "%", "\u00e9", "9."])(
  "parseReference() answers for 100,000 characters of %j in under 50 ms",
  unit => {
    const input = unit.repeat(100_000 / unit.length);
    // An exponential scanner never answers.
    expect(cpuMs(() => expect(tryParse(input)).toBeUndefined())).toBeLessThan(50);
  },
);
