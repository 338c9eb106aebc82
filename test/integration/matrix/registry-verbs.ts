// Verbs between one archive and a registry, each compared with what the producer says.
import { createReadStream } from "node:fs";
import { expect } from "vitest";
import {
  type Inspection,
  inspect,
  type Loader,
  type ProgressEvent,
  type PullResult,
  type PushOptions,
  pull,
  push,
  verify,
} from "../../../src/index.ts";
import { heldTags } from "../peers/registry-content.ts";
import { bare, byId, imagesOf, mislabelled } from "./archive-verbs.ts";
import { type HeldImages, heldImages } from "./held.ts";
import { limits } from "./limits.ts";
import type { Subject } from "./subject.ts";

type InspectedImage = Inspection["images"][number];

export interface Registry {
  /** host:port */
  readonly host: string;
  readonly url: string;
}

/** A root of the archive under one of its names, or under the one that --tag gave. */
export interface PushedRoot {
  readonly reference: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly root: InspectedImage;
}

export interface Pulled extends PullResult {
  readonly path: string;
  readonly roots: readonly PushedRoot[];
}

const NAMED = "registry.example";

/** `quay.io/team/app:2` → team/app and 2; the archive's registry gives way to the one that is pushed to. */
function place(name: string): { readonly repository: string; readonly tag: string } {
  const [, path = "", tag = ""] = /^[^/]+\/(?:library\/(?=[^/]+$))?(.+):([^:]+)$/.exec(name) ?? [];
  return { repository: path, tag };
}

/** What `push` says aloud beside its result. */
interface Heard {
  readonly notes: string[];
  readonly onProgress: (event: ProgressEvent) => void;
}

function listen(): Heard {
  const notes: string[] = [];
  return { notes, onProgress: event => void (event.kind === "note" && notes.push(event.message)) };
}

/** Pushes every root: the named ones at once below `prefix`, the others one by one under a --tag. */
export async function pushes(subject: Subject, registry: Registry, prefix: string): Promise<readonly PushedRoot[]> {
  const { images } = await inspect(subject.path);
  const named = images.filter(({ names }) => names.length > 0);
  const { notes, onProgress } = listen();
  const pushed = new Map<string, Awaited<ReturnType<typeof push>>["images"][number]>();
  const send = async (options: PushOptions): Promise<void> => {
    const result = await push([subject.path], { ...options, onProgress });
    for (const image of result.images) pushed.set(image.reference, image);
  };
  if (named.length > 0) {
    const chosen = named.length === images.length ? {} : { image: named.flatMap(({ names }) => names) };
    await send({ to: `${registry.host}/${prefix}`, ...chosen });
  }
  const roots: PushedRoot[] = [];
  for (const [position, root] of images.entries()) {
    const places = root.names.map(place);
    if (root.names.length === 0) {
      const tagPlace = { repository: `unnamed${position}`, tag: "1" };
      places.push(tagPlace);
      const reference = `${registry.host}/${prefix}/${tagPlace.repository}:${tagPlace.tag}`;
      const only = images.length === 1 ? {} : { image: [idOf(root)] };
      await send({ tag: [reference], ...only });
    }
    for (const { repository, tag } of places) {
      const reference = `${registry.host}/${prefix}/${repository}:${tag}`;
      const shown = pushed.get(reference);
      const held = await heldImages(registry.url, `${prefix}/${repository}`, tag, digest =>
        subject.artifacts.includes(digest),
      );
      expect({ reference, digest: shown?.digest }).toEqual({ reference, digest: held.digest });
      expect(held.images.map(({ imageId, diffIds }) => ({ imageId, diffIds })).sort(byId)).toEqual(
        bare(imagesOf({ images: [root] }, subject)),
      );
      checkDigest(subject, root, held, shown?.previousDigest, notes);
      roots.push({ reference, repository: `${prefix}/${repository}`, tag, digest: held.digest, root });
    }
  }
  for (const repository of new Set(roots.map(root => root.repository))) {
    const here = roots.filter(root => root.repository === repository);
    // Without the referrers API, an index under the tag of the subject lists what refers to it.
    const isOutside = ({ referrers, platforms }: InspectedImage): boolean =>
      referrers !== undefined &&
      !platforms.some(({ digest }) => digest !== undefined && subject.artifacts.includes(digest));
    const subjects = here.filter(({ root }) => isOutside(root)).map(({ digest }) => digest);
    const indexes = subjects.map(digest => digest.replace(":", "-"));
    expect(await heldTags(registry.url, repository)).toEqual([...here.map(({ tag }) => tag), ...indexes].sort());
  }
  return roots;
}

/** The manifest is the archive's own, unless layers had to be compressed or platforms are absent; then both digests are told. */
function checkDigest(
  subject: Subject,
  root: InspectedImage,
  held: HeldImages,
  previousDigest: string | undefined,
  notes: readonly string[],
): void {
  const isRaw = limits[subject.name]?.isRaw === true;
  if (root.absent.length > 0) {
    expect(held.digest).not.toBe(root.digest);
    expect(previousDigest).toBe(root.digest);
    expect(notes.join("\n")).toContain("not in the archive, and left out of its index: ");
  } else if (isRaw && root.digest !== undefined) {
    expect(held.digest).not.toBe(root.digest);
    expect(previousDigest).toBe(root.digest);
  } else if (root.digest !== undefined) {
    expect(held.digest).toBe(root.digest);
  }
  if (isRaw) return;
  for (const { digest } of root.platforms) if (digest !== undefined) expect(held.manifests).toContain(digest);
}

function idOf({ digest, platforms }: InspectedImage): string {
  return digest ?? platforms[0]?.config ?? "";
}

/** The same through stdin: in one pass where a --tag can name the image, else with the layers kept. */
export async function pushesFromStdin(
  subject: Subject,
  registry: Registry,
  prefix: string,
  roots: readonly PushedRoot[],
): Promise<string> {
  const { notes, onProgress } = listen();
  const send = async (options: PushOptions): Promise<ReadonlyMap<string, string | undefined>> => {
    const { images } = await push(["-"], { ...options, stdin: createReadStream(subject.path), onProgress });
    return new Map(images.map(({ reference, digest }) => [reference, digest]));
  };
  const [first] = roots;
  const one = new Set(roots.map(({ root }) => root)).size === 1;
  if (one && first !== undefined) {
    const reference = `${registry.host}/${prefix}/${first.repository}:${first.tag}`;
    const pushed = await send({ tag: [reference] });
    expect([...pushed]).toEqual([[reference, first.digest]]);
    expect(notes.filter(note => /temporary|twice/.test(note))).toEqual([]);
    return "yes";
  }
  const named = roots.filter(({ root }) => root.names.length > 0);
  const places = new Map(named.map(({ root, digest }) => [root.names.join(" "), { root, digest }]));
  for (const { root, digest } of places.values()) {
    const pushed = await send({ to: `${registry.host}/${prefix}`, image: [...root.names] });
    expect(new Set(pushed.values())).toEqual(new Set([digest]));
  }
  for (const { root, digest, tag } of roots.filter(({ root }) => root.names.length === 0)) {
    const reference = `${registry.host}/${prefix}/${idOf(root).slice(-12)}:${tag}`;
    expect([...(await send({ tag: [reference], image: [idOf(root)] }))]).toEqual([[reference, digest]]);
  }
  if (named.length > 0) expect(notes.join("\n")).toContain("temporary file");
  return "spooled";
}

/**
 * Pulls all that was pushed into one archive. The names in it are those of a registry that is not there, so that the
 * archive is the same whatever port the real one, its mirror, has.
 */
export async function pulls(
  subject: Subject,
  registry: Registry,
  pushed: readonly PushedRoot[],
  path: string,
  loader?: Loader,
): Promise<Pulled> {
  const roots = pushed.map(root => ({ ...root, reference: `${NAMED}/${root.repository}:${root.tag}` }));
  const references = roots.map(({ reference }) => reference);
  const result = await pull(references, {
    output: path,
    platform: ["all"],
    for: loader,
    mirror: [`http://${registry.host}`],
  });
  if (loader !== undefined) return { ...result, path, roots };
  const digests = new Map(result.images.flatMap(({ names, digest }) => names.map(name => [name, digest] as const)));
  expect(digests).toEqual(new Map(roots.map(({ reference, digest }) => [reference, digest])));
  const inspection = await inspect(path);
  expect(inspection.images.flatMap(({ names }) => names).sort()).toEqual([...references].sort());
  const distinct = new Map(roots.map(({ digest, root }) => [digest, root]));
  expect(bare(imagesOf(inspection, subject))).toEqual(bare(imagesOf({ images: [...distinct.values()] }, subject)));
  expect(await verify(path, { diffIds: true })).toMatchObject({ faults: [], unchecked: mislabelled(subject) });
  return { ...result, path, roots };
}
