import { AuthError, ImgpackError } from "../../errors.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { parseReference } from "../../oci/reference.ts";
import { listTags } from "../../registry/api/list-tags.ts";
import {
  checkAccess,
  type FeatureSupport,
  greetRegistry,
  probeCatalog,
  probeRepository,
  type RegistryGreeting,
  type RepositoryProbe,
} from "../../registry/api/ping.ts";
import type { RegistryClient } from "../../registry/client/registry-client.ts";
import { Repository } from "../../registry/client/repository.ts";
import { checkedOptions } from "../../util/options/checked-options.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { type RemoteOptions, withRegistries } from "../shared/remote-image.ts";

export type { FeatureSupport } from "../../registry/api/ping.ts";

/** What a registry says and supports. Texts are those of the registry. */
export interface PingResult extends RegistryGreeting {
  /** `host[:port]` */
  readonly registry: string;
  /** "refused": the registry does not accept the credentials that were found, or access without credentials. */
  readonly access: "granted" | "refused";
  /** Message of the registry, if it refused. */
  readonly refusal?: string;
  /** List of repositories. */
  readonly catalog: FeatureSupport;
  /** `registry/repository:tag` or `@digest` that the next three were tried on; absent if there was none. */
  readonly triedOn?: string;
  /** Digests by HEAD. */
  readonly head: FeatureSupport;
  /** Parts of blobs. */
  readonly ranges: FeatureSupport;
  /** Referrers API. */
  readonly referrers: FeatureSupport;
  /** Of a v1 registry: whether it is its own index ("yes"), names others, or is a mirror of the Hub. */
  readonly standalone?: "yes" | "no" | "mirror";
  /** Time until the first answer. */
  readonly milliseconds: number;
}

const UNTRIED: RepositoryProbe = { head: "unknown", ranges: "unknown", referrers: "unknown" };

/**
 * Checks whether a registry answers, which login it wants, and what it supports. It only reads.
 *
 * @param target `host[:port]`, or the reference of an image to try things on; or `v1://host[:port]`, also with an image.
 * @throws NotFoundError if there is no registry at this address; NetworkError.
 * @example
 * ```ts
 * import { ping } from "imgpack";
 *
 * const { auth, access } = await ping("registry.lan:5000");
 * console.log(auth, access);
 * ```
 */
export async function ping(target: string, options: RemoteOptions = {}): Promise<PingResult> {
  checkText("ping", "a registry", target);
  options = checkedOptions<RemoteOptions>(options, COMMON);
  if (isV1Reference(target)) {
    const { pingV1Registry } = await import("../v1/query/ping-v1-registry.ts");
    return await pingV1Registry(target, options);
  }
  const { signal } = options;
  const reference = target.includes("/") ? parseReference(target) : undefined;
  const registry = reference === undefined ? target : (reference.registry ?? target);
  return await withRegistries(options, registry, async registries => {
    const client = await registries.clientFor(registry, signal);
    const started = performance.now();
    const greeting = await greetRegistry(client, signal);
    const milliseconds = Math.round(performance.now() - started);
    const refusal = greeting.status === 200 ? undefined : await refusalOf(client, signal);
    const common = { registry: client.registry, ...greeting, milliseconds };
    if (refusal !== undefined && reference === undefined) {
      return { ...common, access: "refused", refusal, catalog: "denied", ...UNTRIED };
    }
    const { support: catalog, repository: listed } = await probeCatalog(client, signal);
    const repository = reference?.repository ?? listed;
    const key = reference?.digest ?? reference?.tag;
    const tried =
      repository === undefined ? undefined : await tryRepository(new Repository(client, repository), key, signal);
    // A registry may be open to all, and ask for a login at the repository that was named.
    const isRefused = tried instanceof AuthError;
    const denied = refusal ?? (isRefused && reference !== undefined ? tried.message : undefined);
    const access =
      denied === undefined ? { access: "granted" as const } : { access: "refused" as const, refusal: denied };
    return { ...common, ...access, catalog, ...UNTRIED, ...(isRefused ? {} : tried) };
  });
}

async function refusalOf(client: RegistryClient, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    await checkAccess(client, signal);
    return undefined;
  } catch (error) {
    if (error instanceof AuthError) return error.message;
    throw error;
  }
}

/** A repository that cannot be read says nothing about the registry: not an error here. */
async function tryRepository(
  repository: Repository,
  key: string | undefined,
  signal: AbortSignal | undefined,
): Promise<(RepositoryProbe & { readonly triedOn: string }) | AuthError | undefined> {
  try {
    const reference = key ?? (await firstTag(repository, signal));
    if (reference === undefined) return undefined;
    const probe = await probeRepository(repository, reference, signal);
    const triedOn = `${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
    return { ...probe, triedOn };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AuthError) return error;
    if (error instanceof ImgpackError && error.code !== "ERR_NETWORK") return undefined;
    throw error;
  }
}

async function firstTag(repository: Repository, signal: AbortSignal | undefined): Promise<string | undefined> {
  for await (const [first] of listTags(repository, 1, signal)) return first;
  return undefined;
}
