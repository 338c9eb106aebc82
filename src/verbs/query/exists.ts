import { noteTo } from "../../content/progress.ts";
import { NotFoundError } from "../../errors.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { formatReference } from "../../oci/reference.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import { v1Hint } from "../../registry/api/v1-hint.ts";
import { manifestKey } from "../../registry/registry-source.ts";
import { checkedOptions } from "../../util/options/checked-options.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { type RemoteOptions, readableReference, repositoryName, withRegistries } from "../shared/remote-image.ts";

/**
 * Checks whether a registry has this tag or digest. A registry that does not answer, or refuses, is an error, not a "no".
 * A note says where an image that is not there was looked for.
 *
 * @throws AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { exists } from "imgpack";
 *
 * if (await exists("registry.lan:5000/team/app:1.4")) console.log("there already");
 * ```
 */
export async function exists(reference: string, options: RemoteOptions = {}): Promise<boolean> {
  checkText("look for image", "the name of an image", reference);
  options = checkedOptions<RemoteOptions>(options, COMMON);
  if (isV1Reference(reference)) {
    const { existsInV1 } = await import("../v1/query/v1-queries.ts");
    const isThere = await existsInV1(reference, options);
    if (!isThere) noteTo(options.onProgress)(`Not there: ${reference}`);
    return isThere;
  }
  const { signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    try {
      const repository = await registries.repositoryFor(named, signal);
      await resolveDigest(repository, manifestKey(named), signal);
      return true;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      const client = await registries.clientFor(named.registry, signal);
      const hint = await v1Hint(client, error, `write v1://${repositoryName(named)}:${named.tag ?? "latest"}`, signal);
      signal?.throwIfAborted();
      noteTo(options.onProgress)(`Not there: ${formatReference(named)}`);
      if (hint !== undefined) noteTo(options.onProgress)(hint);
      return false;
    }
  });
}
