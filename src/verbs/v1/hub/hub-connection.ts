import { UsageError } from "../../../errors.ts";
import { parseV1Reference, type V1Reference } from "../../../oci/legacy/v1-reference.ts";
import { HubRepository } from "../../../registry/v1/hub/hub-repository.ts";
import { quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withV1Client } from "../with-v1-client.ts";

/** The index that is meant where none is named. */
const DOCKER_HUB = "v1://index.docker.io";

/** `v1://HOST[:PORT]`, as messages and results name an index. @throws UsageError, BadReferenceError */
export function indexName(text: string | undefined): string {
  return `v1://${indexHost(text)}`;
}

/** `host[:port]` of `v1://HOST[:PORT]`. */
export function indexHost(text: string | undefined = DOCKER_HUB): string {
  if (!hasScheme(text)) throw new UsageError(`Cannot use index ${quote(text)}: no v1://, expected v1://HOST[:PORT]`);
  const { store, name, glob } = parseV1Reference(text);
  if (store.kind === "registry" && name === undefined && glob === undefined) return store.host;
  throw new UsageError(`Cannot use index ${quote(text)}: found more than a host, expected v1://HOST[:PORT]`);
}

/** A repository of an index, as it was named. */
export interface NamedRepository {
  readonly host: string;
  readonly namespace: string;
  readonly name: string;
  /** Without a namespace: requests have the library form. */
  readonly isLibrary: boolean;
}

/**
 * Reads `[v1://HOST[:PORT]/][NAMESPACE/]REPOSITORY`.
 *
 * @throws BadReferenceError; UsageError for a tag, or for something other than one repository.
 */
export function parseHubRepository(text: string): NamedRepository {
  const refused = (found: string): UsageError =>
    new UsageError(
      `Cannot use repository ${quote(text)}: found ${found}, expected [v1://HOST[:PORT]/][NAMESPACE/]REPOSITORY`,
    );
  const isNamed = hasScheme(text);
  // As docker tells a host from a namespace.
  if (!isNamed && /^(?:[^/]*[.:][^/]*|localhost)\//.test(text)) throw refused("a host without v1://");
  const reference: V1Reference = parseV1Reference(isNamed ? text : `${DOCKER_HUB}/${text}`);
  const { store, namespace, name, tag } = reference;
  if (store.kind !== "registry") throw refused("a folder");
  if (name === undefined || namespace === undefined)
    throw refused(reference.glob === undefined ? "no name" : "wildcards");
  if (tag !== undefined) throw refused("a tag");
  const slashes = (isNamed ? text.slice("v1://".length) : text).split("/").length - 1;
  return { host: store.host, namespace, name, isLibrary: slashes === (isNamed ? 1 : 0) };
}

function hasScheme(text: string): boolean {
  return /^v1(?::\/\/|\+dir:)/.test(text);
}

/** Runs `task` with a repository of an index. @param name as results name it: `v1://HOST/NAMESPACE/NAME`. */
export async function withRepository<T>(
  text: string,
  options: RemoteOptions,
  task: (repository: HubRepository, name: string) => Promise<T>,
): Promise<T> {
  const { host, isLibrary, ...repository } = parseHubRepository(text);
  const name = `v1://${host}/${repository.namespace}/${repository.name}`;
  return await withV1Client(host, options, async client => {
    return await task(new HubRepository(client, repository, isLibrary, options.signal), name);
  });
}
