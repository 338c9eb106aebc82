import type { OnProgress } from "../../../content/progress.ts";
import type { DigestCache } from "../../../copy/digest-cache.ts";
import type { RescueLedger } from "../report/rescue-ledger.ts";
import type { KnownLayers } from "./known-layers.ts";
import type { LayerMeter } from "./layer-meter.ts";
import type { TargetRepositories } from "./target-repositories.ts";

/** What all images of a rescue share. */
export interface RescueRun {
  readonly targets: TargetRepositories;
  readonly meter: LayerMeter;
  readonly ledger: RescueLedger;
  readonly known: KnownLayers;
  readonly cache: DigestCache;
  /** Whether a layer may have none of the checksums that the old registry states for it. */
  readonly noChecksums: boolean;
  readonly concurrency: number;
  readonly dryRun: boolean;
  readonly verifies: boolean;
  readonly onProgress: OnProgress;
}
