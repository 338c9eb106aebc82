import { ArchiveError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { cleanName } from "./clean-name.ts";
import type { TarEntry } from "./tar-entry.ts";

// Real archives need one or two hops; hostile ones try thousands.
const MAX_HOPS = 8;

/**
 * The regular file of a name, after following links: symlinks from their folder, hard links from the archive's root, never
 * out of the archive, and never through another link.
 *
 * @throws ArchiveError for an unknown name, and for a link to nothing, to the outside, in a circle, through another link,
 * or over more than 8 hops.
 */
export function resolveEntry(entries: ReadonlyMap<string, TarEntry>, name: string, what: string): TarEntry {
  const start = cleanName(name, false, { what, name });
  const seen = new Set<string>();
  let current = start;
  for (;;) {
    const entry = entries.get(current);
    if (entry === undefined) {
      for (let slash = start.indexOf("/"); slash !== -1; slash = start.indexOf("/", slash + 1)) {
        checkFolder(entries, start.slice(0, slash), start, what);
      }
      if (seen.size === 0) throw refused("no-such-entry", start, what, "no such entry", "a file");
      throw refused(
        "link-target-missing",
        start,
        what,
        `it leads to ${quote(current)}, which does not exist`,
        "a file",
      );
    }
    if (entry.type === "file") return entry;
    if (entry.type === "directory") {
      throw refused("not-a-file", start, what, `${quote(current)} is a folder`, "a file");
    }
    if (seen.has(current)) throw refused("link-cycle", start, what, "its links lead in a circle", "a file");
    seen.add(current);
    if (seen.size > MAX_HOPS)
      throw refused("link-hops", start, what, `more than ${MAX_HOPS} links in a row`, `at most ${MAX_HOPS}`);
    current = followLink(entries, entry, start, what);
  }
}

function followLink(entries: ReadonlyMap<string, TarEntry>, link: TarEntry, start: string, what: string): string {
  const target = link.linkName ?? "";
  if (target.startsWith("/")) {
    throw refused("link-absolute", start, what, `a link to ${quote(target)}`, "a relative one");
  }
  const path = link.type === "symlink" ? link.name.split("/").slice(0, -1) : [];
  for (const segment of target.split("/")) {
    checkFolder(entries, path.join("/"), start, what);
    if (segment === "..") {
      if (path.pop() === undefined) {
        throw refused("link-escape", start, what, `a link to ${quote(target)}`, "one that stays inside");
      }
    } else if (segment !== "." && segment !== "") {
      path.push(segment);
    }
  }
  return path.join("/");
}

/** Only folders may be on the way: readers disagree on the meaning of `link/../x`. */
function checkFolder(entries: ReadonlyMap<string, TarEntry>, path: string, start: string, what: string): void {
  const above = entries.get(path);
  if (above !== undefined && above.type !== "directory") {
    throw refused("link-through-link", start, what, `its path leads through ${quote(above.name)}`, "folders only");
  }
}

function refused(reason: string, name: string, what: string, found: string, expected: string): ArchiveError {
  return new ArchiveError(reason, `Cannot read entry ${quote(name)} from ${what}: ${found}, expected ${expected}`, {
    hint: "The archive is incomplete or was put together by hand: save the image again.",
  });
}
