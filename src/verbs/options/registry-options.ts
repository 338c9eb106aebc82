import type { ClientCertificate } from "../../registry/http/tls-options.ts";
import { badOption, listOf, wholeNumber } from "./option-values.ts";

export type { ClientCertificate } from "../../registry/http/tls-options.ts";

/**
 * Credentials for one registry. A call that reaches two registries refuses them. If they are absent, they come from the
 * environment and from the files of docker and podman.
 */
export interface RegistryAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Access token, sent to the registry unchanged. It replaces user name and password. */
  readonly token?: string | undefined;
}

/** How connections to the registry are secured. */
export interface RegistryTls {
  /** Uses HTTP without TLS. Default: for loopback addresses only. */
  readonly plainHttp?: boolean | undefined;
  /** Accepts any certificate. Default false. */
  readonly insecure?: boolean | undefined;
  /** PEM text of certificates that are trusted in addition to those of Node and the system. */
  readonly ca?: string | undefined;
  /** Identifies this machine. Default: the one in the registry's certs.d folder, if there is one. */
  readonly clientCertificate?: ClientCertificate | undefined;
}

/** How transient failures are handled. */
export interface RegistryRetry {
  /** Retries of a request after its first attempt. Default 4. */
  readonly count?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. Default 120,000. */
  readonly timeoutMs?: number | undefined;
}

/** How registries are named and reached. */
export interface RegistryOptions {
  /**
   * `host[:port]` for names without a registry. `push` also puts it in place of the registries that an archive names.
   * Default: Docker Hub for images that are read; images that are written must name their registry.
   */
  readonly host?: string | undefined;
  /**
   * `host[:port]` for images that are written and that neither their name nor `host` gives a registry. On the command
   * line it is the variable IMGPACK_REGISTRY.
   */
  readonly defaultHost?: string | undefined;
  /**
   * References whose registries `auth` and `tls` are for, in addition to `host` and `defaultHost`. Default: all that the
   * call names. Pass those of the user here if others come from a list. Names in archives are never among them.
   */
  readonly trustedReferences?: readonly string[] | undefined;
  readonly auth?: RegistryAuth | undefined;
  readonly tls?: RegistryTls | undefined;
  readonly retry?: RegistryRetry | undefined;
  /** Bytes per second, of all bodies together and in both directions. Default: no limit. */
  readonly limitRate?: number | undefined;
  /**
   * Bytes per second that a transfer must reach on average over `retry.timeoutMs`, as far as the registry decides; 0 for
   * none. Default 1024.
   */
  readonly minRate?: number | undefined;
}

/** @throws UsageError for values that cannot be used. */
export function registryOptions(registry: string | RegistryOptions | undefined): RegistryOptions {
  if (registry === undefined) return {};
  if (typeof registry === "string") return { host: registry };
  if (typeof registry !== "object" || registry === null || Array.isArray(registry)) {
    throw badOption("registry", registry, "HOST[:PORT] or an object");
  }
  const { host, defaultHost, trustedReferences, retry, limitRate, minRate } = registry;
  for (const [name, value] of Object.entries({ host, defaultHost })) {
    if (value !== undefined && typeof value !== "string") throw badOption(`registry.${name}`, value, "HOST[:PORT]");
  }
  if (trustedReferences !== undefined) listOf("registry.trustedReferences", trustedReferences);
  wholeNumber("registry.retry.count", retry?.count, 0);
  wholeNumber("registry.retry.timeoutMs", retry?.timeoutMs, 1);
  if (limitRate !== undefined && (typeof limitRate !== "number" || !(limitRate > 0))) {
    throw badOption("registry.limitRate", limitRate, "a number of bytes per second above 0");
  }
  if (minRate !== undefined && (typeof minRate !== "number" || !(minRate >= 0 && minRate < Number.POSITIVE_INFINITY))) {
    throw badOption("registry.minRate", minRate, "a number of bytes per second, or 0");
  }
  // An empty variable is one that is not set.
  return { ...registry, defaultHost: defaultHost || undefined };
}
