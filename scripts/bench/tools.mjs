// @ts-check
// The programs that are compared: where they are and how each is told to push and pull.
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as zlib from "node:zlib";
import { remove } from "fs-extra/esm";
import { findTool } from "../fixtures/processes.mjs";

/** @typedef {{ digest: string }} Blob */

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} version
 * @property {(archive: string, reference: string) => string[]} push the whole command; paths are those of this machine
 * @property {(reference: string, output: string, blobs: Blob[], ca?: string) => string[]} pull over TLS with the authority of
 *   that file, else over plain HTTP
 * @property {((list: string, output: string) => string[]) | undefined} [sync] all images of a list of skopeo's, into a folder
 * @property {((images: BundleImages, output: string) => string[]) | undefined} [bundle] several images into one tar
 * @property {() => Promise<void>} forget removes what the tool remembers of registries, where that is not in the environment
 */

/** @typedef {{ host: string, repository: string, tags: string[] }} BundleImages in one repository */

/** @typedef {(path: string) => string} Seen a path as the tool sees it */

/** @type {Record<string, { version: string, push?: (archive: string, reference: string, seen: Seen, folder: string) => string[], pull: (reference: string, output: string, seen: Seen, folder: string, blobs: Blob[], ca: string | undefined) => string[], env?: (ca: string, seen: Seen) => Record<string, string>, sync?: (list: string, output: string, seen: Seen, folder: string) => string[], bundle?: (images: BundleImages, output: string, seen: Seen) => string[] }>} */
const peers = {
  skopeo: {
    version: "--version",
    push: (archive, reference, seen, folder) => [
      ...["--insecure-policy", `--tmpdir=${seen(folder)}/tmp`, "copy", "--dest-tls-verify=false"],
      ...[`docker-archive:${seen(archive)}`, `docker://${reference}`],
    ],
    pull: (reference, output, seen, folder, _blobs, ca) => [
      ...["--insecure-policy", `--tmpdir=${seen(folder)}/tmp`, "copy"],
      ca === undefined ? "--src-tls-verify=false" : `--src-cert-dir=${dirname(seen(ca))}`,
      ...[`docker://${reference}`, `docker-archive:${seen(output)}`],
    ],
    sync: (list, output, seen, folder) => [
      ...["--insecure-policy", `--tmpdir=${seen(folder)}/tmp`, "sync", "--src=yaml", "--dest=dir"],
      ...[seen(list), seen(output)],
    ],
  },
  crane: {
    version: "version",
    push: (archive, reference, seen) => ["push", "--insecure", seen(archive), reference],
    pull: (reference, output, seen, _folder, _blobs, ca) => [
      ...["pull", ...(ca === undefined ? ["--insecure"] : [])],
      ...[reference, seen(output)],
    ],
    bundle: (images, output, seen) => ["pull", "--insecure", ...referencesOf(images), seen(output)],
    env: (ca, seen) => ({ SSL_CERT_FILE: seen(ca) }),
  },
  oras: {
    version: "version",
    pull: (reference, output, seen, _folder, _blobs, ca) => [
      ...["copy", "--no-tty", ...(ca === undefined ? ["--from-plain-http"] : ["--from-ca-file", seen(ca)])],
      "--to-oci-layout",
      ...[reference, `${seen(output)}:latest`],
    ],
    bundle: ({ host, repository, tags }, output, seen) => [
      ...["backup", "--no-tty", "--plain-http", "--output", seen(output)],
      `${host}/${repository}:${tags.join(",")}`,
    ],
  },
  regctl: {
    version: "version",
    pull: (reference, output, seen, _folder, _blobs, ca) => {
      const [host] = reference.split("/");
      const tls = ca === undefined ? "tls=disabled" : `cacert=${seen(ca)}`;
      return ["--host", `reg=${host},${tls}`, "image", "export", reference, seen(output)];
    },
  },
  hauler: {
    version: "version",
    pull: (reference, _output, seen, folder) => [
      ...["store", "add", "image", reference, "--store", `${seen(folder)}/hauler`],
    ],
  },
  curl: {
    version: "--version",
    pull: (reference, output, seen, _folder, blobs, ca) => {
      const [, host = "", name = ""] = /^([^/]+)\/(.+):[^:]+$/.exec(reference) ?? [];
      return [
        ...[
          "-Z",
          "--fail",
          "--no-progress-meter",
          "--create-dirs",
          ...(ca === undefined ? [] : ["--cacert", seen(ca)]),
        ],
        ...blobs.flatMap(({ digest }) => [
          `${ca === undefined ? "http" : "https"}://${host}/v2/${name}/blobs/${digest}`,
          "-o",
          `${seen(output)}/${digest.slice("sha256:".length)}`,
        ]),
      ];
    },
  },
};

/** imgpack with other compressions: what the choice costs and brings. */
export const compressions = { "imgpack gzip:1": "gzip:1", "imgpack zstd:1": "zstd:1", "imgpack zstd": "zstd" };
/** The single executable. */
export const executable = "imgpack executable";

/** skopeo keeps it there when it runs as root, and below XDG_DATA_HOME otherwise. */
const skopeoCache = ["boltdb", "sqlite"].map(kind => `/var/lib/containers/cache/blob-info-cache-v1.${kind}`);

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} bin the built imgpack
 * @param {{ prefix: string[], share?: { host: string, peer: string } | undefined, executable?: string | undefined }} where newer
 *   peers with a prefix win over those on PATH
 * @returns {Promise<{ tools: Map<string, Tool>, missing: string[] }>}
 */
export async function findTools(workspace, bin, where) {
  if (!existsSync(bin))
    throw new Error(`Cannot run imgpack: no ${relative("", bin)}, expected the output of "npm run build"`);
  /** @type {Map<string, Tool>} */
  const tools = new Map();
  const missing = [];
  const imgpack = await imgpackTool(workspace, "imgpack", [process.execPath, bin]);
  tools.set(imgpack.name, imgpack);
  const single =
    where.executable === undefined ? undefined : await imgpackTool(workspace, executable, [where.executable]);
  if (single !== undefined) tools.set(executable, single);
  const hasZstd = "createZstdCompress" in zlib;
  for (const [name, compression] of Object.entries(compressions)) {
    // Node before 22.15 has no encoder for zstd, the executable has one.
    const own = hasZstd || compression.startsWith("gzip") ? imgpack : single;
    if (own === undefined) continue;
    tools.set(name, {
      ...own,
      name,
      push: (archive, reference) => [...own.push(archive, reference), "--compression", compression],
    });
  }
  for (const [name, peer] of Object.entries(peers)) {
    const found = await findPeer(workspace, name, peer.version, where.prefix);
    if (found === undefined) {
      missing.push(name);
      continue;
    }
    const { command, prefix, version } = found;
    const { share } = where;
    /** @type {Seen} */
    const seen = path =>
      prefix.length > 0 && share !== undefined && path.startsWith(share.host)
        ? share.peer + path.slice(share.host.length)
        : path;
    tools.set(name, {
      name,
      version,
      push: (archive, reference) => {
        if (peer.push === undefined) throw new Error(`Cannot push with ${name}: it reads no docker archives`);
        return [...command, ...peer.push(archive, reference, seen, workspace.folder)];
      },
      pull: (reference, output, blobs, ca) => [
        ...withEnvironment(command, prefix, ca === undefined ? {} : (peer.env?.(ca, seen) ?? {})),
        ...peer.pull(reference, output, seen, workspace.folder, blobs, ca),
      ],
      sync: peer.sync && ((list, output) => [...command, ...(peer.sync?.(list, output, seen, workspace.folder) ?? [])]),
      bundle:
        peer.bundle &&
        ((images, output) => [
          ...withEnvironment(command, prefix, { TMPDIR: `${seen(workspace.folder)}/tmp` }),
          ...(peer.bundle?.(images, output, seen) ?? []),
        ]),
      forget: async () => {
        if (name !== "skopeo") return;
        if (process.getuid?.() === 0) await workspace.run([...prefix, "rm", "-f", ...skopeoCache]);
        else await remove(join(workspace.folder, "data"));
      },
    });
  }
  return { tools, missing };
}

/** @param {import("./workspace.mjs").Workspace} workspace @param {string} name @param {string[]} command @returns {Promise<Tool>} */
async function imgpackTool(workspace, name, command) {
  return {
    name,
    version: (await workspace.run([...command, "--version"])).trim(),
    push: (archive, reference) => [...command, "push", archive, "--tag", reference],
    pull: (reference, output, _blobs, ca) => [
      ...[...command, "pull", reference, "-o", output],
      ...(ca === undefined ? [] : ["--ca-file", ca]),
    ],
    bundle: (images, output) => [...command, "pull", ...referencesOf(images), "-o", output],
    forget: async () => {},
  };
}

/** @param {BundleImages} images */
const referencesOf = ({ host, repository, tags }) => tags.map(tag => `${host}/${repository}:${tag}`);

/** @param {string[]} command @param {string[]} prefix its first words @param {Record<string, string>} environment */
function withEnvironment(command, prefix, environment) {
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return words.length === 0 ? command : [...prefix, "env", ...words, ...command.slice(prefix.length)];
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} name
 * @param {string} versionWord
 * @param {string[]} prefix
 */
async function findPeer(workspace, name, versionWord, prefix) {
  const local = findTool(name);
  const candidates = [
    ...(prefix.length > 0 ? [{ command: [...prefix, name], prefix }] : []),
    ...(local === undefined ? [] : [{ command: [local], prefix: [] }]),
  ];
  for (const candidate of candidates) {
    try {
      const text = await workspace.run([...candidate.command, versionWord]);
      const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? (await packagedVersion(workspace, name, candidate.prefix));
      return { ...candidate, version };
    } catch {
      // Not there with the prefix: the next candidate may be.
    }
  }
  return undefined;
}

/**
 * Debian's crane does not know its own version.
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} name
 * @param {string[]} prefix
 */
async function packagedVersion(workspace, name, prefix) {
  try {
    const [owner = ""] = (await workspace.run([...prefix, "dpkg-query", "-S", `/usr/bin/${name}`])).split(":");
    return await workspace.run([...prefix, "dpkg-query", "-W", "-f", "$" + "{Version}", owner]);
  } catch {
    return "of unknown version";
  }
}
