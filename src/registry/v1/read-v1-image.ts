import { createHash } from "node:crypto";
import { ArchiveError, NotFoundError } from "../../errors.ts";
import { isLegacyId } from "../../oci/legacy/legacy-id.ts";
import { parseLegacyLayer } from "../../oci/legacy/legacy-layer.ts";
import { MAX_KEPT_JSON_BYTES } from "../../oci/limits.ts";
import { tagsThere } from "../../oci/nearest-tags.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { runBounded } from "../../util/task-group.ts";
import { deadlineSignal } from "../../util/time/deadline.ts";
import { sharedV1Json } from "./shared-v1-json.ts";
import type { V1ChainLayer, V1Image } from "./v1-image.ts";
import { v1RepositoryName } from "./v1-names.ts";
import type { V1LayerJson, V1Session } from "./v1-store.ts";

/** Docker itself allowed 127. */
const MAX_CHAIN = 1000;
const JSON_CONCURRENCY = 8;

/**
 * The chain of an image, checked: the ancestry begins with the id of the tag, the JSON of each layer has the id that was
 * asked for and the next one as its parent, the last has none, and no id comes twice. The JSON of a layer is fetched once
 * per store.
 *
 * @throws NotFoundError; ArchiveError "legacy-id", "legacy-chain", "json-too-large", or a json-… reason; RegistryError for a
 * layer that is still being uploaded.
 */
export async function readV1Image(session: V1Session, tag: string, signal?: AbortSignal): Promise<V1Image> {
  const where = v1ImageName(session, tag);
  const id = await readNamedTag(session, tag, signal);
  if (!isLegacyId(id)) throw fault("legacy-id", where, `the id ${quote(id)}`, "64 hex digits");
  const ancestry = checkAncestry(await session.ancestry(id, signal), id, where);
  const documents: (V1LayerJson | undefined)[] = ancestry.map(() => undefined);
  let bytes = 0;
  await runBounded(
    ancestry.entries(),
    JSON_CONCURRENCY,
    async ([index, layerId], stop) => {
      const json = await sharedV1Json(session, layerId, stop);
      documents[index] = json;
      bytes += json.bytes.length;
      if (bytes <= MAX_KEPT_JSON_BYTES) return;
      const limit = formatBytes(MAX_KEPT_JSON_BYTES);
      throw fault("json-too-large", where, `layers with more than ${limit} of JSON`, `at most ${limit}`);
    },
    signal,
  );
  const chain: V1ChainLayer[] = [];
  for (const [index, json] of documents.entries()) {
    if (json === undefined) continue;
    const asked = ancestry[index] ?? "";
    const layer = parseLegacyLayer(json.bytes, `layer ${asked} of ${where}`);
    if (layer.id !== asked) throw fault("legacy-chain", where, `the id ${layer.id} in the JSON of ${asked}`, "its own");
    const below = ancestry[index + 1];
    if (layer.parent !== below) {
      const expected = below === undefined ? "none, because the ancestry ends there" : `${below}, as in the ancestry`;
      throw fault("legacy-chain", where, `the parent ${layer.parent ?? "none"} of ${asked}`, expected);
    }
    chain.push({ json, layer, key: layerKey(json) });
  }
  return { repository: session.repository, tag, id, chain: chain.reverse() };
}

/** The answer is known; the list only explains it. */
const LIST_MS = 5000;

/** The id of a tag. If the repository does not have it, the hint names the tags that it has, which takes one more request. */
export async function readNamedTag(session: V1Session, tag: string, signal?: AbortSignal): Promise<string> {
  try {
    return await session.tag(tag, signal);
  } catch (error) {
    if (!(error instanceof NotFoundError) || error.hint !== undefined) throw error;
    using limit = deadlineSignal(LIST_MS, signal);
    const { namespace, name } = session.repository;
    const tags = await session.tags(limit.signal).catch(() => undefined);
    signal?.throwIfAborted();
    const hint = tags && `${tagsThere(`${namespace}/${name}`, tag, tags)}.`;
    throw hint === undefined ? error : new NotFoundError(error.message, { hint, cause: error });
  }
}

/** As messages name an image of this session. */
export function v1ImageName({ store, repository }: V1Session, tag: string): string {
  return quote(`${v1RepositoryName(store, repository)}:${tag}`);
}

function checkAncestry(ancestry: readonly string[], id: string, where: string): readonly string[] {
  if (ancestry[0] !== id) {
    const first = ancestry[0] === undefined ? "an empty ancestry" : `an ancestry from ${quote(ancestry[0])}`;
    throw fault("legacy-chain", where, first, `one from ${id}, the layer of the tag`);
  }
  if (ancestry.length > MAX_CHAIN)
    throw fault("legacy-chain", where, `${ancestry.length} layers in the ancestry of ${id}`, `at most ${MAX_CHAIN}`);
  const seen = new Set<string>();
  for (const found of ancestry) {
    if (!isLegacyId(found))
      throw fault("legacy-id", where, `${quote(found)} in the ancestry of ${id}`, "64 hex digits");
    if (seen.has(found))
      throw fault("legacy-chain", where, `${found} twice in the ancestry of ${id}`, "each layer once");
    seen.add(found);
  }
  return ancestry;
}

/** Of everything that decides what a layer is, except for its bytes. */
function layerKey({ id, bytes, size }: V1LayerJson): string {
  return createHash("sha256")
    .update(`${id}\n${size ?? "?"}\n`)
    .update(bytes)
    .digest("hex");
}

function fault(reason: string, where: string, found: string, expected: string): ArchiveError {
  return new ArchiveError(reason, `Cannot read ${where}: found ${found}, expected ${expected}`, {
    hint: "The image is damaged in its registry: push it again, or take an older tag.",
  });
}
