import type { LayerCompression } from "../../oci/media-types.ts";

/** What decides whether a loader takes an archive. */
export interface LoadFacts {
  /** How the file itself is compressed; "folder" for what is no file. */
  readonly outer: string;
  readonly hasDockerView: boolean;
  readonly isDir: boolean;
  readonly isLegacy: boolean;
  /** Only older archives may lack it: it names the images. */
  readonly hasRepositories: boolean;
  /** Images; charts and signatures are none. */
  readonly images: number;
  /** Images of which nothing can run, because a part is missing or altered. */
  readonly broken: number;
  readonly layers: ReadonlySet<LayerCompression>;
  /** A layer that only a hard link leads to. */
  readonly hasHardLinks: boolean;
  /** manifest.json spells entries with "./". */
  readonly hasDotNames: boolean;
  /** Images of manifest.json alone, where that is what is followed, that have no name. */
  readonly nameless: number;
  /** Without an `index.json`, or without an `oci-layout` beside `manifest.json`. */
  readonly oci: OciFacts | undefined;
}

/** What an `index.json` says, for those who follow it. */
export interface OciFacts {
  readonly hasLayoutFile: boolean;
  /** As they stand there: an image with two names stands twice. */
  readonly entries: number;
  /** Images with neither name nor tag. */
  readonly nameless: number;
  /** Images with a tag, and no name that it could belong to. */
  readonly tagOnly: number;
  /** Indexes without an image for this machine's platform. */
  readonly otherPlatforms: number;
  /** Indexes of indexes only. */
  readonly nested: number;
  /** Images of manifest.json that it does not lead to. */
  readonly unlisted: number;
  /** Images whose layers it tells otherwise than manifest.json. */
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
const dir: Rule = ({ isDir }) => no(isDir, 'it does not know the "dir:" form');
const needsDocker: Rule = ({ hasDockerView, isLegacy, isDir }) =>
  no(!hasDockerView && !isLegacy && !isDir, "there is no manifest.json, and it reads no other form");
const needsRepositories: Rule = ({ isLegacy, hasRepositories }) =>
  no(isLegacy && !hasRepositories, "there is no repositories file, which names images of this form");
const legacy: Rule = ({ isLegacy }) => no(isLegacy, "the form of Docker 1.9 is no longer read");
const hardLinks: Rule = ({ hasHardLinks }) => no(hasHardLinks, "a layer is a hard link, which it does not follow");
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
  no((oci?.unlisted ?? 0) > 0, "it follows index.json, which does not name all images of manifest.json");
const contradicted: Rule = ({ oci }) =>
  no((oci?.contradicted ?? 0) > 0, "it follows index.json, whose layers are not those of the image");
const platform: Rule = ({ oci }) =>
  no((oci?.otherPlatforms ?? 0) > 0, "an image is not there for this machine's platform; ctr takes --platform");
/** It takes the tag for the name, and lists only what has a name and a tag. */
const tagOnly: Rule = ({ oci }) =>
  no((oci?.tagOnly ?? 0) > 0, "an image has a tag without a name, which it then hides");
/** It keeps the blobs for a while, and nothing leads to them. */
const nameless: Rule = facts =>
  no((facts.oci?.nameless ?? facts.nameless) > 0, "an image has no name, and it drops those");

/** podman tries the OCI form first, and falls back to the docker form. */
const oneOciImage: Rule = ({ hasDockerView, oci }) =>
  no(!hasDockerView && (oci?.entries ?? 0) > 1, "an OCI layout with several entries has no manifest.json");
const nested: Rule = ({ hasDockerView, oci }) =>
  no(!hasDockerView && (oci?.nested ?? 0) > 0, "an index leads to further indexes, where it expects images");
const unlistedBesideOne: Rule = facts => facts.oci?.entries === 1 && unlisted(facts);

const PODMAN: readonly Rule[] = [legacy, oneOciImage, nested, unlistedBesideOne, sha512];
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

/** Measured with the versions named: each rule is an archive that the loader refused, or said to have loaded and had not. */
const LOADERS: readonly { readonly loader: string; readonly rules: readonly Rule[] }[] = [
  { loader: "docker 20.10", rules: [folder, dir, needsDocker, needsRepositories, outer("zstd"), layers("zstd")] },
  { loader: "docker 23 to 28, classic store", rules: [folder, dir, needsDocker, needsRepositories] },
  { loader: "docker, containerd store", rules: [...CONTAINERD, tagOnly] },
  { loader: "podman 4.3 (Debian 12)", rules: [...PODMAN, outer("gzip")] },
  { loader: "podman 5", rules: PODMAN },
  { loader: "containerd 1.6 (ctr)", rules: [...CTR, outer("gzip", "zstd", "xz", "bzip2")] },
  { loader: "containerd 2 (ctr)", rules: [...CTR, outer("xz", "bzip2")] },
];

/** Which runtimes load all images of an archive, and why the others do not. */
export function loaderVerdicts(facts: LoadFacts): readonly LoaderVerdict[] {
  const { images, broken } = facts;
  const common = images === 0 ? ["there is no image in it"] : [];
  if (broken > 0) common.push(`${broken} of ${images} images ${broken === 1 ? "is" : "are"} not whole`);
  return LOADERS.map(({ loader, rules }) => {
    const why = [...common, ...rules.flatMap(rule => rule(facts) || [])];
    return { loader, loads: why.length === 0, why };
  });
}
