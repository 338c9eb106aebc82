import { parseShard } from "../../bundle/shards/shard.ts";
import { UsageError } from "../../errors.ts";
import type { Kind } from "../../util/options/checked-options.ts";
import { TEXT } from "../../util/options/option-kinds.ts";

/** How a run takes a part of the work. */
export interface ShardOptions {
  /**
   * `I/N`: does part I, from 0, of the N that the work is divided into, such as "0/8" to "7/8". The same images, blobs and
   * N always give the same parts. Default: all of it.
   */
  readonly shard?: string | undefined;
}

/** @throws UsageError with the right form. */
export const SHARD_KIND: Kind<string> = {
  checked: (value, option) => {
    const text = TEXT.checked(value, option);
    parseShard(text);
    return text;
  },
};

/** What cannot be divided into shards. */
export interface Indivisible {
  /** Such as "a v1 registry". */
  readonly found: string;
  /** What can be. */
  readonly expected: string;
  /** A command line, or an option, that is right. */
  readonly hint: string;
}

/** @throws UsageError if a part is asked for. */
export function refuseShard({ shard }: ShardOptions, { found, expected, hint }: Indivisible): void {
  if (shard !== undefined) throw new UsageError(`Cannot use --shard: found ${found}, expected ${expected}`, { hint });
}

/** @throws UsageError if a part is asked for: what the images need is known only after their layers were read. */
export function refuseV1Shard(options: ShardOptions): void {
  refuseShard(options, {
    found: "a v1 registry",
    expected: "registries of the v2 protocol only",
    hint: "Leave out --shard, or give each machine a list of its own: -f LIST.",
  });
}
