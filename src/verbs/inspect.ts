import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { openArchive } from "../archive/open-archive.ts";
import type { Root } from "../content/contracts.ts";
import { parseReference, resolveDockerHub } from "../oci/reference.ts";
import { registrySource } from "../registry/registry-source.ts";
import { describeImages, type InspectedImage } from "./shared/describe-images.ts";
import { type RegistryOptions, RegistryPool } from "./shared/registry-pool.ts";

export interface InspectOptions extends RegistryOptions {
  /** For a reference that names no registry; Docker Hub without it. */
  readonly registry?: string | undefined;
  readonly onNote?: ((message: string) => void) | undefined;
  /** Where the archive `-` is read from; the process's stdin without it. */
  readonly stdin?: Readable | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Inspection {
  /** File or reference, as it was given. */
  readonly source: string;
  readonly kind: "archive" | "registry";
  /** Of an archive. */
  readonly compression?: string;
  readonly images: readonly InspectedImage[];
}

/**
 * What an archive or a reference holds. Only metadata is read: of a plain archive its headers, manifests and configs.
 *
 * @param source a file if there is one of that name, else a reference.
 */
export async function inspect(source: string, options: InspectOptions = {}): Promise<Inspection> {
  const { onNote, signal, stdin } = options;
  if (await isPath(source)) {
    await using archive = await openArchive(source, { onNote, signal, stdin });
    const images = await describeImages(archive, archive.images, signal);
    return { source, kind: "archive", compression: archive.archive.compression, images };
  }
  await using registries = new RegistryPool(options, () => undefined);
  const reference = parseReference(source);
  const { registry = options.registry } = reference;
  const named = registry === undefined ? reference : { ...reference, registry };
  await using remote = registrySource([resolveDockerHub(named)], registries.repositoryFor);
  const roots: Root[] = [];
  for await (const root of remote.roots(signal)) roots.push(root);
  return { source, kind: "registry", images: await describeImages(remote, roots, signal) };
}

/** A slash at the start, a leading dot or an archive's ending mean a file even when there is none: the error then says so. */
async function isPath(source: string): Promise<boolean> {
  if (source === "-" || /^\.{0,2}\//.test(source) || /\.(tar|tgz|tar\.[a-z0-9]+)$/i.test(source)) return true;
  return await stat(source).then(
    () => true,
    () => false,
  );
}
