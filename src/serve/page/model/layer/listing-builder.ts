import type { ListedEntry } from "../../../../tar/listed-entry.ts";
import { type LayerEntry, layerEntry } from "./layer-entry.ts";
import {
  type LayerListing,
  type ListingGap,
  MAX_LARGEST,
  MAX_LISTED_CHARACTERS,
  MAX_LISTED_ENTRIES,
} from "./layer-listing.ts";

/** Collects the entries of a layer; its memory is bounded. */
export class ListingBuilder {
  readonly #entries: LayerEntry[] = [];
  readonly #largest: LayerEntry[] = [];
  #characters = 0;
  #all = 0;
  #files = 0;
  #folders = 0;
  #deletions = 0;
  #unpackedBytes = 0;
  /** True after the first entry that is only counted. */
  #isFull = false;

  add(listed: ListedEntry): void {
    const entry = layerEntry(listed);
    this.#count(entry);
    if (entry.kind === "file") this.#rank(entry);
    const characters = entry.path.length + (entry.target?.length ?? 0);
    this.#isFull ||=
      this.#entries.length >= MAX_LISTED_ENTRIES || this.#characters + characters > MAX_LISTED_CHARACTERS;
    if (this.#isFull) return;
    this.#characters += characters;
    this.#entries.push(entry);
  }

  /** Call it once, at the end. */
  build(gap: ListingGap | undefined): LayerListing {
    return {
      entries: this.#entries.sort(byPath),
      counts: { all: this.#all, files: this.#files, folders: this.#folders, deletions: this.#deletions },
      unpackedBytes: this.#unpackedBytes,
      largest: this.#largest,
      gap: gap ?? (this.#isFull ? { kind: "too-many" } : undefined),
    };
  }

  #count({ kind, size }: LayerEntry): void {
    this.#all += 1;
    if (kind === "file") this.#files += 1;
    if (kind === "folder") this.#folders += 1;
    if (kind === "deletion" || kind === "emptying") this.#deletions += 1;
    this.#unpackedBytes += kind === "file" ? size : 0;
  }

  #rank(entry: LayerEntry): void {
    const at = this.#largest.findLastIndex(({ size }) => size >= entry.size) + 1;
    if (at >= MAX_LARGEST) return;
    this.#largest.splice(at, 0, entry);
    this.#largest.length = Math.min(this.#largest.length, MAX_LARGEST);
  }
}

function byPath({ path: a }: LayerEntry, { path: b }: LayerEntry): number {
  return a < b ? -1 : Number(a > b);
}
