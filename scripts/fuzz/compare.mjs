// @ts-check
// When two readings of one archive are the same.

/** @typedef {import("./our-reader.mjs").Entry} Entry */
/** @typedef {import("./our-reader.mjs").Reading} Reading */

/**
 * Spelling is levelled, meaning is not: a leading "./" and a folder's slashes go, the archive's own folder and repeated
 * folders are left out, as in our index. @param {readonly Entry[]} entries
 */
function normal(entries) {
  const folders = new Set();
  return entries.flatMap(entry => {
    let name = entry.name === "." ? "./" : entry.name;
    if (entry.type === "directory") name = name.replace(/\/+$/, "");
    if (name === "." && entry.type === "directory") return [];
    name = name.replace(/^\.\//, "");
    if (entry.type === "directory") {
      if (name === "" || folders.has(name)) return [];
      folders.add(name);
    }
    return [{ ...entry, name }];
  });
}

/**
 * What differs, or nothing. A reader that complains has not been misled: what it read up to there must be the same.
 *
 * @param {readonly Entry[]} ours @param {Reading} theirs
 */
export function difference(ours, theirs) {
  const [left, right] = [normal(ours), normal(theirs.entries)];
  if (theirs.error === undefined && left.length !== right.length)
    return `${right.length} entries instead of ${left.length}`;
  for (const [at, entry] of right.entries()) {
    const own = left[at];
    if (own === undefined) return `entry ${at} ${JSON.stringify(entry)} is more than we read`;
    for (const key of /** @type {const} */ (["name", "type", "size", "link", "hash"])) {
      if (own[key] !== entry[key])
        return `entry ${at}: ${key} ${JSON.stringify(entry[key])} instead of ${JSON.stringify(own[key])}`;
    }
  }
  return undefined;
}
