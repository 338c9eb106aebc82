import type { HelpTopic } from "./help-topic.ts";

/** docs/FORMATS.md, in short. */
export const FORMATS: HelpTopic = {
  name: "formats",
  summary: "which archives are read, and what is written",
  sections: [
    {
      title: "Archives that are read",
      text: [
        "An archive is recognised by its content, never by its name. It can be a file, a folder, or - for stdin. The whole archive, and each layer, can be compressed with gzip, zstd, xz or bzip2.",
      ],
      rows: [
        {
          term: "docker save",
          text: "of every version of Docker, 1.9 and older included, and of its containerd store",
        },
        { term: "podman, buildah, skopeo", text: "docker-archive, docker-dir, oci-archive, oci-dir, and skopeo's dir" },
        { term: "OCI layout", text: "a tar or a folder, also of buildx, oras, umoci, hauler, crane and ko" },
        { term: "ctr, nerdctl, k3s", text: "images export and save, also with platforms left out" },
        { term: "crane, kaniko, ko, jib, Bazel", text: "docker archives with layers named by their digest" },
        { term: "docker://NAME", text: "an image of a local engine, as with podman://NAME and containerd://NAME" },
        { term: "imgpack", text: "archives, sets of volumes, deltas together with their bases, and patches" },
        {
          term: "root filesystem",
          text: "a tar or a folder of files, for import: docker export, debootstrap, Alpine's minirootfs",
        },
      ],
    },
    {
      title: "Formats that are written",
      text: [
        "pull and convert write one format that every runtime loads: an uncompressed tar that is an OCI layout and a docker archive at the same time. The same pull gives the same bytes on every machine.",
      ],
      rows: [
        { term: "-o FILE", text: "one tar, for docker load, podman load, ctr images import, k3s and kind" },
        { term: "-o FOLDER/", text: "an OCI layout in a folder" },
        { term: "-o -", text: "the same tar on stdout, for a pipe" },
        { term: "-o docker://", text: "loaded into a local engine, as with podman:// and containerd://" },
        { term: "--for TOOL", text: "what that tool needs: docker20 cannot unpack zstd, and needs gzip" },
        { term: "--format oci|docker", text: "convert: only one of the two formats" },
        {
          term: "--volume-size SIZE",
          text: "files of at most this size, to be carried on media",
        },
        { term: "--base BASE", text: "pull: a delta, without the layers that the other side has" },
      ],
    },
    {
      title: "Digests",
      text: [
        "Bytes stay as they are, and digests with them. Only what has to change gets a new digest, such as an image whose raw layers are compressed for a registry; then both are printed, as OLD → NEW.",
      ],
      rows: [],
    },
    {
      title: "References",
      text: [],
      rows: [
        { term: "HOST[:PORT]/REPOSITORY:TAG", text: "an image by its tag (default latest)" },
        { term: "HOST[:PORT]/REPOSITORY@sha256:…", text: "an image by its digest" },
        { term: "REPOSITORY:TAG", text: "in the registry of --registry or IMGPACK_REGISTRY, else in Docker Hub" },
        { term: "HOST/team/*:1.*", text: "wildcards, where images are read; quote them" },
        { term: "v1://HOST/REPOSITORY:TAG", text: "in a registry of the v1 protocol, from before 2015" },
      ],
    },
  ],
};
