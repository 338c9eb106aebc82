import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import { DEFAULT_MAX_TRANSFERS, MAX_CONCURRENCY } from "../../util/options/option-limits.ts";
import { type OutputFlags, outputFlags } from "./output-flags.ts";
import { type RegistryFlags, registryFlags } from "./registry-flags.ts";
import { shownNumber } from "./retry-flags.ts";

/** Flags of the commands that move layers from or to a registry. */
export interface TransferFlags extends RegistryFlags, OutputFlags {
  readonly concurrency?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** @param registry help text of `--registry`. */
export function transferFlags<T>(parser: Argv<T>, registry: string): Argv<T & TransferFlags> {
  return outputFlags(registryFlags(parser, registry))
    .option("concurrency", {
      group: "Transfer",
      type: "number",
      requiresArg: true,
      describe: `maximum number of blobs to transfer at once, 1 to ${MAX_CONCURRENCY} (default ${DEFAULT_MAX_TRANSFERS})`,
    })
    .option("dry-run", { type: "boolean", describe: "show what would be done, and write nothing" });
}

/** @throws UsageError for a number out of range. */
export function checkConcurrency(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= MAX_CONCURRENCY)) return value;
  throw new UsageError(
    `Cannot use --concurrency: found ${shownNumber(value)}, expected a whole number from 1 to ${MAX_CONCURRENCY}`,
  );
}
