import { appendTo } from "../../util/append.ts";
import { editDistance } from "../../util/nearest/edit-distance.ts";
import { nearestTags } from "../nearest-tags.ts";
import { compareText } from "../semver.ts";

/** A name that someone may have meant. */
export interface KnownName {
  /** Full name with a tag, or else with a digest: `registry.example/team/app:1.4.2`. */
  readonly name: string;
  /** `registry.example`; empty if the name has none. */
  readonly registry: string;
  /** `team/app` */
  readonly path: string;
  readonly tag: string | undefined;
}

/** The cost of a comparison grows with the square of the length. */
const MAX_COMPARED = 64;
/** Repositories that are compared in full: of 10,000, all would keep a server busy for seconds. */
const MAX_CANDIDATES = 100;
/** Tags of one repository that are compared, newer versions first. */
const MAX_TAGS = 1000;

/**
 * Full names of images that someone who wrote `wanted` may have meant: of the repositories that are spelled most like it, those
 * with the nearest tags. None if nothing is alike.
 */
export function nearestNames(wanted: string, images: readonly KnownName[], count: number): readonly string[] {
  const [, repository = "", tag = ""] = /^(.*?)(?:[:@]([^/]*))?$/s.exec(wanted) ?? [];
  const repositories = new Map<string, KnownName[]>();
  for (const image of images)
    appendTo(repositories, image.registry === "" ? image.path : `${image.registry}/${image.path}`, image);
  const ranked = candidates(repository, repositories)
    .flatMap(([name, own]) => {
      const distance = repositoryDistance(repository, name, own[0]?.path ?? name);
      return distance === undefined ? [] : [{ name, own, distance }];
    })
    .sort((left, right) => left.distance - right.distance || compareText(left.name, right.name));
  const names = ranked.slice(0, count).map(({ own }) => namesByTag(own, tag, count));
  // The tag is right more often than the second name: all of the first repository would hide the others.
  const exact = names.flatMap(([first]) => first ?? []);
  return [...new Set([...(names[0] ?? []).slice(0, Math.max(1, count - 1)), ...exact, ...names.flat()])].slice(
    0,
    count,
  );
}

/** The repositories whose letters are most like those that are wanted, in whatever order. */
function candidates(
  wanted: string,
  repositories: ReadonlyMap<string, readonly KnownName[]>,
): readonly (readonly [string, readonly KnownName[]])[] {
  if (repositories.size <= MAX_CANDIDATES) return [...repositories];
  const letters = lettersOf(wanted);
  const ranked = [...repositories].map(entry => {
    const [name, [first]] = entry;
    const isPart = name.endsWith(wanted) || (first !== undefined && wanted.endsWith(first.path));
    const whole = letterDifference(letters, lettersOf(name));
    const difference = Math.min(whole, letterDifference(letters, lettersOf(first?.path ?? name)));
    return { entry, difference: isPart ? 0 : difference };
  });
  ranked.sort((left, right) => left.difference - right.difference);
  return ranked.slice(0, MAX_CANDIDATES).map(({ entry }) => entry);
}

/** How often a text has each letter, by the low bits of its code. */
function lettersOf(text: string): Uint8Array {
  const counts = new Uint8Array(64);
  for (let at = 0; at < text.length && at < MAX_COMPARED; at += 1) {
    const letter = text.charCodeAt(at) % counts.length;
    counts[letter] = (counts[letter] ?? 0) + 1;
  }
  return counts;
}

/** No more than twice what `editDistance` gives: a replaced letter counts on both sides. */
function letterDifference(left: Uint8Array, right: Uint8Array): number {
  let difference = 0;
  for (let letter = 0; letter < left.length; letter += 1)
    difference += Math.abs((left[letter] ?? 0) - (right[letter] ?? 0));
  return difference;
}

function namesByTag(images: readonly KnownName[], tag: string, count: number): readonly string[] {
  const byTag = new Map(images.flatMap(image => (image.tag === undefined ? [] : [[image.tag, image.name] as const])));
  if (byTag.size === 0) return images.slice(0, count).map(({ name }) => name);
  const tags = [...byTag.keys()].slice(0, MAX_TAGS);
  if (byTag.has(tag) && !tags.includes(tag)) tags.push(tag);
  return nearestTags(tag, tags, count).flatMap(each => byTag.get(each) ?? []);
}

/** Undefined if they are not alike. Without its registry, or by its last part alone, a name is still the same. */
function repositoryDistance(wanted: string, name: string, path: string): number | undefined {
  if (wanted === "") return undefined;
  if (name === wanted || path === wanted) return 0;
  if (name.endsWith(`/${wanted}`) || wanted.endsWith(`/${path}`)) return 1;
  const far = Number.POSITIVE_INFINITY;
  const distance = Math.min(textDistance(wanted, name) ?? far, textDistance(wanted, path) ?? far);
  return distance === far ? undefined : 1 + distance;
}

/** Folders that both begin with say nothing. Undefined if more than a third of the letters differ. */
function textDistance(wanted: string, name: string): number | undefined {
  let shared = 0;
  for (let at = 0; at < wanted.length && wanted[at] === name[at]; at += 1) if (wanted[at] === "/") shared = at + 1;
  const [left, right] = [wanted.slice(shared), name.slice(shared)];
  const allowed = Math.max(1, left.length / 3);
  if (Math.abs(left.length - right.length) > allowed) return undefined;
  const distance = editDistance(left.slice(0, MAX_COMPARED), right.slice(0, MAX_COMPARED));
  return distance <= allowed ? distance : undefined;
}
