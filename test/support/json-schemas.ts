import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "vitest";

const FOLDER = join(import.meta.dirname, "../../schemas");
const ENDING = ".schema.json";

type Schema = Readonly<Record<string, unknown>>;

/** `push`, `hub-login`, `error`, …: the files in schemas/. */
export function schemaNames(): readonly string[] {
  return readdirSync(FOLDER).map(name => name.slice(0, -ENDING.length));
}

export function readSchema(name: string): Schema {
  return JSON.parse(readFileSync(join(FOLDER, `${name}${ENDING}`), "utf8")) as Schema;
}

const CHECKS = new Map<string, ValidateFunction>();

/** Fails for a value that its schema does not describe, also for a field that is not in it. */
export function expectSchema(name: string, value: unknown): void {
  const check = CHECKS.get(name) ?? new Ajv2020({ strict: false, allErrors: false }).compile(closed(readSchema(name)));
  CHECKS.set(name, check);
  const isValid = check(value);
  expect(isValid ? "valid" : { schema: name, errors: check.errors, value }).toBe("valid");
}

/** What a run printed with `--json`: one object on stdout. `words` of the command line. */
export function expectJsonOutput(words: readonly string[], stdout: string): void {
  expect(stdout, `stdout of ${words.join(" ")}`).toMatch(/^\{[^\n]*\}\n$/);
  const value: unknown = JSON.parse(stdout);
  const names = schemaNames();
  const [command = "", sub = ""] = words;
  expectSchema([`${command}-${sub}`, command].find(name => names.includes(name)) ?? "error", value);
}

/**
 * The same schema, without room for fields that it does not name. Fields may be added in later versions, so that the files
 * leave room; in this version there are no others.
 */
function closed(schema: Schema): Schema {
  const { $defs, ...root } = schema;
  const rootTypes = new Set(JSON.stringify(root).match(/#\/\$defs\/\w+/g));
  const definitions = Object.entries($defs as Record<string, Schema>).map(([name, each]) => {
    // Results have what is next to them: the error.
    const isResult = rootTypes.has(`#/$defs/${name}`);
    return [name, closedBelow(each, isResult)];
  });
  const { properties, ...others } = root;
  return {
    ...others,
    ...(properties === undefined ? {} : { properties: closedBelow(properties, true) }),
    unevaluatedProperties: false,
    $defs: Object.fromEntries(definitions),
  };
}

function closedBelow(value: unknown, isOpen: boolean): unknown {
  if (Array.isArray(value)) return value.map(each => closedBelow(each, isOpen));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([key, each]) => {
    const isUnion = key === "anyOf" || key === "allOf" || key === "oneOf";
    return [key, closedBelow(each, isUnion && isOpen)];
  });
  const isObject = "properties" in value && "type" in value && !("additionalProperties" in value);
  return { ...Object.fromEntries(fields), ...(isObject && !isOpen ? { additionalProperties: false } : {}) };
}
