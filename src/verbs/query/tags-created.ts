import { noteTo, stepTo } from "../../content/progress.ts";
import { readBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { ArchiveError, IntegrityError, NotFoundError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseImageConfig } from "../../oci/image-config.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES } from "../../oci/limits.ts";
import type { ImageView } from "../../oci/manifest.ts";
import { hostPlatform, selectPlatform } from "../../oci/platform.ts";
import { compareText } from "../../oci/semver.ts";
import { isBadAnswer } from "../../registry/client/registry-answer.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { registryBlob } from "../../registry/download/blob-download.ts";
import { runBounded } from "../../util/task-group.ts";
import { type RemoteOptions, readManifest } from "../shared/remote-image.ts";

/** A tag, with what sorting by time reads. */
export interface DatedTag {
  readonly tag: string;
  /** Of the manifest or index; only after sorting by time. */
  readonly digest?: Digest;
  /** RFC 3339, from the image config: when the image was built, not when it was pushed. Only after sorting by time. */
  readonly created?: string;
}

const CONCURRENCY = 8;

/** Where it is reported what is read. */
export type DatedTagsOptions = Pick<RemoteOptions, "onProgress" | "signal">;

/**
 * When the images under these tags were built, newest first; tags without a date come last. Tags of one image cost one
 * reading. A tag that is gone by now, or is no image, has no date.
 * A note says which tags cannot be read, and steps how far it is.
 */
export async function datedTags(
  repository: Repository,
  tags: readonly string[],
  { onProgress, signal }: DatedTagsOptions,
): Promise<readonly DatedTag[]> {
  const onNote = noteTo(onProgress);
  const onRead = stepTo(onProgress, "configs", tags.length);
  const dates = new Map<Digest, Promise<string | undefined>>();
  const found: DatedTag[] = [];
  await runBounded(
    tags,
    CONCURRENCY,
    async (tag, stop) => {
      try {
        const { descriptor, view } = await readManifest(repository, tag, { signal: stop });
        const [first] = view.kind === "index" ? view.manifests : [];
        const child = view.kind === "index" ? (selectPlatform(view.manifests, hostPlatform()) ?? first) : undefined;
        const image = view.kind === "image" ? view : undefined;
        const key = child?.digest ?? image?.config.digest ?? descriptor.digest;
        const date = dates.get(key) ?? readDate(repository, child ?? image, stop);
        dates.set(key, date);
        const created = await date;
        found.push({ tag, digest: descriptor.digest, ...(created === undefined ? {} : { created }) });
      } catch (error) {
        if (!isOneTagOnly(error)) throw error;
        onNote(`${tag} has no date: ${error.message}`);
        found.push({ tag });
      }
      onRead();
    },
    signal,
  );
  return found.sort((left, right) => timeOf(right) - timeOf(left) || compareText(left.tag, right.tag));
}

/** Milliseconds since the epoch; before everything for a tag without a date. */
export function timeOf({ created }: DatedTag): number {
  const time = created === undefined ? Number.NaN : Date.parse(created);
  return Number.isNaN(time) ? Number.MIN_SAFE_INTEGER : time;
}

async function readDate(
  repository: Repository,
  source: Descriptor | ImageView | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (source === undefined) return undefined;
  const view = "kind" in source ? source : (await readManifest(repository, source.digest, { signal })).view;
  if (view.kind !== "image" || isArtifact(view)) return undefined;
  const { config } = view;
  return parseImageConfig(await readConfigBytes(repository, config, signal), `config ${config.digest}`).created;
}

/** A config, checked. @throws IntegrityError */
export async function readConfigBytes(
  repository: Repository,
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const blob = verified(config, registryBlob(repository, config), `${repository}`);
  return await readBlob(blob, MAX_CONFIG_BYTES, signal);
}

/** Wrong with this tag, not with the registry. */
function isOneTagOnly(error: unknown): error is Error {
  return isBadAnswer(error) || [NotFoundError, ArchiveError, IntegrityError].some(kind => error instanceof kind);
}
