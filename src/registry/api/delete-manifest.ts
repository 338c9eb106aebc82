import { RegistryError } from "../../errors.ts";
import type { ManifestPlace } from "./manifests.ts";

/**
 * Deletes a tag, or a manifest with all its tags by digest ("Content Management"). Blobs stay until the registry
 * collects its garbage.
 *
 * @throws NotFoundError; RegistryError with status 405 or 400 where this is not supported.
 */
export async function deleteManifest(place: ManifestPlace, reference: string): Promise<void> {
  const { client, repository, signal } = place;
  await client.callDumped({
    verb: "delete",
    what: `${reference.includes(":") ? "manifest" : "tag"} ${reference}`,
    repository,
    actions: "pull,push,delete",
    method: "DELETE",
    url: `/v2/${repository}/manifests/${reference}`,
    accept: [202, 200, 204],
    signal,
  });
}

/** True when the registry does not delete what it was asked to: nothing may be deleted, or not by tag. */
export function isDeletionUnsupported(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError)) return false;
  return error.status === 405 || error.status === 501 || error.codes.includes("UNSUPPORTED");
}

/** distribution 2 takes digests only, and reads a tag as a malformed one. */
export function isTagDeletionUnsupported(error: unknown): boolean {
  return isDeletionUnsupported(error) || (error instanceof RegistryError && error.status === 400);
}
