import type { Root, SettledRoot } from "../content/contracts.ts";
import { RegistryError } from "../errors.ts";
import { DOCKER_MANIFEST, OCI_MANIFEST } from "../oci/media-types.ts";
import { type CopyOptions, copyImages } from "./copy-image.ts";

/**
 * Copies; if the registry refuses Docker manifests, as zot does by default, images whose manifests are made here get OCI
 * manifests instead. All others keep their bytes.
 *
 * @param where names the registry in the note.
 */
export async function copyOrConvert(copy: CopyOptions, where: string): Promise<readonly SettledRoot[]> {
  try {
    return await copyImages(copy);
  } catch (error) {
    const isDocker = (root: Root): boolean => root.kind === "draft" && root.draft.mediaType === DOCKER_MANIFEST;
    if (!refusesManifest(error) || !copy.plan.roots.some(isDocker)) throw error;
    copy.onProgress({ kind: "note", message: convertedNote(where) });
    const roots = copy.plan.roots.map(root =>
      root.kind === "draft" && isDocker(root) ? { ...root, draft: { ...root.draft, mediaType: OCI_MANIFEST } } : root,
    );
    return await copyImages({ ...copy, plan: { ...copy.plan, roots } });
  }
}

/** Whether a registry refuses a manifest for what it is, as zot does with Docker's. */
export function refusesManifest(error: unknown): boolean {
  return error instanceof RegistryError && (error.status === 415 || error.codes.includes("MANIFEST_INVALID"));
}

export function convertedNote(where: string): string {
  return `${where} does not accept Docker manifests: pushing OCI manifests instead`;
}
