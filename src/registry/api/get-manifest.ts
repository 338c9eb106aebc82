import { parseKept } from "../../content/kept-views.ts";
import { ArchiveError, IntegrityError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import type { RawManifest } from "../../oci/manifest.ts";
import {
  ANY_ACCEPT,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  isManifestType,
  isSchema1Type,
  MANIFEST_ACCEPT,
  mayBeManifestType,
} from "../../oci/media-types.ts";
import { isSchema1 } from "../../oci/schema1/schema1.ts";
import { schema1Payload } from "../../oci/schema1/schema1-payload.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { isBadAnswer, readingAnswer } from "../client/registry-answer.ts";
import type { Repository, RepositoryCall } from "../client/repository.ts";
import { type HeaderMap, headerList, headerText } from "../http/headers.ts";

const TOO_LARGE_HINT = `Registries take manifests up to ${formatBytes(MAX_MANIFEST_BYTES)}, and imgpack reads no larger ones: build the image with fewer layers, or shorter annotations.`;

export interface FetchedManifest {
  /** Of what the digest covers: for a signed schema 1 manifest the payload. */
  readonly descriptor: Descriptor;
  /** As the registry sent it. */
  readonly manifest: RawManifest;
  /** Of a schema 1 manifest: what its signatures sign. */
  readonly payload?: Uint8Array;
}

export interface GetManifestOptions {
  /** Accepts schema 1 where the registry has nothing else. */
  readonly takesSchema1?: boolean | undefined;
  /** Accepts any JSON document, for callers that only pass its bytes on. */
  readonly takesAny?: boolean | undefined;
  /** As in messages; default "pull". */
  readonly verb?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a manifest or an index as `getManifest` does. */
export type ReadManifest = (
  repository: Repository,
  reference: string,
  options?: GetManifestOptions,
) => Promise<FetchedManifest>;

/**
 * Reads a manifest or an index by tag or digest ("Pulling manifests"). The body is hashed, and must be what a given
 * digest names. Registries that have only schema 1 send it unasked, or when nothing else is accepted.
 *
 * @throws NotFoundError, IntegrityError, RegistryError for a document that is no manifest.
 */
export async function getManifest(
  repository: Repository,
  reference: string,
  options: GetManifestOptions = {},
): Promise<FetchedManifest> {
  const { takesSchema1, takesAny } = options;
  try {
    return await requestManifest(repository, reference, takesAny === true ? ANY_ACCEPT : MANIFEST_ACCEPT, options);
  } catch (error) {
    const isMissing = error instanceof NotFoundError || (error instanceof RegistryError && error.status === 406);
    if (takesSchema1 !== true || !isMissing) throw error;
    // Only now: a registry that is offered schema 1 may convert to it.
    const others = [DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1, "*/*"];
    return await requestManifest(repository, reference, others, options).catch(second => {
      const isRefusal = second instanceof NotFoundError || (second instanceof RegistryError && !isBadAnswer(second));
      throw isRefusal ? error : second;
    });
  }
}

async function requestManifest(
  repository: Repository,
  reference: string,
  accepted: readonly string[],
  { takesAny, verb = "pull", signal }: GetManifestOptions,
): Promise<FetchedManifest> {
  const what = `manifest ${reference}`;
  const call: RepositoryCall = {
    verb,
    what,
    method: "GET",
    url: `manifests/${reference}`,
    headers: { accept: accepted.join(", ") },
    accept: [200],
    signal,
  };
  return await repository.retrying(what, signal, async () => {
    const response = await repository.open(call);
    const bytes = await repository.readBody(response, call, MAX_MANIFEST_BYTES, TOO_LARGE_HINT);
    const { headers } = response;
    const answer = { headers, bytes, action: `${verb} ${what} from ${repository}`, expected: "a manifest" };
    return await readingAnswer(() => readManifest(repository, reference, headers, bytes, takesAny), answer);
  });
}

/** @throws IntegrityError for another digest; ArchiveError for a document that is no manifest. */
function readManifest(
  repository: Repository,
  reference: string,
  headers: HeaderMap,
  bytes: Uint8Array,
  takesAny = false,
): FetchedManifest {
  const wanted = reference.includes(":") ? (reference as Digest) : undefined;
  const payload = isSchema1(bytes) ? schema1Payload(bytes, `${repository}`) : undefined;
  const covered = payload ?? bytes;
  const digest = digestOf(covered, wanted === undefined ? "sha256" : digestAlgorithm(wanted));
  for (const expected of [wanted, ...headerList(headers, "docker-content-digest")]) {
    if (expected === undefined || expected === digest || digestLike(covered, expected) === expected) continue;
    throw new IntegrityError(
      `Cannot accept manifest ${reference} from ${repository}: found ${digest}, expected ${quote(expected)}`,
      { hint: "The registry, or a proxy in front of it, altered the manifest." },
    );
  }
  const announced = headerText(headers, "content-type");
  if (payload !== undefined) return schema1Manifest(bytes, payload, digest, announced, `${repository}`);
  const where = `${repository}:${reference}`;
  const mediaType = manifestType(bytes, announced, where, takesAny);
  return { descriptor: { mediaType, digest, size: bytes.length }, manifest: { mediaType, bytes } };
}

/** Faults of a document that two readers may understand differently. */
const DOUBTFUL: ReadonlySet<string> = new Set([
  "manifest-media-type",
  "manifest-shape",
  "manifest-schema1",
  "json-folded-key",
  "json-number",
]);

/**
 * @param takesAny also takes a JSON document of an unknown type, and one of a known type with faulty fields.
 * @throws ArchiveError
 */
function manifestType(bytes: Uint8Array, announced: string | undefined, where: string, takesAny: boolean): string {
  try {
    return parseKept(bytes, { where, ...(announced === undefined ? {} : { announced }) }).mediaType;
  } catch (error) {
    const type = announced?.split(";", 1)[0]?.trim() ?? "";
    if (!takesAny || !(error instanceof ArchiveError) || !mayBeManifestType(type)) throw error;
    if ((isManifestType(type) || isSchema1Type(type)) && DOUBTFUL.has(error.reason)) throw error;
    const value = parseJson(bytes, { what: "manifest", where, maxBytes: MAX_MANIFEST_BYTES });
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw error;
    return type;
  }
}

/** Registries that knew no other manifests announced schema 1 as JSON. */
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

/** The digest of `bytes` by the algorithm of another digest; undefined for an unknown algorithm. */
export function digestLike(bytes: Uint8Array, other: string): Digest | undefined {
  const algorithm = other.split(":", 1)[0];
  if (algorithm !== "sha256" && algorithm !== "sha512") return undefined;
  return digestOf(bytes, algorithm);
}
