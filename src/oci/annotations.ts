/** Full image name, written by containerd and Docker into `index.json`. */
export const ANNOTATION_IMAGE_NAME = "io.containerd.image.name";
/** A tag (Docker, containerd) or a whole name (skopeo): image-spec gives the value no meaning. */
export const ANNOTATION_REF_NAME = "org.opencontainers.image.ref.name";
/** On an attestation of a build: the manifest that it is about. */
export const ANNOTATION_REFERENCE_DIGEST = "vnd.docker.reference.digest";
