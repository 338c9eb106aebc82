import { fixedPace } from "../../util/pace/pace.ts";
import { USER_AGENT } from "../http/headers.ts";
import { isUnavailable } from "../http/network-error.ts";
import type { Transport } from "../transport/transport.ts";
import type { RegistryClientOptions } from "./client-options.ts";
import { Crowd } from "./crowd.ts";
import type { Shared } from "./identity.ts";
import { Outages } from "./outages.ts";
import { Waits } from "./waits.ts";

/** Ten minutes: a registry restarts within that time, also on a busy cluster. */
const DEFAULT_OUTAGE_MS = 600_000;

/** What the first client of a registry makes for all of them. */
export function sharedBy(options: RegistryClientOptions): Shared {
  const { base, transport, concurrency, attempts, outageMs = DEFAULT_OUTAGE_MS, onWait } = options;
  const outages = new Outages({
    base,
    patienceMs: attempts === 1 ? 0 : outageMs,
    answers: url => transport.answers(url),
    probe: async (url, signal) => await isAnswering(transport, url, signal),
    onWait,
  });
  const requests = concurrency === undefined ? undefined : fixedPace(concurrency);
  return { waits: new Waits(options), outages, crowd: new Crowd(outages.lost), requests };
}

/** Whether a host answers, whatever it says, unless it is a proxy that says that nothing is behind it. */
async function isAnswering(transport: Transport, url: URL, signal: AbortSignal | undefined): Promise<boolean> {
  // What was open before is of no use after an outage.
  transport.dropIdle();
  try {
    const response = await transport.send({ method: "GET", url, headers: { "user-agent": USER_AGENT }, signal });
    await response.body.dump();
    return !isUnavailable(response.status);
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}
