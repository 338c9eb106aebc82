import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** One of several runs that share the work of one: number `index` of `of`, from 0. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** More than any array of a scheduler has by default. */
const MAX_SHARDS = 10_000;

/**
 * Reads `I/N`.
 *
 * @throws UsageError for anything else, with the form that is right.
 */
export function parseShard(text: string): Shard {
  const [, index = "", of = ""] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (of === "") throw wrong(text, "found another form, expected I/N, such as 0/8", 8);
  if (shard.of < 1) throw wrong(text, "found 0 shards, expected at least 1", 8);
  if (shard.of > MAX_SHARDS) throw wrong(text, `found ${shard.of} shards, expected at most ${MAX_SHARDS}`, 8);
  if (shard.index >= shard.of) throw wrong(text, `found shard ${shard.index}, expected ${rangeOf(shard.of)}`, shard.of);
  if (text !== formatShard(shard)) throw wrong(text, `found leading zeros, expected ${formatShard(shard)}`, shard.of);
  return shard;
}

/** `I/N` */
export function formatShard({ index, of }: Shard): string {
  return `${index}/${of}`;
}

function rangeOf(of: number): string {
  return of === 1 ? "0" : `a number from 0 to ${of - 1}`;
}

function wrong(text: string, what: string, of: number): UsageError {
  const forms = of === 1 ? "--shard 0/1" : `--shard 0/${of} to --shard ${of - 1}/${of}`;
  return new UsageError(`Cannot use --shard ${quote(text)}: ${what}`, {
    hint: `Shards are numbered from 0, and all runs give the same number of shards: ${forms}.`,
  });
}
