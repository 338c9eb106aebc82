import { rawLayer } from "../shape-archives-parts.ts";
import type { V1Content } from "./v1-content.ts";

export interface FilledImage {
  /** Base first. */
  readonly ids: readonly string[];
  readonly layers: readonly Buffer[];
}

/** 64 hex digits made of one. */
export function idOf(digit: string): string {
  return digit.repeat(64);
}

/**
 * Puts a chain of raw layers with one file each under a name and tag.
 *
 * @param digits one per layer, base first: the id consists of it.
 */
export function fillImage(content: V1Content, name: string, tag: string, digits = "cba"): FilledImage {
  const ids = [...digits].map(idOf);
  const layers = [...digits].map(digit => rawLayer(`layer ${digit}\n`).bytes);
  for (const [place, id] of ids.entries()) {
    if (content.images.has(id)) continue;
    const parent = ids[place - 1];
    content.addImage({ id, ...(parent === undefined ? {} : { parent }), layer: layers[place] ?? Buffer.alloc(0) });
  }
  content.addTag(name, tag, ids.at(-1) ?? "");
  return { ids, layers };
}
