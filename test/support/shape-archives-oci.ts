// OCI layouts as tars: docker 25 with its faults, and producers that cannot be run here.
import { createHash } from "node:crypto";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import {
  blobPath,
  config,
  described,
  filesTar,
  gzipLayer,
  index,
  type LayerPart,
  manifest,
  type Part,
  part,
  rawLayer,
  type ShapeArchive,
  shaped,
} from "./shape-archives-parts.ts";
import { paxEntry, tarArchive, tarEntry } from "./tar-builder.ts";

type Files = readonly (readonly [name: string, body: string | Uint8Array])[];

const oneLayout = ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'] as const;

function blobFiles(parts: readonly Part[]): Files {
  const unique = new Map(parts.map(each => [each.hex, each]));
  return [...unique.values()].sort((a, b) => (a.hex < b.hex ? -1 : 1)).map(each => [blobPath(each), each.bytes]);
}

function named(full: string): object {
  const tag = full.slice(full.lastIndexOf(":") + 1);
  return { annotations: { "io.containerd.image.name": full, "org.opencontainers.image.ref.name": tag } };
}

/** Docker 25's archive, classic store: an OCI manifest over raw layers, and the same told again by manifest.json. */
function docker25(
  images: readonly { readonly tag: string | null; readonly layers: readonly LayerPart[]; readonly manifest: Part }[],
  listed: readonly Part[],
): Buffer {
  const blobs = images.flatMap(image => [config(image.layers), image.manifest, ...image.layers]);
  const entries = listed.map(root => {
    const tag = images.find(image => image.manifest === root)?.tag;
    return described(root, OCI_MANIFEST, tag ? named(`docker.io/library/${tag}`) : {});
  });
  const rows = images.map(({ tag, layers }) => ({
    Config: blobPath(config(layers)),
    RepoTags: tag === null ? null : [tag],
    Layers: layers.map(blobPath),
    LayerSources: Object.fromEntries(layers.map(layer => [layer.diffId, described(layer, OCI_LAYER)])),
  }));
  return filesTar([
    ["blobs/", ""],
    ["blobs/sha256/", ""],
    ...blobFiles(blobs),
    ["index.json", index(entries).bytes],
    ["manifest.json", JSON.stringify(rows)],
    ["oci-layout", '{"imageLayoutVersion": "1.0.0"}'],
  ]);
}

const first = rawLayer("first\n");
const second = rawLayer("second\n");

function docker25Faults(): readonly ShapeArchive[] {
  const repeated = [first, second, first];
  const shuffled = manifest(config(repeated), [second, first], OCI_LAYER);
  const one = { tag: "one:1", layers: [first], manifest: manifest(config([first]), [first], OCI_LAYER) };
  const unnamed = { tag: null, layers: [second], manifest: manifest(config([second]), [second], OCI_LAYER) };
  const platform = { platform: { architecture: "amd64", os: "linux" } };
  const odd = part({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: described(config([first]), OCI_CONFIG, platform),
    layers: [described(first, OCI_LAYER)],
  });
  const both = { images: [shaped(["one:1"], config([first]), [first]), shaped([], config([second]), [second])] };
  return [
    {
      name: "B01 docker 25.0.0: the OCI manifest's layers shuffled, the repeated one dropped",
      bytes: docker25([{ tag: "twice:1", layers: repeated, manifest: shuffled }], [shuffled]),
      expected: { images: [shaped(["twice:1"], config(repeated), repeated)] },
    },
    {
      name: "B02 docker 25.0.2: an image without a name is not in index.json",
      bytes: docker25([unnamed], []),
      expected: { images: [shaped([], config([second]), [second])] },
    },
    {
      name: "B03 docker 25 and later: an image without a name after one with a name is not in index.json",
      bytes: docker25([one, unnamed], [one.manifest]),
      expected: both,
    },
    {
      name: "B04 docker 25.0.5: the config's descriptor has a platform",
      bytes: docker25([{ ...one, manifest: odd }], [odd]),
      expected: { images: [shaped(["one:1"], config([first]), [first])] },
    },
  ];
}

const packed = [gzipLayer("first\n"), gzipLayer("second\n")];
const packedConfig = config(packed);
const packedManifest = manifest(packedConfig, packed, OCI_LAYER_GZIP);
const packedBlobs = [packedConfig, packedManifest, ...packed];

function packedImages(name: string): ShapeArchive["expected"] {
  return { images: [{ ...shaped([name], packedConfig, packed), manifestDigest: packedManifest.digest }] };
}

function hauler(): readonly ShapeArchive[] {
  const name = "docker.io/library/haul:1";
  const kind = { kind: "dev.cosignproject.cosign/image", "org.opencontainers.image.ref.name": "library/haul:1" };
  const root = described(packedManifest, OCI_MANIFEST, { annotations: { ...kind, "io.containerd.image.name": name } });
  const rows = [{ Config: blobPath(packedConfig), RepoTags: ["library/haul:1"], Layers: packed.map(blobPath) }];
  const files: Files = [...blobFiles(packedBlobs), ["index.json", index([root]).bytes]];
  return [
    {
      name: "hauler store save: no oci-layout, with manifest.json",
      bytes: filesTar([...files, ["manifest.json", JSON.stringify(rows)]]),
      expected: { images: [shaped(["library/haul:1"], packedConfig, packed)] },
    },
    {
      name: "hauler store save: no oci-layout, no manifest.json",
      bytes: filesTar(files),
      expected: packedImages(name),
    },
  ];
}

/** Metadata first, every header with PAX times, folders without a slash, LayerSources by the digest of the blob. */
function regctl(): ShapeArchive {
  const root = described(packedManifest, OCI_MANIFEST, {
    annotations: { "org.opencontainers.image.ref.name": "registry.example/app:1" },
  });
  const rows = [
    {
      Config: blobPath(packedConfig),
      RepoTags: ["registry.example/app:1"],
      Layers: packed.map(blobPath),
      LayerSources: Object.fromEntries(packed.map(layer => [layer.digest, described(layer, OCI_LAYER_GZIP)])),
    },
  ];
  const times = paxEntry({ atime: "0", ctime: "0" });
  const file = (name: string, body: string | Uint8Array): readonly Uint8Array[] => [times, tarEntry({ name, body })];
  return {
    name: "regctl image export",
    bytes: Buffer.from(
      tarArchive([
        ...file(...oneLayout),
        ...file("index.json", index([root]).bytes),
        ...file("manifest.json", JSON.stringify(rows)),
        times,
        tarEntry({ name: "blobs/sha256", type: "5" }),
        ...[packedManifest, packedConfig, ...packed].flatMap(each => file(blobPath(each), each.bytes)),
      ]),
    ),
    expected: packedImages("registry.example/app:1"),
  };
}

function nested(depth: number): ShapeArchive {
  const platform = { platform: { os: "linux", architecture: "amd64" } };
  const indexes: Part[] = [index([described(packedManifest, OCI_MANIFEST, platform)])];
  while (indexes.length < depth) indexes.push(index([described(indexes.at(-1) ?? packedManifest, OCI_INDEX)]));
  const root = described(indexes.at(-1) ?? packedManifest, OCI_INDEX, named("docker.io/library/nested:1"));
  return {
    name: `an index ${depth} levels deep`,
    bytes: filesTar([...blobFiles([...packedBlobs, ...indexes]), ["index.json", index([root]).bytes], oneLayout]),
    expected: packedImages("docker.io/library/nested:1"),
  };
}

/** The manifest, its config and its layer are all named by their sha512. */
function longDigests(): ShapeArchive {
  const layer = gzipLayer("first\n");
  const blobs: [string, Buffer][] = [];
  const by512 = (bytes: Buffer, mediaType: string, more: object = {}): { readonly digest: Digest } => {
    const hex = createHash("sha512").update(bytes).digest("hex");
    blobs.push([`blobs/sha512/${hex}`, bytes]);
    return { mediaType, digest: `sha512:${hex}`, size: bytes.length, ...more } as { readonly digest: Digest };
  };
  const configBytes = config([layer]).bytes;
  const configDescriptor = by512(configBytes, OCI_CONFIG);
  const layers = [by512(layer.bytes, OCI_LAYER_GZIP)];
  const body = part({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: configDescriptor, layers });
  const root = by512(body.bytes, OCI_MANIFEST, named("docker.io/library/long:1"));
  const image = { names: ["docker.io/library/long:1"], diffIds: [layer.diffId] };
  return {
    name: "blobs named by sha512",
    bytes: filesTar([...blobs, ["index.json", index([root]).bytes], oneLayout]),
    expected: { images: [{ ...image, configDigest: configDescriptor.digest, manifestDigest: root.digest }] },
  };
}

export function ociArchives(): readonly ShapeArchive[] {
  return [...docker25Faults(), ...hauler(), regctl(), nested(3), longDigests()];
}
