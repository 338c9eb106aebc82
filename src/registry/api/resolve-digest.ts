import { AuthError, IntegrityError, NotFoundError, RegistryError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { ANY_ACCEPT } from "../../oci/media-types.ts";
import { quote } from "../../util/format.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import { getManifest } from "./get-manifest.ts";

export interface ResolvedDigest {
  readonly digest: Digest;
  readonly mediaType?: string;
}

/**
 * The digest that a tag or digest names now: one HEAD, or the hash of the manifest where the registry names no
 * digest.
 *
 * @param verb as in messages.
 * @throws NotFoundError; IntegrityError when the registry has another manifest under a given digest.
 */
export async function resolveDigest(
  repository: Repository,
  reference: string,
  signal?: AbortSignal,
  verb = "read",
): Promise<ResolvedDigest> {
  const head = await headManifest(repository, reference, verb, signal);
  const found = head?.digest;
  if (!isDigest(found)) {
    const { digest, mediaType } = (await getManifest(repository, reference, { takesAny: true, verb, signal }))
      .descriptor;
    return { digest, mediaType };
  }
  const isSameAlgorithm = isDigest(reference) && reference.slice(0, 6) === found.slice(0, 6);
  if (isSameAlgorithm && reference !== found) {
    throw new IntegrityError(
      `Cannot accept manifest ${reference} from ${repository}: found ${quote(found)}, expected ${reference}`,
      { hint: "The registry, or a proxy in front of it, altered the manifest." },
    );
  }
  const { mediaType } = head ?? {};
  return {
    digest: isDigest(reference) ? reference : found,
    ...(mediaType === undefined ? {} : { mediaType }),
  };
}

/** Digest and media type from the headers of a manifest; undefined where the registry does not answer HEAD properly. */
async function headManifest(
  repository: Repository,
  reference: string,
  verb: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: string | undefined; readonly mediaType: string | undefined } | undefined> {
  try {
    const { headers } = await repository.call({
      verb,
      what: `manifest ${reference}`,
      method: "HEAD",
      url: `manifests/${reference}`,
      headers: { accept: ANY_ACCEPT.join(", ") },
      accept: [200],
      signal,
    });
    const mediaType = headerText(headers, "content-type")?.split(";", 1)[0]?.trim();
    return { digest: headerText(headers, "docker-content-digest"), mediaType };
  } catch (error) {
    signal?.throwIfAborted();
    // Nexus answers 404 to a HEAD of manifests that it has, others 403 or 405. A HEAD has no body with the reason either.
    if (error instanceof NotFoundError || error instanceof AuthError) return undefined;
    if (error instanceof RegistryError && !error.transient) return undefined;
    throw error;
  }
}
