import type { LayerCompression } from "../oci/media-types.ts";

/** What decides whether a loader takes an archive. */
export interface LoadFacts {
  /** How the file itself is compressed; "folder" for what is no file. */
  readonly outer: string;
  readonly hasDockerView: boolean;
  readonly hasOciView: boolean;
  readonly isDir: boolean;
  readonly isLegacy: boolean;
  readonly images: number;
  /** Images that are whole, and images at all: charts and signatures are none. */
  readonly usable: number;
  readonly layers: ReadonlySet<LayerCompression>;
  /** A layer that only a hard link leads to. */
  readonly hasHardLinks: boolean;
  /** manifest.json spells entries with "./". */
  readonly hasDotNames: boolean;
}

export interface LoaderVerdict {
  readonly loader: string;
  readonly loads: boolean;
  /** Why not; or what is lost on the way. */
  readonly why: readonly string[];
}

type Rule = (facts: LoadFacts) => string | false;

const no = (isBad: boolean, why: string): string | false => isBad && why;

const folder: Rule = ({ outer }) => no(outer === "folder", "it reads files, not folders");
const dir: Rule = ({ isDir }) => no(isDir, 'it does not know the "dir:" form');
const needsDocker: Rule = ({ hasDockerView, isLegacy, isDir }) =>
  no(!hasDockerView && !isLegacy && !isDir, "there is no manifest.json, and it reads no other form");
const legacy: Rule = ({ isLegacy }) => no(isLegacy, "the form of Docker 1.9 is no longer read");
const hardLinks: Rule = ({ hasHardLinks }) => no(hasHardLinks, "a layer is a hard link, which it does not follow");
const dotNames: Rule = ({ hasDotNames, hasOciView }) =>
  no(hasDotNames && !hasOciView, 'manifest.json spells names with "./", which it does not find');
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
const oneOciImage: Rule = ({ hasDockerView, hasOciView, images }) =>
  no(!hasDockerView && hasOciView && images > 1, "an OCI layout with several images has no manifest.json");

/** Measured with the versions named: each rule is an archive that the loader refused, or said to have loaded and had not. */
const LOADERS: readonly { readonly loader: string; readonly rules: readonly Rule[] }[] = [
  { loader: "docker 20.10", rules: [folder, dir, needsDocker, outer("zstd"), layers("zstd")] },
  { loader: "docker 23 to 28, classic store", rules: [folder, dir, needsDocker] },
  {
    loader: "docker, containerd store",
    rules: [folder, dir, legacy, hardLinks, dotNames, layers("xz", "bzip2")],
  },
  { loader: "podman 4.3 (Debian 12)", rules: [legacy, outer("gzip"), oneOciImage] },
  { loader: "podman 5", rules: [legacy, oneOciImage] },
  {
    loader: "containerd 1.6 (ctr)",
    rules: [folder, dir, legacy, hardLinks, dotNames, outer("gzip", "zstd", "xz", "bzip2"), layers("xz", "bzip2")],
  },
  {
    loader: "containerd 2 (ctr)",
    rules: [folder, dir, legacy, hardLinks, dotNames, outer("xz", "bzip2"), layers("xz", "bzip2")],
  },
];

/** Which runtimes load an archive, and why the others do not. */
export function loaderVerdicts(facts: LoadFacts): readonly LoaderVerdict[] {
  return LOADERS.map(({ loader, rules }) => {
    const why = rules.flatMap(rule => rule(facts) || []);
    if (facts.usable === 0) why.push("no image in it is whole");
    return { loader, loads: why.length === 0, why };
  });
}
