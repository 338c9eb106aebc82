import type { ClientCertificate } from "../../registry/http/tls-options.ts";
import type { Kind, OptionsShape } from "../../util/options/checked-options.ts";
import { badOption, checkedOptions } from "../../util/options/checked-options.ts";
import { FLAG, group, kindOf, required, TEXT, whole } from "../../util/options/option-kinds.ts";
import { MAX_RETRIES, MAX_TIMEOUT_SECONDS, MIN_LIMIT_RATE } from "../../util/options/option-limits.ts";

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
  /**
   * Milliseconds for which requests wait for a registry that has answered in this call, and does not any more. Such a wait
   * takes no retries. 0 for no wait; without retries, there is none either. Default 600,000.
   */
  readonly outageMs?: number | undefined;
}

/** How registries are named and reached. */
export interface RegistryOptions {
  /**
   * `host[:port]` for names without a registry. `push` also puts it in place of the registries that an archive names.
   * Default: Docker Hub for images that are read; images that are written must name their registry.
   */
  readonly host?: string | undefined;
  /**
   * `host[:port]` for images that neither their name nor `host` gives a registry. Unlike `host`, it does not replace the
   * registries that an archive names. On the command line it is the variable IMGPACK_REGISTRY.
   */
  readonly defaultHost?: string | undefined;
  readonly auth?: RegistryAuth | undefined;
  readonly tls?: RegistryTls | undefined;
  readonly retry?: RegistryRetry | undefined;
  /** Bytes per second, of all bodies together and in both directions. Default: no limit. */
  readonly limitRate?: number | undefined;
  /**
   * Bytes per second that a transfer must reach on average over `retry.timeoutMs`, at least 60,000, as far as the
   * registry decides; 0 for none. Default 1024.
   */
  readonly minRate?: number | undefined;
  /** Of v1 registries: path before `/v1`, such as `/artifactory/api/docker/KEY`. Default none. */
  readonly v1Path?: string | undefined;
  /** Of a v1 registry: `host[:port]` in place of the registries that its index names. Default: those. */
  readonly v1Endpoint?: string | undefined;
}

const CLIENT_CERTIFICATE: OptionsShape<ClientCertificate> = {
  cert: required(TEXT),
  key: required(TEXT),
  passphrase: TEXT,
};

export const TLS: OptionsShape<RegistryTls> = {
  plainHttp: FLAG,
  insecure: FLAG,
  ca: TEXT,
  clientCertificate: group(CLIENT_CERTIFICATE),
};

const REGISTRY_OPTIONS: OptionsShape<RegistryOptions> = {
  host: TEXT,
  defaultHost: TEXT,
  auth: group<RegistryAuth>({ username: TEXT, password: TEXT, token: TEXT }),
  tls: group(TLS),
  retry: group<RegistryRetry>({
    count: whole(0, MAX_RETRIES),
    timeoutMs: whole(1, MAX_TIMEOUT_SECONDS * 1000),
    outageMs: whole(0, MAX_TIMEOUT_SECONDS * 1000),
  }),
  limitRate: kindOf(`a number of bytes per second, at least ${MIN_LIMIT_RATE}`, value =>
    typeof value === "number" && value >= MIN_LIMIT_RATE ? value : undefined,
  ),
  minRate: kindOf("a number of bytes per second, or 0", value =>
    typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY ? value : undefined,
  ),
  v1Path: TEXT,
  v1Endpoint: TEXT,
};

const REGISTRY_GROUP = group(REGISTRY_OPTIONS);

export const REGISTRY: Kind<string | RegistryOptions> = {
  checked: (value, option) => {
    if (typeof value === "string") return value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw badOption(option, value, "HOST[:PORT] or an object");
    }
    return REGISTRY_GROUP.checked(value, option);
  },
};

/** The long form of the option. */
export function registryOptions(registry: string | RegistryOptions | undefined): RegistryOptions {
  const long = typeof registry === "object" ? registry : { host: registry };
  const options = checkedOptions<RegistryOptions>(long, REGISTRY_OPTIONS);
  // An empty variable is one that is not set.
  return { ...options, defaultHost: options.defaultHost || undefined };
}
