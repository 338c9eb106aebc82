import { expect } from "vitest";
import { limits } from "./limits.ts";
import { type Pulled, pulls, type Registry } from "./registry-verbs.ts";
import type { Runtime } from "./runtimes.ts";
import type { Subject } from "./subject.ts";

/**
 * Loads a pulled archive and compares what the runtime then holds under each name.
 *
 * @param again a file for an archive that is pulled anew, with --for.
 * @returns what the table says: "yes", "no image", or the flag that was needed.
 */
export async function loads(
  runtime: Runtime,
  subject: Subject,
  registry: Registry,
  pulled: Pulled,
  again: string,
): Promise<string> {
  const isOld = runtime.name === "docker" && majorOf(runtime) < 23;
  if (isOld && limits[subject.name]?.isZstd === true) {
    expect((await runtime.tryOut(pulled.path, [], referencesOf(pulled))).complaint).toBeDefined();
    await check(runtime, subject, await pulls(subject, registry, pulled.roots, again, "docker20"));
    return "`--for docker20`";
  }
  return await check(runtime, subject, pulled);
}

function referencesOf({ roots }: Pulled): readonly string[] {
  return roots.map(({ reference }) => reference);
}

/**
 * Says of two archives that they differ in the prefix of their repositories alone: many producers save the same image. A
 * runtime loads one of them.
 */
export function contentOf(subject: Subject, { roots, blobs, blobBytes }: Pulled): string {
  const places = roots.map(({ repository, tag, digest }) => [repository.split("/").slice(1), tag, digest]);
  return JSON.stringify([places.sort(), blobs, blobBytes, subject.images.length, limits[subject.name]]);
}

function majorOf({ version }: Runtime): number {
  return Number(version.split(".")[0]);
}

async function check(runtime: Runtime, subject: Subject, pulled: Pulled): Promise<string> {
  const flag = runtime.name === "containerd" && majorOf(runtime) < 2 ? limits[subject.name]?.ctrFlag : undefined;
  const references = referencesOf(pulled);
  if (flag !== undefined) expect((await runtime.tryOut(pulled.path, [], references)).complaint).toBeDefined();
  const { complaint, found } = await runtime.tryOut(pulled.path, flag === undefined ? [] : [flag], references);
  if (subject.images.length === 0 && runtime.name !== "containerd") {
    // Docker's containerd store keeps a name for it, without layers.
    expect(Object.values(found).flatMap(image => image.diffIds ?? [])).toEqual([]);
    return "no image";
  }
  expect(complaint).toBeUndefined();
  const digests = new Map(pulled.images.flatMap(({ names, digest }) => names.map(name => [name, digest] as const)));
  for (const { reference, root } of pulled.roots) {
    const loaded = found[reference];
    const images = root.platforms
      .filter(({ digest }) => !subject.artifacts.includes(digest ?? ""))
      .map(({ config, layers }) => ({ imageId: config, diffIds: layers.map(({ diffId }) => diffId ?? "") }));
    // An artifact beside images.
    if (images.length === 0 && loaded === undefined && runtime.name !== "containerd") continue;
    expect({ reference, isLoaded: loaded !== undefined }).toEqual({ reference, isLoaded: true });
    if (loaded?.digest !== undefined) expect(loaded.digest).toBe(digests.get(reference));
    const { imageId, diffIds } = loaded ?? {};
    const told = { ...(imageId === undefined ? {} : { imageId }), ...(diffIds === undefined ? {} : { diffIds }) };
    if (images.length > 0) expect(images).toContainEqual(expect.objectContaining(told));
  }
  return flag === undefined ? "yes" : `\`${flag}\``;
}
