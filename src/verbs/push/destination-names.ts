import type { Destination } from "../shared/destinations.ts";

/** `registry/repository` */
export function nameOf({ registry, repository }: Pick<Destination, "registry" | "repository">): string {
  return `${registry}/${repository}`;
}

/**
 * The image as messages name it.
 *
 * @param text tag, or digest of an image that is named by its digest alone; more may follow.
 */
export function imageAt(destination: Destination, text: string): string {
  return `${nameOf(destination)}${destination.isPinned ? "@" : ":"}${text}`;
}

/** How many names a destination gets; an image without a name counts as one. */
export function imagesOf({ roots }: Destination): number {
  return roots.reduce((sum, { names }) => sum + Math.max(1, names.length), 0);
}
