// `docker save` up to 1.9: `repositories`, and per image `<id>/VERSION`, `<id>/json`, `<id>/layer.tar` with its parent.
import type { Digest } from "../../src/oci/digest.ts";
import {
  filesTar,
  type LayerPart,
  part,
  rawLayer,
  type ShapeArchive,
  type ShapedImage,
} from "./shape-archives-parts.ts";

interface LegacyImage {
  /** 64 hex digits made of this one: chance gave these ids, and archives are sorted by them. */
  readonly digit: string;
  readonly parent?: string;
  readonly layer: LayerPart;
  readonly more?: object;
}

const idOf = (digit: string): string => digit.repeat(64);

function imageFiles({ digit, parent, layer, more }: LegacyImage): (readonly [string, string | Uint8Array])[] {
  const id = idOf(digit);
  const json = {
    id,
    ...(parent === undefined ? {} : { parent: idOf(parent) }),
    created: "2015-11-03T22:13:20.123456789Z",
    container_config: { Cmd: ["/bin/sh", "-c", `#(nop) ADD file:${digit} in /`] },
    docker_version: "1.9.1",
    author: "imgpack",
    config: { Cmd: ["/file"], Env: ["PATH=/bin"] },
    architecture: "amd64",
    os: "linux",
    Size: layer.bytes.length,
    ...more,
  };
  return [
    [`${id}/`, ""],
    [`${id}/VERSION`, "1.0"],
    [`${id}/json`, JSON.stringify(json)],
    [`${id}/layer.tar`, layer.bytes],
  ];
}

function legacyTar(images: readonly LegacyImage[], repositories?: object): Buffer {
  const files = [...images].sort((a, b) => (a.digit < b.digit ? -1 : 1)).flatMap(imageFiles);
  if (repositories !== undefined) files.push(["repositories", `${JSON.stringify(repositories)}\n`]);
  return filesTar(files);
}

function image(names: readonly string[], layers: readonly LayerPart[], configDigest: Digest): ShapedImage {
  return { names, diffIds: layers.map(({ diffId }) => diffId), configDigest };
}

const base = rawLayer("base\n");
const middle = rawLayer("middle\n");
const top = rawLayer("top\n");

/** Base, middle and top: the ids are such that a child stands before its parent. */
const chain: readonly LegacyImage[] = [
  { digit: "c", layer: base },
  { digit: "b", parent: "c", layer: middle },
  { digit: "a", parent: "b", layer: top },
];

/** Docker's layer of a step that changed no file: 1024 zero bytes. */
const emptyRaw = part(Buffer.alloc(1024));
const emptyLayer: LayerPart = { ...emptyRaw, diffId: emptyRaw.digest };

/** The config digests are the image IDs that docker 20.10.24 reports after `docker load`. */
const byDocker = {
  top: "sha256:71165b5c7cf8674ed0f40e47575c0cad9620b2b600f7def9abf1c52f6cccf161",
  middle: "sha256:ea89d0f3f7aab07d7bc32cbc719d163f9d447d9a7accc0d51d557cf584722cd1",
  emptyStep: "sha256:3789edb0a6d240f6e1e98ab33371437541cafdc04d8407793e2a4f32a20644e7",
  oldVersion: "sha256:c82d778204661f068333e113c50e2695a1cbf34635f707980cc0cd6bd3de3530",
} as const satisfies Record<string, Digest>;

export function legacyArchives(): readonly ShapeArchive[] {
  const emptyStep: LegacyImage = { digit: "0", parent: "a", layer: emptyLayer, more: { throwaway: true } };
  return [
    {
      name: "docker 1.9: a chain of three, two tags, a tag on a parent",
      bytes: legacyTar(chain, {
        "legacy/app": { "1.0": idOf("a"), latest: idOf("a") },
        "legacy/base": { "1.0": idOf("b") },
      }),
      expected: {
        images: [
          image(["legacy/app:1.0", "legacy/app:latest"], [base, middle, top], byDocker.top),
          image(["legacy/base:1.0"], [base, middle], byDocker.middle),
        ],
      },
    },
    {
      name: "docker 1.9: no repositories, the image is the one that is nobody's parent",
      bytes: legacyTar(chain),
      expected: { images: [image([], [base, middle, top], byDocker.top)] },
    },
    {
      // Docker writes a layer for every step into an archive and keeps it, whatever "throwaway" says.
      name: "docker 1.9: a step without files on top",
      bytes: legacyTar([...chain, emptyStep], { "legacy/empty": { "1.0": idOf("0") } }),
      expected: {
        images: [image(["legacy/empty:1.0"], [base, middle, top, emptyLayer], byDocker.emptyStep)],
      },
    },
    {
      name: "docker 1.6: a config that docker writes anew",
      bytes: legacyTar([{ digit: "d", layer: base, more: { docker_version: "1.6.2", "x-unknown": 1 } }], {
        "legacy/old": { "1.0": idOf("d") },
      }),
      expected: { images: [image(["legacy/old:1.0"], [base], byDocker.oldVersion)] },
    },
    {
      name: "docker 1.9: the parent is absent",
      bytes: legacyTar(chain.slice(1), { "legacy/app": { "1.0": idOf("a") } }),
      expected: { refused: /c{12}/ },
    },
    {
      // Never to be given to docker 20.10: its daemon follows the chain until its stack overflows.
      name: "docker 1.9: a chain that ends in itself",
      bytes: legacyTar(
        [
          { digit: "e", parent: "f", layer: base },
          { digit: "f", parent: "e", layer: top },
        ],
        {
          "legacy/loop": { "1.0": idOf("e") },
        },
      ),
      expected: { refused: /more than 1000 layers below e{64}/ },
    },
  ];
}
