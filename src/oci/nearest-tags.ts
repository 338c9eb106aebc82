import { quote } from "../util/format.ts";
import { editDistance } from "../util/nearest/edit-distance.ts";
import { sortByVersion } from "./semver.ts";

/** The distance of a tag that continues another one, or that it continues: `1.4` and `1.4.2`. */
const CONTINUED = 1;
/** A page has a thousand tags, and the cost of a comparison grows with the square of their length. */
const MAX_PARTS = 32;

/**
 * The tags that someone who wrote `wanted` may have meant: few letters or numbers differ, or one continues the other. Of
 * equal ones, those that begin alike come first, then newer versions.
 */
export function nearestTags(wanted: string, tags: readonly string[], count: number): readonly string[] {
  const parts = partsOf(wanted);
  const ranked = sortByVersion(tags).map(tag => {
    const others = partsOf(tag);
    const start = commonStart(parts, others);
    const isContinued = start === Math.min(parts.length, others.length);
    const distance = isContinued && parts.length !== others.length ? CONTINUED : editDistance(parts, others);
    return distance > parts.length / 2 ? { tag, distance: Number.MAX_VALUE, start: 0 } : { tag, distance, start };
  });
  ranked.sort((left, right) => left.distance - right.distance || right.start - left.start);
  return ranked.slice(0, count).map(({ tag }) => tag);
}

const MAX_SHOWN = 5;

/** What a repository has in place of a tag that it does not have, for a hint. */
export function tagsThere(name: string, wanted: string, tags: readonly string[]): string {
  if (tags.length === 0) return `${name} has no tags`;
  const shown = nearestTags(wanted, tags, MAX_SHOWN).map(quote).join(", ");
  return `${name} has the tag${tags.length === 1 ? "" : "s"} ${shown}${tags.length > MAX_SHOWN ? " and others" : ""}`;
}

/** Letters and whole numbers: 1.4.10 is as near to 1.4.9 as 1.4.8 is. */
function partsOf(tag: string): readonly string[] {
  return (tag.toLowerCase().match(/\d+|\D/g) ?? []).slice(0, MAX_PARTS);
}

function commonStart(left: readonly string[], right: readonly string[]): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return length;
}
