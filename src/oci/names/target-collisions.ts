import { UsageError } from "../../errors.ts";
import { formatReference, type Reference } from "../reference.ts";
import { type ImageMapping, mapImageName, type TargetName } from "./image-mapping.ts";

/** An image that goes to a target under one of its names. */
export interface Landing<T> {
  /** As messages name it. */
  readonly name: string;
  readonly image: T;
  /** The `repository:tag` that no other image may have; empty without a tag. */
  readonly claims: readonly string[];
}

/** Two images that would get one name. */
export interface Collision<T> {
  /** `registry/repository:tag` */
  readonly at: string;
  readonly first: Landing<T>;
  readonly second: Landing<T>;
}

/**
 * What an image takes at its target. An official image of Docker Hub takes its name there with `library/`, too: that is
 * what clients ask a mirror for.
 *
 * @throws UsageError as `mapImageName`
 */
export function claimsOf(name: Reference, mapping: ImageMapping): readonly string[] {
  const target = mapImageName(name, mapping);
  if (target.tag === undefined) return [];
  const { layout = "path" } = mapping;
  const isUnmapped = target.repository === mapImageName(name, { ...mapping, maps: [] }).repository;
  const taken =
    layout === "path" && isUnmapped ? [target, mapImageName(name, { ...mapping, maps: LIBRARY })] : [target];
  return [...new Set(taken.map(nameAt))];
}

const LIBRARY: ImageMapping["maps"] = [{ from: "docker.io/library", to: "library" }];

/**
 * The first two different images for each name, in the order of the images.
 *
 * @param isSame whether two images are one.
 */
export async function findCollisions<T>(
  landings: readonly Landing<T>[],
  isSame: (first: T, second: T) => Promise<boolean>,
): Promise<readonly Collision<T>[]> {
  const owners = new Map<string, Landing<T>>();
  const found: Collision<T>[] = [];
  const pairs = new Set<string>();
  for (const second of landings) {
    for (const at of second.claims) {
      const first = owners.get(at);
      owners.set(at, first ?? second);
      if (first === undefined || (await isSame(first.image, second.image))) continue;
      const pair = `${first.name} ${second.name}`;
      if (!pairs.has(pair)) found.push({ at, first, second });
      pairs.add(pair);
    }
  }
  return found;
}

/** Messages name so many collisions. */
const MAX_SHOWN = 10;

/** @param sourceOf what the user gave for an image, if that is not its name: two may have been given one name. */
export function collisionError<T>(
  verb: "push" | "copy",
  found: readonly Collision<T>[],
  sourceOf: (image: T) => string | undefined = () => undefined,
): UsageError {
  const isOneName = found.some(({ first, second }) => first.name === second.name);
  const shown = found.slice(0, MAX_SHOWN).map(({ at, first, second }) => {
    const [one, other] = [first, second].map(({ name, image }) =>
      first.name === second.name ? (sourceOf(image) ?? name) : name,
    );
    return `${one} and ${other} are both ${at}`;
  });
  const more = found.length - shown.length;
  return new UsageError(
    `Cannot ${verb} different images to one name: ${shown.join("; ")}${more === 0 ? "" : `; and ${more} more`}, expected a name for each`,
    {
      hint: isOneName
        ? "Give each of them another name: these have the same one, which --layout and --map do not change apart."
        : "Keep them apart with --layout full, which puts their registries first, or with --map OLD=NEW.",
    },
  );
}

/** `registry/repository[:tag]` */
function nameAt({ digest: _, ...target }: TargetName): string {
  return formatReference(target);
}
