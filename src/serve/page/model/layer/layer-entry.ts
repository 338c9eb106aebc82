import type { ListedEntry, ListedKind } from "../../../../tar/listed-entry.ts";

/** What a row of the list shows: what the entry is, or what it does to the layers below. */
export type LayerEntryKind = ListedKind | "deletion" | "emptying";

/** An entry of a layer as people read it. */
export interface LayerEntry extends Omit<ListedEntry, "name" | "kind"> {
  /** From the root on: `/srv/app`; of a folder with a slash at its end. Of a whiteout, what it hides. Foreign text. */
  readonly path: string;
  readonly kind: LayerEntryKind;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** A segment that is empty or ".", or that may be a whiteout. */
const UNUSUAL_SEGMENT = /(?:^|\/)(?:\.?(?:\/|$)|\.wh\.)/;

/** Whiteouts are those of the OCI image specification, "Whiteouts" and "Opaque Whiteout". */
export function layerEntry(listed: ListedEntry): LayerEntry {
  const { name, kind } = listed;
  if (!UNUSUAL_SEGMENT.test(name)) return withPath(listed, kind === "folder" ? `/${name}/` : `/${name}`, kind);
  const segments = name.split("/").filter(segment => segment !== "" && segment !== ".");
  const last = segments.at(-1) ?? "";
  if (last === OPAQUE) return withPath(listed, folderPath(segments.slice(0, -1)), "emptying");
  // Longer names that begin like this belong to aufs, and hide nothing.
  if (last.startsWith(WHITEOUT) && last.length > WHITEOUT.length && !last.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
    const hidden = [...segments.slice(0, -1), last.slice(WHITEOUT.length)];
    return withPath(listed, `/${hidden.join("/")}`, "deletion");
  }
  return withPath(listed, kind === "folder" ? folderPath(segments) : `/${segments.join("/")}`, kind);
}

function withPath({ target, size, mode, uid, gid }: ListedEntry, path: string, kind: LayerEntryKind): LayerEntry {
  return target === undefined ? { path, kind, size, mode, uid, gid } : { path, kind, target, size, mode, uid, gid };
}

function folderPath(segments: readonly string[]): string {
  return segments.length === 0 ? "/" : `/${segments.join("/")}/`;
}

const SET_UID = 0o4000;
const SET_GID = 0o2000;

/** Whether a program started from it gets the rights of its owner ("set-uid"), or of its group. */
export function setIdOf({ kind, mode }: LayerEntry): "set-uid" | "set-gid" | undefined {
  if (kind !== "file" && kind !== "hardlink" && kind !== "folder") return undefined;
  if ((mode & SET_UID) !== 0 && kind !== "folder") return "set-uid";
  return (mode & SET_GID) !== 0 ? "set-gid" : undefined;
}

/** `rwxr-xr-x`, as `ls` writes it. */
export function modeText(mode: number): string {
  const letters = [...(mode & 0o777).toString(2).padStart(9, "0")].map((bit, at) =>
    bit === "1" ? ("rwx"[at % 3] ?? "") : "-",
  );
  const special = (bit: number, at: number, letter: string): void => {
    if ((mode & bit) !== 0) letters[at] = letters[at] === "x" ? letter : letter.toUpperCase();
  };
  special(SET_UID, 2, "s");
  special(SET_GID, 5, "s");
  special(0o1000, 8, "t");
  return letters.join("");
}
