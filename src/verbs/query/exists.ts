import { NotFoundError } from "../../errors.ts";
import { manifestKey, placeOf, type RemoteOptions, readableReference, withRegistries } from "../shared/remote-image.ts";
import { resolveDigest } from "./digest.ts";

/**
 * Whether a registry holds this tag or digest. A registry that cannot be asked, or refuses, is an error, not a "no".
 *
 * @throws AuthError, NetworkError, RegistryError
 */
export async function exists(reference: string, options: RemoteOptions = {}): Promise<boolean> {
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    try {
      await resolveDigest(await placeOf(registries, named, options.signal), manifestKey(named));
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  });
}
