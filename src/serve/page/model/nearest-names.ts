import { nearestTags } from "../../../oci/nearest-tags.ts";
import { compareText } from "../../../oci/semver.ts";
import { appendTo } from "../../../util/append.ts";
import { editDistance } from "../../../util/nearest/edit-distance.ts";
import type { Catalogue, ListedImage } from "./catalogue.ts";

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
export function nearestNames(wanted: string, { images }: Pick<Catalogue, "images">, count: number): readonly string[] {
  const [, repository = "", tag = ""] = /^(.*?)(?:[:@]([^/]*))?$/s.exec(wanted) ?? [];
  const repositories = new Map<string, ListedImage[]>();
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
  repositories: ReadonlyMap<string, readonly ListedImage[]>,
): readonly (readonly [string, readonly ListedImage[]])[] {
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

function namesByTag(images: readonly ListedImage[], tag: string, count: number): readonly string[] {
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
  const distances = [name, path]
    .map(each => textDistance(wanted, each))
    .filter(distance => distance <= wanted.length / 3);
  return distances.length === 0 ? undefined : 1 + Math.min(distances[0] ?? 0, distances.at(-1) ?? 0);
}

function textDistance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > left.length / 3) return Number.MAX_SAFE_INTEGER;
  return editDistance(left.slice(0, MAX_COMPARED), right.slice(0, MAX_COMPARED));
}
