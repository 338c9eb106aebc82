import { LOCK_FILE } from "../bundle/lock/format-lock.ts";
import { ANNOTATION_IMAGE_NAME } from "../oci/annotations.ts";
import { DOCKER_MANIFEST_FILE } from "../oci/docker-manifest.ts";
import { LAYOUT_FILE } from "../oci/layout.ts";
import type { ArchiveSource } from "./open-archive.ts";

/** The program that probably wrote an archive. It is a guess: programs leave no signature. */
export interface Producer {
  /** Name and version. */
  readonly name: string;
  /** Reason for the guess. */
  readonly because: string;
}

interface Sign extends Producer {
  readonly matches: (archive: ArchiveSource, names: readonly string[]) => boolean;
}

const HEX = "[0-9a-f]{64}";
/** One name of each kind comes early. */
const MAX_NAMES = 10_000;

/** The first match counts. Measured on archives of each producer. */
const SIGNS: readonly Sign[] = [
  {
    name: "imgpack pull",
    because: `it contains ${LOCK_FILE}`,
    matches: (_, names) => names.includes(LOCK_FILE),
  },
  {
    name: 'skopeo copy to "dir:", or podman save in a "-dir" format',
    because: "manifest.json is a registry's manifest, and blobs are named by their digest alone",
    matches: ({ dialect }) => dialect === "dir",
  },
  {
    name: "docker save 1.9 or older",
    because: "layers have VERSION and json files, and there is no manifest.json",
    matches: ({ dialect }) => dialect === "legacy",
  },
  {
    name: "docker save 25 or newer, classic store",
    because: "manifest.json describes raw layers that are named by their diff_id",
    matches: ({ docker }) => docker?.images.some(({ isClassic }) => isClassic) === true,
  },
  {
    name: "regctl image export",
    because: "metadata comes first, and there is no imgpack.json",
    matches: ({ dialect }, names) =>
      dialect === "docker+oci" && names.indexOf(DOCKER_MANIFEST_FILE) < 3 && names[0] === LAYOUT_FILE,
  },
  {
    name: "docker save with the containerd store, ctr, nerdctl or buildx type=docker",
    because: "it is an OCI layout with a manifest.json, without repositories",
    matches: ({ dialect }) => dialect === "docker+oci",
  },
  {
    name: "crane pull, or another tool built on its library (kaniko, ko)",
    because: 'the config is named "sha256:…"',
    matches: (_, names) => has(names, `^sha256:${HEX}$`),
  },
  {
    name: "skopeo, podman or buildah, docker-archive",
    because: "layers are named by their diff_id, with links under the old names",
    matches: ({ dialect }, names) =>
      dialect === "docker" && has(names, `^${HEX}\\.tar$`) && has(names, `^${HEX}/VERSION$`),
  },
  {
    name: "crane pull in its legacy format",
    because: "layers have VERSION and json as docker's, without entries for their folders",
    matches: ({ dialect, archive }, names) =>
      dialect === "docker" && has(names, `^${HEX}/VERSION$`) && !hasFolders(archive),
  },
  {
    name: "docker save 1.10 to 24",
    because: "layers are folders with VERSION, json and layer.tar",
    matches: ({ dialect }, names) => dialect === "docker" && has(names, `^${HEX}/VERSION$`),
  },
  {
    name: "jib",
    because: "the config is config.json, and layers are named *.tar.gz",
    matches: ({ dialect }, names) =>
      dialect === "docker" && names.includes("config.json") && has(names, "\\.tar\\.gz$"),
  },
  {
    name: "a builder that writes docker archives itself (nix, Bazel, kaniko or another)",
    because: "there is a manifest.json, and nothing else that docker writes",
    matches: ({ dialect }) => dialect === "docker",
  },
  {
    name: "buildx type=oci",
    because: "index.json names images as containerd does, and there is no manifest.json",
    matches: ({ oci }) =>
      oci?.index.view.manifests.some(({ annotations }) => annotations?.[ANNOTATION_IMAGE_NAME] !== undefined) === true,
  },
  {
    name: "skopeo, podman, buildah, umoci, oras or crane, OCI layout",
    because: "it is an OCI layout without a manifest.json",
    matches: () => true,
  },
];

export function guessProducer(source: ArchiveSource): Producer {
  const names: string[] = [];
  for (const name of source.archive.entries.keys()) {
    names.push(name);
    if (names.length === MAX_NAMES) break;
  }
  const { name, because } = SIGNS.find(({ matches }) => matches(source, names)) ?? {
    name: "unknown",
    because: "nothing in it is familiar",
  };
  return { name, because };
}

function has(names: readonly string[], pattern: string): boolean {
  const regular = new RegExp(pattern);
  return names.some(name => regular.test(name));
}

function hasFolders({ entries }: ArchiveSource["archive"]): boolean {
  for (const { type } of entries.values()) if (type === "directory") return true;
  return false;
}
