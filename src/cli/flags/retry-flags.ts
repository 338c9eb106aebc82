import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { RegistryOptions } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { MAX_RETRIES, MAX_TIMEOUT_SECONDS, MIN_LIMIT_RATE } from "../../util/options/option-limits.ts";

/** Flags for slow and unreliable networks. */
export interface RetryFlags {
  readonly retry?: number | undefined;
  /** Seconds. */
  readonly timeout?: number | undefined;
  /** Seconds. */
  readonly outage?: number | undefined;
  readonly limitRate?: string | undefined;
  readonly minRate?: string | undefined;
}

export function retryFlags<T>(parser: Argv<T>): Argv<T & RetryFlags> {
  return parser
    .option("retry", {
      group: "Transfer",
      type: "number",
      requiresArg: true,
      describe: `retries for transient failures, 0 to ${MAX_RETRIES} (default 4)`,
    })
    .option("timeout", {
      group: "Transfer",
      type: "number",
      requiresArg: true,
      describe: "seconds without a byte after which a connection counts as broken (default 120)",
    })
    .option("outage", {
      group: "Transfer",
      type: "number",
      requiresArg: true,
      describe: "seconds to wait for a registry that has stopped answering, 0 for none (default 600)",
    })
    .option("limit-rate", {
      group: "Transfer",
      type: "string",
      requiresArg: true,
      describe:
        "maximum bytes per second, sent and received, of all transfers together, such as 500K or 10M, in powers of 1024 (default unlimited)",
    })
    .option("min-rate", {
      group: "Transfer",
      type: "string",
      requiresArg: true,
      describe: "bytes per second below which a transfer counts as broken, 0 for none (default 1K)",
    });
}

/** @throws UsageError for a number out of range. */
export function retryOptions(flags: RetryFlags): Pick<RegistryOptions, "retry" | "limitRate" | "minRate"> {
  const { retry, timeout, outage, limitRate, minRate } = flags;
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0 && retry <= MAX_RETRIES)) {
    const found = shownNumber(retry);
    throw new UsageError(`Cannot use --retry: found ${found}, expected a whole number from 0 to ${MAX_RETRIES}`);
  }
  if (timeout !== undefined && !(timeout >= 1 && timeout <= MAX_TIMEOUT_SECONDS)) {
    const found = shownNumber(timeout);
    throw new UsageError(`Cannot use --timeout: found ${found}, expected 1 to ${MAX_TIMEOUT_SECONDS} seconds`);
  }
  if (outage !== undefined && !(outage >= 0 && outage <= MAX_TIMEOUT_SECONDS)) {
    const found = shownNumber(outage);
    throw new UsageError(`Cannot use --outage: found ${found}, expected 0 to ${MAX_TIMEOUT_SECONDS} seconds`);
  }
  return {
    retry: { count: retry, timeoutMs: milliseconds(timeout), outageMs: milliseconds(outage) },
    limitRate: limitRate === undefined ? undefined : rateOf("--limit-rate", limitRate),
    minRate: minRate === undefined ? undefined : minimumRate(minRate),
  };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}

const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** @throws UsageError for less than 1K. */
export function rateOf(flag: "--limit-rate" | "--rate", text: string): number {
  const rate = bytesPerSecond(text);
  if (rate !== undefined && rate >= MIN_LIMIT_RATE) return rate;
  throw new UsageError(`Cannot use ${flag}: found ${quote(text)}, expected 1K or more, such as 500K or 10M`);
}

function minimumRate(text: string): number {
  const rate = bytesPerSecond(text);
  if (rate !== undefined) return rate;
  throw new UsageError(`Cannot use --min-rate: found ${quote(text)}, expected bytes per second, such as 100 or 10K`);
}

/** Reads a number, optionally with K, M or G for powers of 1024, as curl does. */
function bytesPerSecond(text: string): number | undefined {
  const [, digits, unit = ""] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([kmg]?)$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (FACTORS[unit.toLowerCase()] ?? 1);
}

/** The value of a number flag, for messages. */
export function shownNumber(value: number): string {
  return Number.isNaN(value) ? "no number" : String(value);
}
