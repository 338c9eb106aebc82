import { RegistryError } from "../../errors.ts";
import type { Repository } from "../client/repository.ts";

/**
 * Deletes a tag, or a manifest with all its tags by digest ("Content Management"). Blobs stay until the registry
 * collects its garbage.
 *
 * @throws NotFoundError; RegistryError with status 405 or 400 where this is not supported.
 */
export async function deleteManifest(repository: Repository, reference: string, signal?: AbortSignal): Promise<void> {
  await repository.call({
    verb: "delete",
    what: `${reference.includes(":") ? "manifest" : "tag"} ${reference}`,
    actions: "pull,push,delete",
    method: "DELETE",
    url: `manifests/${reference}`,
    accept: [202, 200, 204],
    signal,
  });
}

/** True when the registry deletes nothing, or not by tag. */
export function isDeletionUnsupported(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError)) return false;
  return error.status === 405 || error.status === 501 || error.codes.includes("UNSUPPORTED");
}

/** distribution 2 takes only digests, and reads a tag as a malformed one. */
export function isTagDeletionUnsupported(error: unknown): error is RegistryError {
  return isDeletionUnsupported(error) || (error instanceof RegistryError && error.status === 400);
}
