import type { Digest } from "../oci/digest.ts";
import { parseManifest } from "../oci/manifest.ts";
import { OCI_INDEX } from "../oci/media-types.ts";
import { type Answer, jsonAnswer } from "./answer.ts";
import type { ManifestRecord } from "./content/served-registry.ts";
import { type Exchange, namespaceOf } from "./exchange.ts";
import { requireRepository } from "./require-repository.ts";

// Clients read at most 4 MiB of an index.
const PAGE_BYTES = 4 * 1024 * 1024 - 4096;

/**
 * GET referrers: an index of the manifests whose subject is `digest`, in the order of their digests. Annotations are
 * read from the stored bytes, and not kept in memory.
 */
export async function listReferrers(exchange: Exchange, name: string, digest: Digest): Promise<Answer> {
  const { query, registry } = exchange;
  const wanted = query.get("artifactType");
  const last = query.get("last") ?? "";
  const ns = namespaceOf(query);
  // A push may still bring a repository to a store.
  const isFixed = registry.bundle !== undefined;
  const repository = isFixed ? await requireRepository(exchange, name) : await registry.repository(name, ns);
  const records = (repository?.referrersOf(digest) ?? [])
    .filter(record => (wanted === null || record.artifactType === wanted) && record.digest > last)
    .sort((left, right) => (left.digest < right.digest ? -1 : 1));
  const manifests: unknown[] = [];
  const headers: Record<string, string> = { "content-type": OCI_INDEX };
  if (wanted !== null) headers["oci-filters-applied"] = "artifactType";
  let bytes = 0;
  let end: Digest | undefined;
  for (const record of records) {
    const content = await registry.readManifest(record);
    // It was deleted in the meantime, or is damaged.
    if (content === undefined) continue;
    const descriptor = describe(record, content);
    bytes += Buffer.byteLength(JSON.stringify(descriptor)) + 1;
    if (end !== undefined && bytes > PAGE_BYTES) {
      const more = new URLSearchParams({
        ...(wanted === null ? {} : { artifactType: wanted }),
        last: end,
        ...(ns === undefined ? {} : { ns }),
      });
      headers["link"] = `</v2/${name}/referrers/${digest}?${more}>; rel="next"`;
      break;
    }
    manifests.push(descriptor);
    end = record.digest;
  }
  return jsonAnswer(200, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, headers);
}

function describe({ digest, mediaType, size, artifactType }: ManifestRecord, content: Uint8Array): object {
  const { annotations } = parseManifest(content, { announced: mediaType, where: digest });
  return { mediaType, digest, size, artifactType, annotations };
}
