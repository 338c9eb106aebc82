import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { type ConnectOptions, checkedHost, openConnection } from "../client/connect-registry.ts";
import { RegistryClient } from "../client/registry-client.ts";
import { canonicalRegistry } from "../credentials/credential-key.ts";
import { credentialsFor } from "../credentials/find-credentials.ts";
import { IndexAuthorizer, TokenAuthorizer } from "./v1-authorizer.ts";
import { V1_USER_AGENT } from "./v1-call.ts";
import { V1Client } from "./v1-client.ts";

export interface V1ConnectOptions extends ConnectOptions {
  /** Path before `/v1`, such as `/artifactory/api/docker/KEY`; default none. */
  readonly v1Path?: string | undefined;
  /** `host[:port]` instead of the registries that the index names. */
  readonly endpoint?: string | undefined;
}

/**
 * A client for one host of the v1 protocol, with credentials, certificates and proxies as `connectRegistry` finds them.
 *
 * @param registry `host[:port]`; docker.io is index.docker.io.
 * @throws UsageError for a host, path, certificates or variables that cannot be used.
 */
export async function connectV1(
  registry: string,
  options: V1ConnectOptions = {},
  signal?: AbortSignal,
): Promise<V1Client> {
  const host = checkedHost(registry, canonicalRegistry(registry));
  const prefix = checkedPrefix(options.v1Path ?? "");
  const endpointHost = options.endpoint === undefined ? undefined : checkedHost(options.endpoint, options.endpoint);
  const connection = await openConnection(registry, host, options, signal);
  const authorizer = new IndexAuthorizer(credentialsFor(registry, options));
  const common = { userAgent: V1_USER_AGENT, registry };
  const client = new RegistryClient({ ...connection, ...common, authenticator: authorizer });
  if (endpointHost === undefined) return new V1Client({ registry, client, authorizer, prefix });
  const other = await openConnection(endpointHost, endpointHost, options, signal);
  const authenticator = new TokenAuthorizer(() => undefined, undefined);
  const endpoint = new RegistryClient({ ...other, ...common, registry: endpointHost, authenticator });
  return new V1Client({ registry, client, authorizer, prefix, endpoint });
}

/** @throws UsageError for what is no plain path. */
function checkedPrefix(path: string): string {
  const prefix = path.replace(/\/+$/, "");
  const parts = prefix.split("/").slice(1);
  const isPlain = prefix === "" || (prefix.startsWith("/") && parts.every(isPlainPart));
  if (isPlain) return prefix;
  throw new UsageError(
    `Cannot use path ${quote(path)} before /v1: found no plain path, expected one like /artifactory/api/docker/KEY`,
    {
      hint: "It begins with a slash, and its parts consist of [A-Za-z0-9._~-].",
    },
  );
}

function isPlainPart(part: string): boolean {
  return /^[A-Za-z0-9._~-]+$/.test(part) && part !== "." && part !== "..";
}
