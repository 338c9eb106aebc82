import { AuthError, NotFoundError, UsageError } from "../../../errors.ts";
import { formatV1Reference, parseV1Reference, type V1Reference } from "../../../oci/legacy/v1-reference.ts";
import { V1Registry } from "../../../registry/v1/store/open-v1-registry.ts";
import type { V1Greeting } from "../../../registry/v1/store/ping-v1.ts";
import { quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withStore } from "./v1-queries.ts";

/** What v1 does not have. */
const ABSENT = { head: "no", referrers: "no", ranges: "unknown" } as const;

/** Of a v1 registry, what `ping` returns. Texts are those of the registry. */
interface V1Ping {
  readonly registry: string;
  readonly url: string;
  readonly status: number;
  readonly apiVersion?: string;
  readonly server?: string;
  readonly standalone?: V1Greeting["standalone"];
  readonly auth: "basic" | "unknown";
  readonly access: "granted" | "refused";
  readonly refusal?: string;
  readonly catalog: "yes" | "no" | "denied" | "unknown";
  readonly triedOn?: string;
  readonly head: "no";
  readonly ranges: "unknown";
  readonly referrers: "no";
  readonly milliseconds: number;
}

/**
 * Checks whether a v1 registry answers, and whether it lists its repositories. With a repository, it also tries to read that.
 *
 * @throws UsageError for a folder; NetworkError; RegistryError if the host does not serve the v1 API.
 */
export async function pingV1Registry(text: string, options: RemoteOptions): Promise<V1Ping> {
  const reference = parseV1Reference(text);
  if (reference.store.kind === "folder" || reference.glob !== undefined) {
    const found = reference.store.kind === "folder" ? "a folder" : "wildcards";
    throw new UsageError(`Cannot ping ${quote(text)}: found ${found}, expected v1://HOST[/NAMESPACE/REPOSITORY[:TAG]]`);
  }
  const { signal } = options;
  return await withStore(text, options, async store => {
    if (!(store instanceof V1Registry))
      throw new UsageError(`Cannot ping ${quote(text)}: found no registry, expected one`);
    const started = performance.now();
    const greeting = await granted(async () => await store.ping(signal));
    const milliseconds = Math.round(performance.now() - started);
    const common = {
      registry: store.name,
      url: store.client.urlOf("").href,
      milliseconds,
      ...ABSENT,
    };
    if (greeting instanceof AuthError)
      return { ...common, status: 401, auth: "basic", ...refused(greeting), catalog: "denied" };
    const tried = await granted(async () => await tryImage(store, reference, signal));
    const isRefused = tried instanceof AuthError;
    return {
      ...common,
      status: 200,
      ...versionOf(greeting),
      standalone: greeting.standalone,
      // Whether images need a login, their index says when it is asked for one.
      auth: isRefused ? "basic" : "unknown",
      ...(isRefused ? refused(tried) : { access: "granted" }),
      catalog: await catalogOf(store, signal),
      ...(isRefused || tried === undefined ? {} : { triedOn: tried }),
    };
  });
}

function versionOf({ version, server }: V1Greeting): Pick<V1Ping, "apiVersion" | "server"> {
  return {
    apiVersion: version === undefined ? "v1" : `v1, version ${version}`,
    ...(server === undefined ? {} : { server }),
  };
}

function refused({ message }: AuthError): Pick<V1Ping, "access" | "refusal"> {
  return { access: "refused", refusal: message };
}

async function granted<T>(task: () => Promise<T>): Promise<T | AuthError> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}

/** @throws AuthError; NotFoundError if the image that was named is not there. */
async function tryImage(
  store: V1Registry,
  reference: V1Reference,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { namespace, name, tag } = reference;
  if (namespace === undefined || name === undefined) return undefined;
  const session = await store.open({ namespace, name }, signal);
  if (tag !== undefined) await session.tag(tag, signal);
  return formatV1Reference(reference);
}

async function catalogOf(store: V1Registry, signal: AbortSignal | undefined): Promise<V1Ping["catalog"]> {
  try {
    for await (const _ of store.repositories(signal)) break;
    return "yes";
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AuthError) return "denied";
    return error instanceof NotFoundError ? "no" : "unknown";
  }
}
