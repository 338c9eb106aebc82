import type { Base, BaseBlob, Bundle, NamedDigest } from "../../bundle/base/bundle.ts";
import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ImageMapping, mapImageName, type TargetName } from "../../oci/names/image-mapping.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { parseReference } from "../../oci/reference.ts";
import { findBlob } from "../../registry/api/blobs.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import { runBounded } from "../../util/task-group.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";

/** Requests at the same time: each is one HEAD. */
const CONCURRENCY = 16;

/**
 * What a registry has of a bundle, below the names that the mapping gives: each name and each blob of the bundle is asked
 * for, and nothing else.
 *
 * @param where the registry, as it was given.
 * @throws AuthError, NetworkError, RegistryError; UsageError for a name that is too long below the target.
 */
export async function registryBase(
  bundle: Bundle,
  where: string,
  mapping: ImageMapping,
  registries: RegistryPool,
  signal: AbortSignal | undefined,
): Promise<Base> {
  const places = placesOf(bundle, mapping);
  const asking = new Asking(registries);
  const images: NamedDigest[] = [];
  await runBounded(
    places,
    CONCURRENCY,
    async ({ name, at }, stop) => {
      const digest = await asking.digestOf(at, at.tag ?? at.digest ?? "latest", stop);
      if (digest !== undefined) images.push({ name, digest });
    },
    signal,
  );
  const blobs = await heldBlobs(bundle, places, asking, signal);
  return { where, kind: "registry", images, blobs, hasRawLayers: false };
}

/** As `registryBase`, for blobs alone: names are not asked for. */
export async function registryBlobs(
  bundle: Bundle,
  where: string,
  mapping: ImageMapping,
  registries: RegistryPool,
  signal: AbortSignal | undefined,
): Promise<Base> {
  const blobs = await heldBlobs(bundle, placesOf(bundle, mapping), new Asking(registries), signal);
  return { where, kind: "registry", images: [], blobs, hasRawLayers: false };
}

function placesOf({ images }: Bundle, mapping: ImageMapping): readonly Place[] {
  return images.flatMap(({ name, parts }) =>
    name === "" ? [] : [{ name, parts, at: mapImageName(parseReference(name), mapping) }],
  );
}

async function heldBlobs(
  bundle: Bundle,
  places: readonly Place[],
  asking: Asking,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Digest, BaseBlob>> {
  const homes = homesOf(bundle, places);
  const blobs = new Map<Digest, BaseBlob>();
  await runBounded(
    bundle.blobs,
    CONCURRENCY,
    async ([digest, { size, kind }], stop) => {
      for (const { at, repository } of homes(digest)) {
        const isThere =
          kind === "manifest"
            ? (await asking.digestOf(at, digest, stop)) !== undefined
            : await asking.hasBlob(at, { digest, size }, stop);
        if (!isThere) continue;
        blobs.set(digest, { size, kind, repositories: [repository] });
        return;
      }
    },
    signal,
  );
  return blobs;
}

interface Home {
  readonly at: TargetName;
  /** What is there, by the names of the bundle. */
  readonly repository: string;
}

interface Place extends Pick<Bundle["images"][number], "name" | "parts"> {
  readonly at: TargetName;
}

/** The repositories of the images that may have a blob; all of them for a blob of which that is not known. */
function homesOf({ blobs }: Bundle, places: readonly Place[]): (digest: Digest) => Iterable<Home> {
  const all = new Map<string, Home>();
  const byPart = new Map<readonly Digest[], Map<string, Home>>();
  for (const { name, parts, at } of places) {
    const home = { at, repository: repositoryOf(name) };
    if (!all.has(at.repository)) all.set(at.repository, home);
    for (const part of parts) {
      const homes = byPart.get(part) ?? new Map<string, Home>();
      if (!homes.has(at.repository)) homes.set(at.repository, home);
      byPart.set(part, homes);
    }
  }
  const byBlob = new Map<Digest, Map<string, Home>>();
  for (const [part, homes] of byPart) {
    for (const digest of part) {
      if (!blobs.has(digest)) continue;
      const known = byBlob.get(digest);
      if (known === undefined) byBlob.set(digest, homes);
      else if (known !== homes) byBlob.set(digest, new Map([...known, ...homes]));
    }
  }
  return digest => (byBlob.get(digest) ?? all).values();
}

/** Requests of one comparison, each sent once. */
class Asking {
  readonly #registries: RegistryPool;
  readonly #digests = new Map<string, Promise<Digest | undefined>>();

  constructor(registries: RegistryPool) {
    this.#registries = registries;
  }

  /** The digest of a tag, or of a manifest by its digest; undefined if the repository has none. */
  async digestOf(at: TargetName, reference: string, signal: AbortSignal): Promise<Digest | undefined> {
    const key = `${at.repository} ${reference}`;
    const asked = this.#digests.get(key) ?? this.#resolve(at, reference, signal);
    this.#digests.set(key, asked);
    const digest = await asked;
    if (digest !== undefined) this.#digests.set(`${at.repository} ${digest}`, asked);
    return digest;
  }

  async hasBlob(
    at: TargetName,
    blob: { readonly digest: Digest; readonly size: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const repository = await this.#registries.repositoryFor(at, signal);
    return (await findBlob(repository, blob, signal)) === "present";
  }

  async #resolve(at: TargetName, reference: string, signal: AbortSignal): Promise<Digest | undefined> {
    const repository = await this.#registries.repositoryFor(at, signal);
    try {
      return (await resolveDigest(repository, reference, signal)).digest;
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }
}
