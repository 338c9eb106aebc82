/** Full image name, written by containerd and Docker into `index.json`. */
export const ANNOTATION_IMAGE_NAME = "io.containerd.image.name";
/** A tag (Docker, containerd) or a full name (skopeo); image-spec does not define the value. */
export const ANNOTATION_REF_NAME = "org.opencontainers.image.ref.name";
/** On the attestation of a build: digest of the manifest that it describes. */
export const ANNOTATION_REFERENCE_DIGEST = "vnd.docker.reference.digest";
