import { ArchiveError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { array, checkSchema, fields, rule, string } from "../../util/json/schema.ts";
import { type Digest, isDigest } from "../digest.ts";
import { type LegacyLayer, parseLegacyLayer } from "../legacy/legacy-layer.ts";
import { MAX_MANIFEST_BYTES } from "../limits.ts";
import { SCHEMA1_SHAPE } from "./schema1-payload.ts";

/** One build step. */
export interface Schema1Step {
  readonly json: LegacyLayer;
  /** Undefined for a step without changes of files ("throwaway"). */
  readonly layer: Digest | undefined;
}

/** An image manifest of schema 1 (distribution, manifest-v2-1.md). It contains no sizes and no diff_ids. */
export interface Schema1View {
  /** Base first, in contrast to the manifest. */
  readonly steps: readonly Schema1Step[];
}

const blobSum = rule<Digest>("bad-digest", "sha256:<64 hex digits> or sha512:<128>", isDigest);
const schema = fields({
  schemaVersion: rule("manifest-version", "1", (value): value is 1 => value === 1),
  fsLayers: array(fields({ blobSum })),
  history: array(fields({ v1Compatibility: string() })),
});
/** Docker accepts 127 layers, and throwaway steps in addition. */
const MAX_STEPS = 1024;

/** Whether the document itself claims to be schema 1; its announced media type does not matter. */
export function isSchema1(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!text.includes('"fsLayers"')) return false;
  try {
    const value = parseJson(bytes, { what: "manifest", where: "memory", maxBytes: MAX_MANIFEST_BYTES });
    return Object.hasOwn(Object(value), "fsLayers");
  } catch {
    return false;
  }
}

/**
 * Reads the output of `schema1Payload`. Like other readers, it drops a step with the same id as the step below it, and
 * requires one chain of parents from the newest step to a base without a parent.
 *
 * @throws ArchiveError "schema1-history", "schema1-chain", "manifest-shape", "manifest-version", "bad-digest",
 * "legacy-id", or a json-… reason.
 */
export function parseSchema1(payload: Uint8Array, where: string): Schema1View {
  const what = "schema 1 manifest";
  const value = parseJson(payload, { what, where, maxBytes: MAX_MANIFEST_BYTES, shape: SCHEMA1_SHAPE });
  const second = Object.keys(Object(value)).find(key => ["config", "layers", "manifests"].includes(key));
  if (second !== undefined)
    throw fault("manifest-shape", where, `${quote(second)} in addition to "fsLayers"`, "a document with one meaning");
  const { fsLayers, history } = checkSchema(schema, value, what, where);
  if (fsLayers.length !== history.length)
    throw fault("schema1-history", where, `${fsLayers.length} layers, ${history.length} steps`, "one step per layer");
  if (history.length === 0 || history.length > MAX_STEPS)
    throw fault("schema1-history", where, `${history.length} steps`, `1 to ${MAX_STEPS}`);
  const steps = history.map(({ v1Compatibility }, index) => {
    const json = parseLegacyLayer(Buffer.from(v1Compatibility), where);
    return {
      json,
      layer: isThrowaway(json, where) ? undefined : fsLayers[index]?.blobSum,
    };
  });
  const kept = steps.filter(({ json }, index) => json.id !== steps[index + 1]?.json.id);
  checkChain(
    kept.map(({ json }) => json),
    where,
  );
  return {
    steps: kept.reverse(),
  };
}

/** @param chain newest first. */
function checkChain(chain: readonly LegacyLayer[], where: string): void {
  const seen = new Set<string>();
  for (const [index, { id, parent }] of chain.entries()) {
    if (seen.has(id)) throw fault("schema1-chain", where, `id ${id} twice`, "each id once");
    seen.add(id);
    const below = chain[index + 1]?.id;
    if (parent === below) continue;
    throw fault("schema1-chain", where, `parent ${parent ?? "none"} of ${id}`, below ?? "none, as for the base");
  }
}

function isThrowaway({ document }: LegacyLayer, where: string): boolean {
  const value = document["throwaway"] ?? false;
  if (typeof value === "boolean") return value;
  throw fault("json-type", where, `a ${typeof value} as throwaway`, "true or false");
}

function fault(reason: string, where: string, found: string, expected: string): ArchiveError {
  return new ArchiveError(reason, `Cannot read schema 1 manifest from ${where}: found ${found}, expected ${expected}`);
}
