import type { WaitEvent } from "../../content/progress.ts";
import type { RequestQuota } from "../http/request-quota.ts";
import type { RetryEvent } from "../http/retry.ts";
import type { Transport } from "../transport/transport.ts";
import type { Identity } from "./identity.ts";

/** Is called with each request that is sent again. @param registry `host[:port]` */
export type OnRetry = (event: RetryEvent, what: string, registry: string) => void;

export interface RegistryClientOptions extends Identity {
  readonly transport: Transport;
  readonly onRetry?: OnRetry | undefined;
  /** Is called when requests wait, and when they do not any more. */
  readonly onWait?: ((event: WaitEvent) => void) | undefined;
  /** Is called when the registry takes less than it gets: it limits requests, or does not answer in time. */
  readonly onPushBack?: (() => void) | undefined;
  /** Most requests without a body that wait for an answer at once; default: no limit. */
  readonly concurrency?: number | undefined;
  /** Attempts in total for transient failures; default 5. */
  readonly attempts?: number | undefined;
  /** Milliseconds for which a host that has answered before is waited for; default 600,000. */
  readonly outageMs?: number | undefined;
  /** Is told what answers say of the number of requests. */
  readonly quota?: RequestQuota | undefined;
  /** Default: the name and version of this project. */
  readonly userAgent?: string | undefined;
}
