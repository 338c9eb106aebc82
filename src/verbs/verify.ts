import { KnownLocks } from "../archive/lock/known-locks.ts";
import { isPatch } from "../archive/open/is-patch.ts";
import { parseShard, type Shard } from "../bundle/shards/shard.ts";
import { quote } from "../util/format.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { FLAG, TEXTS } from "../util/options/option-kinds.ts";
import { READING } from "./options/common-options.ts";
import { checkedList, checkText, listOf } from "./options/option-values.ts";
import { refuseShard, SHARD_KIND } from "./options/shard-option.ts";
import { blobShard, type ChooseBlobs } from "./verifying/blob-shard.ts";
import type { OpenedBundle } from "./verifying/check-bundle.ts";
import { verifyArchive } from "./verifying/verify-archive.ts";
import { type BundleFiles, leastSigned, openBundle, verifyBundle } from "./verifying/verify-bundle.ts";
import type { VerifyOptions, VerifyResult } from "./verifying/verify-options.ts";

export type { ArchiveFault, DamagedRange } from "./verifying/archive-fault.ts";
export type { MissingVolumes, VerifiedShard, VerifyOptions, VerifyResult } from "./verifying/verify-options.ts";

const VERIFY_OPTIONS: OptionsShape<VerifyOptions> = { ...READING, key: TEXTS, diffIds: FLAG, shard: SHARD_KIND };

/**
 * Checks archives by hashing every blob in them. Of archives and volumes that imgpack wrote, it finds out which bytes are
 * damaged, which images need them, and what has to be fetched again, however damaged headers and metadata are. Of all other
 * archives, it also compares the content of compressed layers with the diff_ids in the configs. It continues after a fault.
 *
 * @param path file, folder, or "-" for stdin; or several, such as the volumes of a set, in any order.
 * @returns also if there are faults, or volumes are missing.
 * @throws ArchiveError if a file is no readable archive, or if its two views contradict each other; StorageError.
 * @example
 * ```ts
 * import { verify } from "imgpack";
 *
 * const { faults } = await verify("app.tar");
 * for (const { kind, blob } of faults) console.error(kind, blob);
 * ```
 */
export async function verify(path: string | readonly string[], options: VerifyOptions = {}): Promise<VerifyResult> {
  const paths = checkedList("verify", "archives", listOf(path));
  for (const one of paths) checkText("verify", "the path of an archive", one);
  options = checkedOptions<VerifyOptions>(options, VERIFY_OPTIONS);
  if (paths.includes("-"))
    refuseShard(options, {
      found: "an archive on stdin",
      expected: "the name of a file",
      hint: `Save the archive to a file that all machines can read: imgpack verify FILE --shard ${options.shard}.`,
    });
  const started = performance.now();
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  let turn = 0;
  const choose = (): ChooseBlobs | undefined => (shard === undefined ? undefined : blobShard(shard, turn++));
  const locks = new KnownLocks();
  const bundles: BundleFiles[] = [];
  const results: VerifyResult[] = [];
  try {
    for (const one of paths) {
      if (options.key === undefined && (await isPatch(one))) {
        results.push(uncheckedPatch(one));
        continue;
      }
      const found = await openBundle(one, locks, options.signal);
      if (found === undefined) results.push(await verifyArchive(one, options, choose()));
      else addTo(bundles, found);
    }
    for (const bundle of bundles) {
      const isOneOfSeveral = paths.length > 1;
      results.push(await verifyBundle(bundle, { ...options, isOneOfSeveral, locks, choose: choose() }));
    }
  } finally {
    for (const { file } of bundles.flatMap(({ files }) => files)) await file.handle.close();
  }
  return joined(paths, results, { ...options, shard }, (performance.now() - started) / 1000);
}

/** A piece of a blob has no digest: only with what the patch is for can be said whether it is right. */
function uncheckedPatch(path: string): VerifyResult {
  const unchecked = [`the patch ${quote(path)}: what is in it is checked when it is used`];
  return { archive: path, images: 0, blobs: 0, bytes: 0, faults: [], unchecked, seconds: 0 };
}

/** Volumes that belong together are checked together, and all others alone. */
function addTo(bundles: BundleFiles[], found: OpenedBundle): void {
  const { lock } = found.layout;
  const own = lock.set === undefined ? undefined : bundles.find(({ id }) => id === `${lock.id} ${lock.set?.id}`);
  if (own === undefined) bundles.push({ id: `${lock.id} ${lock.set?.id}`, files: [found] });
  else own.files.push(found);
}

function joined(
  paths: readonly string[],
  results: readonly VerifyResult[],
  { key, shard }: { readonly key?: VerifyOptions["key"]; readonly shard: Shard | undefined },
  seconds: number,
): VerifyResult {
  const sum = (count: (result: VerifyResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  const all = <T>(list: (result: VerifyResult) => readonly T[] | undefined): readonly T[] =>
    results.flatMap(result => list(result) ?? []);
  const signatures = all(result => result.signatures);
  const missing = all(result => result.missing);
  const bundle = leastSigned(results.flatMap(result => result.bundle ?? []));
  const needs = all(result => result.needs);
  const isBundle = results.some(({ harmed }) => harmed !== undefined);
  const ofBlobs = sum(result => result.shard?.ofBlobs ?? 0);
  const ofBytes = sum(result => result.shard?.ofBytes ?? 0);
  return {
    archive: paths.join(", "),
    images: sum(({ images }) => images),
    blobs: sum(({ blobs }) => blobs),
    bytes: sum(({ bytes }) => bytes),
    faults: all(({ faults }) => faults),
    ...(missing.length === 0 ? {} : { missing }),
    ...(isBundle && shard === undefined ? { unharmed: all(({ unharmed }) => unharmed) } : {}),
    ...(isBundle ? { harmed: all(({ harmed }) => harmed) } : {}),
    ...(needs.length === 0 ? {} : { needs }),
    unchecked: all(({ unchecked }) => unchecked),
    ...(key === undefined ? {} : { ...(bundle === undefined ? {} : { bundle }), signatures }),
    ...(shard === undefined ? {} : { shard: { ...shard, ofBlobs, ofBytes } }),
    seconds,
  };
}
