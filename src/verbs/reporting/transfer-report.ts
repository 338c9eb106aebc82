import { isPatch } from "../../archive/open/is-patch.ts";
import { utf8Bytes } from "../../bundle/list/decode-text.ts";
import { isLock } from "../../bundle/lock/parse-lock.ts";
import { isNeed } from "../../bundle/need/parse-need.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { ArchiveRegistry } from "../../serve/archives/archive-registry.ts";
import { ManifestShelf } from "../../serve/page/model/manifest-shelf.ts";
import { readCatalogue } from "../../serve/page/model/read-catalogue.ts";
import { type ReportFacts, readReport } from "../../serve/page/report/read-report.ts";
import type { SignatureCounts } from "../../serve/page/report/reported-image.ts";
import type { LeftOut, TransferReport } from "../../serve/page/report/transfer-report.ts";
import { quote } from "../../util/format.ts";
import { startOf } from "../../util/input-file.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { TEXT, TEXTS } from "../../util/options/option-kinds.ts";
import { comparedBases } from "../base/compared-bases.ts";
import { isArchivePath } from "../options/archive-path.ts";
import { COMMON } from "../options/common-options.ts";
import { epochDate } from "../options/epoch-date.ts";
import { MAPPING, type MappingOptions } from "../options/mapping-options.ts";
import { checkedList, checkText, listOf } from "../options/option-values.ts";
import type { RegistryOptions } from "../options/registry-options.ts";
import { type ArchiveFault, verify } from "../verify.ts";
import { FileSums } from "./file-sums.ts";

/** Options of `transferReport`. */
export interface TransferReportOptions extends MappingOptions {
  /** Archives, folders, locks, or registries (`host[:port][/prefix]`) that the far side has. Default: it is not compared. */
  readonly base?: string | readonly string[] | undefined;
  /**
   * Public keys in PEM: all bytes are checked, too, and the signatures of the lock and of the images, as `verify` does.
   * Default: signatures are counted alone.
   */
  readonly key?: string | readonly string[] | undefined;
  /** Whole seconds since 1970, as in the variable SOURCE_DATE_EPOCH: the date of the report. Default: it has none. */
  readonly sourceDateEpoch?: string | undefined;
  /** How registries are reached; a string is short for `{ host }`. */
  readonly registry?: string | RegistryOptions | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionsShape<TransferReportOptions> = {
  ...COMMON,
  ...MAPPING,
  base: TEXTS,
  key: TEXTS,
  sourceDateEpoch: TEXT,
};

/**
 * Finds out what a bundle brings, for the desk that lets it through: images, what is new compared with bases, files with
 * their sha256, and what is left out and why. All bytes of the files are read once, for the sha256. The same files and
 * options give the same report.
 *
 * @param source file or folder of an archive; or several that are one source, such as volumes.
 * @returns also if volumes are missing or something is damaged: the report says so.
 * @throws ArchiveError for a file that is no readable archive; StorageError, also for one that changes.
 * @throws UsageError for what is no archive, and for options that cannot be used.
 * @throws AuthError, NetworkError, RegistryError of a base that is a registry.
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { formatTransferReport, transferReport } from "imgpack";
 *
 * const report = await transferReport(["site.v1.tar", "site.v2.tar"], { base: "last.lock" });
 * console.log(report.counts.new, report.counts.changed, report.bytes.carried);
 * await writeFile("transfer.html", formatTransferReport(report, "html"));
 * ```
 */
export async function transferReport(
  source: string | readonly string[],
  options: TransferReportOptions = {},
): Promise<TransferReport> {
  const paths = checkedList("report on", "archives", listOf(source));
  options = checkedOptions<TransferReportOptions>(options, OPTIONS);
  for (const path of paths) await checkSource(path);
  const { onProgress, signal = new AbortController().signal } = options;
  const texts = listOf(options.base);
  const bases = texts.length === 0 ? undefined : await comparedBases(paths, texts, options);
  const date = epochDate(options.sourceDateEpoch)?.toISOString().replace(".000Z", "Z");
  const files = await FileSums.of(paths, onProgress, signal);
  const checked = await checkedByKeys(paths, options);
  await using registry = await ArchiveRegistry.open(paths, {
    onNote: noteTo(onProgress),
    onDamage: () => undefined,
    signal,
  });
  const { inventory } = registry;
  const catalogue = await readCatalogue(inventory, new ManifestShelf(inventory), signal);
  const report = await readReport(
    inventory,
    catalogue,
    { ...checked, ...(bases === undefined ? {} : { bases }), sums: files.list, date },
    signal,
  );
  await files.confirm();
  return report;
}

/** What keys say, and what is damaged: signatures of damaged bytes would say nothing. */
async function checkedByKeys(
  paths: readonly string[],
  { key, onProgress, signal }: TransferReportOptions,
): Promise<Pick<ReportFacts, "signature" | "checked" | "damage">> {
  if (key === undefined) return {};
  const { bundle, signatures = [], faults, harmed = [] } = await verify(paths, { key, onProgress, signal });
  const checked = new Map<Digest, SignatureCounts>();
  for (const { digest, valid, refused } of signatures)
    if (digest !== undefined) checked.set(digest, { verified: valid, refused: refused.length });
  return { signature: bundle, checked, damage: faults.length === 0 ? [] : damageOf(faults, harmed) };
}

/** By image, or by fault where no lock says which images need what. */
function damageOf(faults: readonly ArchiveFault[], harmed: readonly string[]): readonly LeftOut[] {
  if (harmed.length > 0) return harmed.map(what => ({ kind: "damage", what, why: "not whole: verify found damage" }));
  return faults.map(({ archive, blob, entry, found, expected, message }) => ({
    kind: "damage",
    what: blob ?? entry ?? archive ?? "the archive",
    why: message ?? `found ${found}, expected ${expected}`,
  }));
}

/** @throws UsageError for what is no archive. */
async function checkSource(path: string): Promise<void> {
  checkText("report on", "the path of an archive", path);
  const found = await otherThanArchive(path);
  if (found === undefined) return;
  throw new UsageError(`Cannot report on ${quote(path)}: found ${found}, expected an archive, volumes, or a folder`, {
    hint: "A report says what is carried, with the sha256 of each file: pull to a file first.",
  });
}

const START_BYTES = 512;

async function otherThanArchive(path: string): Promise<string | undefined> {
  if (path === "-") return "stdin";
  if (!(await isArchivePath(path))) return "a reference";
  const start = await startOf(path, START_BYTES).catch(() => undefined);
  if (start === "pipe") return "a pipe";
  if (start === undefined || start === "folder") return undefined;
  if (isLock(utf8Bytes(start))) return "a lock";
  if (isNeed(start)) return "a need list";
  return (await isPatch(path)) ? "a patch" : undefined;
}
