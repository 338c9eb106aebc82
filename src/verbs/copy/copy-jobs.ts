import { ImgpackError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ImageMapping, mapImageName, type TargetName } from "../../oci/names/image-mapping.ts";
import { sharedTagNotes } from "../../oci/names/name-notes.ts";
import { tagNameOf, tagOwners } from "../../oci/names/pinned-names.ts";
import { claimsOf, collisionError, findCollisions } from "../../oci/names/target-collisions.ts";
import type { Platform } from "../../oci/platform.ts";
import { formatReference, type Reference } from "../../oci/reference.ts";
import type { FullReference } from "../../registry/registry-source.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import { resolveNamedDigest } from "../shared/remote-image.ts";

/** An image to copy. */
export interface CopyJob {
  /** As the user wrote it. */
  readonly source: string;
  readonly from: FullReference;
  readonly to: Pick<TargetName, "registry" | "repository" | "tag">;
  readonly platforms: readonly Platform[] | "all";
  /** Its full name, if that and no other decides where it goes. */
  readonly name?: string;
  /** As `claimsOf` returns them. */
  readonly claims?: readonly string[];
}

/** A reference with wildcards that could not be replaced. */
export interface FailedGlob {
  readonly source: string;
  readonly error: ImgpackError;
}

/** Where an image goes below a target. @param name its own, or the one it gets. */
export function mappedTarget(
  { registry, repository, tag, digest }: Reference,
  mapping: ImageMapping,
): Required<Pick<CopyJob, "to" | "name" | "claims">> {
  const name: Reference = {
    ...(registry === undefined ? {} : { registry }),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
  const { digest: _, ...to } = mapImageName(name, mapping);
  return { to, name: formatReference(name), claims: claimsOf(name, mapping) };
}

/**
 * Keeps images apart that would get one tag, before anything is sent: a tag that names with different digests claim goes to
 * none of them.
 *
 * @throws UsageError for two names with one target and different digests; a digest that cannot be found out is not one.
 */
export async function separateJobs(
  jobs: readonly CopyJob[],
  registries: RegistryPool,
  signal: AbortSignal | undefined,
): Promise<readonly CopyJob[]> {
  const images = jobs.map(job => ({ id: idOf(job), names: job.name === undefined ? [] : [job.name] }));
  for (const message of sharedTagNotes(images)) registries.note(message);
  const owners = tagOwners(images);
  const separate = jobs.map(job => {
    const tagName = job.name === undefined ? undefined : tagNameOf(job.name);
    if (tagName === undefined || tagName === job.name || owners.get(tagName) === idOf(job)) return job;
    const { tag: _, ...to } = job.to;
    return { ...job, to, claims: [] };
  });
  const digests = new Map<string, Promise<Digest | undefined>>();
  const digestOf = async ({ from }: CopyJob): Promise<Digest | undefined> => {
    if (from.digest !== undefined) return from.digest;
    const key = `${from.registry}/${from.repository}:${from.tag}`;
    const found = digests.get(key) ?? findDigest(from, registries, signal);
    digests.set(key, found);
    return await found;
  };
  const landings = separate.map(job => ({ name: job.name ?? job.source, image: job, claims: job.claims ?? [] }));
  const found = await findCollisions(landings, async (first, second) => {
    const [left, right] = [await digestOf(first), await digestOf(second)];
    return left === undefined || right === undefined || left === right;
  });
  if (found.length > 0) throw collisionError("copy", found, ({ source }) => source);
  return separate;
}

function idOf({ from: { registry, repository, tag, digest } }: CopyJob): string {
  return digest ?? `${registry}/${repository}:${tag}`;
}

async function findDigest(
  from: FullReference,
  registries: RegistryPool,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  try {
    return (await resolveNamedDigest(await registries.repositoryFor(from, signal), from, signal)).digest;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImgpackError) return undefined;
    throw error;
  }
}
