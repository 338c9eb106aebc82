import { oneCopy } from "../util/lazy/one-copy.ts";
import type { NameOrigin, TarEntry } from "./tar-entry.ts";

/** Why an entry cannot be added. `first` is missing when a folder is only implied, by the name of an entry below it. */
export interface Collision {
  readonly kind: "repeated" | "file-and-folder";
  readonly first: TarEntry | undefined;
  readonly origin: NameOrigin;
}

/** The entries of an archive by name, in file order, and the rule that a path is one thing only. */
export class EntryTable {
  readonly #entries = new Map<string, TarEntry>();
  /** Folders above an entry, whether they have one of their own or not. */
  readonly #folders = new Set<string>();
  /** Of all names but those from a plain header. */
  readonly #origins = new Map<string, NameOrigin>();
  #textLength = 0;
  #lastFolder = "";

  get entries(): ReadonlyMap<string, TarEntry> {
    return this.#entries;
  }

  /** Entries, and folders above them. */
  get pathCount(): number {
    return this.#entries.size + this.#folders.size;
  }

  /** Characters of names and link targets, in UTF-16 units: at most two bytes of memory each. */
  get textLength(): number {
    return this.#textLength;
  }

  /** Adds an entry whose name is clean; a repeated directory changes nothing. */
  add(entry: TarEntry, origin: NameOrigin): Collision | undefined {
    const { name, type } = entry;
    const isFolder = type === "directory";
    const first = this.#entries.get(name);
    if (first !== undefined) {
      if (isFolder !== (first.type === "directory")) return this.#collision("file-and-folder", name);
      return isFolder ? undefined : this.#collision("repeated", name);
    }
    if (!isFolder && this.#folders.has(name)) return this.#collision("file-and-folder", name);
    this.#entries.set(oneCopy(name), entry);
    if (origin !== "header") this.#origins.set(name, origin);
    this.#textLength += name.length + (entry.linkName?.length ?? 0);
    return this.#addFolders(name);
  }

  /** Every folder above an entry, from the nearest up to the first known one. */
  #addFolders(name: string): Collision | undefined {
    const nearest = folderOf(name);
    if (nearest === this.#lastFolder) return undefined;
    for (let folder = nearest; folder !== "" && !this.#folders.has(folder); folder = folderOf(folder)) {
      const entry = this.#entries.get(folder);
      if (entry !== undefined && entry.type !== "directory") return this.#collision("file-and-folder", folder);
      this.#folders.add(folder);
    }
    this.#lastFolder = nearest;
    return undefined;
  }

  #collision(kind: Collision["kind"], name: string): Collision {
    return { kind, first: this.#entries.get(name), origin: this.#origins.get(name) ?? "header" };
  }
}

/** "" at the top. */
function folderOf(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf("/"), 0));
}
