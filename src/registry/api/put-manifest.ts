import { IntegrityError, NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { RawManifest } from "../../oci/manifest.ts";
import { quote } from "../../util/format.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import { digestLike } from "./get-manifest.ts";
import { resolveDigest } from "./resolve-digest.ts";

export interface PutManifestOptions {
  /** Entity tag that the reference must still have. */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PutManifestAnswer {
  /** True if the registry will list the manifest among the referrers of its subject ("Pushing Manifests with Subject"). */
  readonly isSubjectKnown: boolean;
}

/**
 * Puts manifest bytes under a tag or their digest ("Pushing Manifests").
 *
 * @throws IntegrityError when the registry reports another digest.
 */
export async function putManifest(
  repository: Repository,
  reference: string,
  { mediaType, bytes }: RawManifest,
  digest: Digest,
  { ifMatch, signal }: PutManifestOptions = {},
): Promise<PutManifestAnswer> {
  const condition = ifMatch === undefined ? {} : { "if-match": ifMatch };
  const response = await repository.call({
    what: `manifest ${reference}`,
    method: "PUT",
    url: `manifests/${reference}`,
    headers: { "content-type": mediaType, "content-length": String(bytes.length), ...condition },
    body: () => bytes,
    accept: [201, 200, 202],
    signal,
  });
  // Without its digest the answer proves nothing: a web server may answer 2xx to everything.
  const stored =
    headerText(response.headers, "docker-content-digest") ?? (await storedDigest(repository, reference, signal));
  // The registry may name the same bytes by another algorithm.
  if (stored === digest || (stored !== undefined && digestLike(bytes, stored) === stored))
    return { isSubjectKnown: headerText(response.headers, "oci-subject") !== undefined };
  throw new IntegrityError(
    `Cannot push manifest ${reference} to ${repository}: registry stored ${quote(stored ?? "nothing")}, expected ${digest}`,
    { hint: "A proxy on the way may alter bodies, or another push moved the tag at the same moment." },
  );
}

async function storedDigest(
  repository: Repository,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return (await resolveDigest(repository, reference, signal)).digest;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
