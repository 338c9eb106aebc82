import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { RegistryOptions } from "../../index.ts";

/** Flags that say how patiently and how fast bytes move. */
export interface RetryFlags {
  readonly retry?: number | undefined;
  readonly timeout?: number | undefined;
  readonly limitRate?: string | undefined;
}

export function mannerFlags<T>(parser: Argv<T>): Argv<T & RetryFlags> {
  return parser
    .option("retry", { type: "number", requiresArg: true, describe: "times to try again what may pass (4)" })
    .option("timeout", { type: "number", requiresArg: true, describe: "seconds without a byte to wait (120)" })
    .option("limit-rate", { type: "string", requiresArg: true, describe: "bytes per second in all, such as 10M" });
}

/** @throws a usage fault for a number out of its range. */
export function mannerOptions(flags: RetryFlags): Pick<RegistryOptions, "retries" | "idleMs" | "limitRate"> {
  const { retry, timeout, limitRate } = flags;
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0 && retry <= 100)) {
    throw new UsageError(`Cannot use --retry: found ${shown(retry)}, expected a whole number from 0 to 100`);
  }
  if (timeout !== undefined && !(timeout >= 1 && timeout <= 86_400)) {
    throw new UsageError(`Cannot use --timeout: found ${shown(timeout)}, expected 1 to 86400 seconds`);
  }
  return {
    ...(retry === undefined ? {} : { retries: retry }),
    ...(timeout === undefined ? {} : { idleMs: timeout * 1000 }),
    ...(limitRate === undefined ? {} : { limitRate: rateOf(limitRate) }),
  };
}

const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** Slower, a single read would take longer than most servers wait. */
const MIN_RATE = 1024;

/** Bytes per second: a number, with K, M or G behind it for powers of 1024, as curl reads it. */
function rateOf(text: string): number {
  const [, digits = "", unit = ""] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([kmg]?)$/i.exec(text) ?? [];
  const rate = Number(digits) * (FACTORS[unit.toLowerCase()] ?? 1);
  if (digits !== "" && rate >= MIN_RATE) return rate;
  throw new UsageError(
    `Cannot use --limit-rate: found ${JSON.stringify(text)}, expected 1K or more, such as 500K or 10M`,
  );
}

function shown(value: number): string {
  return Number.isNaN(value) ? "no number" : String(value);
}
