/** A tag that reads as a version. */
export interface Version {
  readonly tag: string;
  /** One to four: 1.2.3.4 is how Windows and many Java projects count. */
  readonly numbers: readonly number[];
  /** Identifiers behind the first hyphen; none for a release. */
  readonly prerelease: readonly string[];
}

/** Below 2^53, so that numbers compare exactly. */
const VERSION = /^[vV]?(\d{1,15}(?:\.\d{1,15}){0,3})(?:-([0-9A-Za-z][0-9A-Za-z.-]*))?(?:_[0-9A-Za-z._-]+)?$/;

/**
 * Reads `1.2.3`, `v1.2`, `2024.01.15`, `1.2.3-rc.1` (Semantic Versioning 2.0.0, with shorter and longer forms and leading
 * zeros, as tags have them). A "+" cannot stand in a tag; "_", which Helm writes for it, begins build metadata too.
 */
export function parseVersion(tag: string): Version | undefined {
  const match = VERSION.exec(tag);
  if (match === null) return undefined;
  const [, numbers = "", prerelease] = match;
  return { tag, numbers: numbers.split(".").map(Number), prerelease: prerelease?.split(".") ?? [] };
}

/**
 * Negative when `left` is older (Semantic Versioning, section 11). Of equal ones the longer is newer (`1.2` is a name for
 * whatever 1.2.x is the newest), then the one without a "v".
 */
export function compareVersions(left: Version, right: Version): number {
  for (let place = 0; place < 4; place += 1) {
    const difference = (left.numbers[place] ?? 0) - (right.numbers[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return (
    comparePrereleases(left.prerelease, right.prerelease) ||
    left.numbers.length - right.numbers.length ||
    right.tag.length - left.tag.length ||
    compareText(left.tag, right.tag)
  );
}

/** Newest version first, then what is no version, by name. */
export function sortByVersion(tags: readonly string[]): readonly string[] {
  const versions = tags.flatMap(tag => parseVersion(tag) ?? []).sort((left, right) => compareVersions(right, left));
  const others = tags.filter(tag => parseVersion(tag) === undefined).sort(compareText);
  return [...versions.map(({ tag }) => tag), ...others];
}

/**
 * The newest release among tags. A bare number (a build, a date) counts only where no tag has two parts: 20240115 is not
 * newer than 1.4.2.
 *
 * @param withPrereleases takes `1.5.0-rc.1` too; most suffixes, `-alpine` among them, read as pre-releases.
 */
export function newestVersion(tags: readonly string[], withPrereleases: boolean = false): string | undefined {
  const versions = tags
    .flatMap(tag => parseVersion(tag) ?? [])
    .filter(({ prerelease }) => withPrereleases || prerelease.length === 0);
  const dotted = versions.filter(({ numbers }) => numbers.length > 1);
  const [first, ...rest] = dotted.length > 0 ? dotted : versions;
  return first && rest.reduce((best, next) => (compareVersions(best, next) < 0 ? next : best), first).tag;
}

/** By code units: the same on every machine. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function comparePrereleases(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  for (let place = 0; place < Math.max(left.length, right.length); place += 1) {
    const [mine, other] = [left[place], right[place]];
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
