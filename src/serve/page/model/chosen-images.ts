import type { ListedImage } from "./catalogue.ts";

/** What to show of a list of images, and in which order. */
export interface ImageChoice {
  /** Part of a name, a platform or a digest; empty for all. */
  readonly q: string;
  readonly show: "" | "unsigned" | "unknown" | "damaged";
  readonly sort: "" | "size" | "own";
}

const MAX_QUERY = 512;

/** Reads a query. What it does not know is ignored. */
export function readImageChoice(query: URLSearchParams): ImageChoice {
  const show = query.get("show");
  const sort = query.get("sort");
  return {
    q: (query.get("q") ?? "").slice(0, MAX_QUERY).trim(),
    show: show === "unsigned" || show === "unknown" || show === "damaged" ? show : "",
    sort: sort === "size" || sort === "own" ? sort : "",
  };
}

/** Filtered, then sorted; the order by name is that of the list. */
export function chosenImages(images: readonly ListedImage[], { q, show, sort }: ImageChoice): readonly ListedImage[] {
  const words = q.toLowerCase();
  const chosen = images.filter(image => isShown(image, show) && (words === "" || hasWords(image, words)));
  if (sort === "size") chosen.sort((left, right) => right.bytes - left.bytes);
  if (sort === "own") chosen.sort((left, right) => right.ownBytes - left.ownBytes);
  return chosen;
}

function isShown({ signatures, broken }: ListedImage, show: ImageChoice["show"]): boolean {
  switch (show) {
    case "unsigned":
      return signatures === "none";
    case "unknown":
      return signatures === "unknown" || signatures === "absent";
    case "damaged":
      return broken.length > 0;
    default:
      return true;
  }
}

function hasWords({ name, digest, platforms }: ListedImage, words: string): boolean {
  if (name.toLowerCase().includes(words) || digest.includes(words)) return true;
  return platforms.some(({ label, digest }) => label.toLowerCase().includes(words) || digest.includes(words));
}
