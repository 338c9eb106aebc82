import { editDistance } from "./edit-distance.ts";

/** Longer words are no typing errors of a name. */
const MAX_LENGTH = 64;
/** Letters of the beginning of a name that say which one is meant. */
const MIN_START = 3;
/** Errors in words of up to 2, 5 and 8 letters, and in longer ones: more would suggest what no one meant. */
const ALLOWED = [0, 1, 2, 3] as const;

/**
 * The names that someone who typed `word` may have meant, the nearest first: few letters are wrong, missing, added or swapped, or
 * one is the beginning of the other. Capital letters count as small ones. None rather than a far one.
 *
 * @param count of names, at most.
 */
export function nearestWords(word: string, names: readonly string[], count = 1): readonly string[] {
  if (word.length > MAX_LENGTH) return [];
  const wanted = word.toLowerCase();
  const ranked = [...new Set(names)].flatMap(name => {
    const distance = distanceTo(name.toLowerCase(), wanted);
    return distance === undefined ? [] : [{ name, distance }];
  });
  ranked.sort((left, right) => left.distance - right.distance);
  // A far one next to a near one only confuses.
  const [best] = ranked;
  return ranked
    .filter(({ distance }) => distance < (best?.distance ?? 0) + 1)
    .slice(0, count)
    .map(({ name }) => name);
}

/** @returns undefined if the name is too far. */
function distanceTo(name: string, wanted: string): number | undefined {
  const allowed = allowedErrors(wanted.length);
  const isNear = Math.abs(name.length - wanted.length) <= allowed;
  const distance = isNear ? editDistance(wanted, name) : Number.POSITIVE_INFINITY;
  // A wrong first letter is rarer than any other error.
  if (distance <= allowed) return wanted[0] === name[0] ? distance : distance + 0.5;
  const [shorter, longer] = wanted.length < name.length ? [wanted, name] : [name, wanted];
  return shorter.length >= MIN_START && longer.startsWith(shorter) ? allowed + 1 : undefined;
}

function allowedErrors(length: number): number {
  return ALLOWED[length <= 2 ? 0 : length <= 5 ? 1 : length <= 8 ? 2 : 3];
}
