/** What an entry of a layer is for a program that unpacks it. */
export type ListedKind = "file" | "folder" | "symlink" | "hardlink" | "device" | "pipe" | "other";

/** An entry as its header and extensions state it. All text is foreign, and nothing of it was checked. */
export interface ListedEntry {
  /** As written, without the slash at a folder's end; cut after MAX_LISTED_TEXT characters. */
  readonly name: string;
  readonly kind: ListedKind;
  /** Of a link, as written, and cut like the name. */
  readonly target?: string;
  /** Bytes of a file after unpacking, with the holes of a sparse one; 0 for all others. */
  readonly size: number;
  /** The twelve bits of permissions, set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Characters of a name, or of a link's target, that a list keeps. */
export const MAX_LISTED_TEXT = 4096;
