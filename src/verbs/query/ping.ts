import { AuthError, ImgpackError } from "../../errors.ts";
import { parseReference } from "../../oci/reference.ts";
import { listTags } from "../../registry/api/list-tags.ts";
import {
  checkAccess,
  greetRegistry,
  probeCatalog,
  probeRepository,
  type RegistryGreeting,
  type RepositoryProbe,
  type Support,
} from "../../registry/api/ping.ts";
import type { RegistryClient } from "../../registry/client/registry-client.ts";
import { Repository } from "../../registry/client/repository.ts";
import { type RemoteOptions, withRegistries } from "../shared/remote-image.ts";

export interface PingResult extends RegistryGreeting {
  readonly registry: string;
  /** "refused": the credentials that were found, or none, do not open it. */
  readonly access: "granted" | "refused";
  /** What the registry said when it refused. */
  readonly refusal?: string;
  readonly catalog: Support;
  /** Where the next three were tried; absent when there was no image to try them on. */
  readonly triedOn?: string;
  readonly head: Support;
  readonly ranges: Support;
  readonly referrers: Support;
  readonly milliseconds: number;
}

const UNTRIED: RepositoryProbe = { head: "unknown", ranges: "unknown", referrers: "unknown" };

/**
 * Whether a registry answers, how it wants to be talked to, and what it supports, as far as reading tells.
 *
 * @param target `host[:port]`, or a reference whose image is used to try things on.
 * @throws NetworkError, NotFoundError when it is no registry.
 */
export async function ping(target: string, options: RemoteOptions = {}): Promise<PingResult> {
  const { signal } = options;
  const reference = target.includes("/") ? parseReference(target) : undefined;
  const registry = reference === undefined ? target : (reference.registry ?? target);
  return await withRegistries(options, async registries => {
    const client = await registries.clientFor(registry, signal);
    const started = performance.now();
    const greeting = await greetRegistry(client, signal);
    const milliseconds = Math.round(performance.now() - started);
    const refusal = greeting.status === 200 ? undefined : await refusalOf(client, signal);
    const common = { registry: client.registry, ...greeting, milliseconds } as const;
    if (refusal !== undefined && reference === undefined) {
      return { ...common, access: "refused", refusal, catalog: "denied", ...UNTRIED };
    }
    const { support: catalog, repository: listed } = await probeCatalog(client, signal);
    const repository = reference?.repository ?? listed;
    const key = reference?.digest ?? reference?.tag;
    const tried =
      repository === undefined ? undefined : await tryRepository(new Repository(client, repository), key, signal);
    const access = refusal === undefined ? { access: "granted" as const } : { access: "refused" as const, refusal };
    return { ...common, ...access, catalog, ...UNTRIED, ...tried };
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

/** A repository that cannot be read tells nothing: that is no fault of the ping. */
async function tryRepository(
  repository: Repository,
  key: string | undefined,
  signal: AbortSignal | undefined,
): Promise<(RepositoryProbe & { readonly triedOn: string }) | undefined> {
  try {
    const reference = key ?? (await firstTag(repository, signal));
    if (reference === undefined) return undefined;
    const probe = await probeRepository(repository, reference, signal);
    const triedOn = `${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
    return { ...probe, triedOn };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImgpackError && error.code !== "ERR_NETWORK") return undefined;
    throw error;
  }
}

async function firstTag(repository: Repository, signal: AbortSignal | undefined): Promise<string | undefined> {
  for await (const [first] of listTags(repository, 1, signal)) return first;
  return undefined;
}
