import { AuthError, IntegrityError, NotFoundError, RegistryError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { MANIFEST_ACCEPT } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { getManifest, type ManifestPlace } from "../../registry/api/manifests.ts";
import { headerText } from "../../registry/http/headers.ts";
import { quote } from "../../util/format.ts";
import {
  manifestKey,
  placeOf,
  type RemoteOptions,
  readableReference,
  readPlatformManifest,
  repositoryName,
  withRegistries,
} from "../shared/remote-image.ts";

export interface DigestOptions extends RemoteOptions {
  /** `os/architecture[/variant]`: the digest of that image in an index, instead of the index's own. */
  readonly platform?: string | undefined;
}

export interface DigestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType?: string;
  readonly platform?: string;
}

/**
 * The digest that a reference stands for now. One HEAD where the registry tells digests, else the manifest is read and
 * hashed.
 *
 * @throws NotFoundError
 */
export async function digest(reference: string, options: DigestOptions = {}): Promise<DigestResult> {
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    const place = await placeOf(registries, named, options.signal);
    const key = manifestKey(named);
    if (options.platform !== undefined) {
      const { descriptor } = await readPlatformManifest(place, key, options.platform);
      const { mediaType, platform } = descriptor;
      const label = platform === undefined ? {} : { platform: formatPlatform(platform) };
      return {
        reference: `${repositoryName(named)}@${descriptor.digest}`,
        digest: descriptor.digest,
        mediaType,
        ...label,
      };
    }
    const found = await resolveDigest(place, key);
    return { reference: `${repositoryName(named)}@${found.digest}`, ...found };
  });
}

/** @throws NotFoundError, IntegrityError when a digest that was asked for stands for another one. */
export async function resolveDigest(
  place: ManifestPlace,
  key: string,
): Promise<{ readonly digest: Digest; readonly mediaType?: string }> {
  const head = await headManifest(place, key);
  const told = head?.digest;
  if (!isDigest(told)) {
    const { descriptor } = await getManifest(place, key);
    return { digest: descriptor.digest, mediaType: descriptor.mediaType };
  }
  const isSameAlgorithm = isDigest(key) && key.slice(0, 6) === told.slice(0, 6);
  if (isSameAlgorithm && key !== told) {
    throw new IntegrityError(
      `Cannot accept manifest ${key} from ${place.client.registry}/${place.repository}: found ${quote(told)}, expected ${key}`,
      { hint: "The registry, or a proxy in front of it, altered the manifest." },
    );
  }
  const { mediaType } = head ?? {};
  return { digest: isDigest(key) ? key : told, ...(mediaType === undefined ? {} : { mediaType }) };
}

/** Headers of a manifest; undefined where the registry does not answer HEAD rightly, so that only GET can tell. */
async function headManifest(
  { client, repository, signal }: ManifestPlace,
  key: string,
): Promise<{ readonly digest: string | undefined; readonly mediaType: string | undefined } | undefined> {
  try {
    const { headers } = await client.callDumped({
      verb: "read",
      what: `manifest ${key}`,
      repository,
      actions: "pull",
      method: "HEAD",
      url: `/v2/${repository}/manifests/${key}`,
      headers: { accept: MANIFEST_ACCEPT.join(", ") },
      accept: [200],
      signal,
    });
    const mediaType = headerText(headers, "content-type")?.split(";", 1)[0]?.trim();
    return { digest: headerText(headers, "docker-content-digest"), mediaType };
  } catch (error) {
    signal?.throwIfAborted();
    // Nexus answers 404 to a HEAD of what it has, others 403 or 405; a HEAD also has no body that says what is wrong.
    if (error instanceof NotFoundError || error instanceof AuthError) return undefined;
    if (error instanceof RegistryError && !error.transient) return undefined;
    throw error;
  }
}
