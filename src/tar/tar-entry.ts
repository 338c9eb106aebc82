export type TarEntryType = "file" | "directory" | "symlink" | "hardlink";

/** Where an entry's name was written. The later ones are the suspicious ones when two entries have the same name. */
export type NameOrigin = "header" | "cleaned" | "pax" | "gnu";

export interface TarEntry {
  /** Cleaned: no leading `./`, no trailing slash. */
  readonly name: string;
  readonly type: TarEntryType;
  /** As the archive writes it: relative to the link's folder (symlink) or to the archive's root (hard link). */
  readonly linkName?: string;
  /** First body byte, counted from the start of the file; PAX and GNU overrides are already applied. */
  readonly bodyOffset: number;
  /** Bytes. */
  readonly size: number;
}
