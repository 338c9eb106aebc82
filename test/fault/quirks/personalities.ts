import type { Personality } from "./personality.ts";

const MIB = 1024 * 1024;
const DISTRIBUTION: Omit<Personality, "name"> = {
  auth: "bearer",
  location: "state",
  emptyRange: "0-0",
  // Cancelling needs a right to delete, which a push does not ask for.
  cancel: 401,
  mount: 202,
  accept: "not-found",
};

/** One for each registry whose ways are known. Limits of many megabytes are scaled down. */
export const PERSONALITIES: readonly Personality[] = [
  { name: "plain" },
  { name: "Docker Hub", auth: "bearer", storage: { status: 307 }, accept: "not-found", location: "state" },
  {
    name: "ECR",
    auth: "basic",
    storage: { status: 307 },
    digestHeader: false,
    location: "absolute",
    chunks: { taken: 201, range: "stale" },
    progress: 404,
  },
  { name: "ECR Public", auth: "bearer", headBlob: 401, storage: { status: 307 }, digestHeader: false },
  {
    name: "GHCR",
    auth: "bearer",
    storage: { status: 307 },
    location: "relative",
    chunks: { most: 4 * MIB, refusal: 416 },
  },
  {
    name: "ACR",
    auth: "bearer",
    storage: { status: 307 },
    location: "relative",
    mostWhole: 2 * MIB,
    progress: 404,
  },
  { name: "Artifact Registry", auth: "bearer", storage: { status: 302 }, location: "opaque", chunks: "refused" },
  { name: "Harbor", auth: "bearer", cookie: true, mount: 401, cancel: 403, location: "state" },
  { name: "Quay", auth: "bearer", accept: "schema-1", mount: 400, storage: { status: 302 }, location: "absolute" },
  { name: "Artifactory", auth: "basic", cancel: 403, chunks: { range: "absent" }, storage: { status: 302 } },
  {
    name: "Nexus",
    auth: "basic",
    headManifest: 404,
    digestHeader: false,
    manifestLength: true,
    location: "relative",
    created: 204,
  },
  { name: "Nexus, one upload at a time", auth: "basic", oneUpload: true, location: "relative" },
  { name: "GitLab", ...DISTRIBUTION, tokenRequests: 8, storage: { status: 303 } },
  { name: "zot", auth: "basic", ociOnly: true, emptyRange: "0--1", location: "relative" },
  { name: "zot, short ranges", auth: "basic", ociOnly: true, chunks: { takes: 3 * MIB } },
  { name: "distribution 2", ...DISTRIBUTION },
  { name: "distribution 3", ...DISTRIBUTION, uploadHeaders: { "docker-upload-uuid": "u1" }, created: 204 },
  { name: "distribution behind a TLS proxy", auth: "basic", location: "inner" },
  { name: "Cloudflare edge", mostWhole: 6 * MIB, chunks: { most: 6 * MIB, refusal: 413 }, location: "absolute" },
  {
    name: "Cloudflare Workers registry",
    auth: "basic",
    uploadHeaders: { "oci-chunk-min-length": String(MIB), "oci-chunk-max-length": String(2 * MIB) },
    chunks: { least: MIB, most: 2 * MIB, refusal: 413 },
    mostWhole: 2 * MIB,
  },
  {
    name: "large minimum chunk",
    uploadHeaders: { "oci-chunk-min-length": String(12 * MIB) },
    chunks: { least: 12 * MIB },
    mostWhole: 2 * MIB,
  },
  { name: "Pulp behind Apache", auth: "basic", blobHeaders: { "content-encoding": "x-gzip" } },
  { name: "MinIO front", storage: { status: 303 }, headBlob: 403 },
  { name: "IBM Cloud", auth: "bearer", cancel: 401, location: "absolute" },
  { name: "no ranges, no HEAD", ranges: false, headBlob: 405, progress: 405 },
];
