// @ts-check
// Writes schemas/ from the types of what --json prints (src/cli/output/json-results.ts): npm run schemas. With a folder as
// argument, it writes them there.
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { root } from "./build/options.mjs";
import { ownPackages } from "./build/own-packages.mjs";

/** @typedef {{ [key: string]: unknown }} Schema */

const DRAFT = "https://json-schema.org/draft/2020-12/schema";
const folder = resolve(process.argv[2] ?? join(root, "schemas"));

/** @type {{ createGenerator(config: object): { createSchema(type: string): { definitions?: unknown } } }} */
const { createGenerator } = await import(join(await ownPackages("schemas"), "ts-json-schema-generator/dist/index.js"));
const generator = createGenerator({
  path: join(root, "src/cli/output/json-results.ts"),
  tsconfig: join(root, "scripts/schemas/tsconfig.json"),
  skipTypeCheck: true,
  expose: "all",
  jsDoc: "extended",
  sortProps: false,
  additionalProperties: true,
});

/** @param {string} type @returns {Record<string, Schema>} */
function definitionsOf(type) {
  return /** @type {Record<string, Schema>} */ (generator.createSchema(type).definitions ?? {});
}

/**
 * With the references of today's drafts; definitions of types with parameters are put where they are used.
 *
 * @param {unknown} value @param {Record<string, Schema>} all @returns {unknown}
 */
function modern(value, all) {
  if (Array.isArray(value)) return value.map(each => modern(each, all));
  if (typeof value !== "object" || value === null) return value;
  const { $ref, additionalItems, ...rest } = /** @type {Schema} */ (value);
  // The generator writes pairs as the older draft has them.
  if (Array.isArray(rest["items"])) {
    rest["prefixItems"] = rest["items"];
    rest["items"] = additionalItems ?? false;
  }
  if (Array.isArray(rest["type"]) && rest["type"].length === 1) [rest["type"]] = rest["type"];
  const fields = Object.entries(rest).map(([key, each]) => [key, modern(each, all)]);
  const others = Object.fromEntries(fields);
  if (typeof $ref !== "string") return others;
  const name = decodeURIComponent($ref.slice("#/definitions/".length));
  if (name.includes("<")) return { .../** @type {Schema} */ (modern(all[name] ?? {}, all)), ...others };
  return { $ref: `#/$defs/${name}`, ...others };
}

/**
 * A file of its own, with all that it refers to.
 *
 * @param {string} name @param {string} title @param {string} description @param {Schema} schema
 * @param {Record<string, Schema>} all
 */
function documentOf(name, title, description, schema, all) {
  const body = /** @type {Schema} */ (modern(schema, all));
  /** @type {Record<string, unknown>} */
  const used = {};
  const left = [JSON.stringify(body)];
  for (let text = left.pop(); text !== undefined; text = left.pop()) {
    for (const [, found = ""] of text.matchAll(/"#\/\$defs\/([^"]+)"/g)) {
      if (found in used) continue;
      used[found] = modern(all[found] ?? {}, all);
      left.push(JSON.stringify(used[found]));
    }
  }
  const sorted = Object.fromEntries(Object.entries(used).sort(([one], [other]) => (one < other ? -1 : 1)));
  return { $schema: DRAFT, $id: `urn:imgpack:schema:${name}`, title, description, ...body, $defs: sorted };
}

const results = definitionsOf("JsonResults");
// A template literal says no more than that it is text.
results["Digest"] = { ...results["Digest"], pattern: "^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$" };
const errors = definitionsOf("JsonPartial");
const own = /** @type {{ properties: Record<string, Schema> }} */ (/** @type {unknown} */ (errors["JsonPartial"]))
  .properties;
const commands = /** @type {{ properties: Record<string, Schema> }} */ (/** @type {unknown} */ (results["JsonResults"]))
  .properties;

/** @type {Map<string, object>} */
const files = new Map();
for (const [command, result] of Object.entries(commands)) {
  const name = command.replaceAll(" ", "-");
  const text = `The one object that "imgpack ${command} --json" prints on stdout: the result, an error, or both where a part failed or was found damaged.`;
  const schema = { type: "object", properties: own, anyOf: [result, { required: ["error"] }] };
  files.set(name, documentOf(name, `imgpack ${command} --json`, text, schema, { ...errors, ...results }));
}
const text = "What --json prints on stdout when a command fails: alone, or next to what was done before.";
files.set(
  "error",
  documentOf("error", "Error", text, errors["JsonError"] ?? definitionsOf("JsonError")["JsonError"] ?? {}, errors),
);
const partial = "What --json adds to the result when some of several inputs failed, with exit code 10.";
files.set("partial", documentOf("partial", "Partial result", partial, errors["JsonPartial"] ?? {}, errors));
const events = { Digest: results["Digest"], ...definitionsOf("JsonProgressLine"), ...definitionsOf("JsonLogLine") };
const lines = { anyOf: [{ $ref: "#/definitions/JsonProgressLine" }, { $ref: "#/definitions/JsonLogLine" }] };
const about =
  "A line of --progress json on stderr, or of the file that --log names. Ignore kinds that you do not know.";
files.set("progress-event", documentOf("progress-event", "Event", about, lines, events));

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const [name, document] of files) {
  await writeFile(join(folder, `${name}.schema.json`), `${JSON.stringify(document, null, 2)}\n`);
}
if (process.argv[2] === undefined)
  await promisify(execFile)("npx", ["biome", "format", "--write", folder], { cwd: root });
