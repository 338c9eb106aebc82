import type { Argv } from "yargs";

/** Flag of the commands whose work several machines can share. */
export interface ShardFlag {
  readonly shard?: string | undefined;
}

/** @param what of the work one shard does, for the help. */
export function shardFlag<T>(parser: Argv<T>, what: string): Argv<T & ShardFlag> {
  return parser.option("shard", {
    type: "string",
    requiresArg: true,
    describe: `${what}, for N machines that share the work, I from 0 to N-1 (default: all of it)`,
  });
}
