import type { OnProgress } from "../../content/progress.ts";
import { RegistryError } from "../../errors.ts";
import type { ConnectOptions } from "../../registry/client/connect-registry.ts";
import { RateLimit } from "../../registry/http/rate-limit.ts";
import { type RegistryOptions, registryOptions } from "./registry-options.ts";

export interface ConnectChoices {
  readonly registry?: string | RegistryOptions | undefined;
  /** Waits while a registry takes no more requests, instead of failing. */
  readonly keepGoing?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** How the registry that the options are for is reached. */
export function connectOptions(choices: ConnectChoices): ConnectOptions {
  const { auth, tls } = registryOptions(choices.registry);
  return {
    ...commonConnectOptions(choices),
    username: auth?.username,
    password: auth?.password,
    token: auth?.token,
    plainHttp: tls?.plainHttp,
    insecure: tls?.insecure,
    ca: tls?.ca,
    clientCertificates: tls?.clientCertificate && [tls.clientCertificate],
  };
}

/** Retries and limits, which apply to every registry of the run, mirrors included. */
export function commonConnectOptions({ registry, keepGoing, onProgress }: ConnectChoices): ConnectOptions {
  const { retry, limitRate, minRate } = registryOptions(registry);
  return {
    attempts: retry?.count === undefined ? undefined : retry.count + 1,
    idleMs: retry?.timeoutMs,
    outageMs: retry?.outageMs,
    minRate,
    onNote: message => onProgress?.({ kind: "note", message }),
    waitsForQuota: keepGoing,
    rate: limitRate === undefined ? undefined : new RateLimit(limitRate),
    onRetry: ({ attempt, waitMs, error }, what, host) => {
      const status = error instanceof RegistryError ? { status: error.status } : {};
      onProgress?.({ kind: "retry", registry: host, ...status, what, attempt, waitMs, message: error.message });
    },
    onWait: onProgress,
  };
}
