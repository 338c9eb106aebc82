import { createHash } from "node:crypto";
import { ArchiveError, IntegrityError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { parseManifest, type RawManifest } from "../../oci/manifest.ts";
import { DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, MANIFEST_ACCEPT } from "../../oci/media-types.ts";
import { isSchema1 } from "../../oci/schema1/schema1.ts";
import { schema1Payload } from "../../oci/schema1/schema1-payload.ts";
import { quote } from "../../util/format.ts";
import type { Actions } from "../auth/scope.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { headerList, headerText } from "../http/headers.ts";

export interface ManifestPlace {
  readonly client: RegistryClient;
  readonly repository: string;
  /** What else is done in the repository, so that one token does; "pull" without it. */
  readonly actions?: Actions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Schema 1 is asked for where the registry has nothing else. */
  readonly takesSchema1?: boolean | undefined;
}

export interface FetchedManifest {
  /** Of what the digest covers: for a signed schema 1 manifest the payload. */
  readonly descriptor: Descriptor;
  /** As the registry sent it. */
  readonly manifest: RawManifest;
  /** Of a schema 1 manifest: what its signatures sign. */
  readonly payload?: Uint8Array;
}

/**
 * Reads a manifest or an index by tag or digest ("Pulling manifests"). The body is hashed; a digest that was asked for
 * must be the body's. RegistryPool that hold schema 1 alone send it unasked, or when nothing else is accepted.
 *
 * @throws NotFoundError, IntegrityError, ArchiveError for a document that is no manifest.
 */
export async function getManifest(place: ManifestPlace, reference: string): Promise<FetchedManifest> {
  try {
    return await requestManifest(place, reference, MANIFEST_ACCEPT);
  } catch (error) {
    const isMissing = error instanceof NotFoundError || (error instanceof RegistryError && error.status === 406);
    if (place.takesSchema1 !== true || !isMissing) throw error;
    // Only now: a registry that is offered schema 1 may convert to it.
    return await requestManifest(place, reference, [DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1]).catch(second => {
      throw second instanceof NotFoundError || second instanceof RegistryError ? error : second;
    });
  }
}

async function requestManifest(
  place: ManifestPlace,
  reference: string,
  accepted: readonly string[],
): Promise<FetchedManifest> {
  const { client, repository, signal } = place;
  const what = `manifest ${reference}`;
  const where = `${client.registry}/${repository}`;
  return await client.retrying(what, signal, async () => {
    const response = await client.callOnce({
      verb: "pull",
      what,
      repository,
      actions: place.actions ?? "pull",
      method: "GET",
      url: `/v2/${repository}/manifests/${reference}`,
      headers: { accept: accepted.join(", ") },
      accept: [200],
      signal,
    });
    const bytes = await readBody(response.body, client, what, repository);
    const wanted = reference.includes(":") ? (reference as Digest) : undefined;
    const payload = isSchema1(bytes) ? schema1Payload(bytes, where) : undefined;
    const covered = payload ?? bytes;
    const digest = hashBytes(covered, wanted);
    for (const expected of [wanted, ...headerList(response.headers, "docker-content-digest")]) {
      if (expected === undefined || expected === digest || digestOf(covered, expected) === expected) continue;
      throw new IntegrityError(`Cannot accept ${what} from ${where}: found ${digest}, expected ${quote(expected)}`, {
        hint: "The registry, or a proxy in front of it, altered the manifest.",
      });
    }
    const announced = headerText(response.headers, "content-type");
    if (payload !== undefined) return schema1Manifest(bytes, payload, digest, announced, where);
    const view = parseManifest(bytes, {
      where: `${where}:${reference}`,
      ...(announced === undefined ? {} : { announced }),
    });
    return {
      descriptor: { mediaType: view.mediaType, digest, size: bytes.length },
      manifest: { mediaType: view.mediaType, bytes },
    };
  });
}

/** RegistryPool that knew no other manifests announced it as JSON. */
const SCHEMA1_ANNOUNCED: readonly (string | undefined)[] = [
  undefined,
  DOCKER_SCHEMA1_SIGNED,
  DOCKER_SCHEMA1,
  "application/json",
];

function schema1Manifest(
  bytes: Uint8Array,
  payload: Uint8Array,
  digest: Digest,
  announced: string | undefined,
  where: string,
): FetchedManifest {
  const type = announced?.split(";", 1)[0]?.trim().toLowerCase();
  if (!SCHEMA1_ANNOUNCED.includes(type)) {
    throw new ArchiveError(
      "manifest-media-type",
      `Cannot read manifest from ${where}: found schema 1 as media type ${quote(type ?? "")}, expected ${DOCKER_SCHEMA1_SIGNED}`,
    );
  }
  const mediaType = payload === bytes ? DOCKER_SCHEMA1 : DOCKER_SCHEMA1_SIGNED;
  return {
    descriptor: { mediaType, digest, size: payload.length },
    manifest: { mediaType, bytes },
    payload,
  };
}

/** What the registry holds under a tag or digest now; undefined when there is nothing. */
async function storedDigest(place: ManifestPlace, reference: string): Promise<string | undefined> {
  const { client, repository, signal } = place;
  try {
    const response = await client.callDumped({
      verb: "read",
      what: `manifest ${reference}`,
      repository,
      actions: "pull,push",
      method: "HEAD",
      url: `/v2/${repository}/manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT.join(", ") },
      accept: [200],
      signal,
    });
    // The header is optional; the bytes are not.
    const told = headerText(response.headers, "docker-content-digest");
    return told ?? (await getManifest(place, reference)).descriptor.digest;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
  // Nexus answers 404 to a HEAD of manifests that it has.
  try {
    return (await getManifest({ ...place, actions: "pull,push" }, reference)).descriptor.digest;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/**
 * Puts manifest bytes under a tag or their digest ("Pushing Manifests").
 *
 * @throws IntegrityError when the registry says that it stored something else.
 */
export async function putManifest(
  place: ManifestPlace,
  reference: string,
  manifest: RawManifest,
  digest: Digest,
): Promise<void> {
  const { client, repository, signal } = place;
  const response = await client.callDumped({
    verb: "push",
    what: `manifest ${reference}`,
    repository,
    actions: "pull,push",
    method: "PUT",
    url: `/v2/${repository}/manifests/${reference}`,
    headers: { "content-type": manifest.mediaType, "content-length": String(manifest.bytes.length) },
    body: () => manifest.bytes,
    accept: [201, 200, 202],
    signal,
  });
  // A web server that answers 2xx to everything is no registry: without its digest the answer proves nothing.
  const stored = headerText(response.headers, "docker-content-digest") ?? (await storedDigest(place, reference));
  // It may name the same bytes by another algorithm than the archive does.
  if (stored === digest || (stored !== undefined && digestOf(manifest.bytes, stored) === stored)) return;
  throw new IntegrityError(
    `Cannot push manifest ${reference} to ${client.registry}/${repository}: registry stored ${quote(stored ?? "nothing")}, expected ${digest}`,
    { hint: "A proxy on the way may alter bodies, or another push moved the tag at the same moment." },
  );
}

function hashBytes(bytes: Uint8Array, like: Digest | undefined): Digest {
  const algorithm = like === undefined ? "sha256" : digestAlgorithm(like);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

function digestOf(bytes: Uint8Array, like: string): string | undefined {
  const algorithm = like.split(":", 1)[0];
  if (algorithm !== "sha256" && algorithm !== "sha512") return undefined;
  return hashBytes(bytes, `${algorithm}:`);
}

async function readBody(
  body: AsyncIterable<Uint8Array>,
  client: RegistryClient,
  what: string,
  repository: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      bytes += part.length;
      if (bytes > MAX_MANIFEST_BYTES) {
        throw new IntegrityError(
          `Cannot accept ${what} from ${client.registry}/${repository}: more than ${MAX_MANIFEST_BYTES} bytes, expected at most 4 MiB`,
        );
      }
      parts.push(part);
    }
  } catch (cause) {
    throw client.failure(cause, "pull", what, repository);
  }
  return Buffer.concat(parts, bytes);
}
