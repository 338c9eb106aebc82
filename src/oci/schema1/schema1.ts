import { ArchiveError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { array, checkSchema, fields, rule, string } from "../../util/json/schema.ts";
import { type Digest, isDigest } from "../digest.ts";
import { type LegacyLayer, parseLegacyLayer } from "../legacy/legacy-config.ts";
import { MAX_MANIFEST_BYTES } from "../limits.ts";
import { SCHEMA1_SHAPE } from "./schema1-payload.ts";

/** One step of the build. */
export interface Schema1Step {
  readonly json: LegacyLayer;
  /** Undefined for a step that changed no file ("throwaway"). */
  readonly layer: Digest | undefined;
}

/** An image manifest of schema 1 (distribution, manifest-v2-1.md). It tells no sizes and no diff_ids. */
export interface Schema1View {
  /** Base first: the manifest has them the other way round. */
  readonly steps: readonly Schema1Step[];
  /** JSON of the newest step, as written: the image's config is in it. */
  readonly newest: string;
}

const blobSum = rule<Digest>("bad-digest", "sha256:<64 hex digits> or sha512:<128>", isDigest);
const schema = fields({
  schemaVersion: rule("manifest-version", "1", (value): value is 1 => value === 1),
  fsLayers: array(fields({ blobSum })),
  history: array(fields({ v1Compatibility: string() })),
});
/** Docker takes 127 layers; throwaway steps come on top of them. */
const MAX_STEPS = 1024;

/** True for a document that says of itself that it is schema 1, whatever it was announced as. */
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
 * Reads what `schema1Payload` gives. As other readers do, it drops a step that has the id of the one below it, and
 * demands one chain of parents from the newest step to a base without one.
 *
 * @throws ArchiveError "schema1-history", "schema1-chain", "manifest-shape", "manifest-version", "bad-digest",
 * "legacy-id", or a json-… reason.
 */
export function parseSchema1(payload: Uint8Array, where: string): Schema1View {
  const what = "schema 1 manifest";
  const value = parseJson(payload, { what, where, maxBytes: MAX_MANIFEST_BYTES, shape: SCHEMA1_SHAPE });
  const second = Object.keys(Object(value)).find(key => ["config", "layers", "manifests"].includes(key));
  if (second !== undefined)
    throw fault("manifest-shape", where, `${quote(second)} beside "fsLayers"`, "a document with one meaning");
  const { fsLayers, history } = checkSchema(schema, value, what, where);
  if (fsLayers.length !== history.length)
    throw fault("schema1-history", where, `${fsLayers.length} layers, ${history.length} steps`, "one step per layer");
  if (history.length === 0 || history.length > MAX_STEPS)
    throw fault("schema1-history", where, `${history.length} steps`, `1 to ${MAX_STEPS}`);
  const steps = history.map(({ v1Compatibility }, place) => {
    const json = parseLegacyLayer(Buffer.from(v1Compatibility), where);
    return {
      json,
      layer: isThrowaway(json, where) ? undefined : fsLayers[place]?.blobSum,
      text: v1Compatibility,
    };
  });
  const kept = steps.filter(({ json }, place) => json.id !== steps[place + 1]?.json.id);
  checkChain(
    kept.map(({ json }) => json),
    where,
  );
  return {
    steps: kept.map(({ json, layer }) => ({ json, layer })).reverse(),
    newest: kept[0]?.text ?? "",
  };
}

/** @param chain newest first. */
function checkChain(chain: readonly LegacyLayer[], where: string): void {
  const seen = new Set<string>();
  for (const [place, { id, parent }] of chain.entries()) {
    if (seen.has(id)) throw fault("schema1-chain", where, `id ${id} twice`, "every id once");
    seen.add(id);
    const below = chain[place + 1]?.id;
    if (parent === below) continue;
    throw fault("schema1-chain", where, `parent ${parent ?? "none"} of ${id}`, below ?? "none, as the base has");
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
