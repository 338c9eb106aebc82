import { MAX_SKOPEO_MANIFEST_BYTES } from "../../oci/limits.ts";
import type { LayerCompression } from "../../oci/media-types.ts";
import type { OddName } from "./odd-names.ts";

/** What decides whether a tool can load an archive. */
export interface LoadFacts {
  /** Compression of the file itself; "folder" for a folder. */
  readonly outer: string;
  readonly hasDockerView: boolean;
  /** Size of manifest.json; 0 without one. */
  readonly dockerManifestBytes: number;
  readonly isDir: boolean;
  readonly isLegacy: boolean;
  /** The file names the images of older archives. */
  readonly hasRepositories: boolean;
  /** Number of images; charts and signatures do not count. */
  readonly images: number;
  /** Images that cannot run, because a part is missing or altered. */
  readonly broken: number;
  readonly layers: ReadonlySet<LayerCompression>;
  /** Images with a foreign layer. */
  readonly foreign: number;
  /** Images that cannot run, because a foreign layer is not in the archive. */
  readonly lacksForeign: number;
  /** True if a layer is a hard link. */
  readonly hasHardLinks: boolean;
  /** manifest.json spells entries with "./". */
  readonly hasDotNames: boolean;
  /** Entries of manifest.json that are artifacts. */
  readonly listedArtifacts: number;
  /** Kinds of odd names in manifest.json. */
  readonly names: ReadonlySet<OddName>;
  /** Images of manifest.json without a name. */
  readonly nameless: number;
  /** Undefined without an `index.json`, or without an `oci-layout` next to `manifest.json`. */
  readonly oci: OciFacts | undefined;
}

/** What tools that use `index.json` find in it. */
export interface OciFacts {
  readonly hasLayoutFile: boolean;
  /** Number of entries: an image with two names has two. */
  readonly entries: number;
  /** Entries that are artifacts and have a name or a tag: ctr passes over those without. */
  readonly artifacts: number;
  readonly names: ReadonlySet<OddName>;
  /** Images with neither name nor tag. */
  readonly nameless: number;
  /** Images with a tag but without a name. */
  readonly tagOnly: number;
  /** Indexes without an image for this machine's platform. */
  readonly otherPlatforms: number;
  /** Indexes that name manifests which the archive does not contain. */
  readonly sparse: number;
  /** Indexes that contain indexes only. */
  readonly nested: number;
  /** Images of manifest.json that it does not contain. */
  readonly unlisted: number;
  /** Images with other layers than in manifest.json. */
  readonly contradicted: number;
  readonly hasSha512: boolean;
}

/** Whether a runtime loads an archive. */
export interface LoaderVerdict {
  /** Name and versions of the runtime. */
  readonly loader: string;
  /** True if every image of the archive can be used after loading. */
  readonly loads: boolean;
  /** Reasons against it; empty if it loads. */
  readonly why: readonly string[];
}

type Rule = (facts: LoadFacts) => string | false;

const no = (isBad: boolean, why: string): string | false => isBad && why;

const folder: Rule = ({ outer }) => no(outer === "folder", "it reads files, not folders");
const dir: Rule = ({ isDir }) => no(isDir, 'it does not support "dir:"');
const needsDocker: Rule = ({ hasDockerView, isLegacy, isDir }) =>
  no(!hasDockerView && !isLegacy && !isDir, "there is no manifest.json, and it reads nothing else");
const needsRepositories: Rule = ({ isLegacy, hasRepositories }) =>
  no(isLegacy && !hasRepositories, "there is no repositories file, which names the images");
const legacy: Rule = ({ isLegacy }) => no(isLegacy, "archives of Docker 1.9 are not supported any more");
const hardLinks: Rule = ({ hasHardLinks }) => no(hasHardLinks, "a layer is a hard link, which it does not support");
const listedArtifacts: Rule = ({ listedArtifacts }) =>
  no(listedArtifacts > 0, "manifest.json lists an artifact as an image, which it cannot unpack");
const dotNames: Rule = ({ hasDotNames, oci }) =>
  no(hasDotNames && oci === undefined, 'manifest.json spells names with "./", which it does not find');
const outer =
  (...bad: readonly string[]): Rule =>
  ({ outer }) =>
    no(bad.includes(outer), `the file is ${outer}, which it cannot unpack`);
const layers =
  (...bad: readonly LayerCompression[]): Rule =>
  ({ layers }) => {
    const found = bad.filter(compression => layers.has(compression));
    return no(found.length > 0, `layers are ${found.join(" and ")}, which it cannot unpack`);
  };
const layoutFile: Rule = ({ oci, hasDockerView }) =>
  no(!hasDockerView && oci?.hasLayoutFile === false, "there is no oci-layout file");
const sha512: Rule = ({ oci }) => no(oci?.hasSha512 === true, "blobs are named by sha512, which it does not read");
const unlisted: Rule = ({ oci }) =>
  no((oci?.unlisted ?? 0) > 0, "it uses index.json, which does not contain all images of manifest.json");
const contradicted: Rule = ({ oci }) =>
  no((oci?.contradicted ?? 0) > 0, "it uses index.json, which has other layers than the image");
const platform: Rule = ({ oci }) =>
  no((oci?.otherPlatforms ?? 0) > 0, "an image does not support this machine's platform; use ctr with --platform");
/** `ctr images import --all-platforms`. */
const allPlatforms: Rule = ({ oci }) =>
  no((oci?.sparse ?? 0) > 0, "an index names platforms that are not in the archive, and it imports all of them");
const artifacts: Rule = ({ oci }) =>
  no((oci?.artifacts ?? 0) > 0, "index.json lists an artifact, which it cannot unpack; use ctr with --no-unpack");
/** It uses the tag as the name, and lists only images with a name and a tag. */
const tagOnly: Rule = ({ oci }) =>
  no((oci?.tagOnly ?? 0) > 0, "an image has a tag without a name, so it is not listed");
/** It keeps the blobs for a while, but nothing refers to them. */
const nameless: Rule = facts => no((facts.oci?.nameless ?? facts.nameless) > 0, "an image has no name, and is dropped");

/** podman reads an OCI layout first, and falls back to manifest.json. */
const oneOciImage: Rule = ({ hasDockerView, oci }) =>
  no(!hasDockerView && (oci?.entries ?? 0) > 1, "an OCI layout with several entries has no manifest.json");
const nested: Rule = ({ hasDockerView, oci }) =>
  no(!hasDockerView && (oci?.nested ?? 0) > 0, "an index contains indexes, where it expects images");
/** Of an OCI layout it fetches every foreign layer from its URL, also one that is there. */
const foreignByUrl: Rule = ({ hasDockerView, foreign, lacksForeign }) =>
  no(!hasDockerView && foreign > lacksForeign, "it fetches foreign layers from their URLs, not from an OCI layout");
/** It reads manifest.json if the layout has several entries. */
const largeManifest: Rule = ({ dockerManifestBytes, oci }) =>
  no(
    dockerManifestBytes > MAX_SKOPEO_MANIFEST_BYTES && oci?.entries !== 1,
    "manifest.json is larger than 1 MiB, which is all that it reads of it",
  );
const unlistedByOne: Rule = facts => facts.oci?.entries === 1 && unlisted(facts);

const DOCKER: readonly Rule[] = [folder, dir, needsDocker, needsRepositories, listedArtifacts];
const REFUSED_NAMES: Readonly<Record<OddName, string>> = {
  bad: "an image has a name that no registry takes, which it refuses",
  ipv6: "the registry in a name is an IPv6 address, which it refuses",
  untagged: "manifest.json names an image without a tag, which it refuses",
};
const dockerNames =
  (odd: readonly OddName[]): Rule =>
  ({ names }) => {
    const found = odd.find(kind => names.has(kind));
    return found === undefined ? false : REFUSED_NAMES[found];
  };
const oldDockerNames: Rule = ({ names }) =>
  no(names.has("ipv6"), "the registry in a name is an IPv6 address, which Docker before 25 refuses");
/** Refused names matter in both views, because the other one is tried next. */
const podmanNames: Rule = facts => {
  const { oci, hasDockerView } = facts;
  const odd: readonly OddName[] = ["bad", "ipv6"];
  const layout = oci?.entries === 1 ? odd.find(kind => oci.names.has(kind)) : odd[0];
  const docker = hasDockerView ? dockerNames(["bad", "ipv6", "untagged"])(facts) : undefined;
  if (docker === false || layout === undefined) return false;
  return docker ?? (oci?.entries === 1 && REFUSED_NAMES[layout]);
};
/** Of an OCI layout it takes any text as a name. */
const ctrNames =
  (odd: readonly OddName[]): Rule =>
  facts =>
    facts.oci === undefined && dockerNames(odd)(facts);

const PODMAN: readonly Rule[] = [
  podmanNames,
  foreignByUrl,
  legacy,
  listedArtifacts,
  oneOciImage,
  nested,
  unlistedByOne,
  largeManifest,
  sha512,
];
const CONTAINERD: readonly Rule[] = [
  folder,
  dir,
  legacy,
  layoutFile,
  hardLinks,
  dotNames,
  sha512,
  unlisted,
  contradicted,
  layers("xz", "bzip2"),
];
const CTR: readonly Rule[] = [...CONTAINERD, platform, nameless];

/**
 * Measured with these versions: each rule is an archive that the tool refused, or reported as loaded and did not load. k3s and
 * kind are containerd, which imports with all platforms (k3s-io/k3s#10132, kubernetes-sigs/kind#3795).
 */
const LOADERS: readonly { readonly loader: string; readonly rules: readonly Rule[] }[] = [
  {
    loader: "docker 20.10",
    rules: [...DOCKER, dockerNames(["bad", "ipv6", "untagged"]), outer("zstd"), layers("zstd")],
  },
  { loader: "docker 23 to 28, classic store", rules: [...DOCKER, dockerNames(["bad", "untagged"]), oldDockerNames] },
  { loader: "docker, containerd store", rules: [...CONTAINERD, ctrNames(["bad"]), tagOnly] },
  { loader: "podman 4.3 (Debian 12)", rules: [...PODMAN, outer("gzip")] },
  { loader: "podman 5", rules: PODMAN },
  {
    loader: "containerd 1.6 (ctr)",
    rules: [...CTR, ctrNames(["bad", "ipv6"]), artifacts, outer("gzip", "zstd", "xz", "bzip2")],
  },
  { loader: "containerd 2 (ctr)", rules: [...CTR, ctrNames(["bad"]), outer("xz", "bzip2")] },
  { loader: "k3s 1.30.1 or older", rules: [...CTR, ctrNames(["bad"]), outer("xz"), allPlatforms] },
  { loader: "k3s 1.30.2 or newer", rules: [...CTR, ctrNames(["bad"]), outer("xz")] },
  { loader: "kind, k3d", rules: [...CTR, ctrNames(["bad"]), outer("xz", "bzip2"), allPlatforms] },
];

/** Which tools load all images of an archive, and why the others do not. */
export function loaderVerdicts(facts: LoadFacts): readonly LoaderVerdict[] {
  const { images, broken, lacksForeign } = facts;
  const common = images === 0 ? ["there is no image in it"] : [];
  if (broken > 0) common.push(`${broken} of ${images} images ${broken === 1 ? "is" : "are"} not whole`);
  if (lacksForeign > 0) common.push("a foreign layer is not in the archive");
  return LOADERS.map(({ loader, rules }) => {
    const why = [...common, ...rules.flatMap(rule => rule(facts) || [])];
    return { loader, loads: why.length === 0, why };
  });
}
