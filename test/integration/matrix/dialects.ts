/** One row of the table in docs/FORMATS.md. */
export interface Dialect {
  readonly form: string;
  /** Who writes it. */
  readonly by: string;
  readonly odd: string;
  /** Fixtures, made by real tools. */
  readonly fixtures?: readonly string[];
  /** Archives that the generators build to the documented shape. */
  readonly shapes?: readonly string[];
}

function dirs(names: string): readonly string[] {
  return names.split(" ").map(name => `dirs/${name}`);
}

function tars(names: string): readonly string[] {
  return names.split(" ").map(name => `${name}.tar`);
}

/** Every fixture and every generated archive stands in exactly one row. */
export const dialects: readonly Dialect[] = [
  {
    form: "`repositories`, `<id>/json`, `<id>/layer.tar`",
    by: "docker save to 1.9",
    odd: "no config: it is built from the layers' JSON, with docker's image ID; below docker 1.8.3 with another one",
    shapes: [
      "docker 1.9: a chain of three, two tags, a tag on a parent",
      "docker 1.9: no repositories, the image is the one that is nobody's parent",
      "docker 1.9: a step without files on top",
      "docker 1.6: a config that docker writes anew",
    ],
  },
  {
    form: "`<id>/layer.tar`, `manifest.json`",
    by: "docker save 1.10 to 24; nix, crane `--format legacy`",
    odd: "a shared layer is a symlink, within an image or across images, sometimes before its target",
    fixtures: tars(
      "docker20-hello docker20-forward docker20-shared docker20-twice docker20-two-tags docker20-untagged crane020-legacy",
    ),
    shapes: ["nix dockerTools.streamLayeredImage"],
  },
  {
    form: "OCI layout over raw blobs, `manifest.json`",
    by: "docker save 25 and newer, classic store",
    odd: "its OCI manifests are not the registry's: `manifest.json` and the config decide; an image may be in one view only",
    fixtures: tars("docker28-classic-hello docker28-classic-shared docker28-classic-twice docker28-classic-unlisted"),
  },
  {
    form: "the same, with the faults of 25.0",
    by: "docker save 25.0.0 to 25.0.5",
    odd: "layers shuffled or dropped, images missing in `index.json`, a platform in the config's descriptor",
    shapes: [
      "B01 docker 25.0.0: the OCI manifest's layers shuffled, the repeated one dropped",
      "B02 docker 25.0.2: an image without a name is not in index.json",
      "B03 docker 25 and later: an image without a name after one with a name is not in index.json",
      "B04 docker 25.0.5: the config's descriptor has a platform",
    ],
  },
  {
    form: "OCI layout, `manifest.json`",
    by: "docker save, containerd store; buildx `type=docker`; ctr, nerdctl; regctl",
    odd: "`index.json` decides: its manifests are the registry's",
    fixtures: tars(
      "docker28-containerd-hello docker28-containerd-shared docker28-containerd-twice docker28-containerd-other-platform buildx029-docker",
    ),
    shapes: ["regctl image export"],
  },
  {
    form: "the same, blobs absent",
    by: "docker save, containerd store, of one platform",
    odd: "the index names platforms and attestations that are not there: they are left out, and a note says so",
    fixtures: tars("docker28-containerd-partial docker28-containerd-attested"),
  },
  {
    form: "the same, no platform of this machine",
    by: "ctr images export --platform",
    odd: "as above; ctr needs --platform to unpack",
    fixtures: tars("ctr16-partial ctr21-partial"),
  },
  {
    form: "OCI or docker manifest over raw layers",
    by: "docker's containerd store and ctr after a load; buildx `compression=uncompressed`; podman `docker-dir`; skopeo `dir:`",
    odd: "compressing the layers changes the manifest's digest: both are reported",
    fixtures: [
      ...tars("docker28-containerd-raw ctr16-imported ctr21-imported buildx029-oci-raw"),
      ...dirs("podman58-docker-dir skopeo122-dir-raw"),
    ],
  },
  {
    form: "raw layers, and a manifest that says gzip",
    by: "podman 4 `docker-dir`; skopeo `--dest-oci-accept-uncompressed-layers`",
    odd: "the manifest is kept; `verify` says what it found",
    fixtures: dirs("podman43-docker-dir skopeo122-oci-raw"),
  },
  {
    form: "`<diff_id>.tar`, `manifest.json`",
    by: "skopeo, podman, buildah `docker-archive`",
    odd: "symlinks for old readers; not needed",
    fixtures: tars(
      "skopeo19-docker skopeo122-docker podman43-docker podman43-shared podman58-docker podman58-shared buildah128-docker",
    ),
  },
  {
    form: "`sha256:<hex>`, `<hex>.tar.gz`, `manifest.json`",
    by: "crane, kaniko, ko, jib, Bazel",
    odd: "digests in names are claims until the layers are read; `.tar.gz` may hold anything",
    fixtures: tars("crane020-hello crane020-shared"),
    shapes: ["kaniko --tar-path", "ko --tarball", "jib buildTar", "Bazel rules_oci oci_load"],
  },
  {
    form: "OCI layout as a tar",
    by: "skopeo, podman, buildah `oci-archive`; buildx `type=oci`; umoci; oras backup; hauler",
    odd: "a name may be a tag only, then `--tag` names the image; hauler leaves `oci-layout` out",
    fixtures: tars(
      "skopeo19-oci skopeo122-oci podman43-oci podman58-oci buildah128-oci buildx029-oci buildx029-oci-attested multi-platform-oci umoci04-layout oras13-backup",
    ),
    shapes: [
      "hauler store save: no oci-layout, with manifest.json",
      "hauler store save: no oci-layout, no manifest.json",
      "an index 3 levels deep",
    ],
  },
  {
    form: "OCI layout as a folder",
    by: "skopeo, buildah `oci:`; podman `oci-dir`; crane, oras, buildx `tar=false`",
    odd: "indexes may contain indexes",
    fixtures: dirs(
      "skopeo19-oci skopeo122-oci podman43-oci-dir podman58-oci-dir buildah128-oci buildx029-oci crane020-oci crane020-oci-nested crane020-oci-untagged oras13-layout",
    ),
  },
  {
    form: "`manifest.json`, `version`, `<hex>` in a folder",
    by: "skopeo, buildah `dir:`",
    odd: "no name: `--tag`; its `manifest.json` is a registry's",
    fixtures: dirs("skopeo19-dir skopeo122-dir skopeo19-dir-multi skopeo122-dir-multi buildah128-dir"),
  },
  {
    form: "zstd layers in any of these",
    by: "buildx, crane, skopeo, docker's containerd store",
    odd: "docker before 23 cannot unpack them",
    fixtures: tars(
      "buildx029-oci-zstd crane020-zstd docker28-containerd-zstd skopeo122-oci-zstd skopeo122-oci-zstd-chunked",
    ),
    shapes: ["a layer as zstd"],
  },
  {
    form: "xz or bzip2 layers",
    by: "by hand",
    odd: "containerd cannot unpack them: pull and convert make them gzip",
    shapes: ["a layer as xz", "a layer as bzip2"],
  },
  {
    form: "any tar, compressed as a whole",
    by: "gzip, zstd, xz, bzip2; nix",
    odd: "recognised by content, never unpacked to disk",
    fixtures: ["hello.tar.gz", "hello.tar.zst", "hello.tar.xz", "hello.tar.bz2"],
    shapes: ["nix dockerTools.buildImage, as gzip"],
  },
  {
    form: "packed again",
    by: "GNU tar; by hand",
    odd: "`./` before names, folders, PAX or GNU long names, hard links, metadata first, no names, no layers",
    fixtures: tars("gnutar134-docker20 gnutar134-containerd"),
    shapes: [
      "one path for two layers",
      "a layer that is a hard link",
      "a layer that is a symbolic link",
      "metadata first",
      "a long name in a PAX record",
      "a long name in GNU's way",
      "a config and a layer named anything",
      "./ before every entry's name",
      "./ before the names in manifest.json too",
      "an image without layers",
      "an image without a name",
    ],
  },
  {
    form: "artifacts in an OCI layout",
    by: "oras backup",
    odd: "registries take them; docker and podman skip them",
    fixtures: tars("oras13-artifact"),
  },
  {
    form: "an image with what refers to it, in an OCI layout",
    by: "oras backup",
    odd: "signatures and SBOMs travel with their image, and are not images",
    fixtures: tars("oras13-referrers"),
  },
  {
    form: "blobs named by sha512",
    by: "by hand",
    odd: "registries name a tagged manifest by sha256, loaders look for sha256",
    shapes: ["blobs named by sha512"],
  },
  {
    form: "`manifest.json` of imgpkg",
    by: "imgpkg copy --to-tar",
    odd: "another format under the same name",
    shapes: ["imgpkg copy --to-tar"],
  },
  {
    form: "broken",
    by: "by hand",
    odd: "absolute names, a config that does not match its digest, a parent that is absent or its own child",
    shapes: [
      "a layer with an absolute name",
      "every name absolute",
      "a config named by a digest that is not its own",
      "docker 1.9: the parent is absent",
      "docker 1.9: a chain that ends in itself",
    ],
  },
];
