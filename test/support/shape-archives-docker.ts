// Archives with a manifest.json, as tools that cannot be run here are documented to write them, and as any tool may.
import { gzipSync } from "node:zlib";
import type { Digest } from "../../src/oci/digest.ts";
import {
  blobPath,
  config,
  filesTar,
  gzipLayer,
  type LayerPart,
  manifest,
  type Part,
  part,
  rawLayer,
  type ShapeArchive,
  shaped,
} from "./shape-archives-parts.ts";
import { gnuLong, paxEntry, tarArchive, tarEntry } from "./tar-builder.ts";

type Files = readonly (readonly [name: string, body: string | Uint8Array])[];

const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/** One raw layer, "compressed elsewhere\n", as xz 5.4, bzip2 1.0 and zstd 1.5 pack it: nothing here writes these. */
const packed = {
  xz: "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Af/AE9dADMaSda2OCGvAe5uBXM7wPx/lL1ZKnFh3XVtBpjbIHUZLL6zMBYKwiyjqJMmyyhMRODwab6kS7L5/K5mZM8cg/Hs0zjtFHE7YupAHpofFgAAAA/iN9Y0bjowAAFrgBAAAABJzJlAscRn+wIAAAAABFla",
  bzip2:
    "QlpoOTFBWSZTWWq/dyQAADDbgcqQQABXAAAEb2begAAECAggAFRmT9RA00ZAxM1P1QSiEeo00aAABe3yqDQECPCsSjVSgKFbsZQEeohNyE33LY/dbWLuqXThZ8wCfa5pZEZ9psCCOVK/F3JFOFCQar93JA==",
  zstd: "KLUv/WQAB1UCAHIDDBGg7ZAxC3rFaqgKvQQ1AIqYAgYKVU1dpgHprsLX3PFvaOJKP3i8FBPx32OUW9lKAQkgULcOzvvbHOqATrwgzCooDApgPKk30aBotw==",
};

function dockerManifest(Config: string, RepoTags: readonly string[] | null, Layers: readonly string[]): string {
  return JSON.stringify([{ Config, RepoTags, Layers }]);
}

/** Two layers and where they lie; the config and manifest.json come after them unless `files` says otherwise. */
function dockerShape(
  name: string,
  names: readonly string[],
  layers: readonly LayerPart[],
  files: (configPart: Part) => Files,
): ShapeArchive {
  const configPart = config(layers);
  return { name, bytes: filesTar(files(configPart)), expected: { images: [shaped(names, configPart, layers)] } };
}

const gzipped = [gzipLayer("first\n"), gzipLayer("second\n")];
const raw = [rawLayer("first\n"), rawLayer("second\n")];

/** Config, layers, manifest.json: the order and the names of go-containerregistry. */
function googleFiles(tags: readonly string[]): (configPart: Part) => Files {
  const paths = gzipped.map(({ hex }) => `${hex}.tar.gz`);
  return ({ digest, bytes }) => [
    [digest, bytes],
    ...gzipped.map(layer => [`${layer.hex}.tar.gz`, layer.bytes] as const),
    ["manifest.json", dockerManifest(digest, tags, paths)],
  ];
}

function producers(): readonly ShapeArchive[] {
  const nixFolder = (layer: LayerPart): Files => [
    [`${layer.hex}/`, ""],
    [`${layer.hex}/VERSION`, "1.0"],
    [`${layer.hex}/json`, JSON.stringify({ created: "1970-01-01T00:00:01Z", os: "linux" })],
    [`${layer.hex}/layer.tar`, layer.bytes],
  ];
  const nixLayers = raw.map(({ hex }) => `${hex}/layer.tar`);
  const built = dockerShape("nix dockerTools.buildImage, as gzip", ["nix-image:1"], raw, ({ hex, bytes }) => [
    ...[...raw].sort((a, b) => (a.hex < b.hex ? -1 : 1)).flatMap(nixFolder),
    [`${hex}.json`, bytes],
    ["manifest.json", `${dockerManifest(`${hex}.json`, ["nix-image:1"], nixLayers)}\n`],
    ["repositories", `${JSON.stringify({ "nix-image": { "1": raw[1]?.hex } })}\n`],
  ]);
  const tags = ["registry.example/app:1.0"];
  return [
    dockerShape("kaniko --tar-path", tags, gzipped, googleFiles(tags)),
    dockerShape(
      "ko --tarball",
      ["ko.local/app:a", "ko.local/app:b"],
      gzipped,
      googleFiles(["ko.local/app:a", "ko.local/app:b"]),
    ),
    dockerShape("jib buildTar", ["jib/app:1.0"], gzipped, ({ bytes }) => [
      ...gzipped.map(layer => [`${layer.hex}.tar.gz`, layer.bytes] as const),
      ["config.json", bytes],
      [
        "manifest.json",
        dockerManifest(
          "config.json",
          ["jib/app:1.0"],
          gzipped.map(({ hex }) => `${hex}.tar.gz`),
        ),
      ],
    ]),
    dockerShape("Bazel rules_oci oci_load", tags, gzipped, configPart => [
      [
        "manifest.json",
        dockerManifest(
          blobPath(configPart),
          tags,
          gzipped.map(layer => `${blobPath(layer)}.tar.gz`),
        ),
      ],
      ["blobs/", ""],
      ["blobs/sha256/", ""],
      [blobPath(configPart), configPart.bytes],
      ...gzipped.map(layer => [`${blobPath(layer)}.tar.gz`, layer.bytes] as const),
    ]),
    { ...built, bytes: gzipSync(built.bytes) },
    dockerShape("nix dockerTools.streamLayeredImage", ["nix-image:1"], raw, ({ hex, bytes }) => [
      ...raw.map(layer => [`${layer.hex}/layer.tar`, layer.bytes] as const),
      [`${hex}.json`, bytes],
      ["manifest.json", dockerManifest(`${hex}.json`, ["nix-image:1"], nixLayers)],
    ]),
    imgpkg(),
  ];
}

/** imgpkg's manifest.json is an array too, of objects that are not docker's. */
function imgpkg(): ShapeArchive {
  const configPart = config(gzipped);
  const manifestPart = manifest(configPart, gzipped, DOCKER_LAYER);
  const Image = {
    Refs: [`registry.example/bundle@${manifestPart.digest}`],
    Config: { Digest: configPart.digest, Raw: configPart.bytes.toString() },
    Manifest: {
      MediaType: "application/vnd.oci.image.manifest.v1+json",
      Digest: manifestPart.digest,
      Raw: manifestPart.bytes.toString(),
    },
    Layers: gzipped.map(layer => ({
      MediaType: DOCKER_LAYER,
      Digest: layer.digest,
      DiffID: layer.diffId,
      Size: layer.bytes.length,
    })),
    Tag: "1.0",
    Labels: {},
  };
  const layers = [...gzipped].sort((a, b) => (a.hex < b.hex ? -1 : 1));
  return {
    name: "imgpkg copy --to-tar",
    bytes: filesTar([
      ["manifest.json", JSON.stringify([{ Image, ImageIndex: null }])],
      ...layers.map(layer => [`sha256-${layer.hex}.tar.gz`, layer.bytes] as const),
    ]),
    expected: { refused: /imgpkg/ },
  };
}

function packedLayers(): readonly ShapeArchive[] {
  const { diffId } = rawLayer("compressed elsewhere\n");
  return Object.entries(packed).map(([format, base64]) => {
    const layer: LayerPart = { ...part(Buffer.from(base64, "base64")), diffId };
    return dockerShape(`a layer as ${format}`, [`${format}:1`], [layer], ({ hex, bytes }) => [
      ["layer.tar", layer.bytes],
      [`${hex}.json`, bytes],
      ["manifest.json", dockerManifest(`${hex}.json`, [`${format}:1`], ["layer.tar"])],
    ]);
  });
}

function oddities(): readonly ShapeArchive[] {
  const one = rawLayer("one\n");
  const configPart = config([one, one]);
  const metadata = (paths: readonly string[]): Uint8Array[] => [
    tarEntry({ name: "image.json", body: configPart.bytes }),
    tarEntry({ name: "manifest.json", body: dockerManifest("image.json", ["twice:1"], paths) }),
  ];
  const twice = { images: [shaped(["twice:1"], configPart, [one, one])] };
  const link = (type: string, linkName: string): Uint8Array => tarEntry({ name: "b/layer.tar", type, linkName });
  const file = tarEntry({ name: "a/layer.tar", body: one.bytes });
  const both = ["a/layer.tar", "b/layer.tar"];
  const long = `${"folder-with-a-long-name/".repeat(5)}layer.tar`;
  const longFile = tarEntry({ name: "cut", body: one.bytes });
  const shapes: readonly [name: string, entries: readonly Uint8Array[]][] = [
    ["one path for two layers", [file, ...metadata(["a/layer.tar", "a/layer.tar"])]],
    ["a layer that is a hard link", [file, link("1", "a/layer.tar"), ...metadata(both)]],
    ["a layer that is a symbolic link", [file, link("2", "../a/layer.tar"), ...metadata(both)]],
    ["metadata first", [...metadata(["a/layer.tar", "a/layer.tar"]), file]],
    ["a long name in a PAX record", [paxEntry({ path: long }), longFile, ...metadata([long, long])]],
    ["a long name in GNU's way", [gnuLong(long), longFile, ...metadata([long, long])]],
  ];
  return shapes.map(([name, entries]) => ({ name, bytes: Buffer.from(tarArchive(entries)), expected: twice }));
}

function names(): readonly ShapeArchive[] {
  const layer = rawLayer("one\n");
  const plain = (
    name: string,
    Config: string,
    path: string,
    entry: (file: string) => string = file => file,
  ): ShapeArchive =>
    dockerShape(name, ["named:1"], [layer], ({ bytes }) => [
      [entry(path), layer.bytes],
      [entry(Config), bytes],
      [entry("manifest.json"), dockerManifest(Config, ["named:1"], [path])],
    ]);
  const refused = { refused: /absolute|begins with|starts with/i };
  const noLayers = config([]);
  const configless: Digest = `sha256:${"0".repeat(64)}`;
  return [
    plain("a config and a layer named anything", "the config (copy).txt", "Größe 1"),
    plain("./ before every entry's name", "image.json", "layer.tar", file => `./${file}`),
    plain("./ before the names in manifest.json too", "./image.json", "./layer.tar"),
    { ...plain("a layer with an absolute name", "image.json", "/layer.tar"), expected: refused },
    { ...plain("every name absolute", "image.json", "layer.tar", file => `/${file}`), expected: refused },
    {
      name: "an image without layers",
      bytes: filesTar([
        ["image.json", noLayers.bytes],
        ["manifest.json", dockerManifest("image.json", ["empty:1"], [])],
      ]),
      expected: { images: [shaped(["empty:1"], noLayers, [])] },
    },
    {
      name: "an image without a name",
      bytes: filesTar([
        ["image.json", noLayers.bytes],
        ["manifest.json", dockerManifest("image.json", null, [])],
      ]),
      expected: { images: [shaped([], noLayers, [])] },
    },
    {
      name: "a config named by a digest that is not its own",
      bytes: filesTar([
        [configless, noLayers.bytes],
        ["manifest.json", dockerManifest(configless, ["empty:1"], [])],
      ]),
      expected: { refused: /sha256:0{64}/ },
    },
  ];
}

export function dockerArchives(): readonly ShapeArchive[] {
  return [...producers(), ...packedLayers(), ...oddities(), ...names()];
}
