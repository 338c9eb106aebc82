import { formatReference, parseReference } from "../../oci/reference.ts";
import { ownFile, type RuntimeFiles } from "./mirror-file.ts";
import type { MirrorTarget } from "./mirror-plan.ts";
import { yamlLines } from "./yaml-file.ts";

const FILE = "compose.imgpack.yaml";

/** A service of a compose file. */
export interface ComposeService {
  readonly service: string;
  /** As the file has it, with its variables replaced. */
  readonly image: string;
  /** Repository at the target. */
  readonly target: string;
}

/**
 * A compose file to merge over those that were read: it gives their services other images, with the tags and digests that
 * they have. A service that several files have gets the image of the last one, as compose does it.
 */
export function composeFiles(services: readonly ComposeService[], target: MirrorTarget): RuntimeFiles {
  const images = new Map(
    services.map(({ service, image, target: repository }) => {
      const { tag, digest } = parseReference(image);
      const name = { registry: target.registry, repository, ...(tag && { tag }), ...(digest && { digest }) };
      return [service, { image: formatReference(name) }] as const;
    }),
  );
  return {
    files: images.size === 0 ? [] : [ownFile([FILE], yamlLines({ services: images }))],
    notPossible: [],
    notes: [`Give it to compose as the last file: docker compose -f compose.yaml -f ${FILE} up`],
  };
}
