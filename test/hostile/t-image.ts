// One image in both forms, docker's and OCI's, whose documents can be changed before their digests are taken.
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { ImgpackError, push } from "../../src/index.ts";
import { fileWith } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

export type Part = "oci-layout" | "index.json" | "manifest.json" | "config" | "manifest" | "layer";
export interface NamedBody {
  readonly name: string;
  readonly body: Uint8Array;
}
export type Image = Readonly<Record<Part, NamedBody>>;
/** Changes a document; what names it by digest follows. */
export type Changes = Readonly<Partial<Record<Part, (text: string) => string | Uint8Array>>>;

export const OCI = "application/vnd.oci.image";

export function imageWith(changes: Changes = {}): Image {
  const made = (part: Part, text: string): Buffer => Buffer.from(changes[part]?.(text) ?? text);
  const blob = (body: Uint8Array): NamedBody => ({ name: `blobs/sha256/${sha256(body).slice(7)}`, body });
  const describe = (mediaType: string, { body }: NamedBody): object => ({
    mediaType,
    digest: sha256(body),
    size: body.length,
  });
  const layer = blob(made("layer", Buffer.from(tarArchive([tarEntry({ name: "hello", body: "hi" })])).toString()));
  const rootfs = { type: "layers", diff_ids: [sha256(layer.body)] };
  const config = blob(made("config", JSON.stringify({ os: "linux", architecture: "amd64", config: {}, rootfs })));
  const image = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: describe(`${OCI}.config.v1+json`, config),
    layers: [describe(`${OCI}.layer.v1.tar`, layer)],
  };
  const manifest = blob(made("manifest", JSON.stringify(image)));
  const annotations = { "io.containerd.image.name": "r.lan/app:1" };
  const root = { ...describe(`${OCI}.manifest.v1+json`, manifest), annotations };
  const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [root] };
  const docker = [{ Config: config.name, RepoTags: ["r.lan/app:1"], Layers: [layer.name] }];
  return {
    "oci-layout": { name: "oci-layout", body: made("oci-layout", '{"imageLayoutVersion":"1.0.0"}') },
    "index.json": { name: "index.json", body: made("index.json", JSON.stringify(index)) },
    "manifest.json": { name: "manifest.json", body: made("manifest.json", JSON.stringify(docker)) },
    manifest,
    config,
    layer,
  };
}

export function entriesOf(image: Image): readonly Uint8Array[] {
  return Object.values(image).map(({ name, body }) => tarEntry({ name, body }));
}

/** The archive of an image, with entries before and behind it. */
export function archiveOf(
  image: Image,
  before: readonly Uint8Array[] = [],
  behind: readonly Uint8Array[] = [],
): Uint8Array {
  return tarArchive([...before, ...entriesOf(image), ...behind]);
}

export interface Verdict {
  /** "pushed", the reason of an ArchiveError, or the code of another error. */
  readonly reason: string;
  readonly message: string;
  /** Tags and manifests that the registry holds afterwards. */
  readonly visible: readonly string[];
  /** Everything that stands beside the archive afterwards. */
  readonly files: readonly string[];
}

/** What `imgpack push` makes of these bytes, plain or as gzip. */
export async function pushBytes(bytes: Uint8Array, wrapper: "plain" | "gzip" = "plain"): Promise<Verdict> {
  const registry = await ScriptedRegistry.start();
  const path = await fileWith(wrapper === "gzip" ? gzipSync(bytes, { level: 1 }) : bytes);
  let [reason, message] = ["pushed", ""];
  try {
    await push([path], { registry: registry.host, compression: "keep" });
  } catch (error) {
    if (!(error instanceof ImgpackError)) throw error;
    message = error.message;
    reason = "reason" in error ? String(error.reason) : error.code;
  }
  const visible = [...registry.content.manifests.keys()];
  await registry.close();
  return { reason, message, visible, files: await readdir(dirname(path)) };
}

/** The whole of a refusal, to be compared at once. */
export function refused(reason: string): Omit<Verdict, "message"> & { readonly message: unknown } {
  return { reason, message: expectText, visible: [], files: ["image.tar"] };
}

const expectText: unknown = {
  asymmetricMatch: (text: unknown) => typeof text === "string" && /^Cannot .+, expected .+[^.]$/s.test(text),
  toString: () => "Cannot …, expected …",
};
