import type { OnProgress } from "../../content/progress.ts";
import { checkPlatforms, configPlatform, noSuchPlatform, severalBuilds } from "../../copy/image-platforms.ts";
import { UsageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import { type ManifestView, parseManifest, type RawManifest } from "../../oci/manifest.ts";
import { hostPlatform, type Platform, parsePlatform, selectBuilds } from "../../oci/platform.ts";
import { parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { explainMissing } from "../../registry/api/explain-missing.ts";
import { type FetchedManifest, type GetManifestOptions, getManifest } from "../../registry/api/get-manifest.ts";
import { type ResolvedDigest, resolveDigest } from "../../registry/api/resolve-digest.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { registryBlob } from "../../registry/download/blob-download.ts";
import { type FullReference, manifestKey } from "../../registry/registry-source.ts";
import { quote } from "../../util/format.ts";
import { type RegistryOptions, registryOptions } from "../options/registry-options.ts";
import { RegistryPool } from "./registry-pool.ts";

/** Options of every function that talks to a registry. */
export interface RemoteOptions {
  /** How registries are named and reached; a string is short for `{ host }`. */
  readonly registry?: string | RegistryOptions | undefined;
  /** Is called with notes and retries. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `task` with the registries of one call, and closes them.
 *
 * @param named the registry that the arguments name.
 * @throws RegistryError for a document of a registry that cannot be understood.
 */
export async function withRegistries<T>(
  options: RemoteOptions,
  named: string,
  task: (registries: RegistryPool) => Promise<T>,
): Promise<T> {
  await using registries = new RegistryPool(options, [named], options.onProgress ?? (() => undefined));
  return await readingAnswer(async () => await task(registries));
}

/** An image that is read: of Docker Hub if neither its name nor the options name a registry. @throws BadReferenceError */
export function readableReference(text: string, registry: RemoteOptions["registry"]): FullReference {
  return withDefaults(withRegistry(parseReference(text), defaultRegistry(registry)));
}

/** An image that is changed: a name without a registry is never taken for one of Docker Hub. @throws UsageError */
export function writableReference(verb: string, text: string, registry: RemoteOptions["registry"]): FullReference {
  const reference = withRegistry(parseReference(text), defaultRegistry(registry));
  if (reference.registry !== undefined) return withDefaults(reference);
  if (isHost(text)) {
    const below = `${text}/REPOSITORY`;
    throw new UsageError(`Cannot ${verb} ${text}: found a registry alone, expected REGISTRY/REPOSITORY`, {
      hint:
        verb === "copy to"
          ? `Write --to ${text} to keep the repository, or name one: ${below}.`
          : `Name a repository of it: ${below}.`,
    });
  }
  throw new UsageError(`Cannot ${verb} ${text}: no registry named, expected --registry or IMGPACK_REGISTRY`, {
    hint: `Name it, as in registry.lan:5000/${reference.repository}.`,
  });
}

/** A name without tag and digest. @throws UsageError */
export function repositoryReference(text: string, registry: RemoteOptions["registry"]): FullReference {
  const reference = parseReference(text);
  if (reference.tag === undefined && reference.digest === undefined) {
    const { tag: _, ...repository } = resolveDockerHub(withRegistry(reference, defaultRegistry(registry)));
    return repository;
  }
  const isPort = reference.registry === undefined && /^[0-9]{1,5}$/.test(reference.tag ?? "");
  throw new UsageError(
    `Cannot read repository ${quote(text)}: found a ${reference.digest === undefined ? "tag" : "digest"}, expected none`,
    { hint: isPort ? `Name a repository of it: ${text}/REPOSITORY.` : "Leave out what follows the repository." },
  );
}

/** Whether a name without "/" is rather a registry: localhost, or a host with a dot, perhaps with a port. */
function isHost(text: string): boolean {
  return /^(?:localhost|[^/:@]*\.[^/:@]*)(?::[0-9]{1,5})?$/.test(text);
}

/** `registry/repository` */
export function repositoryName({ registry, repository }: FullReference): string {
  return `${registry}/${repository}`;
}

export interface ReadManifest {
  /** With the platform that an index gives it. */
  readonly descriptor: Descriptor;
  readonly manifest: RawManifest;
  readonly view: ManifestView;
}

/** A manifest with its view. @throws like `getManifest` */
export async function readManifest(
  repository: Repository,
  key: string,
  options?: GetManifestOptions,
): Promise<ReadManifest> {
  const { descriptor, manifest } = await getManifest(repository, key, { verb: "read", ...options });
  const view = parseManifest(manifest.bytes, { where: `${repository}`, announced: manifest.mediaType });
  return { descriptor, manifest, view };
}

/** As `getManifest`, of an image that was named: if the registry does not have it, the error names its tags. */
export async function getNamedManifest(
  repository: Repository,
  named: FullReference,
  options?: GetManifestOptions,
): Promise<FetchedManifest> {
  const get = async (): Promise<FetchedManifest> => await getManifest(repository, manifestKey(named), options);
  return await explainMissing(repository, named, get, options?.signal);
}

/** As `readManifest`, of an image that was named: if the registry does not have it, the error names its tags. */
export async function readNamedManifest(
  repository: Repository,
  named: FullReference,
  options?: GetManifestOptions,
): Promise<ReadManifest> {
  const read = async (): Promise<ReadManifest> => await readManifest(repository, manifestKey(named), options);
  return await explainMissing(repository, named, read, options?.signal);
}

/** As `resolveDigest`, of an image that was named: if the registry does not have it, the error names its tags. */
export async function resolveNamedDigest(
  repository: Repository,
  named: FullReference,
  signal?: AbortSignal,
  verb?: string,
): Promise<ResolvedDigest> {
  const resolve = async (): Promise<ResolvedDigest> =>
    await resolveDigest(repository, manifestKey(named), signal, verb);
  return await explainMissing(repository, named, resolve, signal);
}

/**
 * The manifest of one platform: an index is followed; the config of an image must fit a platform that was asked for.
 *
 * @param platform as the user wrote it; default linux with this machine's architecture.
 * @throws NotFoundError that lists the platforms there are.
 */
export async function readPlatformManifest(
  repository: Repository,
  named: FullReference,
  platform: string | undefined,
  options?: GetManifestOptions,
): Promise<ReadManifest> {
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  let read = await readNamedManifest(repository, named, options);
  const name = `${repository}:${manifestKey(named)}`;
  for (let depth = 1; read.view.kind === "index" && depth <= MAX_LEVELS; depth += 1) {
    const child = chooseChild(read.view.manifests, wanted, name);
    const { descriptor, ...rest } = await readManifest(repository, child.digest, options);
    read = {
      ...rest,
      descriptor: { ...descriptor, ...(child.platform === undefined ? {} : { platform: child.platform }) },
    };
  }
  const { view, descriptor } = read;
  if (platform !== undefined && descriptor.platform === undefined && view.kind === "image" && !isArtifact(view)) {
    const source = { blob: async (config: Descriptor) => await Promise.resolve(registryBlob(repository, config)) };
    const found = await configPlatform(source, view.config, options?.signal);
    if (found !== undefined) checkPlatforms([wanted], [found], `read ${name}`, CHOOSE);
  }
  return read;
}

/** Real indexes contain at most one level of other indexes. */
const MAX_LEVELS = 3;
const CHOOSE = "Choose one with --platform OS/ARCH.";

/** @throws NotFoundError; UsageError for several builds of Windows. */
export function chooseChild(manifests: readonly Descriptor[], wanted: Platform, name: string): Descriptor {
  const [child, ...others] = selectBuilds(manifests, wanted);
  if (child !== undefined && others.length > 0) throw severalBuilds(wanted, [child, ...others], `read ${name}`);
  if (child !== undefined) return child;
  const found = manifests.map(({ platform }) => platform);
  throw noSuchPlatform(wanted, found, `read ${name}`, CHOOSE);
}

/** Of options that were checked, and are those of each image of a call. */
const defaults = new WeakMap<object, { readonly host: string | undefined }>();

/** Where names without a registry go. */
function defaultRegistry(registry: RemoteOptions["registry"]): string | undefined {
  const known = typeof registry === "object" ? defaults.get(registry) : undefined;
  if (known !== undefined) return known.host;
  const { host, defaultHost } = registryOptions(registry);
  const found = { host: host ?? defaultHost };
  if (typeof registry === "object") defaults.set(registry, found);
  return found.host;
}

function withDefaults(reference: Reference): FullReference {
  const isTagAssumed = reference.tag === undefined && reference.digest === undefined;
  return { ...resolveDockerHub(reference), ...(isTagAssumed ? { isTagAssumed } : {}) };
}

function withRegistry(reference: Reference, registry: string | undefined): Reference {
  return reference.registry === undefined && registry !== undefined ? { ...reference, registry } : reference;
}
