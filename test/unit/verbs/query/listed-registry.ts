// A scripted registry that also lists: tags and repositories in pages, as real ones do.
import { type MemoryRegistry, type Reply, sha256 } from "../../../support/memory-registry.ts";
import {
  type Fault,
  json,
  ScriptedRegistry,
  type ScriptOptions,
  type SeenRequest,
} from "../../../support/scripted-registry.ts";

export interface Paging {
  /** Entries of a page at most, whatever `n` says; without it `n` counts. */
  readonly most?: number;
  /** Leaves the Link out. */
  readonly noLink?: boolean;
  /** Sends everything, whatever was asked. */
  readonly ignoresQuery?: boolean;
}

/** Answers a paged list the way of the specification: entries behind `last`, at most `n`, a Link while there are more. */
export function listing(on: RegExp, key: string, entries: readonly unknown[], paging: Paging = {}): Fault {
  const change = (_right: Reply, { path }: SeenRequest): Partial<Reply> => {
    const { pathname, searchParams } = new URL(path, "http://registry/");
    if (paging.ignoresQuery === true) return json(200, { [key]: entries });
    const count = Math.min(Number(searchParams.get("n") ?? 100), paging.most ?? 1000);
    const last = searchParams.get("last");
    const start = last === null ? 0 : entries.indexOf(last) + 1;
    const page = entries.slice(start, start + count);
    const answer = json(200, { [key]: page });
    if (start + count >= entries.length || paging.noLink === true) return answer;
    const link = `<${pathname}?last=${encodeURIComponent(String(page.at(-1)))}&n=${count}>; rel="next"`;
    return { ...answer, headers: { ...answer.headers, link } };
  };
  return { on, times: Number.POSITIVE_INFINITY, change };
}

export async function startListed(
  tags: readonly unknown[],
  paging: Paging = {},
  options: ScriptOptions = {},
): Promise<ScriptedRegistry> {
  const faults = [...(options.faults ?? []), listing(/^GET \/v2\/app\/tags\/list/, "tags", tags, paging)];
  return await ScriptedRegistry.start({ ...options, faults });
}

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

export interface BuiltImage {
  readonly digest: string;
  readonly config: string;
  readonly configBytes: Buffer;
  readonly bytes: Buffer;
  readonly layers: readonly string[];
}

export interface ImageParts {
  readonly architecture?: string;
  readonly created?: string;
  readonly layers?: readonly Buffer[];
  readonly history?: readonly object[];
  readonly subject?: object;
  readonly artifactType?: string;
}

/** Puts an image into `repository`, under these tags, or by its digest alone. */
export function putImage(content: MemoryRegistry, names: readonly string[], parts: ImageParts = {}): BuiltImage {
  const layers = parts.layers ?? [Buffer.from(`layer of ${names[0] ?? parts.architecture}`)];
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture: parts.architecture ?? "amd64",
      os: "linux",
      ...(parts.created === undefined ? {} : { created: parts.created }),
      ...(parts.history === undefined ? {} : { history: parts.history }),
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map(sha256) },
    }),
  );
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: content.addBlob(bytes),
    size: bytes.length,
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      ...(parts.artifactType === undefined ? {} : { artifactType: parts.artifactType }),
      config: describe("application/vnd.oci.image.config.v1+json", configBytes),
      layers: layers.map(layer => describe("application/vnd.oci.image.layer.v1.tar", layer)),
      ...(parts.subject === undefined ? {} : { subject: parts.subject }),
    }),
  );
  let digest = content.addManifest(sha256(bytes), OCI_MANIFEST, bytes);
  for (const name of names) digest = content.addManifest(name, OCI_MANIFEST, bytes);
  return { digest, config: sha256(configBytes), configBytes, bytes, layers: layers.map(sha256) };
}

/** Puts an index of images, by architecture. */
export function putIndex(
  content: MemoryRegistry,
  names: readonly string[],
  images: Readonly<Record<string, BuiltImage>>,
): { readonly digest: string; readonly bytes: Buffer } {
  const manifests = Object.entries(images).map(([architecture, { digest, bytes }]) => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: bytes.length,
    platform: { os: "linux", architecture },
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  let digest = content.addManifest(sha256(bytes), OCI_INDEX, bytes);
  for (const name of names) digest = content.addManifest(name, OCI_INDEX, bytes);
  return { digest, bytes };
}
