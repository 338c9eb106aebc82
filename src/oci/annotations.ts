/** Full image name, written by containerd and Docker into `index.json`. */
export const ANNOTATION_IMAGE_NAME = "io.containerd.image.name";
/** A tag (Docker, containerd) or a full name (skopeo); image-spec does not define the value. */
export const ANNOTATION_REF_NAME = "org.opencontainers.image.ref.name";
/** SPDX expression; images have it as a label, too. */
export const ANNOTATION_LICENSES = "org.opencontainers.image.licenses";
/** RFC 3339. */
export const ANNOTATION_CREATED = "org.opencontainers.image.created";
/** Name of the file that a layer of an artifact is. */
export const ANNOTATION_TITLE = "org.opencontainers.image.title";
/** On the attestation of a build: digest of the manifest that it describes. */
export const ANNOTATION_REFERENCE_DIGEST = "vnd.docker.reference.digest";
