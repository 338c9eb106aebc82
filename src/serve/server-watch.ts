import { type Answer, jsonAnswer } from "./answer.ts";
import type { ConnectionTable } from "./connections/connection-table.ts";
import type { Slots } from "./connections/slots.ts";
import type { ServedRegistry } from "./content/served-registry.ts";
import type { Watch } from "./exchange.ts";
import { METRICS_TYPE, metricsText } from "./watch/metrics-text.ts";
import type { RequestCounts } from "./watch/request-counts.ts";

export interface WatchedParts {
  readonly registry: ServedRegistry;
  readonly connections: ConnectionTable;
  readonly transfers: Slots;
  readonly counts: RequestCounts;
  /** @returns what keeps the registry from answering, in words for everyone; undefined if nothing does. */
  readonly faultOf: () => Promise<string | undefined>;
}

/** Answers what monitors ask. */
export function serverWatch({ registry, connections, transfers, counts, faultOf }: WatchedParts): Watch {
  const startTime = Date.now() / 1000 - process.uptime();
  return {
    async health(): Promise<Answer> {
      const fault = connections.isDraining ? "the server stops" : await faultOf();
      const damage = registry.damage.length;
      const headers = { "cache-control": "no-store" };
      if (fault === undefined) return jsonAnswer(200, { status: "ok", damage }, headers);
      return jsonAnswer(503, { status: "failing", found: fault, damage }, headers);
    },
    metrics(): Answer {
      const text = metricsText(counts.all(), {
        connections: connections.size,
        transfers: transfers.running,
        waiting: transfers.waiting,
        traffic: connections.traffic,
        damage: registry.damage.length,
        residentBytes: process.memoryUsage.rss(),
        startTime,
      });
      const headers = { "content-type": METRICS_TYPE, "cache-control": "no-store" };
      return { status: 200, headers, body: Buffer.from(text) };
    },
  };
}
