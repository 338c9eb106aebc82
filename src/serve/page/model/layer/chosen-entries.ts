import { type LayerEntry, setIdOf } from "./layer-entry.ts";

/** What to show of the entries of a layer, and in which order. */
export interface EntryChoice {
  /** Part of a path; empty for all. */
  readonly q: string;
  readonly show: "" | "deletions" | "setid" | "links";
  readonly sort: "" | "size";
}

const MAX_QUERY = 512;

/** Reads a query. What it does not know is ignored. */
export function readEntryChoice(query: URLSearchParams): EntryChoice {
  const show = query.get("show");
  return {
    q: (query.get("q") ?? "").slice(0, MAX_QUERY).trim(),
    show: show === "deletions" || show === "setid" || show === "links" ? show : "",
    sort: query.get("sort") === "size" ? "size" : "",
  };
}

/** Filtered, then sorted; the order by path is that of the list. */
export function chosenEntries(entries: readonly LayerEntry[], { q, show, sort }: EntryChoice): readonly LayerEntry[] {
  const words = q.toLowerCase();
  const chosen =
    words === "" && show === ""
      ? entries
      : entries.filter(entry => isShown(entry, show) && (words === "" || entry.path.toLowerCase().includes(words)));
  return sort === "size" ? chosen.toSorted((left, right) => right.size - left.size) : chosen;
}

function isShown(entry: LayerEntry, show: EntryChoice["show"]): boolean {
  switch (show) {
    case "deletions":
      return entry.kind === "deletion" || entry.kind === "emptying";
    case "setid":
      return setIdOf(entry) !== undefined;
    case "links":
      return entry.kind === "symlink" || entry.kind === "hardlink";
    default:
      return true;
  }
}
