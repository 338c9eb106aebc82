/** A tag that is a version. */
export interface Version {
  readonly tag: string;
  /** One to four numbers; Windows and many Java projects use four. */
  readonly numbers: readonly number[];
  /** Identifiers after the first hyphen; empty for a release. */
  readonly prerelease: readonly string[];
}

/** Keeps numbers below 2^53, where they compare exactly. */
const VERSION = /^[vV]?(\d{1,15}(?:\.\d{1,15}){0,3})(?:-([0-9A-Za-z][0-9A-Za-z.-]*))?(?:_[0-9A-Za-z._-]+)?$/;

/**
 * Reads `1.2.3`, `v1.2`, `2024.01.15`, `1.2.3-rc.1`: Semantic Versioning 2.0.0, and in addition one to four numbers and
 * leading zeros, which tags have. Build metadata starts with "_" as well, which Helm writes because tags cannot contain "+".
 */
export function parseVersion(tag: string): Version | undefined {
  const match = VERSION.exec(tag);
  if (match === null) return undefined;
  const [, numbers = "", prerelease] = match;
  return { tag, numbers: numbers.split(".").map(Number), prerelease: prerelease?.split(".") ?? [] };
}

/**
 * Negative if `left` is older (Semantic Versioning, section 11). Of equal versions, the longer tag is newer, because `1.2`
 * is a moving name for the newest 1.2.x; then the tag without "v".
 */
export function compareVersions(left: Version, right: Version): number {
  for (let index = 0; index < 4; index += 1) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return (
    comparePrereleases(left.prerelease, right.prerelease) ||
    left.numbers.length - right.numbers.length ||
    right.tag.length - left.tag.length ||
    compareText(left.tag, right.tag)
  );
}

/** Versions, newest first, then the other tags by name. */
export function sortByVersion(tags: readonly string[]): readonly string[] {
  const versions = tags.flatMap(tag => parseVersion(tag) ?? []).sort((left, right) => compareVersions(right, left));
  const others = tags.filter(tag => parseVersion(tag) === undefined).sort(compareText);
  return [...versions.map(({ tag }) => tag), ...others];
}

/**
 * The newest release of the tags. A single number (a build, a date) counts only if no tag has two numbers: 20240115 is not
 * newer than 1.4.2.
 *
 * @param withPrereleases includes `1.5.0-rc.1`; most suffixes, such as `-alpine`, count as pre-releases.
 */
export function newestVersion(tags: readonly string[], withPrereleases: boolean = false): string | undefined {
  const versions = tags
    .flatMap(tag => parseVersion(tag) ?? [])
    .filter(({ prerelease }) => withPrereleases || prerelease.length === 0);
  const dotted = versions.filter(({ numbers }) => numbers.length > 1);
  const [first, ...rest] = dotted.length > 0 ? dotted : versions;
  return first && rest.reduce((best, next) => (compareVersions(best, next) < 0 ? next : best), first).tag;
}

/** Sorts by code units, which does not depend on the locale. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function comparePrereleases(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [mine, other] = [left[index], right[index]];
    if (mine === undefined) return -1;
    if (other === undefined) return 1;
    const difference = compareIdentifiers(mine, other);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers are older than words. */
function compareIdentifiers(left: string, right: string): number {
  const isNumber = (text: string): boolean => /^\d{1,15}$/.test(text);
  if (isNumber(left) && isNumber(right)) return Number(left) - Number(right);
  if (isNumber(left) !== isNumber(right)) return isNumber(left) ? -1 : 1;
  return compareText(left, right);
}
