import type { IncomingMessage } from "node:http";
import { ArchiveError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf } from "../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../oci/limits.ts";
import { type ManifestView, manifestChildren, parseManifest } from "../oci/manifest.ts";
import { isForeignLayerType } from "../oci/media-types.ts";
import { type Answer, unchangedAnswer } from "./answer.ts";
import { isUnchanged } from "./conditions/is-unchanged.ts";
import { ClientGoneError } from "./content/client-gone-error.ts";
import type { ManifestRecord, ServedRepository } from "./content/served-registry.ts";
import type { Exchange, StoreExchange } from "./exchange.ts";
import type { RegistryFolder } from "./folder/registry-folder.ts";
import { Refusal } from "./refusal.ts";
import { contentUnknown, requireRepository } from "./require-repository.ts";
import { checkTag, type ManifestReference } from "./routes.ts";
import { isClientGone } from "./uploads/upload-session.ts";

/** GET and HEAD. The bytes are hashed each time: a damaged manifest is absent, so that a push brings it again. */
export async function readManifest(exchange: Exchange, name: string, reference: ManifestReference): Promise<Answer> {
  const { request, registry } = exchange;
  const repository = await requireRepository(exchange, name);
  const record = requireManifest(repository, name, reference);
  const { digest, mediaType } = record;
  const etag = `"${digest}"`;
  const headers = { "content-type": mediaType, "docker-content-digest": digest, etag };
  const body = await registry.readManifest(record);
  if (body === undefined) throw unknown(repository, name, reference);
  return isUnchanged(request.headers, etag) ? unchangedAnswer(headers) : { status: 200, headers, body };
}

/** PUT: exact bytes, children first, then the tags. */
export async function writeManifest(
  { request, query, registry: store }: StoreExchange,
  name: string,
  reference: ManifestReference,
): Promise<Answer> {
  const bytes = await readBody(request);
  const digest = digestBytes(bytes, reference);
  const view = parse(bytes, request.headers["content-type"]);
  const tags = reference.kind === "tag" ? [reference.tag] : [...new Set(query.getAll("tag"))].map(checkTag);
  await checkChildren(store, name, view);
  await store.addManifest(name, manifestRecord(digest, bytes.length, view), bytes, tags);
  return {
    status: 201,
    headers: {
      location: `/v2/${name}/manifests/${digest}`,
      "docker-content-digest": digest,
      ...(view.subject === undefined ? {} : { "oci-subject": view.subject.digest }),
      ...(reference.kind === "tag" || tags.length === 0 ? {} : { "oci-tag": tags.join(", ") }),
    },
  };
}

/** DELETE: a tag alone, or a manifest by its digest, with all its tags. */
export async function deleteManifest(
  { registry: store }: StoreExchange,
  name: string,
  reference: ManifestReference,
): Promise<Answer> {
  const repository = await store.repository(name);
  if (repository === undefined) throw new Refusal(404, "NAME_UNKNOWN", `repository ${name} is not in this registry`);
  const { digest } = requireManifest(repository, name, reference);
  if (reference.kind === "tag") await store.removeTag(repository, reference.tag);
  else await store.removeManifest(repository, digest);
  return { status: 202 };
}

function requireManifest(repository: ServedRepository, name: string, reference: ManifestReference): ManifestRecord {
  const digest = digestOfReference(repository, reference);
  const record = digest === undefined ? undefined : repository.manifest(digest);
  if (record !== undefined) return record;
  throw unknown(repository, name, reference);
}

function unknown(repository: ServedRepository, name: string, reference: ManifestReference): Refusal {
  const digest = digestOfReference(repository, reference);
  const wanted = reference.kind === "digest" ? `manifest ${reference.digest}` : `tag ${reference.tag}`;
  return contentUnknown("MANIFEST_UNKNOWN", name, wanted, digest === undefined ? undefined : repository.lack(digest));
}

function digestOfReference(repository: ServedRepository, reference: ManifestReference): Digest | undefined {
  return reference.kind === "digest" ? reference.digest : repository.tagged(reference.tag);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = (): Refusal =>
    new Refusal(413, "SIZE_INVALID", `manifest is too large, expected at most ${MAX_MANIFEST_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_MANIFEST_BYTES) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      size += (part as Uint8Array).length;
      if (size > MAX_MANIFEST_BYTES) throw tooLarge();
      parts.push(part as Uint8Array);
    }
  } catch (error) {
    if (error instanceof Refusal || !isClientGone(request, error)) throw error;
    throw new ClientGoneError({ cause: error });
  }
  return Buffer.concat(parts);
}

/** The digest of a pushed manifest: sha256 for a tag, else by the algorithm of the given digest, which must match. */
function digestBytes(bytes: Uint8Array, reference: ManifestReference): Digest {
  const algorithm = reference.kind === "digest" ? digestAlgorithm(reference.digest) : "sha256";
  const digest = digestOf(bytes, algorithm);
  if (reference.kind === "tag" || reference.digest === digest) return digest;
  throw new Refusal(400, "DIGEST_INVALID", `manifest of ${bytes.length} bytes is ${digest}, not ${reference.digest}`);
}

function parse(bytes: Uint8Array, contentType: string | undefined): ManifestView {
  try {
    return parseManifest(bytes, {
      where: "the request",
      maxBytes: MAX_MANIFEST_BYTES,
      ...(contentType === undefined ? {} : { announced: contentType }),
    });
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new Refusal(400, "MANIFEST_INVALID", error.message, { detail: { reason: error.reason } });
  }
}

/**
 * An image needs its config and layers, an artifact manifest its blobs, except layers that must not be distributed. An
 * index may be sparse, because an air gap often needs one platform of many, but an index without any child was pushed too
 * early. Some writers list blobs in an index (build caches), so a blob counts, too. The subject may come later
 * (specification, "Pushing Manifests with Subject").
 */
async function checkChildren(store: RegistryFolder, name: string, view: ManifestView): Promise<void> {
  const repository = await store.repository(name);
  const needed = manifestChildren(view).filter(child => !isForeignLayerType(child.mediaType));
  const missing: Descriptor[] = [];
  for (const child of needed) {
    const manifest = view.kind === "index" ? repository?.manifest(child.digest) : undefined;
    const found = repository?.blob(child.digest) ?? manifest;
    // Some indexes state wrong sizes of manifests; those are carried.
    if (found !== undefined && found !== manifest && found.size !== child.size) {
      const message = `manifest says that ${child.digest} has ${child.size} bytes, but it has ${found.size}`;
      throw new Refusal(400, "MANIFEST_INVALID", message, { detail: { digest: child.digest } });
    }
    if (found === undefined || !(await store.content.has(found))) missing.push(child);
  }
  const isWhole = view.kind !== "index" ? missing.length === 0 : needed.length === 0 || missing.length < needed.length;
  if (isWhole) return;
  throw new Refusal(400, "MANIFEST_BLOB_UNKNOWN", `manifest refers to ${missing.length} unknown blobs or manifests`, {
    detail: missing.slice(0, 100).map(({ digest }) => ({ digest })),
  });
}

function manifestRecord(digest: Digest, size: number, view: ManifestView): ManifestRecord {
  // An index without an artifactType has none; an image then has the type of its config (specification, "Referrers").
  const artifactType = view.artifactType ?? (view.kind === "image" ? view.config.mediaType : undefined);
  return {
    digest,
    mediaType: view.mediaType,
    size,
    ...(view.subject === undefined ? {} : { subject: view.subject.digest }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}
