import type { CopyPlan } from "../../content/contracts.ts";
import { ArchiveError, RegistryError } from "../../errors.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { idOf } from "../shared/choose-image.ts";
import type { Destination } from "../shared/destinations.ts";
import { imageAt } from "./destination-names.ts";

/** True for what is wrong with one image: the others of its repository can be pushed without it. */
export function isOfOneImage(error: unknown): boolean {
  if (error instanceof ArchiveError) return error.reason === "sparse-index" || error.reason === "no-image";
  return error instanceof RegistryError && isManifestRefused(error);
}

function isManifestRefused({ codes }: RegistryError): boolean {
  return codes.some(code => code.startsWith("MANIFEST_"));
}

/**
 * Says what helps if a registry has refused an index because images of it are absent, as distribution does.
 *
 * @returns the error to throw instead of `error`.
 */
export function explainSparse(error: unknown, plan: CopyPlan, destination: Destination): unknown {
  if (!(error instanceof RegistryError) || !isManifestRefused(error)) return error;
  const absent = new Set<string>();
  for (const { view } of plan.manifests.values()) {
    for (const { digest, platform } of view.kind === "index" ? view.manifests : []) {
      if (!plan.manifests.has(digest)) absent.add(platform === undefined ? digest : formatPlatform(platform));
    }
  }
  if (absent.size === 0) return error;
  const images = plan.roots.flatMap(root => (destination.isPinned ? [idOf(root)] : root.names));
  const { status, codes } = error;
  return new RegistryError(
    `Cannot push ${images.map(image => imageAt(destination, image)).join(", ")}: the archive lacks ${[...absent].join(", ")} of its index, and the registry refuses such an index (status ${status} ${[...new Set(codes)].join(", ")}), expected one that takes it`,
    {
      status,
      codes,
      cause: error,
      hint: 'Pull the image again with --platform all; or push with --sparse prune, which changes its digest, so that signatures of it no longer fit; or change the registry, in distribution 3 with "validation.manifests.indexes.platforms: none".',
    },
  );
}
