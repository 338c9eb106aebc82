import type { Header } from "tar-stream";
import type { FolderEntry } from "./walk-folder.ts";

export interface PackFolderOptions {
  /** Of every entry, in whole seconds since 1970, at least 0. */
  readonly mtime: number;
  /** Keeps user and group numbers (default: 0:0 for everything). */
  readonly keepOwner?: boolean | undefined;
}

export type EntryHeader = Partial<Header> & Pick<Header, "name">;

/** The largest number of six octal digits; larger ones go into PAX records. */
const MAX_OCTAL_ID = 0o777777;
const MAX_NAME_BYTES = 100;
/** tar-stream writes times as 32-bit numbers. */
const MAX_TIME = 2 ** 31 - 1;

/** The tar header of an entry, which depends on the content of the folder alone. */
export function entryHeader(entry: FolderEntry, { mtime, keepOwner }: PackFolderOptions): EntryHeader {
  const { name, type, linkName, stats } = entry;
  const ids = keepOwner ? { uid: stats.uid, gid: stats.gid } : { uid: 0, gid: 0 };
  const pax: Record<string, string> = {};
  for (const [key, id] of Object.entries(ids)) if (id > MAX_OCTAL_ID) pax[key] = String(id);
  if (mtime > MAX_TIME) pax["mtime"] = String(mtime);
  // Without a record, a last part of this length would be split into a prefix and an empty name.
  const lastPart = name.slice(name.replace(/\/$/, "").lastIndexOf("/") + 1);
  const needsRecord = Buffer.byteLength(lastPart) > MAX_NAME_BYTES || Object.keys(pax).length > 0;
  return {
    name,
    ...(type === "socket" ? {} : { type }),
    // The bits of the file type distinguish mode 0 from an absent mode; they are not written. The mode of a link differs
    // between systems.
    mode: type === "symlink" ? 0o777 : stats.mode,
    ...ids,
    size: type === "file" ? stats.size : 0,
    mtime: new Date(Math.min(mtime, MAX_TIME) * 1000),
    ...(linkName === undefined ? {} : { linkname: linkName }),
    ...(type === "character-device" || type === "block-device" ? deviceNumbers(stats.rdev) : {}),
    ...(needsRecord ? { pax } : {}),
  };
}

/** Linux encodes a device number as twelve bits of major and eight of minor, then twelve more of minor. */
function deviceNumbers(device: number): { readonly devmajor: number; readonly devminor: number } {
  return { devmajor: (device >>> 8) & 0xfff, devminor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}
